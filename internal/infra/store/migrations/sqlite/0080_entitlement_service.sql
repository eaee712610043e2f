-- +goose Up
-- What an organisation has to fulfil before it may use a service, from a date on. No row: nothing.
CREATE TABLE entitlement_bar (
  id             TEXT    NOT NULL PRIMARY KEY,
  service        TEXT    NOT NULL,
  kind           TEXT    NOT NULL,          -- open, application, agreement, paid
  agreement      TEXT    NOT NULL,          -- id, where kind is agreement
  kinds          TEXT    NOT NULL,          -- JSON array: organisations of these kinds only; [] is all
  level          INTEGER NOT NULL,          -- of verification, at least
  qualifications TEXT    NOT NULL,          -- JSON array: all are needed
  announcement   TEXT    NOT NULL,          -- id, or empty where it needed none
  reason         TEXT    NOT NULL,
  effective_at   INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  cancelled_at   INTEGER NOT NULL           -- before it took effect; 0: not
);
CREATE INDEX entitlement_bar_service ON entitlement_bar (service, id);

-- A service is on unless it was switched off.
CREATE TABLE entitlement_switch (
  id           TEXT    NOT NULL PRIMARY KEY,
  service      TEXT    NOT NULL,
  turned_on    INTEGER NOT NULL,            -- 0, 1
  emergency    INTEGER NOT NULL,            -- 0, 1: without announcement
  announcement TEXT    NOT NULL,
  reason       TEXT    NOT NULL,
  effective_at INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  cancelled_at INTEGER NOT NULL
);
CREATE INDEX entitlement_switch_service ON entitlement_switch (service, id);

CREATE TABLE entitlement_plan (
  id         TEXT    NOT NULL PRIMARY KEY,
  service    TEXT    NOT NULL,
  names      TEXT    NOT NULL,              -- JSON object: language to name
  period     TEXT    NOT NULL,              -- once, month, quarter, year
  amount     INTEGER NOT NULL,              -- of the smallest unit of the currency, a period
  currency   TEXT    NOT NULL,              -- ISO 4217
  includes   TEXT    NOT NULL,              -- JSON object: name of a limit to its value
  state      TEXT    NOT NULL,              -- offered, retired
  created_at INTEGER NOT NULL
);
CREATE INDEX entitlement_plan_service ON entitlement_plan (service, id);

-- +goose Down
DROP TABLE entitlement_plan;
DROP TABLE entitlement_switch;
DROP TABLE entitlement_bar;
