-- +goose Up
-- Those who live somewhere, apart from makers' accounts.
CREATE TABLE resident (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL, -- of the contact: mail, sms
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  lang       TEXT    NOT NULL, -- of what is sent; empty: as they ask
  created_at BIGINT NOT NULL,
  UNIQUE (kind, address)
);

CREATE TABLE resident_session (
  id         TEXT    NOT NULL PRIMARY KEY,
  hash       BYTEA    NOT NULL UNIQUE,
  resident   TEXT    NOT NULL,
  place      TEXT    NOT NULL, -- it was opened from
  agent      TEXT    NOT NULL,
  created_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL
);
CREATE INDEX resident_session_resident ON resident_session (resident, created_at, id);
CREATE INDEX resident_session_used ON resident_session (used_at);

-- Where somebody signed in from before.
CREATE TABLE resident_place (
  resident TEXT    NOT NULL,
  place    TEXT    NOT NULL,
  seen_at  BIGINT NOT NULL,
  PRIMARY KEY (resident, place)
);

CREATE TABLE resident_code (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  known      BIGINT NOT NULL, -- asked for from a place of the holder's
  hash       BYTEA    NOT NULL,
  made_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX resident_code_address ON resident_code (kind, address, known, made_at);
CREATE INDEX resident_code_made ON resident_code (made_at);

-- +goose Down
DROP TABLE resident_code;
DROP TABLE resident_place;
DROP TABLE resident_session;
DROP TABLE resident;
