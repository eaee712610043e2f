-- +goose Up
ALTER TABLE home ADD COLUMN time_zone TEXT NOT NULL DEFAULT ''; -- IANA name; empty: the platform's
ALTER TABLE home ADD COLUMN latitude_e6 INTEGER; -- millionths of a degree, north of the equator; NULL: not known
ALTER TABLE home ADD COLUMN longitude_e6 INTEGER; -- the same, east of Greenwich
ALTER TABLE home_room ADD COLUMN floor TEXT NOT NULL DEFAULT '{}'; -- JSON object: language to what the floor is called

-- +goose Down
ALTER TABLE home_room DROP COLUMN floor;
ALTER TABLE home DROP COLUMN longitude_e6;
ALTER TABLE home DROP COLUMN latitude_e6;
ALTER TABLE home DROP COLUMN time_zone;
