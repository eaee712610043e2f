-- +goose Up
CREATE TABLE entitlement_application (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  service      TEXT    NOT NULL,
  plan         TEXT    NOT NULL,            -- id, or empty
  purpose      TEXT    NOT NULL,
  state        TEXT    NOT NULL,            -- requested, granted, refused, withdrawn, ended
  reason       TEXT    NOT NULL,            -- of the last decision
  requested_by TEXT    NOT NULL,
  decided_by   TEXT    NOT NULL,
  created_at   BIGINT  NOT NULL,
  decided_at   BIGINT  NOT NULL,            -- 0: not yet
  until_at     BIGINT  NOT NULL,            -- the grant ends then; 0: without an end
  ended_at     BIGINT  NOT NULL             -- 0: it has not
);
CREATE INDEX entitlement_application_organisation ON entitlement_application (organisation, id);
CREATE INDEX entitlement_application_state ON entitlement_application (state, id);
CREATE INDEX entitlement_application_service ON entitlement_application (service, id);
CREATE UNIQUE INDEX entitlement_application_open ON entitlement_application (organisation, service) WHERE state IN ('requested', 'granted');

-- What the operator decided for one organisation, whatever the bar says.
CREATE TABLE entitlement_override (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  service      TEXT    NOT NULL,
  allowed      BIGINT  NOT NULL,            -- 0, 1
  reason       TEXT    NOT NULL,
  made_by      TEXT    NOT NULL,
  from_at      BIGINT  NOT NULL,
  until_at     BIGINT  NOT NULL,            -- 0: without an end
  created_at   BIGINT  NOT NULL,
  ended_at     BIGINT  NOT NULL             -- before its time; 0: not
);
CREATE INDEX entitlement_override_organisation ON entitlement_override (organisation, id);
CREATE INDEX entitlement_override_service ON entitlement_override (service, id);

-- Limits that a granted plan includes, on their way to and from the room that holds limits.
CREATE TABLE entitlement_limit (
  application TEXT    NOT NULL,
  name        TEXT    NOT NULL,
  value       BIGINT  NOT NULL,
  wanted      BIGINT  NOT NULL,             -- 1: to be in force, 0: to be lifted
  override    TEXT    NOT NULL,             -- id in the other room, empty before it has one
  PRIMARY KEY (application, name)
);
CREATE INDEX entitlement_limit_todo ON entitlement_limit (wanted, override);

-- +goose Down
DROP TABLE entitlement_limit;
DROP TABLE entitlement_override;
DROP TABLE entitlement_application;
