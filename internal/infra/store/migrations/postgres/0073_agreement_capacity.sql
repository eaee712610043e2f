-- +goose Up
-- Who needs a guardian's consent. No row: nobody said so.
CREATE TABLE agreement_capacity (
  user_id        TEXT    NOT NULL PRIMARY KEY,
  needs_guardian BIGINT  NOT NULL,          -- 0, 1
  declared_at    BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE agreement_capacity;
