-- +goose Up
-- Addresses that makers bring themselves.
CREATE TABLE mac_list (
  number       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- uploading, checking, ready, refused, cancelled, failed
  reason       TEXT    NOT NULL,
  total        INTEGER NOT NULL, -- addresses
  used         INTEGER NOT NULL, -- of them, from the front, what orders have
  batch        TEXT    NOT NULL, -- the order that takes from it now
  bad          INTEGER NOT NULL, -- rows that were refused
  report       TEXT    NOT NULL, -- the first of them, JSON
  job          TEXT    NOT NULL,
  created_by   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL
);
CREATE UNIQUE INDEX mac_list_id ON mac_list (id);
CREATE INDEX mac_list_organisation ON mac_list (organisation, id);

-- The addresses of lists: runs, both ends included. No two rows meet, of whichever lists; and none lies in a pool.
CREATE TABLE issuance_mac (
  last  INTEGER NOT NULL PRIMARY KEY,
  first INTEGER NOT NULL,
  list  INTEGER NOT NULL,
  start INTEGER NOT NULL -- the row of the list that first is, from 0
);
CREATE UNIQUE INDEX issuance_mac_list ON issuance_mac (list, start);
CREATE INDEX issuance_range_any ON issuance_range (last);
CREATE INDEX issuance_order_list ON issuance_order (list) WHERE list <> 0;

-- A file until it is read.
CREATE TABLE issuance_upload (
  list  INTEGER NOT NULL,
  seq   INTEGER NOT NULL,
  bytes BLOB    NOT NULL,
  PRIMARY KEY (list, seq)
);

-- +goose Down
DROP TABLE issuance_upload;
DROP INDEX issuance_order_list;
DROP INDEX issuance_range_any;
DROP TABLE issuance_mac;
DROP TABLE mac_list;
