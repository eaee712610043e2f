-- +goose Up
ALTER TABLE session ADD COLUMN since INTEGER NOT NULL DEFAULT 0; -- epoch of the first connection of the session

-- +goose Down
ALTER TABLE session DROP COLUMN since;
