-- +goose Up
CREATE TABLE keyring_root (
  one         BIGINT  NOT NULL PRIMARY KEY CHECK (one = 1),
  fingerprint TEXT    NOT NULL, -- of the root key, which is not here
  created_at  BIGINT  NOT NULL
);

CREATE TABLE keyring_tenant (
  organisation TEXT    NOT NULL PRIMARY KEY,
  wrapped      BYTEA   NOT NULL, -- by the root key
  created_at   BIGINT  NOT NULL
);

CREATE TABLE keyring_product (
  product      TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  wrapped      BYTEA   NOT NULL, -- by the key of the organisation
  created_at   BIGINT  NOT NULL
);
CREATE INDEX keyring_product_organisation ON keyring_product (organisation);

-- +goose Down
DROP TABLE keyring_product;
DROP TABLE keyring_tenant;
DROP TABLE keyring_root;
