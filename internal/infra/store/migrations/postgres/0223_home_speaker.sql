-- +goose Up
ALTER TABLE home_device ADD COLUMN hidden BIGINT NOT NULL DEFAULT 0; -- 1: what is said does not reach it

-- In which room a speaker stands.
CREATE TABLE home_speaker (
  home    TEXT NOT NULL,
  speaker TEXT NOT NULL, -- as it calls itself with a sentence
  room    TEXT NOT NULL,
  PRIMARY KEY (home, speaker)
);

-- What a person of the home wants to see first.
CREATE TABLE home_favourite (
  home     TEXT    NOT NULL,
  person   TEXT    NOT NULL,
  position BIGINT NOT NULL,
  device   TEXT    NOT NULL,
  PRIMARY KEY (home, person, position)
);
CREATE INDEX home_favourite_device ON home_favourite (device);
CREATE INDEX home_favourite_person ON home_favourite (person);

-- +goose Down
DROP TABLE home_favourite;
DROP TABLE home_speaker;
ALTER TABLE home_device DROP COLUMN hidden;
