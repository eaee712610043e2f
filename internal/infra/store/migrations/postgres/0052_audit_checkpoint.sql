-- +goose Up
-- A signed statement of what the chain of entries was at a moment.
CREATE TABLE audit_checkpoint (
  number         BIGINT NOT NULL PRIMARY KEY, -- 1, 2, 3 …
  seq            BIGINT NOT NULL,             -- of the newest entry it covers
  seal           BYTEA  NOT NULL,             -- of that entry
  entries        BIGINT NOT NULL,             -- how many were ever sealed up to it
  at             BIGINT NOT NULL,
  previous       BYTEA  NOT NULL,             -- SHA-256 of the checkpoint before
  signature      BYTEA  NOT NULL,             -- Ed25519
  root_signature BYTEA                        -- set when what is before it was removed: it is the root of the chain
);

-- +goose StatementBegin
CREATE FUNCTION audit_checkpoint_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an audit checkpoint is never changed';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_checkpoint_stays
BEFORE UPDATE OF number, seq, seal, entries, at, previous, signature ON audit_checkpoint
FOR EACH ROW EXECUTE FUNCTION audit_checkpoint_stays();

-- +goose Down
DROP TABLE audit_checkpoint;
DROP FUNCTION audit_checkpoint_stays();
