-- +goose Up
-- The sentence that announced it, empty: none did; and whether its words go when it waits no longer.
ALTER TABLE voice_announcement ADD COLUMN sentence TEXT NOT NULL DEFAULT '';
ALTER TABLE voice_announcement ADD COLUMN brief INTEGER NOT NULL DEFAULT 0;
CREATE INDEX voice_announcement_brief ON voice_announcement (until) WHERE brief = 1;

-- +goose Down
DROP INDEX voice_announcement_brief;
ALTER TABLE voice_announcement DROP COLUMN brief;
ALTER TABLE voice_announcement DROP COLUMN sentence;
