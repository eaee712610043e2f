-- +goose Up
-- How much of a limit is used up: a stock (since 0), or a window that began at since.
CREATE TABLE quota_used (
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  name         TEXT    NOT NULL, -- of the limit
  since        INTEGER NOT NULL, -- ms UTC; 0: a stock
  used         INTEGER NOT NULL,
  told         INTEGER NOT NULL, -- the highest share that was told of, percent
  PRIMARY KEY (subject_kind, subject, name, since)
) WITHOUT ROWID;
CREATE INDEX quota_used_since ON quota_used (since);

-- A limit that is another than the registry's, for a subject and what stands below it. The newest in force counts.
CREATE TABLE quota_override (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  organisation TEXT    NOT NULL, -- whose subject it is; empty: the platform's
  name         TEXT    NOT NULL,
  purpose      TEXT    NOT NULL, -- set, throttle, cut_off, adjust
  value        INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  from_at      INTEGER NOT NULL,
  until_at     INTEGER NOT NULL, -- 0: no end
  created_at   INTEGER NOT NULL,
  created_by   TEXT    NOT NULL, -- user id
  answer       TEXT    NOT NULL, -- what the organisation said of being asked
  answered_at  INTEGER NOT NULL, -- 0: not yet
  lifted_at    INTEGER NOT NULL  -- 0: it stands
);
CREATE INDEX quota_override_subject ON quota_override (subject_kind, subject, name, id);
CREATE INDEX quota_override_organisation ON quota_override (organisation, id);
CREATE INDEX quota_override_open ON quota_override (id) WHERE lifted_at = 0;

-- A row for each change of an override, so that whoever holds them in memory can ask whether there is something new.
CREATE TABLE quota_change (
  seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  at  INTEGER NOT NULL
);

-- What an organisation is told of: a limit nearly used up, used up, or about to fall.
CREATE TABLE quota_notice (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  kind         TEXT    NOT NULL, -- near, reached, changed, adjust
  percent      INTEGER NOT NULL,
  used         INTEGER NOT NULL,
  value        INTEGER NOT NULL,
  note         TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  told_at      INTEGER NOT NULL  -- 0: not handed on yet
);
CREATE INDEX quota_notice_organisation ON quota_notice (organisation, id);
CREATE INDEX quota_notice_open ON quota_notice (id) WHERE told_at = 0;

-- Who shares rates, and what each node was asked for in the last second.
CREATE TABLE quota_node (
  node TEXT    NOT NULL PRIMARY KEY,
  tick INTEGER NOT NULL -- second, UTC
) WITHOUT ROWID;
CREATE TABLE quota_lease (
  node         TEXT    NOT NULL,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  name         TEXT    NOT NULL,
  tick         INTEGER NOT NULL,
  demand       INTEGER NOT NULL,
  PRIMARY KEY (subject_kind, subject, name, node)
) WITHOUT ROWID;
CREATE INDEX quota_lease_tick ON quota_lease (tick);

-- What is there already is counted.
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'products', 0, COUNT(*), 0 FROM product GROUP BY organisation;

-- +goose Down
DROP TABLE quota_lease;
DROP TABLE quota_node;
DROP TABLE quota_notice;
DROP TABLE quota_change;
DROP TABLE quota_override;
DROP TABLE quota_used;
