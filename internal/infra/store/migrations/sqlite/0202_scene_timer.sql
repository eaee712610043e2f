-- +goose Up
-- What a home does later: once or again and again.
CREATE TABLE scene_timer (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  label        TEXT    NOT NULL,
  seconds      INTEGER NOT NULL, -- from when it was set; 0: at a time of day
  at           TEXT    NOT NULL, -- time of day in the home, 07:00; empty: after seconds
  day          TEXT    NOT NULL, -- date, 2026-01-31; empty: the next time it is so late
  days         INTEGER NOT NULL, -- weekdays on which it repeats, one bit each from Monday; 0: once
  actions      TEXT    NOT NULL, -- JSON array; empty: it only rings
  asked        TEXT    NOT NULL, -- api, voice
  state        TEXT    NOT NULL,
  occurrence   INTEGER NOT NULL, -- how often it was due: with it a firing is claimed
  version      INTEGER NOT NULL,
  due_at       INTEGER NOT NULL, -- of one that has ended: when it was due
  shift        TEXT    NOT NULL, -- what daylight saving does to due_at: gap, first, or nothing
  last_at      INTEGER NOT NULL, -- when it was due last; 0: never
  last         TEXT    NOT NULL, -- what came of that: fired, missed
  created_at   INTEGER NOT NULL,
  ended_at     INTEGER NOT NULL  -- 0: it has not
);
CREATE INDEX scene_timer_home ON scene_timer (home, id);
CREATE INDEX scene_timer_due ON scene_timer (state, due_at, id);
CREATE INDEX scene_timer_organisation ON scene_timer (organisation, id);

-- +goose Down
DROP TABLE scene_timer;
