-- +goose Up
CREATE TABLE once_answer (
  actor      TEXT    NOT NULL, -- kind and id
  key        TEXT    NOT NULL, -- Idempotency-Key as it was sent
  request    BYTEA   NOT NULL, -- SHA-256 of the request
  claim      TEXT    NOT NULL, -- who of several with this key carries it out
  state      TEXT    NOT NULL, -- claimed, done, answered
  status     BIGINT  NOT NULL,
  answer     BYTEA,
  created_at BIGINT  NOT NULL,
  PRIMARY KEY (actor, key)
);
CREATE INDEX once_answer_created ON once_answer (created_at);

-- +goose Down
DROP TABLE once_answer;
