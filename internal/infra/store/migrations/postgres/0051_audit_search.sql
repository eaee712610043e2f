-- +goose Up
-- area is the beginning of an act, before its first dot: the room whose act it is.
ALTER TABLE audit_entry ADD COLUMN area TEXT NOT NULL GENERATED ALWAYS AS (split_part(act, '.', 1)) STORED;

CREATE INDEX audit_entry_at ON audit_entry (at, seq);
CREATE INDEX audit_entry_organisation_at ON audit_entry (organisation, at, seq);
CREATE INDEX audit_entry_actor_at ON audit_entry (organisation, actor, at, seq);
CREATE INDEX audit_entry_person_at ON audit_entry (organisation, actor_user, at, seq);
CREATE INDEX audit_entry_act_at ON audit_entry (organisation, act, at, seq);
CREATE INDEX audit_entry_area_at ON audit_entry (organisation, area, at, seq);
CREATE INDEX audit_entry_object_at ON audit_entry (object, at, seq);
DROP INDEX audit_entry_organisation;
DROP INDEX audit_entry_object;

-- +goose Down
CREATE INDEX audit_entry_organisation ON audit_entry (organisation, seq);
CREATE INDEX audit_entry_object ON audit_entry (object, seq);
