-- +goose Up
CREATE TABLE enforce_measure (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject_kind TEXT    NOT NULL, -- organisation, product, batch, device
  subject      TEXT    NOT NULL,
  organisation TEXT    NOT NULL, -- whose subject it is
  kind         TEXT    NOT NULL, -- warn, suspend_service, suspend, take_down, order_deletion, delete_data, terminate
  service      TEXT    NOT NULL, -- of suspend_service
  state        TEXT    NOT NULL, -- scheduled, in_force, ended, lifted
  cause        TEXT    NOT NULL, -- of the catalogue
  reason       TEXT    NOT NULL,
  evidence     TEXT    NOT NULL, -- JSON array of ids
  imposed_by   TEXT    NOT NULL, -- user id
  created_at   INTEGER NOT NULL,
  starts_at    INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL, -- 0: no end
  due_at       INTEGER NOT NULL, -- of order_deletion: the day by which it is to be done; 0: none
  appeal_until INTEGER NOT NULL,
  closed_at    INTEGER NOT NULL, -- 0: neither ended nor lifted
  closed_by    TEXT    NOT NULL,
  closing      TEXT    NOT NULL  -- why it was lifted
);
CREATE INDEX enforce_measure_open ON enforce_measure (subject_kind, subject) WHERE closed_at = 0;
CREATE INDEX enforce_measure_organisation ON enforce_measure (organisation, id);
CREATE INDEX enforce_measure_subject ON enforce_measure (subject_kind, subject, id);
CREATE INDEX enforce_measure_start ON enforce_measure (starts_at) WHERE closed_at = 0;

-- What is told to the organisation, and what happened to a measure.
CREATE TABLE enforce_event (
  id           TEXT    NOT NULL PRIMARY KEY,
  measure      TEXT    NOT NULL, -- or the deletion that it is about
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  told_at      INTEGER NOT NULL  -- 0: not handed on yet
);
CREATE INDEX enforce_event_measure ON enforce_event (measure, id);
CREATE INDEX enforce_event_organisation ON enforce_event (organisation, id);
CREATE INDEX enforce_event_open ON enforce_event (id) WHERE told_at = 0;

CREATE TABLE enforce_appeal (
  id           TEXT    NOT NULL PRIMARY KEY,
  measure      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- open, upheld, lifted, changed, withdrawn
  statement    TEXT    NOT NULL,
  evidence     TEXT    NOT NULL, -- JSON array of ids
  filed_by     TEXT    NOT NULL, -- user id
  filed_at     INTEGER NOT NULL,
  decided_by   TEXT    NOT NULL,
  decided_at   INTEGER NOT NULL, -- 0: not yet
  decision     TEXT    NOT NULL  -- why
);
CREATE INDEX enforce_appeal_organisation ON enforce_appeal (organisation, id);
CREATE INDEX enforce_appeal_state ON enforce_appeal (state, id);
CREATE UNIQUE INDEX enforce_appeal_open ON enforce_appeal (measure) WHERE state = 'open';

-- A row for each change of somebody's standing, so that whoever holds sessions can ask what is new.
CREATE TABLE enforce_change (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  at           INTEGER NOT NULL
);

-- +goose Down
DROP TABLE enforce_change;
DROP TABLE enforce_appeal;
DROP TABLE enforce_event;
DROP TABLE enforce_measure;
