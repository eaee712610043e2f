-- +goose Up
-- A row for each change of a device's right to connect, so that whoever holds sessions can ask what is new.
CREATE TABLE device_change (
  seq    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  device TEXT    NOT NULL,
  at     INTEGER NOT NULL
);

-- +goose Down
DROP TABLE device_change;
