-- +goose Up
-- What a message is about: the same is not sent to the same recipient twice a day. Empty: it is about nothing else.
ALTER TABLE outbox_message ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX outbox_message_about ON outbox_message (recipient, about, made_at) WHERE about <> '';

-- +goose Down
DROP INDEX outbox_message_about;
ALTER TABLE outbox_message DROP COLUMN about;
