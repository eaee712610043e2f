-- +goose Up
CREATE TABLE verify_case (
  organisation TEXT    NOT NULL PRIMARY KEY,
  version      BIGINT  NOT NULL, -- grows with each change
  state        TEXT    NOT NULL, -- see moves.go
  form         TEXT    NOT NULL, -- of what was approved: organisation, person; empty: nothing was
  kinds        TEXT    NOT NULL, -- JSON array of the kinds that were approved
  submission   BIGINT  NOT NULL, -- number of the newest; 0: none
  approved     BIGINT  NOT NULL, -- number of the one that was approved last; 0: none
  submitted_at BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL, -- of what was approved; 0: never
  warned       BIGINT  NOT NULL, -- days ahead of the last warning; 0: none yet
  due_at       BIGINT  NOT NULL, -- by when what was asked for is to come; 0: nothing is asked for
  ask          TEXT    NOT NULL, -- JSON: what is asked for
  reviewer     TEXT    NOT NULL, -- user id of who works on it; may be empty
  claimed_at   BIGINT  NOT NULL,
  revoked_by   TEXT    NOT NULL, -- user id
  draft        BYTEA   NOT NULL, -- sealed: the form as it is being filled in; may be empty
  next_at      BIGINT  NOT NULL, -- when the clock has something to do; 0: never
  updated_at   BIGINT  NOT NULL
);
CREATE INDEX verify_case_next ON verify_case (next_at) WHERE next_at > 0;

-- What reviewers list: a row for a case as a whole (kind empty), and one for each of its kinds.
CREATE TABLE verify_queue (
  kind         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  form         TEXT    NOT NULL,
  submitted_at BIGINT  NOT NULL,
  due_at       BIGINT  NOT NULL,
  expires_at   BIGINT  NOT NULL,
  reviewer     TEXT    NOT NULL,
  PRIMARY KEY (kind, organisation)
);
CREATE INDEX verify_queue_submitted ON verify_queue (kind, submitted_at, organisation);
CREATE INDEX verify_queue_state ON verify_queue (kind, state, submitted_at, organisation);
CREATE INDEX verify_queue_due ON verify_queue (kind, state, due_at, organisation);
CREATE INDEX verify_queue_expires ON verify_queue (kind, state, expires_at, organisation);
CREATE INDEX verify_queue_reviewer ON verify_queue (kind, reviewer, submitted_at, organisation);
CREATE INDEX verify_queue_organisation ON verify_queue (organisation);

CREATE TABLE verify_submission (
  organisation TEXT    NOT NULL,
  number       BIGINT  NOT NULL,
  state        TEXT    NOT NULL, -- submitted, approved, rejected, withdrawn, void
  form         TEXT    NOT NULL,
  kinds        TEXT    NOT NULL, -- JSON array
  catalogue    TEXT    NOT NULL, -- version of the catalogue it was held to
  content      BYTEA   NOT NULL, -- sealed: the values of the form
  waived       TEXT    NOT NULL, -- JSON array: conditions that were waived for it
  submitted_by TEXT    NOT NULL, -- user id
  submitted_at BIGINT  NOT NULL,
  decided_by   TEXT    NOT NULL,
  decided_at   BIGINT  NOT NULL, -- 0: not yet
  reasons      TEXT    NOT NULL, -- JSON array
  note         TEXT    NOT NULL,
  PRIMARY KEY (organisation, number)
);

CREATE TABLE verify_paper (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  slot         TEXT    NOT NULL,
  draft        BIGINT  NOT NULL, -- 1: part of the next submission
  blob         TEXT    NOT NULL,
  media_type   TEXT    NOT NULL,
  size         BIGINT  NOT NULL, -- bytes
  sha256       TEXT    NOT NULL, -- hexadecimal
  about        BYTEA   NOT NULL, -- sealed: file name, number, issuer
  valid_from   BIGINT  NOT NULL, -- midnight UTC of the first day; 0: none
  valid_until  BIGINT  NOT NULL, -- midnight UTC of the last day; 0: none
  uploaded_by  TEXT    NOT NULL, -- user id
  uploaded_at  BIGINT  NOT NULL
);
CREATE INDEX verify_paper_organisation ON verify_paper (organisation, id);
CREATE INDEX verify_paper_blob ON verify_paper (blob);

-- Which papers a submission has.
CREATE TABLE verify_used (
  organisation TEXT    NOT NULL,
  number       BIGINT  NOT NULL,
  paper        TEXT    NOT NULL,
  PRIMARY KEY (organisation, number, paper)
);
CREATE INDEX verify_used_paper ON verify_used (paper);

-- Bytes of papers that are no more: deleted as soon as can be.
CREATE TABLE verify_waste (
  blob         TEXT NOT NULL PRIMARY KEY,
  organisation TEXT NOT NULL
);
CREATE INDEX verify_waste_organisation ON verify_waste (organisation);

-- +goose Down
DROP TABLE verify_waste;
DROP TABLE verify_used;
DROP TABLE verify_paper;
DROP TABLE verify_submission;
DROP TABLE verify_queue;
DROP TABLE verify_case;
