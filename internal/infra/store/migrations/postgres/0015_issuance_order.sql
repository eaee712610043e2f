-- +goose Up
-- Ranges of MAC addresses that triples are issued from. Addresses are 48-bit numbers; both ends belong to the range.
CREATE TABLE mac_pool (
  id         TEXT    NOT NULL PRIMARY KEY,
  name       TEXT    NOT NULL,
  origin     TEXT    NOT NULL, -- operator, or default: made by the program while the operator has none
  first      BIGINT  NOT NULL,
  last       BIGINT  NOT NULL,
  next       BIGINT  NOT NULL, -- the lowest address that no order has; last + 1 when used up
  created_at BIGINT  NOT NULL
);
CREATE UNIQUE INDEX mac_pool_first ON mac_pool (first);

CREATE TABLE issuance_order (
  id            TEXT    NOT NULL PRIMARY KEY,
  organisation  TEXT    NOT NULL,
  product       TEXT    NOT NULL,
  quantity      BIGINT  NOT NULL,
  purpose       TEXT    NOT NULL, -- debug, mass
  note          TEXT    NOT NULL,
  state         TEXT    NOT NULL, -- requested, issuing, issued, failed, cancelled
  reason        TEXT    NOT NULL, -- why it failed or was cancelled
  done          BIGINT  NOT NULL, -- triples registered so far
  generation    BIGINT  NOT NULL, -- of the secrets
  job           TEXT    NOT NULL, -- that issues it; empty before
  requested_by  TEXT    NOT NULL, -- user, or the name of a part of the program
  created_at    BIGINT  NOT NULL,
  ended_at      BIGINT,          -- issued, failed or cancelled
  downloaded_at BIGINT            -- the workbook was written to its end
);
CREATE INDEX issuance_order_organisation ON issuance_order (organisation, id);
CREATE INDEX issuance_order_open ON issuance_order (organisation) WHERE ended_at IS NULL;

-- The addresses of an order, in the order of seq. Kept for ever: what an order once handed on is issued to nobody else.
CREATE TABLE issuance_range (
  batch TEXT    NOT NULL, -- the order
  seq   BIGINT  NOT NULL, -- from 0
  pool  TEXT    NOT NULL,
  first BIGINT  NOT NULL,
  last  BIGINT  NOT NULL,
  PRIMARY KEY (batch, seq)
);
CREATE UNIQUE INDEX issuance_range_last ON issuance_range (pool, last);

-- +goose Down
DROP TABLE issuance_range;
DROP TABLE issuance_order;
DROP TABLE mac_pool;
