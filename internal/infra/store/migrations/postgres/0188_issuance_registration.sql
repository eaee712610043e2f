-- +goose Up
-- When devices of an order may register (动态注册), and which have. One row an order; the newest window replaces the one before.
CREATE TABLE issuance_window (
  batch      TEXT    NOT NULL PRIMARY KEY, -- the order
  id         TEXT    NOT NULL,             -- what the generation was handed out by
  generation BIGINT NOT NULL,             -- of the secrets that it hands out
  names      BIGINT NOT NULL,             -- how many are allowed; 0: all of the order
  opened_at  BIGINT NOT NULL,
  closes_at  BIGINT NOT NULL,
  reason     TEXT    NOT NULL,
  made_by    TEXT    NOT NULL
);
CREATE TABLE issuance_window_name (
  batch TEXT    NOT NULL,
  mac   BIGINT NOT NULL,
  PRIMARY KEY (batch, mac)
);
CREATE TABLE issuance_registered (
  batch         TEXT    NOT NULL,
  mac           BIGINT NOT NULL,
  generation    BIGINT NOT NULL,
  registered_at BIGINT NOT NULL,
  way           TEXT    NOT NULL, -- https, mqtt
  address       TEXT    NOT NULL,
  PRIMARY KEY (batch, mac)
);

-- +goose Down
DROP TABLE issuance_registered;
DROP TABLE issuance_window_name;
DROP TABLE issuance_window;
