-- +goose Up
-- Persons and their addresses stand in entries by a reference only, and can be forgotten here without a change there.
-- reference = 'person:' or 'address:' and the first 32 hexadecimal characters of a SHA-256 over the salt and what it
-- stands for: it can be proven while the row is here, and says nothing when the row is gone.
CREATE TABLE audit_person (
  reference    TEXT    NOT NULL PRIMARY KEY,
  person       TEXT    NOT NULL, -- user id
  organisation TEXT    NOT NULL, -- one reference in each, so that entries of two cannot be put together
  login        TEXT    NOT NULL, -- the newest one
  salt         BLOB,             -- NULL: made for an entry that was there before this table
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX audit_person_person ON audit_person (person, organisation);

CREATE TABLE audit_address (
  reference    TEXT    NOT NULL PRIMARY KEY,
  address      TEXT    NOT NULL,
  person       TEXT    NOT NULL, -- who came from there; '': a device
  organisation TEXT    NOT NULL,
  salt         BLOB,
  created_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX audit_address_person ON audit_address (person, organisation, address);

-- Entries that are there are not sealed yet: what they say of persons moves behind references.
INSERT INTO audit_person (reference, person, organisation, login, created_at)
SELECT 'person:before:' || lower(hex(randomblob(16))), actor_user, organisation, MAX(actor_login), MIN(at)
FROM audit_entry
WHERE actor_user <> '' AND seal IS NULL
GROUP BY actor_user, organisation;

INSERT INTO audit_address (reference, address, person, organisation, created_at)
SELECT 'address:before:' || lower(hex(randomblob(16))), actor_from, actor_user, organisation, MIN(at)
FROM audit_entry
WHERE actor_from <> '' AND seal IS NULL
GROUP BY actor_from, actor_user, organisation;

DROP TRIGGER audit_entry_stays;

UPDATE audit_entry
SET actor_from = (SELECT a.reference FROM audit_address a
  WHERE a.person = audit_entry.actor_user AND a.organisation = audit_entry.organisation AND a.address = audit_entry.actor_from)
WHERE actor_from <> '' AND seal IS NULL;

UPDATE audit_entry
SET actor_user = (SELECT p.reference FROM audit_person p
    WHERE p.person = audit_entry.actor_user AND p.organisation = audit_entry.organisation),
  actor = CASE WHEN actor <> actor_user THEN actor ELSE (SELECT p.reference FROM audit_person p
    WHERE p.person = audit_entry.actor_user AND p.organisation = audit_entry.organisation) END,
  actor_login = ''
WHERE actor_user <> '' AND seal IS NULL;

-- +goose StatementBegin
CREATE TRIGGER audit_entry_stays
BEFORE UPDATE OF seq, id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note
ON audit_entry
BEGIN
  SELECT RAISE(ABORT, 'an audit entry is never changed');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_address;
DROP TABLE audit_person;
