-- +goose Up
-- Configuration files of products: the newest of a product is in force.
CREATE TABLE config_version (
  id           TEXT    NOT NULL PRIMARY KEY, -- the configId that devices hear
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  document     TEXT    NOT NULL, -- JSON, byte for byte as devices get it
  sha256       TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL
);
CREATE UNIQUE INDEX config_version_product ON config_version (product, number);
CREATE INDEX config_version_organisation ON config_version (organisation);

-- What was pushed to the devices that were online.
CREATE TABLE config_push (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL,
  sent         INTEGER NOT NULL, -- devices it was sent to
  confirmed    INTEGER NOT NULL  -- those that answered 200
);
CREATE INDEX config_push_product ON config_push (product, seq);
CREATE INDEX config_push_organisation ON config_push (organisation);

-- +goose Down
DROP TABLE config_push;
DROP TABLE config_version;
