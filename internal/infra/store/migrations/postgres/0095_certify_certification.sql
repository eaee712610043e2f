-- +goose Up
CREATE TABLE laboratory (
  id          TEXT    NOT NULL PRIMARY KEY,
  names       TEXT    NOT NULL,            -- JSON object: language to name
  kinds       TEXT    NOT NULL,            -- JSON array of product kinds; empty: every kind
  categories  TEXT    NOT NULL,            -- JSON array; empty: every category
  valid_from  BIGINT  NOT NULL,
  valid_until BIGINT  NOT NULL,            -- excluded
  state       TEXT    NOT NULL,            -- appointed, ended
  reason      TEXT    NOT NULL,            -- why it ended
  created_at  BIGINT  NOT NULL,
  revision    BIGINT  NOT NULL
);

CREATE TABLE certification (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  kind         TEXT    NOT NULL,           -- of the product
  category     TEXT    NOT NULL,           -- of the product; empty: it has none
  covers       TEXT    NOT NULL,           -- JSON: protocols, features, firmware
  laboratory   TEXT    NOT NULL,           -- empty: the operator
  state        TEXT    NOT NULL,           -- open, assigned, passed, failed, withdrawn
  report       TEXT    NOT NULL,           -- its number
  note         TEXT    NOT NULL,
  opened_by    TEXT    NOT NULL,           -- user id
  opened_at    BIGINT  NOT NULL,
  decided_by   TEXT    NOT NULL,           -- user id
  decided_at   BIGINT  NOT NULL,           -- 0: not yet
  revision     BIGINT  NOT NULL
);
CREATE INDEX certification_organisation ON certification (organisation, id);
CREATE INDEX certification_laboratory ON certification (laboratory, id);
CREATE INDEX certification_laboratory_state ON certification (laboratory, state, id);
CREATE INDEX certification_state ON certification (state, id);
CREATE INDEX certification_product ON certification (product, id);
CREATE UNIQUE INDEX certification_open ON certification (product) WHERE decided_at = 0;

CREATE TABLE certification_evidence (
  id            TEXT    NOT NULL PRIMARY KEY, -- of the blob
  certification TEXT    NOT NULL,
  organisation  TEXT    NOT NULL,
  media         TEXT    NOT NULL,
  size          BIGINT  NOT NULL,
  sha256        TEXT    NOT NULL,
  added_by      TEXT    NOT NULL,             -- user id
  added_at      BIGINT  NOT NULL
);
CREATE INDEX certification_evidence_case ON certification_evidence (certification, id);
CREATE INDEX certification_evidence_organisation ON certification_evidence (organisation);

CREATE TABLE certificate (
  id            TEXT    NOT NULL PRIMARY KEY,
  certification TEXT    NOT NULL,
  organisation  TEXT    NOT NULL,
  product       TEXT    NOT NULL,
  laboratory    TEXT    NOT NULL,           -- empty: the operator
  covers        TEXT    NOT NULL,           -- JSON: protocols, features, firmware
  report        TEXT    NOT NULL,
  conditions    TEXT    NOT NULL,
  valid_from    BIGINT  NOT NULL,
  valid_until   BIGINT  NOT NULL,           -- excluded
  state         TEXT    NOT NULL,           -- pending, valid, expired, revoked
  reason        TEXT    NOT NULL,           -- why it was revoked
  issued_at     BIGINT  NOT NULL,
  ended_at      BIGINT  NOT NULL,           -- 0: not yet
  told          BIGINT  NOT NULL,           -- 1: the maker knows that it ends soon
  next_at       BIGINT  NOT NULL,           -- when the clock has to look at it; 0: never
  revision      BIGINT  NOT NULL
);
CREATE INDEX certificate_organisation ON certificate (organisation, id);
CREATE INDEX certificate_laboratory ON certificate (laboratory, id);
CREATE INDEX certificate_product ON certificate (product, id);
CREATE INDEX certificate_state ON certificate (state, id);
CREATE INDEX certificate_next ON certificate (next_at) WHERE next_at > 0;

-- What was last told of a product: whether one of its certificates is in force.
CREATE TABLE certify_standing (
  product      TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  in_force     BIGINT  NOT NULL,
  since        BIGINT  NOT NULL
);
CREATE INDEX certify_standing_organisation ON certify_standing (organisation);

-- +goose Down
DROP TABLE certify_standing;
DROP TABLE certificate;
DROP TABLE certification_evidence;
DROP TABLE certification;
DROP TABLE laboratory;
