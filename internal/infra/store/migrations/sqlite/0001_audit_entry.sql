-- +goose Up
-- Who did what. Rows are only added; seal and sealed_at are filled once, later,
-- when the entries are chained: seal = SHA-256 over the seal before and this row.
CREATE TABLE audit_entry (
  seq          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  id           TEXT    NOT NULL,
  at           INTEGER NOT NULL,
  organisation TEXT    NOT NULL, -- '' is the platform
  actor_kind   TEXT    NOT NULL,
  actor        TEXT    NOT NULL,
  actor_user   TEXT    NOT NULL,
  actor_login  TEXT    NOT NULL,
  actor_from   TEXT    NOT NULL,
  act          TEXT    NOT NULL,
  object       TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  seal         BLOB,
  sealed_at    INTEGER
);
CREATE INDEX audit_entry_organisation ON audit_entry (organisation, seq);
CREATE INDEX audit_entry_object ON audit_entry (object, seq);

-- +goose StatementBegin
CREATE TRIGGER audit_entry_stays
BEFORE UPDATE OF seq, id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note
ON audit_entry
BEGIN
  SELECT RAISE(ABORT, 'an audit entry is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_entry_seal_stays
BEFORE UPDATE OF seal, sealed_at ON audit_entry
WHEN OLD.seal IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'the seal of an audit entry is never changed');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_entry;
