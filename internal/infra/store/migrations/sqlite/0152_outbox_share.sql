-- +goose Up
-- Whose share of what a recipient gets a message takes: strangers, others, notices; empty: their own.
ALTER TABLE outbox_message ADD COLUMN share TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE outbox_message DROP COLUMN share;
