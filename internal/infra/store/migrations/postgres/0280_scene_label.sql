-- +goose Up
-- Timers that have ended and still say what they were called: they lose it in time.
CREATE INDEX scene_timer_label ON scene_timer (ended_at) WHERE label <> '' AND ended_at > 0;

-- +goose Down
DROP INDEX scene_timer_label;
