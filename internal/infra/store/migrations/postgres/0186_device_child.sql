-- +goose Up
-- Which gateway carries which device. A device without a row connects by itself only.
CREATE TABLE device_child (
  child       TEXT    NOT NULL PRIMARY KEY,
  gateway     TEXT    NOT NULL,
  pinned      BIGINT NOT NULL, -- the maker attached it, and no gateway takes it away
  attached_at BIGINT  NOT NULL
);
CREATE INDEX device_child_gateway ON device_child (gateway, child);

-- +goose Down
DROP TABLE device_child;
