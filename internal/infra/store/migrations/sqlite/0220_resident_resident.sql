-- +goose Up
-- Those who live somewhere, apart from makers' accounts.
CREATE TABLE resident (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL, -- of the contact: mail, sms
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  lang       TEXT    NOT NULL, -- of what is sent; empty: as they ask
  created_at INTEGER NOT NULL,
  UNIQUE (kind, address)
);

CREATE TABLE resident_session (
  id         TEXT    NOT NULL PRIMARY KEY,
  hash       BLOB    NOT NULL UNIQUE,
  resident   TEXT    NOT NULL,
  place      TEXT    NOT NULL, -- it was opened from
  agent      TEXT    NOT NULL,
  created_at INTEGER NOT NULL,
  used_at    INTEGER NOT NULL
);
CREATE INDEX resident_session_resident ON resident_session (resident, created_at, id);
CREATE INDEX resident_session_used ON resident_session (used_at);

-- Where somebody signed in from before.
CREATE TABLE resident_place (
  resident TEXT    NOT NULL,
  place    TEXT    NOT NULL,
  seen_at  INTEGER NOT NULL,
  PRIMARY KEY (resident, place)
);

CREATE TABLE resident_code (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  known      INTEGER NOT NULL, -- asked for from a place of the holder's
  hash       BLOB    NOT NULL,
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX resident_code_address ON resident_code (kind, address, known, made_at);
CREATE INDEX resident_code_made ON resident_code (made_at);

-- +goose Down
DROP TABLE resident_code;
DROP TABLE resident_place;
DROP TABLE resident_session;
DROP TABLE resident;
