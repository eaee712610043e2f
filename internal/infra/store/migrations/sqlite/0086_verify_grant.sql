-- +goose Up
-- Qualifications that an organisation holds.
CREATE TABLE verify_grant (
  organisation  TEXT    NOT NULL,
  qualification TEXT    NOT NULL,
  submission    INTEGER NOT NULL, -- in which it was approved
  granted_at    INTEGER NOT NULL,
  valid_until   INTEGER NOT NULL, -- the moment it ends; 0: with the verification
  warned        INTEGER NOT NULL,
  next_at       INTEGER NOT NULL, -- when the clock has something to do; 0: never
  PRIMARY KEY (organisation, qualification)
) WITHOUT ROWID;
CREATE INDEX verify_grant_next ON verify_grant (next_at) WHERE next_at > 0;

-- Conditions that the operator has waived in writing.
CREATE TABLE verify_waiver (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  condition    TEXT    NOT NULL, -- field.NAME, paper.SLOT, qualification.NAME
  reason       TEXT    NOT NULL,
  wording      TEXT    NOT NULL, -- the waiver itself, as it was written
  paper        TEXT    NOT NULL, -- id of a paper that has it; may be empty
  starts_at    INTEGER NOT NULL,
  ends_at      INTEGER NOT NULL,
  given_by     TEXT    NOT NULL, -- user id
  given_at     INTEGER NOT NULL,
  revoked_by   TEXT    NOT NULL,
  revoked_at   INTEGER NOT NULL, -- 0: it stands
  revoked_for  TEXT    NOT NULL
);
CREATE INDEX verify_waiver_organisation ON verify_waiver (organisation, id);
CREATE INDEX verify_waiver_condition ON verify_waiver (organisation, condition);
CREATE INDEX verify_waiver_all ON verify_waiver (condition, id);

-- What the operator's measures have still to do.
CREATE TABLE verify_consequence (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  kind         TEXT    NOT NULL, -- agreement_ends, false_papers
  reason       TEXT    NOT NULL,
  submission   INTEGER NOT NULL,
  at           INTEGER NOT NULL,
  done_at      INTEGER NOT NULL -- 0: not yet
);
CREATE INDEX verify_consequence_open ON verify_consequence (id) WHERE done_at = 0;
CREATE INDEX verify_consequence_organisation ON verify_consequence (organisation);

-- +goose Down
DROP TABLE verify_consequence;
DROP TABLE verify_waiver;
DROP TABLE verify_grant;
