-- +goose Up
-- Who lives in a home of residents. Such a home is its own organisation.
CREATE TABLE home_member (
  home      TEXT    NOT NULL,
  resident  TEXT    NOT NULL,
  role      TEXT    NOT NULL, -- householder, adult, child, guest
  joined_at BIGINT NOT NULL,
  PRIMARY KEY (home, resident)
);
CREATE INDEX home_member_resident ON home_member (resident, home);

CREATE TABLE home_invite (
  id         TEXT    NOT NULL PRIMARY KEY,
  home       TEXT    NOT NULL,
  hash       BYTEA    NOT NULL UNIQUE,
  role       TEXT    NOT NULL,
  made_by    TEXT    NOT NULL, -- resident
  made_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX home_invite_home ON home_invite (home, id);
CREATE INDEX home_invite_expires ON home_invite (expires_at);

-- +goose Down
DROP TABLE home_invite;
DROP TABLE home_member;
