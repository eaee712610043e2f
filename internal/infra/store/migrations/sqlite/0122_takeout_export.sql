-- +goose Up
CREATE TABLE takeout_export (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- collecting, ready, failed, cancelled, discarded, expired
  reason       TEXT    NOT NULL,
  ordered_by   TEXT    NOT NULL, -- user id
  created_at   INTEGER NOT NULL,
  job          TEXT    NOT NULL,
  ended_at     INTEGER NOT NULL, -- when it left collecting; 0: not yet
  expires_at   INTEGER NOT NULL, -- of one that is ready: when its file goes; 0: none
  file         TEXT    NOT NULL, -- blob; empty: none, or none any more
  size_bytes   INTEGER NOT NULL,
  file_count   INTEGER NOT NULL,
  row_count    INTEGER NOT NULL,
  sha256       TEXT    NOT NULL,
  failure      TEXT    NOT NULL  -- one sentence
);
CREATE INDEX takeout_export_organisation ON takeout_export (organisation, id);
CREATE INDEX takeout_export_file ON takeout_export (file) WHERE file <> '';
CREATE INDEX takeout_export_expires ON takeout_export (expires_at) WHERE state = 'ready';
CREATE UNIQUE INDEX takeout_export_open ON takeout_export (organisation) WHERE state = 'collecting';

-- +goose Down
DROP TABLE takeout_export;
