-- +goose Up
-- Whether the device was given the values of a set because it asked what is desired of it: no command goes then.
ALTER TABLE command ADD COLUMN fetched BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE command DROP COLUMN fetched;
