-- +goose Up
-- Open commands by the order they came: asked every two seconds and at every batch of answers, whatever has ended since.
CREATE INDEX command_open_seq ON command (seq) WHERE ended_at IS NULL;

-- +goose Down
DROP INDEX command_open_seq;
