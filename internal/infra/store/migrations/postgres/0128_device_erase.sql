-- +goose Up
CREATE INDEX device_change_device ON device_change (device);

-- +goose Down
DROP INDEX device_change_device;
