-- +goose Up
-- What was to be said on the speakers of a home.
CREATE TABLE voice_announcement (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  person       TEXT    NOT NULL, -- who announced it
  lang         TEXT    NOT NULL,
  text         TEXT    NOT NULL,
  rooms        TEXT    NOT NULL, -- ids as a JSON array; none: all
  at           INTEGER NOT NULL,
  until        INTEGER NOT NULL
);
CREATE INDEX voice_announcement_home ON voice_announcement (home, id);
CREATE INDEX voice_announcement_organisation ON voice_announcement (organisation, id);
CREATE INDEX voice_announcement_person ON voice_announcement (person, id);

-- What became of it on each speaker.
CREATE TABLE voice_heard (
  announcement TEXT    NOT NULL,
  speaker      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  home         TEXT    NOT NULL,
  person       TEXT    NOT NULL,
  room         TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  until        INTEGER NOT NULL,
  PRIMARY KEY (announcement, speaker)
) WITHOUT ROWID;
CREATE INDEX voice_heard_home ON voice_heard (home, state, announcement);
CREATE INDEX voice_heard_state ON voice_heard (state, until);
CREATE INDEX voice_heard_organisation ON voice_heard (organisation, announcement);
CREATE INDEX voice_heard_person ON voice_heard (person, announcement);

-- +goose Down
DROP TABLE voice_heard;
DROP TABLE voice_announcement;
