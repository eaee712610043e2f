-- +goose Up
CREATE TABLE product (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product_id   BIGINT  NOT NULL,           -- ProductID, 32 bits, never used twice
  product_key  TEXT    NOT NULL,           -- ProductKey
  category     TEXT    NOT NULL,
  names        TEXT    NOT NULL,           -- JSON object: language to name
  search       TEXT    NOT NULL,           -- names, key and number in lower case
  version      BIGINT  NOT NULL,           -- of the thing model in force; 0: none yet
  created_at   BIGINT  NOT NULL,
  changed_at   BIGINT  NOT NULL
);
CREATE UNIQUE INDEX product_number ON product (product_id);
CREATE UNIQUE INDEX product_key ON product (product_key);
CREATE INDEX product_organisation ON product (organisation, id);

-- The thing model somebody works on; at most one a product.
CREATE TABLE product_draft (
  product    TEXT    NOT NULL PRIMARY KEY,
  revision   BIGINT  NOT NULL,             -- grows with each save, also over a publication
  document   TEXT    NOT NULL,             -- JSON, not necessarily a good thing model yet
  changed_at BIGINT  NOT NULL
);

-- Published thing models; a row never changes.
CREATE TABLE product_model (
  product      TEXT    NOT NULL,
  version      BIGINT  NOT NULL,
  document     TEXT    NOT NULL,           -- TSL
  note         TEXT    NOT NULL,
  breaking     BIGINT  NOT NULL,           -- 1: something of the version before is refused or read differently
  published_at BIGINT  NOT NULL,
  published_by TEXT    NOT NULL,           -- login of the person, empty for the platform
  PRIMARY KEY (product, version)
);

-- +goose StatementBegin
CREATE FUNCTION product_model_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'a published thing model never changes';
END
$$;
-- +goose StatementEnd
CREATE TRIGGER product_model_stays BEFORE UPDATE ON product_model
FOR EACH ROW EXECUTE FUNCTION product_model_stays();

-- +goose Down
DROP TABLE product_model;
DROP FUNCTION product_model_stays;
DROP TABLE product_draft;
DROP TABLE product;
