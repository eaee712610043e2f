-- +goose Up
CREATE INDEX command_organisation ON command (organisation, seq);

-- +goose Down
DROP INDEX command_organisation;
