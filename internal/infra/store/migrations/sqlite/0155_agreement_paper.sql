-- +goose Up
-- A paper of a guardian's consent: what they signed, or what shows that they are the guardian.
CREATE TABLE agreement_paper (
  id          TEXT    NOT NULL PRIMARY KEY,
  consent     TEXT    NOT NULL,
  user_id     TEXT    NOT NULL,            -- whom the consent is for, who uploaded it
  kind        TEXT    NOT NULL,            -- consent, relation
  blob        TEXT    NOT NULL,            -- id; empty: its bytes went when the consent had ended
  media_type  TEXT    NOT NULL,
  size        INTEGER NOT NULL,            -- bytes
  sha256      TEXT    NOT NULL,            -- of the bytes, hexadecimal
  uploaded_at INTEGER NOT NULL
);
CREATE INDEX agreement_paper_consent ON agreement_paper (consent, id);
CREATE INDEX agreement_paper_user ON agreement_paper (user_id, id);
CREATE INDEX agreement_paper_blob ON agreement_paper (blob) WHERE blob <> '';

-- Bytes that no paper has any more, and that are still to be deleted.
CREATE TABLE agreement_waste (
  blob TEXT NOT NULL PRIMARY KEY
);

ALTER TABLE agreement_guardian ADD COLUMN ready INTEGER NOT NULL DEFAULT 0;        -- 1: requested, and both papers are there
ALTER TABLE agreement_guardian ADD COLUMN needed_until INTEGER NOT NULL DEFAULT 0; -- the person is of age from then on; 0: not known
ALTER TABLE agreement_guardian ADD COLUMN told INTEGER NOT NULL DEFAULT 0;         -- 1: the person was told that the end comes
CREATE INDEX agreement_guardian_ready ON agreement_guardian (ready, id);
CREATE INDEX agreement_guardian_needed ON agreement_guardian (needed_until) WHERE needed_until > 0 AND state IN ('requested', 'confirmed');

ALTER TABLE agreement_capacity ADD COLUMN adult_in TEXT NOT NULL DEFAULT ''; -- YYYY-MM in which the person turns 18; empty: not known

-- +goose Down
ALTER TABLE agreement_capacity DROP COLUMN adult_in;
DROP INDEX agreement_guardian_needed;
DROP INDEX agreement_guardian_ready;
ALTER TABLE agreement_guardian DROP COLUMN told;
ALTER TABLE agreement_guardian DROP COLUMN needed_until;
ALTER TABLE agreement_guardian DROP COLUMN ready;
DROP TABLE agreement_waste;
DROP TABLE agreement_paper;
