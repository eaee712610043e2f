-- +goose Up
CREATE TABLE home (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  names        TEXT    NOT NULL, -- JSON object: language to name
  version      BIGINT  NOT NULL, -- grows by one with each change of the home, its rooms and its devices
  created_at   BIGINT  NOT NULL
);
CREATE INDEX home_organisation ON home (organisation, id);

CREATE TABLE home_room (
  id         TEXT    NOT NULL PRIMARY KEY,
  home       TEXT    NOT NULL,
  names      TEXT    NOT NULL, -- JSON object: language to name
  aliases    TEXT    NOT NULL, -- JSON object: language to array of names
  created_at BIGINT  NOT NULL
);
CREATE INDEX home_room_home ON home_room (home, id);

-- A device stands in at most one home: the device is the key.
CREATE TABLE home_device (
  device   TEXT    NOT NULL PRIMARY KEY,
  home     TEXT    NOT NULL,
  room     TEXT    NOT NULL, -- empty: in the home, in no room
  names    TEXT    NOT NULL,
  aliases  TEXT    NOT NULL,
  bound_at BIGINT  NOT NULL
);
CREATE INDEX home_device_home ON home_device (home, device);

-- +goose Down
DROP TABLE home_device;
DROP TABLE home_room;
DROP TABLE home;
