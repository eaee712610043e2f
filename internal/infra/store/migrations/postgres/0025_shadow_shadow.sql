-- +goose Up
-- What a device last said of itself: one row a device, the values as one JSON object
-- {"brightness":{"v":50,"t":1700000000000}}; version grows by one with each batch that changed something.
CREATE TABLE shadow (
  device     TEXT    NOT NULL PRIMARY KEY,
  version    BIGINT  NOT NULL,
  reported   BYTEA   NOT NULL,
  updated_at BIGINT  NOT NULL
);

-- What somebody asked of it: one row a property.
CREATE TABLE shadow_desired (
  device     TEXT    NOT NULL,
  property   TEXT    NOT NULL,
  value      TEXT    NOT NULL,
  version    BIGINT  NOT NULL,
  updated_at BIGINT  NOT NULL,
  PRIMARY KEY (device, property)
);

CREATE TABLE shadow_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE shadow_cursor;
DROP TABLE shadow_desired;
DROP TABLE shadow;
