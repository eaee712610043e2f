-- +goose Up
CREATE TABLE account_contact (
  kind        TEXT    NOT NULL,             -- mail, sms
  address     TEXT    NOT NULL,             -- folded; nobody else has it
  user_id     TEXT    NOT NULL,
  verified_at INTEGER NOT NULL,
  PRIMARY KEY (kind, address)
);
CREATE UNIQUE INDEX account_contact_user ON account_contact (user_id, kind);

CREATE TABLE account_code (
  id         TEXT    NOT NULL PRIMARY KEY,
  purpose    TEXT    NOT NULL,              -- signup, reset, contact
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  user_id    TEXT    NOT NULL,              -- who may use it; empty: whoever has it
  hash       BLOB    NOT NULL,              -- SHA-256 of id and code
  made_at    INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  tries      INTEGER NOT NULL
);
CREATE INDEX account_code_address ON account_code (kind, address, made_at);
CREATE INDEX account_code_expires ON account_code (expires_at);

CREATE TABLE account_invitation (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL,            -- mail, sms, user
  address      TEXT    NOT NULL,            -- address, number or the user's id; emptied when it has ended
  role         TEXT    NOT NULL,
  hash         BLOB    NOT NULL,            -- SHA-256 of the code that was sent
  invited_by   TEXT    NOT NULL,
  made_at      INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL,
  state        TEXT    NOT NULL,            -- open, accepted, revoked
  ended_at     INTEGER NOT NULL             -- 0 while it is open
);
CREATE INDEX account_invitation_organisation ON account_invitation (organisation, id);
CREATE UNIQUE INDEX account_invitation_hash ON account_invitation (hash);
CREATE INDEX account_invitation_address ON account_invitation (kind, address, id);

ALTER TABLE organisation ADD COLUMN form TEXT NOT NULL DEFAULT 'company'; -- company, person
ALTER TABLE account_user ADD COLUMN minor INTEGER NOT NULL DEFAULT 0;     -- 1: said to be under 18 at sign-up

-- +goose Down
ALTER TABLE account_user DROP COLUMN minor;
ALTER TABLE organisation DROP COLUMN form;
DROP TABLE account_invitation;
DROP TABLE account_code;
DROP TABLE account_contact;
