-- +goose Up
CREATE TABLE device (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  name         TEXT    NOT NULL, -- DeviceName: the MAC in lower-case hex
  batch        TEXT    NOT NULL, -- the order it was issued by
  generation   BIGINT  NOT NULL, -- of the DeviceSecret
  state        TEXT    NOT NULL, -- enabled, disabled
  created_at   BIGINT  NOT NULL,
  activated_at BIGINT            -- first session
);
CREATE UNIQUE INDEX device_name ON device (product, name);
CREATE INDEX device_organisation ON device (organisation, id);
CREATE INDEX device_batch ON device (batch, id);

-- A row for each device that ever had a session.
CREATE TABLE device_presence (
  device     TEXT    NOT NULL PRIMARY KEY,
  online     BIGINT  NOT NULL,
  epoch      BIGINT  NOT NULL,
  reason     TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  changed_at BIGINT  NOT NULL,
  seen_at    BIGINT  NOT NULL
);
CREATE INDEX device_presence_online ON device_presence (online, device);

CREATE TABLE device_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE device_cursor;
DROP TABLE device_presence;
DROP TABLE device;
