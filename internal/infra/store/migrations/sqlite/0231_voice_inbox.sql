-- +goose Up
-- What nobody understood, of those who give that away. It names neither home nor person.
CREATE TABLE voice_inbox (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  lang         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  folded       TEXT    NOT NULL, -- without case, spaces and signs: by it equals are found
  room         TEXT    NOT NULL, -- in the vocabulary; empty: not known
  vocabulary   TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  state        TEXT    NOT NULL, -- new, case, dismissed
  expect       TEXT    NOT NULL, -- JSON, of a case: what it should have been read as
  times        INTEGER NOT NULL,
  version      INTEGER NOT NULL,
  first_at     INTEGER NOT NULL,
  last_at      INTEGER NOT NULL,
  decided_at   INTEGER NOT NULL  -- 0: it is not
);
CREATE UNIQUE INDEX voice_inbox_equal ON voice_inbox (organisation, lang, folded);
CREATE INDEX voice_inbox_organisation ON voice_inbox (organisation, id);
CREATE INDEX voice_inbox_when ON voice_inbox (organisation, last_at, id);
CREATE INDEX voice_inbox_state ON voice_inbox (state, id);
CREATE INDEX voice_inbox_vocabulary ON voice_inbox (organisation, vocabulary);

-- Who has a part in what is not decided about, by a sum with a key: to take it back by, and no longer than that.
CREATE TABLE voice_inbox_person (
  entry  TEXT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (entry, person)
) WITHOUT ROWID;
CREATE INDEX voice_inbox_person_person ON voice_inbox_person (person, entry);

-- The names that such sentences were said among: rooms, devices with their products, scenes; under ids of their own.
CREATE TABLE voice_vocabulary (
  organisation TEXT NOT NULL,
  id           TEXT NOT NULL, -- sum of home
  home         TEXT NOT NULL, -- JSON
  PRIMARY KEY (organisation, id)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE voice_vocabulary;
DROP TABLE voice_inbox_person;
DROP TABLE voice_inbox;
