-- +goose Up
-- The resident who set a timer; empty: it was not one, or they live there no more.
ALTER TABLE scene_timer ADD COLUMN made_by TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE scene_timer DROP COLUMN made_by;
