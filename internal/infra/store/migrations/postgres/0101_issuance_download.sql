-- +goose Up
-- The generations of the secrets of an order: one row a download, none a triple.
CREATE TABLE issuance_generation (
  batch      TEXT    NOT NULL, -- the order
  generation BIGINT  NOT NULL,
  download   TEXT    NOT NULL, -- that handed it out; empty: none yet
  opened_at  BIGINT  NOT NULL,
  until      BIGINT ,          -- when it ends, once a later one was handed out
  revoked_at BIGINT ,
  PRIMARY KEY (batch, generation)
);
INSERT INTO issuance_generation (batch, generation, download, opened_at)
SELECT id, generation, CASE WHEN downloaded_at IS NULL THEN '' ELSE 'unknown' END, ended_at
FROM issuance_order
WHERE state = 'issued';

-- A grant covers one whole file for whoever it was made by.
CREATE TABLE issuance_download (
  id           TEXT    NOT NULL PRIMARY KEY,
  batch        TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  generation   BIGINT  NOT NULL,
  format       TEXT    NOT NULL, -- xlsx, age
  recipient    TEXT    NOT NULL, -- of age
  reason       TEXT    NOT NULL,
  made_by      TEXT    NOT NULL, -- user
  holder       TEXT    NOT NULL, -- the session or token that it is good for
  form         TEXT    NOT NULL, -- two programs of one form write the same bytes
  created_at   BIGINT  NOT NULL,
  ends_at      BIGINT  NOT NULL,
  quantity     BIGINT ,          -- triples in the file, once they were counted
  size         BIGINT ,          -- bytes, once they were counted
  taken_at     BIGINT ,          -- its last byte was
  voided_at    BIGINT ,          -- triples of the order were revoked meanwhile
  revoked_at   BIGINT            -- what it handed out is not in force any more
);
CREATE INDEX issuance_download_batch ON issuance_download (batch, id);
CREATE INDEX issuance_download_organisation ON issuance_download (organisation, id);

-- What is known of the secret of one address beyond its order: from the first login, or from a revocation.
CREATE TABLE issuance_secret (
  batch      TEXT    NOT NULL,
  mac        BIGINT  NOT NULL,
  generation BIGINT  NOT NULL, -- of the first login; 0: none yet
  newest     BIGINT  NOT NULL, -- generation of the order at that moment
  lowest     BIGINT  NOT NULL, -- generations below it are revoked
  fixed_at   BIGINT ,
  PRIMARY KEY (batch, mac)
);

-- +goose Down
DROP TABLE issuance_secret;
DROP TABLE issuance_download;
DROP TABLE issuance_generation;
