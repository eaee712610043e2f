-- +goose Up
-- What a device says of itself beside its thing model: the versions it runs, the lines of its own log, and that it was reset.
CREATE TABLE device_firmware (
  device      TEXT    NOT NULL,
  module      TEXT    NOT NULL,
  version     TEXT    NOT NULL,
  informed_at INTEGER NOT NULL, -- when it was first told of this version
  PRIMARY KEY (device, module)
) WITHOUT ROWID;

CREATE TABLE device_line (
  seq         INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  device      TEXT    NOT NULL,
  received_at INTEGER NOT NULL,
  at          INTEGER,          -- by the device
  level       TEXT    NOT NULL,
  module      TEXT    NOT NULL,
  code        TEXT    NOT NULL,
  trace       TEXT    NOT NULL,
  content     TEXT    NOT NULL,
  folded      TEXT    NOT NULL  -- content in lower case, to search in
);
CREATE INDEX device_line_device ON device_line (device, seq);
CREATE INDEX device_line_received ON device_line (device, received_at, seq);
CREATE INDEX device_line_age ON device_line (received_at);

ALTER TABLE device ADD COLUMN reset_at INTEGER; -- by somebody at the device, the last time

-- +goose Down
ALTER TABLE device DROP COLUMN reset_at;
DROP TABLE device_line;
DROP TABLE device_firmware;
