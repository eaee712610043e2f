-- +goose Up
-- What somebody wants done with their words in a home; who has no row has chosen nothing.
CREATE TABLE voice_privacy (
  person       TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  keep_text    BIGINT  NOT NULL, -- 1: for some days
  share        BIGINT  NOT NULL, -- 1: what was not understood may be looked at
  changed_at   BIGINT  NOT NULL,
  PRIMARY KEY (person, home)
);
CREATE INDEX voice_privacy_home ON voice_privacy (home, person);
CREATE INDEX voice_privacy_organisation ON voice_privacy (organisation, person);

-- The words of sentences, for who said them.
CREATE TABLE voice_sentence (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  person       TEXT    NOT NULL,
  lang         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  reply        TEXT    NOT NULL,
  outcome      TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  at           BIGINT  NOT NULL
);
CREATE INDEX voice_sentence_person ON voice_sentence (person, home, id);
CREATE INDEX voice_sentence_when ON voice_sentence (person, home, at, id);
CREATE INDEX voice_sentence_home ON voice_sentence (home, id);
CREATE INDEX voice_sentence_organisation ON voice_sentence (organisation, id);
CREATE INDEX voice_sentence_age ON voice_sentence (at);

-- How many sentences of a day had what: an outcome, a reason, a language, an intent, or a stage of a length.
CREATE TABLE voice_count (
  organisation TEXT    NOT NULL,
  day          TEXT    NOT NULL, -- 2026-01-31, UTC
  kind         TEXT    NOT NULL,
  value        TEXT    NOT NULL,
  n            BIGINT  NOT NULL,
  PRIMARY KEY (organisation, day, kind, value)
);
CREATE INDEX voice_count_day ON voice_count (day);

CREATE TABLE voice_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE voice_cursor;
DROP TABLE voice_count;
DROP TABLE voice_sentence;
DROP TABLE voice_privacy;
