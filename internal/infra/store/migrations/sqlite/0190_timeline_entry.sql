-- +goose Up
-- What happened to a device, in the order it was learnt: connections, messages by topic and minute, refusals, commands.
CREATE TABLE timeline_entry (
  seq    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  device TEXT    NOT NULL,
  at     INTEGER NOT NULL,
  kind   TEXT    NOT NULL,
  what   TEXT    NOT NULL, -- a topic, an address, what a command is
  why    TEXT    NOT NULL,
  folded TEXT    NOT NULL, -- both in lower case, to search in
  times  INTEGER NOT NULL,
  ref    TEXT    NOT NULL  -- id of the command
);
CREATE INDEX timeline_entry_device ON timeline_entry (device, seq);
CREATE INDEX timeline_entry_at ON timeline_entry (device, at, seq);
CREATE INDEX timeline_entry_age ON timeline_entry (at);

CREATE TABLE timeline_cursor (
  consumer TEXT NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE timeline_cursor;
DROP TABLE timeline_entry;
