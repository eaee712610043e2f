-- +goose Up
-- When devices of an order may register (动态注册), and which have. One row an order; the newest window replaces the one before.
CREATE TABLE issuance_window (
  batch      TEXT    NOT NULL PRIMARY KEY, -- the order
  id         TEXT    NOT NULL,             -- what the generation was handed out by
  generation INTEGER NOT NULL,             -- of the secrets that it hands out
  names      INTEGER NOT NULL,             -- how many are allowed; 0: all of the order
  opened_at  INTEGER NOT NULL,
  closes_at  INTEGER NOT NULL,
  reason     TEXT    NOT NULL,
  made_by    TEXT    NOT NULL
) WITHOUT ROWID;
CREATE TABLE issuance_window_name (
  batch TEXT    NOT NULL,
  mac   INTEGER NOT NULL,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;
CREATE TABLE issuance_registered (
  batch         TEXT    NOT NULL,
  mac           INTEGER NOT NULL,
  generation    INTEGER NOT NULL,
  registered_at INTEGER NOT NULL,
  way           TEXT    NOT NULL, -- https, mqtt
  address       TEXT    NOT NULL,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE issuance_registered;
DROP TABLE issuance_window_name;
DROP TABLE issuance_window;
