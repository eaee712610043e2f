-- +goose Up
CREATE TABLE login_session (
  id           TEXT    NOT NULL PRIMARY KEY,
  hash         BYTEA   NOT NULL,            -- SHA-256 of the token the person holds
  user_id      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,            -- acted for; empty for an operator or a user without one
  token        TEXT    NOT NULL,            -- the API token it was opened with, empty for a login
  address      TEXT    NOT NULL,            -- it was opened from
  created_at   BIGINT  NOT NULL,
  used_at      BIGINT  NOT NULL             -- exact to a minute
);
CREATE UNIQUE INDEX login_session_hash ON login_session (hash);
CREATE INDEX login_session_user ON login_session (user_id, created_at);
CREATE INDEX login_session_used ON login_session (used_at);

CREATE TABLE api_token (
  id           TEXT    NOT NULL PRIMARY KEY,
  prefix       TEXT    NOT NULL,            -- public part, to find it by
  hash         BYTEA   NOT NULL,            -- SHA-256 of the whole token
  user_id      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,            -- empty: acts for the platform
  name         TEXT    NOT NULL,
  scopes       TEXT,                        -- JSON array of acts; NULL: all of the role
  created_at   BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL,
  used_at      BIGINT,                     -- exact to a minute
  used_from    TEXT    NOT NULL,
  revoked_at   BIGINT
);
CREATE UNIQUE INDEX api_token_hash ON api_token (hash);
CREATE UNIQUE INDEX api_token_prefix ON api_token (prefix);
CREATE INDEX api_token_user ON api_token (user_id, id);

-- +goose Down
DROP TABLE api_token;
DROP TABLE login_session;
