-- +goose Up
-- How many devices of a product are out there is asked before its thing model breaks something.
CREATE INDEX device_activated ON device (product) WHERE activated_at IS NOT NULL;

-- +goose Down
DROP INDEX device_activated;
