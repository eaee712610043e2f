-- +goose Up
-- Messages that were given up are listed by kind, by organisation, and by when that was. What was sent needs no such index.
DROP INDEX outbox_message_state;
CREATE INDEX outbox_message_dead ON outbox_message (id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_kind ON outbox_message (kind, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of ON outbox_message (organisation, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of_kind ON outbox_message (organisation, kind, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_ended ON outbox_message (ended_at, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_kind_ended ON outbox_message (kind, ended_at, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of_ended ON outbox_message (organisation, ended_at, id) WHERE state = 'dead';
CREATE INDEX outbox_message_dead_of_kind_ended ON outbox_message (organisation, kind, ended_at, id) WHERE state = 'dead';

-- +goose Down
DROP INDEX outbox_message_dead_of_kind_ended;
DROP INDEX outbox_message_dead_of_ended;
DROP INDEX outbox_message_dead_kind_ended;
DROP INDEX outbox_message_dead_ended;
DROP INDEX outbox_message_dead_of_kind;
DROP INDEX outbox_message_dead_of;
DROP INDEX outbox_message_dead_kind;
DROP INDEX outbox_message_dead;
CREATE INDEX outbox_message_state ON outbox_message (state, id);
