-- +goose Up
-- The version that a device counts its classic shadow by. What the shadow says is in shadow and shadow_desired.
CREATE TABLE shadow_classic (
    device  TEXT   NOT NULL PRIMARY KEY,
    version INTEGER NOT NULL
) WITHOUT ROWID;

-- +goose Down
DROP TABLE shadow_classic;
