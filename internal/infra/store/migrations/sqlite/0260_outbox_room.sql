-- +goose Up
-- Which room a message is of: it alone forgets its recipients. What was put before is of the only room that sent any.
ALTER TABLE outbox_message ADD COLUMN room TEXT NOT NULL DEFAULT 'account';

-- +goose Down
ALTER TABLE outbox_message DROP COLUMN room;
