-- +goose Up
-- How often the platform was started; the upper part of a session's epoch, so that epochs grow whatever the clock does.
CREATE TABLE device_run (
  one BIGINT  NOT NULL PRIMARY KEY CHECK (one = 1),
  run BIGINT  NOT NULL
);
INSERT INTO device_run (one, run) VALUES (1, 0);
UPDATE device_presence SET epoch = 0; -- were microseconds of the clock

-- +goose Down
DROP TABLE device_run;
