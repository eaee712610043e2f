-- +goose Up
CREATE TABLE outbox_message (
  id         TEXT    NOT NULL PRIMARY KEY,
  kind       TEXT    NOT NULL,              -- mail, sms
  recipient  TEXT    NOT NULL,              -- address or number
  subject    TEXT    NOT NULL,              -- of a mail
  body       TEXT    NOT NULL,              -- empty once it was handed over, or given up
  organisation TEXT  NOT NULL,              -- on whose account; may be empty
  made_at    BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,              -- after that it is of no use any more
  due_at     BIGINT NOT NULL,              -- when to try next
  tries      BIGINT NOT NULL,
  state      TEXT    NOT NULL,              -- waiting, sent, dead
  ended_at   BIGINT NOT NULL,              -- 0 while it waits
  error      TEXT    NOT NULL               -- of the last try
);
CREATE INDEX outbox_message_due ON outbox_message (kind, due_at) WHERE state = 'waiting';
CREATE INDEX outbox_message_recipient ON outbox_message (recipient, made_at);
CREATE INDEX outbox_message_state ON outbox_message (state, id);
CREATE INDEX outbox_message_ended ON outbox_message (ended_at) WHERE ended_at > 0;
CREATE INDEX outbox_message_organisation ON outbox_message (organisation, id);

-- +goose Down
DROP TABLE outbox_message;
