-- +goose Up
-- A guardian's consent for one user. What is personal in it is sealed.
CREATE TABLE agreement_guardian (
  id           TEXT    NOT NULL PRIMARY KEY,
  user_id      TEXT    NOT NULL,
  state        TEXT    NOT NULL,            -- requested, confirmed, refused, withdrawn
  sealed       BYTEA   NOT NULL,            -- name, relation, contact, and the code while one waits
  paper        TEXT    NOT NULL,            -- id of the blob, or empty
  confirmed_by TEXT    NOT NULL,            -- reviewer, code, or empty
  reason       TEXT    NOT NULL,            -- why it was refused or withdrawn
  tries        BIGINT  NOT NULL,            -- wrong codes so far
  code_until   BIGINT  NOT NULL,            -- 0: no code waits
  created_at   BIGINT  NOT NULL,
  decided_at   BIGINT  NOT NULL             -- 0: not yet
);
CREATE INDEX agreement_guardian_user ON agreement_guardian (user_id, id);
CREATE INDEX agreement_guardian_state ON agreement_guardian (state, id);
CREATE UNIQUE INDEX agreement_guardian_open ON agreement_guardian (user_id) WHERE state IN ('requested', 'confirmed');

-- +goose Down
DROP TABLE agreement_guardian;
