-- +goose Up
-- Who a random reference in the evidence stands for. The row can be deleted, the evidence stays.
CREATE TABLE agreement_person (
  reference  TEXT    NOT NULL PRIMARY KEY,
  user_id    TEXT    NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE UNIQUE INDEX agreement_person_user ON agreement_person (user_id);

-- Evidence: rows are only added. It names a person by reference and holds nothing personal itself.
CREATE TABLE agreement_acceptance (
  id           TEXT    NOT NULL PRIMARY KEY,
  person       TEXT    NOT NULL,            -- reference of who decided
  decision     TEXT    NOT NULL,            -- accepted, declined
  agreement    TEXT    NOT NULL,
  version      TEXT    NOT NULL,
  number       INTEGER NOT NULL,
  lang         TEXT    NOT NULL,            -- the language that was read
  hash         TEXT    NOT NULL,            -- of the text that was read
  subject_kind TEXT    NOT NULL,            -- user, organisation, product
  subject      TEXT    NOT NULL,            -- reference of the person, id of the organisation or product
  organisation TEXT    NOT NULL,            -- in whose name; empty: the person's own
  channel      TEXT    NOT NULL,            -- session or token
  decided_at   INTEGER NOT NULL
);
CREATE INDEX agreement_acceptance_subject ON agreement_acceptance (subject_kind, subject, version);
CREATE INDEX agreement_acceptance_organisation ON agreement_acceptance (organisation, id);
CREATE INDEX agreement_acceptance_person ON agreement_acceptance (person, id);
CREATE INDEX agreement_acceptance_agreement ON agreement_acceptance (agreement, id);
CREATE INDEX agreement_acceptance_version ON agreement_acceptance (version, id);

-- Where from: personal, so it stands apart and can be deleted.
CREATE TABLE agreement_origin (
  acceptance   TEXT NOT NULL PRIMARY KEY,
  person       TEXT NOT NULL,
  organisation TEXT NOT NULL,
  address      TEXT NOT NULL
);
CREATE INDEX agreement_origin_person ON agreement_origin (person);
CREATE INDEX agreement_origin_organisation ON agreement_origin (organisation);

-- +goose StatementBegin
CREATE TRIGGER agreement_acceptance_stays BEFORE UPDATE ON agreement_acceptance
BEGIN
  SELECT RAISE(ABORT, 'evidence is never changed');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER agreement_acceptance_kept BEFORE DELETE ON agreement_acceptance
BEGIN
  SELECT RAISE(ABORT, 'evidence is never changed');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE agreement_origin;
DROP TABLE agreement_acceptance;
DROP TABLE agreement_person;
