-- +goose Up
ALTER TABLE account_ask ADD COLUMN taken INTEGER NOT NULL DEFAULT 0; -- logins that were taken when they were tried with its code

-- +goose Down
ALTER TABLE account_ask DROP COLUMN taken;
