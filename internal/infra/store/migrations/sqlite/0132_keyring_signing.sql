-- +goose Up
-- Keys that sign what others can check. The private half opens with the root key only.
CREATE TABLE keyring_signing (
  purpose    TEXT    NOT NULL PRIMARY KEY,
  public     BLOB    NOT NULL, -- Ed25519
  sealed     BLOB    NOT NULL, -- the private half
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE keyring_signing;
