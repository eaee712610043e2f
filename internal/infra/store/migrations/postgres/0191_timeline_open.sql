-- +goose Up
-- Commands of which the timeline has told, and whose end it has not told of yet.
CREATE TABLE timeline_open (
  command TEXT NOT NULL PRIMARY KEY, -- its id
  device  TEXT NOT NULL
);
CREATE INDEX timeline_open_device ON timeline_open (device);

-- The newest entry of a device that was forgotten: whoever saw an older one last is told of a gap.
CREATE TABLE timeline_forgotten (
  device TEXT   NOT NULL PRIMARY KEY,
  seq    BIGINT NOT NULL
);

-- +goose Down
DROP TABLE timeline_forgotten;
DROP TABLE timeline_open;
