-- +goose Up
-- Keys that sign what others can check. The private half opens with the root key only.
CREATE TABLE keyring_signing (
  purpose    TEXT    NOT NULL PRIMARY KEY,
  public     BYTEA   NOT NULL, -- Ed25519
  sealed     BYTEA   NOT NULL, -- the private half
  created_at BIGINT  NOT NULL
);

-- +goose Down
DROP TABLE keyring_signing;
