-- +goose Up
-- At which QoS a command went: one of QoS 0 does not go again.
ALTER TABLE command ADD COLUMN qos INTEGER NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE command DROP COLUMN qos;
