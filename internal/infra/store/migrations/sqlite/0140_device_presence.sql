-- +goose Up
-- Which devices of a product are online.
ALTER TABLE device_presence ADD COLUMN product TEXT NOT NULL DEFAULT ''; -- of the device, which never changes
UPDATE device_presence SET product = COALESCE((SELECT d.product FROM device d WHERE d.id = device_presence.device), '');
CREATE INDEX device_presence_product ON device_presence (product, online, device);

-- +goose Down
DROP INDEX device_presence_product;
ALTER TABLE device_presence DROP COLUMN product;
