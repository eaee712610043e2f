-- +goose Up
-- The token that was shown, by its hash, and the session that had announced it: the button of another confirms nothing.
ALTER TABLE pairing_claim ADD COLUMN hash BYTEA NOT NULL DEFAULT '';
ALTER TABLE pairing_claim ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE pairing_claim DROP COLUMN epoch;
ALTER TABLE pairing_claim DROP COLUMN hash;
