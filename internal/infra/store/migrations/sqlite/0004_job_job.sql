-- +goose Up
CREATE TABLE job (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  object       TEXT    NOT NULL, -- what it works on
  state        TEXT    NOT NULL, -- queued, running, done, failed, cancelled
  input        BLOB    NOT NULL,
  done         INTEGER NOT NULL,
  total        INTEGER NOT NULL,
  result       BLOB,
  error        TEXT    NOT NULL,
  cancel       INTEGER NOT NULL, -- 1: somebody asked it to stop
  attempts     INTEGER NOT NULL,
  actor_kind   TEXT    NOT NULL,
  actor        TEXT    NOT NULL,
  actor_user   TEXT    NOT NULL,
  actor_login  TEXT    NOT NULL,
  actor_from   TEXT    NOT NULL,
  created_at   INTEGER NOT NULL,
  due_at       INTEGER NOT NULL, -- not before
  started_at   INTEGER,
  ended_at     INTEGER
);
CREATE UNIQUE INDEX job_id ON job (id);
CREATE INDEX job_organisation ON job (organisation, seq);
CREATE INDEX job_open ON job (state, due_at) WHERE ended_at IS NULL;

-- +goose Down
DROP TABLE job;
