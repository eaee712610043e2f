-- +goose Up
-- How often an organisation has written to somebody who has not answered.
CREATE TABLE account_invited (
  organisation TEXT    NOT NULL,
  receiver     BLOB    NOT NULL,            -- SHA-256 of the contact or the login
  sent         INTEGER NOT NULL,            -- since they last joined, or were left alone for long enough
  declined     INTEGER NOT NULL,            -- 1: they want no more
  last_at      INTEGER NOT NULL,
  PRIMARY KEY (organisation, receiver)
) WITHOUT ROWID;
CREATE INDEX account_invited_receiver ON account_invited (receiver);
CREATE INDEX account_invited_last ON account_invited (last_at);

ALTER TABLE account_invitation ADD COLUMN receiver BLOB NOT NULL DEFAULT X''; -- as there; emptied when it has ended

-- +goose Down
ALTER TABLE account_invitation DROP COLUMN receiver;
DROP TABLE account_invited;
