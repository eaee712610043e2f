-- +goose Up
-- Icons count as stored files. How large those are that are there already is not known here: they count from the next one on.
ALTER TABLE product ADD COLUMN icon_size INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE product DROP COLUMN icon_size;
