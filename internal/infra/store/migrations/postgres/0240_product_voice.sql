-- +goose Up
-- How devices of a product are spoken of (语音配置): the version in force, 0: none.
ALTER TABLE product ADD COLUMN voice BIGINT NOT NULL DEFAULT 0;

-- What somebody works on; one a product.
CREATE TABLE product_voice_draft (
  product    TEXT    NOT NULL PRIMARY KEY,
  revision   BIGINT  NOT NULL,           -- grows with each save
  document   TEXT    NOT NULL,           -- JSON, problems included
  changed_at BIGINT  NOT NULL            -- ms
);

-- Published configurations; a row never changes.
CREATE TABLE product_voice (
  product      TEXT    NOT NULL,
  version      BIGINT  NOT NULL,
  model        BIGINT  NOT NULL,         -- version of the thing model that it was checked against
  document     TEXT    NOT NULL,
  note         TEXT    NOT NULL,
  published_at BIGINT  NOT NULL,         -- ms
  published_by TEXT    NOT NULL,         -- user, empty for the platform
  PRIMARY KEY (product, version)
);

-- +goose StatementBegin
CREATE FUNCTION product_voice_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a published voice configuration never changes';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER product_voice_stays BEFORE UPDATE ON product_voice
FOR EACH ROW EXECUTE FUNCTION product_voice_stays();

-- +goose Down
DROP TABLE product_voice;
DROP FUNCTION product_voice_stays;
DROP TABLE product_voice_draft;
ALTER TABLE product DROP COLUMN voice;
