-- +goose Up
CREATE TABLE account_factor (
  user_id      TEXT    NOT NULL PRIMARY KEY,
  sealed       BYTEA    NOT NULL,            -- the secret of the codes, in the keyring's box account.totp
  made_at      BIGINT NOT NULL,
  confirmed_at BIGINT NOT NULL,            -- 0: no code was shown yet, nothing depends on it
  last_step    BIGINT NOT NULL             -- of the newest code that was used: it and those before are used up
);

CREATE TABLE account_recovery (
  user_id TEXT    NOT NULL,
  hash    BYTEA    NOT NULL,                 -- SHA-256 of a code of 80 bits
  used_at BIGINT NOT NULL,                 -- 0: not yet
  PRIMARY KEY (user_id, hash)
);

CREATE TABLE account_place (
  user_id TEXT    NOT NULL,
  place   TEXT    NOT NULL,                 -- IPv4 address or IPv6 /64 that the person signed in from
  seen_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, place)
);

ALTER TABLE login_session ADD COLUMN strong BIGINT NOT NULL DEFAULT 0;    -- 1: opened with the second factor
ALTER TABLE login_session ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0; -- when it last was shown
ALTER TABLE login_session ADD COLUMN agent TEXT NOT NULL DEFAULT '';       -- what the browser says of itself
ALTER TABLE api_token ADD COLUMN strong BIGINT NOT NULL DEFAULT 0;        -- 1: made in such a session
ALTER TABLE account_user ADD COLUMN laboratory TEXT NOT NULL DEFAULT '';   -- id, of users with the role laboratory

-- +goose Down
ALTER TABLE account_user DROP COLUMN laboratory;
ALTER TABLE api_token DROP COLUMN strong;
ALTER TABLE login_session DROP COLUMN agent;
ALTER TABLE login_session DROP COLUMN proved_at;
ALTER TABLE login_session DROP COLUMN strong;
DROP TABLE account_place;
DROP TABLE account_recovery;
DROP TABLE account_factor;
