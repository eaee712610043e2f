-- +goose Up
-- What a code is asked for, and by whom it may be used. The codes of a contact, in account_code, are good for all of its kind.
CREATE TABLE account_ask (
  id         TEXT    NOT NULL PRIMARY KEY,
  purpose    TEXT    NOT NULL,              -- signup, reset, contact
  kind       TEXT    NOT NULL,
  address    TEXT    NOT NULL,
  user_id    TEXT    NOT NULL,              -- who may use it; empty: whoever has it
  expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_ask_contact ON account_ask (kind, address, purpose, user_id);
CREATE INDEX account_ask_expires ON account_ask (expires_at);

ALTER TABLE account_code ADD COLUMN known BIGINT NOT NULL DEFAULT 0; -- 1: asked for by the holder of the contact, or where they sign in

-- +goose Down
ALTER TABLE account_code DROP COLUMN known;
DROP TABLE account_ask;
