-- +goose Up
-- Words that devices carry, given by themselves.
CREATE TABLE device_tag (
  device       TEXT    NOT NULL,
  key          TEXT    NOT NULL,
  value        TEXT    NOT NULL,
  pair         TEXT    NOT NULL, -- key=value, what lists of devices are filtered by
  organisation TEXT    NOT NULL, -- of the device, as the next
  product      TEXT    NOT NULL,
  updated_at   BIGINT  NOT NULL,
  PRIMARY KEY (device, key)
);
CREATE INDEX device_tag_organisation ON device_tag (organisation, pair, device);
CREATE INDEX device_tag_product ON device_tag (product, pair, device);
CREATE INDEX device_tag_pair ON device_tag (pair, device);

-- +goose Down
DROP TABLE device_tag;
