-- +goose Up
ALTER TABLE session ADD COLUMN since BIGINT NOT NULL DEFAULT 0; -- epoch of the first connection of the session

-- +goose Down
ALTER TABLE session DROP COLUMN since;
