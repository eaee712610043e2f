-- +goose Up
-- How often an organisation has written to somebody who has not answered.
CREATE TABLE account_invited (
  organisation TEXT    NOT NULL,
  receiver     BYTEA   NOT NULL,            -- SHA-256 of the contact or the login
  sent         BIGINT NOT NULL,            -- since they last joined, or were left alone for long enough
  declined     BIGINT NOT NULL,            -- 1: they want no more
  last_at      BIGINT NOT NULL,
  PRIMARY KEY (organisation, receiver)
);
CREATE INDEX account_invited_receiver ON account_invited (receiver);
CREATE INDEX account_invited_last ON account_invited (last_at);

ALTER TABLE account_invitation ADD COLUMN receiver BYTEA NOT NULL DEFAULT ''; -- as there; emptied when it has ended

-- +goose Down
ALTER TABLE account_invitation DROP COLUMN receiver;
DROP TABLE account_invited;
