-- +goose Up
-- The bind token that a device announced last, by its hash.
CREATE TABLE pairing_token (
  device     TEXT    NOT NULL PRIMARY KEY,
  hash       BYTEA    NOT NULL UNIQUE,
  epoch      BIGINT NOT NULL, -- of the session that announced it
  expires_at BIGINT NOT NULL,
  used_at    BIGINT NOT NULL  -- 0: it was not
);
CREATE INDEX pairing_token_expires ON pairing_token (expires_at);

-- What residents asked for by a token.
CREATE TABLE pairing_claim (
  id         TEXT    NOT NULL PRIMARY KEY,
  home       TEXT    NOT NULL,
  resident   TEXT    NOT NULL,
  device     TEXT    NOT NULL,
  room       TEXT    NOT NULL,
  names      TEXT    NOT NULL, -- JSON object
  aliases    TEXT    NOT NULL, -- JSON object
  state      TEXT    NOT NULL, -- waiting_for_button, bound, refused
  reason     TEXT    NOT NULL, -- of refused
  made_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX pairing_claim_device ON pairing_claim (device, state, expires_at);
CREATE INDEX pairing_claim_resident ON pairing_claim (resident);
CREATE INDEX pairing_claim_expires ON pairing_claim (expires_at);

-- Wrong tokens, by who sent them: resident and address.
CREATE TABLE pairing_try (
  who   TEXT    NOT NULL PRIMARY KEY,
  wrong BIGINT NOT NULL,
  until BIGINT NOT NULL -- then they count no more
);
CREATE INDEX pairing_try_until ON pairing_try (until);

-- +goose Down
DROP TABLE pairing_try;
DROP TABLE pairing_claim;
DROP TABLE pairing_token;
