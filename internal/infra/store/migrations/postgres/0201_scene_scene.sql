-- +goose Up
CREATE TABLE scene (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  names        TEXT    NOT NULL, -- JSON object: language to name
  aliases      TEXT    NOT NULL, -- JSON object: language to array of names
  phrases      TEXT    NOT NULL, -- JSON object: language to array of sentences
  actions      TEXT    NOT NULL, -- JSON array
  version      BIGINT  NOT NULL,
  created_at   BIGINT  NOT NULL,
  changed_at   BIGINT  NOT NULL
);
CREATE INDEX scene_home ON scene (home, id);
CREATE INDEX scene_organisation ON scene (organisation, id);

-- What is carried out, or was: of a scene, a timer, an automation.
CREATE TABLE scene_run (
  id           TEXT    NOT NULL PRIMARY KEY,
  home         TEXT    NOT NULL,
  organisation TEXT    NOT NULL,
  origin       TEXT    NOT NULL, -- scene, timer, automation
  ref          TEXT    NOT NULL, -- its id
  label        TEXT    NOT NULL, -- JSON object: language to what it was called
  asked        TEXT    NOT NULL, -- by whom: api, voice, clock, event; of an automation's run what set it off
  depth        BIGINT  NOT NULL, -- how many automations led to it
  actor_kind   TEXT    NOT NULL, -- in whose name commands go; empty once it has ended
  actor        TEXT    NOT NULL,
  state        TEXT    NOT NULL,
  position     BIGINT  NOT NULL, -- the next of its steps
  due_at       BIGINT  NOT NULL, -- when that is due; of a run that has ended: when it ended
  steps        TEXT    NOT NULL, -- JSON array: what is to be done, and what came of it
  started_at   BIGINT  NOT NULL
);
CREATE INDEX scene_run_home ON scene_run (home, id);
CREATE INDEX scene_run_ref ON scene_run (home, ref, id);
CREATE INDEX scene_run_due ON scene_run (state, due_at, id);
CREATE INDEX scene_run_organisation ON scene_run (organisation, id);

-- Which devices a scene, a timer, an automation or a run names.
CREATE TABLE scene_device (
  device TEXT NOT NULL,
  kind   TEXT NOT NULL, -- scene, timer, automation, run
  id     TEXT NOT NULL,
  PRIMARY KEY (device, kind, id)
);
CREATE INDEX scene_device_id ON scene_device (kind, id);

-- +goose Down
DROP TABLE scene_device;
DROP TABLE scene_run;
DROP TABLE scene;
