-- +goose Up
CREATE TABLE session (
  device     TEXT    NOT NULL PRIMARY KEY,
  epoch      BIGINT NOT NULL, -- of the connection that has it, or had it last
  online     BIGINT NOT NULL, -- 0, 1
  resumed    BIGINT NOT NULL, -- that connection found what an earlier one left: 0, 1
  lasts_s    BIGINT NOT NULL, -- how long it stays after its connection, seconds; 0: it ends with it
  expires_at BIGINT,          -- set while it waits for its device
  filters    BYTEA NOT NULL, -- what the device subscribed to
  held       BYTEA NOT NULL, -- identifiers of QoS 2 messages that were taken and not released, two bytes each
  will       BYTEA,          -- what is to be said for the device if it goes without goodbye
  will_at    BIGINT           -- when, set after it went
);
CREATE INDEX session_expires ON session (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX session_will ON session (will_at) WHERE will_at IS NOT NULL;

CREATE TABLE session_cursor (
  consumer TEXT    NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL
);

-- +goose Down
DROP TABLE session_cursor;
DROP TABLE session;
