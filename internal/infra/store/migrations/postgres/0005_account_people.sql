-- +goose Up
CREATE TABLE account_user (
  id            TEXT    NOT NULL PRIMARY KEY,
  login         TEXT    NOT NULL,           -- as the person writes it
  login_key     TEXT    NOT NULL,           -- folded; no two users share one
  email         TEXT    NOT NULL,           -- may be empty
  password      TEXT    NOT NULL,           -- argon2id, PHC string form
  platform_role TEXT    NOT NULL,           -- empty, or admin
  state         TEXT    NOT NULL,           -- active, disabled
  created_at    BIGINT  NOT NULL,
  password_at   BIGINT  NOT NULL            -- when the password was last set
);
CREATE UNIQUE INDEX account_user_login ON account_user (login_key);
CREATE INDEX account_user_platform ON account_user (platform_role) WHERE platform_role <> '';

CREATE TABLE organisation (
  id         TEXT    NOT NULL PRIMARY KEY,
  names      TEXT    NOT NULL,              -- JSON object: language to name
  kinds      TEXT    NOT NULL,              -- JSON array of the five developer kinds
  created_at BIGINT  NOT NULL
);

CREATE TABLE member (
  organisation TEXT    NOT NULL,
  user_id      TEXT    NOT NULL,
  role         TEXT    NOT NULL,
  created_at   BIGINT  NOT NULL,
  PRIMARY KEY (organisation, user_id)
);
CREATE INDEX member_user ON member (user_id, created_at);

-- +goose Down
DROP TABLE member;
DROP TABLE organisation;
DROP TABLE account_user;
