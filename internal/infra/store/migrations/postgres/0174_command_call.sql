-- +goose Up
-- The random id of a synchronous call, by which its answer is known; empty for commands that are none. kind is now one of
-- property_set, property_get, service, raw and message, and service the rest of the topic of a message.
ALTER TABLE command ADD COLUMN call TEXT NOT NULL DEFAULT '';
CREATE INDEX command_call ON command (device) WHERE ended_at IS NULL AND call <> '';

-- +goose Down
DROP INDEX command_call;
ALTER TABLE command DROP COLUMN call;
