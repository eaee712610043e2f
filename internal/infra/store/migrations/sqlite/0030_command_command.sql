-- +goose Up
-- The row of a command is its audit entry too: who, from where, what, when.
CREATE TABLE command (
  seq             INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, -- the id on the wire
  id              TEXT    NOT NULL,
  organisation    TEXT    NOT NULL,
  device          TEXT    NOT NULL,
  kind            TEXT    NOT NULL, -- property_set, service
  service         TEXT    NOT NULL,
  params          TEXT    NOT NULL,
  state           TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  note            TEXT    NOT NULL, -- what the device said of a refusal
  result          TEXT    NOT NULL,
  origin          TEXT    NOT NULL,
  ref             TEXT    NOT NULL,
  actor_kind      TEXT    NOT NULL,
  actor           TEXT    NOT NULL,
  actor_from      TEXT    NOT NULL,
  epoch           INTEGER NOT NULL, -- of the session that got it, 0 before
  created_at      INTEGER NOT NULL,
  deadline_at     INTEGER NOT NULL,
  sent_at         INTEGER,
  acknowledged_at INTEGER,
  ended_at        INTEGER
);
CREATE UNIQUE INDEX command_id ON command (id);
CREATE INDEX command_device ON command (device, seq);
CREATE INDEX command_open ON command (device, seq) WHERE ended_at IS NULL;
CREATE INDEX command_deadline ON command (deadline_at) WHERE ended_at IS NULL;

CREATE TABLE command_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE command_cursor;
DROP TABLE command;
