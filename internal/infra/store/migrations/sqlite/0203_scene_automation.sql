-- +goose Up
-- What a home does when something happens.
CREATE TABLE scene_automation (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  enabled      INTEGER NOT NULL,
  cause        TEXT    NOT NULL, -- JSON object: what sets it off
  devices      TEXT    NOT NULL, -- JSON object: what the condition calls them, to id
  condition    TEXT    NOT NULL, -- CEL; empty: always
  actions      TEXT    NOT NULL, -- JSON array
  version      INTEGER NOT NULL,
  due_at       INTEGER NOT NULL, -- by time and sun: when next; 0: never
  seen         REAL, -- what its property was reported as last; NULL: not known
  created_at   INTEGER NOT NULL,
  changed_at   INTEGER NOT NULL
);
CREATE INDEX scene_automation_home ON scene_automation (home, id);
CREATE INDEX scene_automation_due ON scene_automation (enabled, due_at, id);
CREATE INDEX scene_automation_organisation ON scene_automation (organisation, id);

-- What became of automations that were set off.
CREATE TABLE scene_trace (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  automation   TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  cause        TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  why          TEXT    NOT NULL,
  depth        INTEGER NOT NULL,
  times        INTEGER NOT NULL,
  run          TEXT    NOT NULL -- empty: none was begun
);
CREATE INDEX scene_trace_automation ON scene_trace (automation, id);
CREATE INDEX scene_trace_home ON scene_trace (home, outcome, at);
CREATE INDEX scene_trace_organisation ON scene_trace (organisation, id);

CREATE TABLE scene_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position INTEGER NOT NULL
);

-- +goose Down
DROP TABLE scene_cursor;
DROP TABLE scene_trace;
DROP TABLE scene_automation;
