-- +goose Up
-- Every combination that a list of devices is filtered and sorted by has its index; see fleet/device/list.go.
CREATE INDEX device_product ON device (product, id);
CREATE INDEX device_organisation_name ON device (organisation, name);
ALTER TABLE device_presence ADD COLUMN organisation TEXT NOT NULL DEFAULT ''; -- of the device, which never changes
UPDATE device_presence SET organisation = COALESCE((SELECT d.organisation FROM device d WHERE d.id = device_presence.device), '');
CREATE INDEX device_presence_organisation ON device_presence (organisation, online, device);

-- +goose Down
DROP INDEX device_presence_organisation;
ALTER TABLE device_presence DROP COLUMN organisation;
DROP INDEX device_organisation_name;
DROP INDEX device_product;
