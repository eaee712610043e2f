-- +goose Up
-- The home in which it was asked for: a device that leaves it does not carry it out any more. Empty: in none.
ALTER TABLE command ADD COLUMN home TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE command DROP COLUMN home;
