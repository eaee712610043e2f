-- +goose Up
CREATE TABLE enforce_deletion (
  id           TEXT    NOT NULL PRIMARY KEY,
  subject_kind TEXT    NOT NULL,
  subject      TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  measure      TEXT    NOT NULL, -- empty: the organisation leaves by itself
  state        TEXT    NOT NULL, -- announced, called_back, erasing, done
  reason       TEXT    NOT NULL,
  requested_by TEXT    NOT NULL, -- user id
  created_at   BIGINT  NOT NULL,
  hold_until   BIGINT  NOT NULL, -- not before
  started_at   BIGINT  NOT NULL, -- 0: not yet
  ended_at     BIGINT  NOT NULL, -- 0: not yet
  job          TEXT    NOT NULL,
  stage        BIGINT  NOT NULL, -- how many of its steps are done
  listed       TEXT    NOT NULL, -- where the listing of ids stands; empty when it is complete
  rows_erased  BIGINT  NOT NULL, -- calls that erased something
  proof        TEXT    NOT NULL  -- JSON; empty: not proven yet
);
CREATE INDEX enforce_deletion_organisation ON enforce_deletion (organisation, id);
CREATE UNIQUE INDEX enforce_deletion_open ON enforce_deletion (subject_kind, subject) WHERE ended_at = 0;

-- The ids that a deletion makes disappear, until it is proven that they have.
CREATE TABLE enforce_erased (
  deletion TEXT NOT NULL,
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  PRIMARY KEY (deletion, kind, id)
);

-- +goose Down
DROP TABLE enforce_erased;
DROP TABLE enforce_deletion;
