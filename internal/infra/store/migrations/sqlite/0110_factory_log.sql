-- +goose Up
-- A file in which a factory says what it burned.
CREATE TABLE factory_log (
  id           TEXT    NOT NULL PRIMARY KEY,
  batch        TEXT    NOT NULL, -- the order
  product      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  hash         TEXT    NOT NULL, -- SHA-256 of the file, hexadecimal
  state        TEXT    NOT NULL, -- uploading, checking, done, cancelled, failed
  reason       TEXT    NOT NULL,
  lines        INTEGER NOT NULL, -- rows that were read
  burned       INTEGER NOT NULL,
  failed       INTEGER NOT NULL,
  repeated     INTEGER NOT NULL, -- rows that said what was known
  doubled      INTEGER NOT NULL, -- addresses that were burned before
  strange      INTEGER NOT NULL, -- addresses that are not of the order
  wrong        INTEGER NOT NULL, -- rows that cannot be read
  job          TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  ended_at     INTEGER
);
CREATE INDEX factory_log_batch ON factory_log (batch, id);
CREATE INDEX factory_log_organisation ON factory_log (organisation, id);
CREATE INDEX factory_log_product ON factory_log (product, id);

-- What is known of the burning of one address.
CREATE TABLE factory_burn (
  batch   TEXT    NOT NULL,
  mac     INTEGER NOT NULL,
  result  TEXT    NOT NULL, -- burned, failed
  at      INTEGER NOT NULL,
  station TEXT    NOT NULL,
  log     TEXT    NOT NULL, -- that said so last
  line    INTEGER NOT NULL,
  PRIMARY KEY (batch, mac)
) WITHOUT ROWID;

-- The rows of a file that were not taken, the first 100,000.
CREATE TABLE factory_flaw (
  log  TEXT    NOT NULL,
  line INTEGER NOT NULL,
  kind TEXT    NOT NULL, -- double, foreign, wrong
  got  TEXT    NOT NULL,
  rule TEXT    NOT NULL,
  PRIMARY KEY (log, line)
) WITHOUT ROWID;

-- A file until it is read.
CREATE TABLE factory_upload (
  log   TEXT    NOT NULL,
  seq   INTEGER NOT NULL,
  bytes BLOB    NOT NULL,
  PRIMARY KEY (log, seq)
);

-- +goose Down
DROP TABLE factory_upload;
DROP TABLE factory_flaw;
DROP TABLE factory_burn;
DROP TABLE factory_log;
