-- +goose Up
-- A signed statement of what the chain of entries was at a moment.
CREATE TABLE audit_checkpoint (
  number         INTEGER NOT NULL PRIMARY KEY, -- 1, 2, 3 …
  seq            INTEGER NOT NULL,             -- of the newest entry it covers
  seal           BLOB    NOT NULL,             -- of that entry
  entries        INTEGER NOT NULL,             -- how many were ever sealed up to it
  at             INTEGER NOT NULL,
  previous       BLOB    NOT NULL,             -- SHA-256 of the checkpoint before
  signature      BLOB    NOT NULL,             -- Ed25519
  root_signature BLOB                          -- set when what is before it was removed: it is the root of the chain
);

-- +goose StatementBegin
CREATE TRIGGER audit_checkpoint_stays
BEFORE UPDATE OF number, seq, seal, entries, at, previous, signature ON audit_checkpoint
BEGIN
  SELECT RAISE(ABORT, 'an audit checkpoint is never changed');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_checkpoint;
