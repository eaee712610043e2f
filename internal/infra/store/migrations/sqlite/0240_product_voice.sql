-- +goose Up
-- How devices of a product are spoken of (语音配置): the version in force, 0: none.
ALTER TABLE product ADD COLUMN voice INTEGER NOT NULL DEFAULT 0;

-- What somebody works on; one a product.
CREATE TABLE product_voice_draft (
  product    TEXT    NOT NULL PRIMARY KEY,
  revision   INTEGER NOT NULL,           -- grows with each save
  document   TEXT    NOT NULL,           -- JSON, problems included
  changed_at INTEGER NOT NULL            -- ms
) WITHOUT ROWID;

-- Published configurations; a row never changes.
CREATE TABLE product_voice (
  product      TEXT    NOT NULL,
  version      INTEGER NOT NULL,
  model        INTEGER NOT NULL,         -- version of the thing model that it was checked against
  document     TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  published_at INTEGER NOT NULL,         -- ms
  published_by TEXT    NOT NULL,         -- user, empty for the platform
  PRIMARY KEY (product, version)
) WITHOUT ROWID;

-- +goose StatementBegin
CREATE TRIGGER product_voice_stays BEFORE UPDATE ON product_voice
BEGIN
  SELECT RAISE(ABORT, 'a published voice configuration never changes');
END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE product_voice;
DROP TABLE product_voice_draft;
ALTER TABLE product DROP COLUMN voice;
