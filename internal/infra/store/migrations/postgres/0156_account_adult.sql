-- +goose Up
ALTER TABLE account_user ADD COLUMN adult_in TEXT NOT NULL DEFAULT ''; -- YYYY-MM in which somebody turns 18 who was minor at sign-up

-- +goose Down
ALTER TABLE account_user DROP COLUMN adult_in;
