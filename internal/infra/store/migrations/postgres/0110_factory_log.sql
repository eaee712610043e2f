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
  lines        BIGINT  NOT NULL, -- rows that were read
  burned       BIGINT  NOT NULL,
  failed       BIGINT  NOT NULL,
  repeated     BIGINT  NOT NULL, -- rows that said what was known
  doubled      BIGINT  NOT NULL, -- addresses that were burned before
  strange      BIGINT  NOT NULL, -- addresses that are not of the order
  wrong        BIGINT  NOT NULL, -- rows that cannot be read
  job          TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   BIGINT  NOT NULL,
  ended_at     BIGINT 
);
CREATE INDEX factory_log_batch ON factory_log (batch, id);
CREATE INDEX factory_log_organisation ON factory_log (organisation, id);
CREATE INDEX factory_log_product ON factory_log (product, id);

-- What is known of the burning of one address.
CREATE TABLE factory_burn (
  batch   TEXT    NOT NULL,
  mac     BIGINT  NOT NULL,
  result  TEXT    NOT NULL, -- burned, failed
  at      BIGINT  NOT NULL,
  station TEXT    NOT NULL,
  log     TEXT    NOT NULL, -- that said so last
  line    BIGINT  NOT NULL,
  PRIMARY KEY (batch, mac)
);

-- The rows of a file that were not taken, the first 100,000.
CREATE TABLE factory_flaw (
  log  TEXT    NOT NULL,
  line BIGINT  NOT NULL,
  kind TEXT    NOT NULL, -- double, foreign, wrong
  got  TEXT    NOT NULL,
  rule TEXT    NOT NULL,
  PRIMARY KEY (log, line)
);

-- A file until it is read.
CREATE TABLE factory_upload (
  log   TEXT    NOT NULL,
  seq   BIGINT  NOT NULL,
  bytes BYTEA    NOT NULL,
  PRIMARY KEY (log, seq)
);

-- +goose Down
DROP TABLE factory_upload;
DROP TABLE factory_flaw;
DROP TABLE factory_burn;
DROP TABLE factory_log;
