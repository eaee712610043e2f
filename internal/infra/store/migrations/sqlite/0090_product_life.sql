-- +goose Up
-- Products made before they had a life are in use: they are being debugged.
ALTER TABLE product ADD COLUMN kind TEXT NOT NULL DEFAULT 'terminal';    -- chip, module, solution, terminal
ALTER TABLE product ADD COLUMN state TEXT NOT NULL DEFAULT 'debug';
ALTER TABLE product ADD COLUMN offered INTEGER NOT NULL DEFAULT 0;       -- 1: in the catalogue that others may build on
ALTER TABLE product ADD COLUMN built_on TEXT NOT NULL DEFAULT '';        -- product: a chip or module
ALTER TABLE product ADD COLUMN solution TEXT NOT NULL DEFAULT '';        -- product
ALTER TABLE product ADD COLUMN protocols TEXT NOT NULL DEFAULT '[]';     -- JSON array: what a chip was tuned for
ALTER TABLE product ADD COLUMN care TEXT NOT NULL DEFAULT '{}';          -- JSON: warranty and after-sales contact
ALTER TABLE product ADD COLUMN icon TEXT NOT NULL DEFAULT '';            -- blob
ALTER TABLE product ADD COLUMN icon_media TEXT NOT NULL DEFAULT '';
ALTER TABLE product ADD COLUMN flagged INTEGER NOT NULL DEFAULT 0;       -- 1: what it is built on is certified no longer
ALTER TABLE product ADD COLUMN flag TEXT NOT NULL DEFAULT '';            -- why
ALTER TABLE product ADD COLUMN flagged_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
CREATE INDEX product_organisation_changed ON product (organisation, changed_at, id);
CREATE INDEX product_state ON product (state, id);
CREATE INDEX product_kind ON product (kind, id);
CREATE INDEX product_flagged ON product (flagged, id);
CREATE INDEX product_offered ON product (offered, kind, id);
CREATE INDEX product_offered_all ON product (offered, id);
CREATE INDEX product_built_on ON product (built_on) WHERE built_on <> '';
CREATE INDEX product_solution ON product (solution) WHERE solution <> '';
CREATE INDEX product_icon ON product (icon) WHERE icon <> '';

-- Compliance papers and authorisations of third parties.
CREATE TABLE product_paper (
  id           TEXT    NOT NULL PRIMARY KEY,
  organisation TEXT    NOT NULL,
  product      TEXT    NOT NULL,
  kind         TEXT    NOT NULL,           -- as in papers.json
  number       TEXT    NOT NULL,
  issuer       TEXT    NOT NULL,
  valid_from   INTEGER NOT NULL,
  valid_until  INTEGER NOT NULL,           -- excluded; 0: without end
  file         TEXT    NOT NULL,           -- blob
  media        TEXT    NOT NULL,
  size         INTEGER NOT NULL,
  state        TEXT    NOT NULL,           -- submitted, approved, refused
  note         TEXT    NOT NULL,           -- of the reviewer
  created_at   INTEGER NOT NULL,
  told         INTEGER NOT NULL,           -- 0 nothing, 1 that it ends soon, 2 that it ended
  next_at      INTEGER NOT NULL,           -- when the clock has to look at it; 0: never
  revision     INTEGER NOT NULL
);
CREATE INDEX product_paper_product ON product_paper (product, id);
CREATE INDEX product_paper_organisation ON product_paper (organisation, id);
CREATE INDEX product_paper_state ON product_paper (state, id);
CREATE INDEX product_paper_file ON product_paper (file);
CREATE INDEX product_paper_next ON product_paper (next_at) WHERE next_at > 0;

-- ProductIDs of products that were erased: bare numbers, never given again.
CREATE TABLE product_erased (
  product_id INTEGER NOT NULL PRIMARY KEY
);

-- +goose Down
DROP TABLE product_erased;
DROP TABLE product_paper;
DROP INDEX product_icon;
DROP INDEX product_solution;
DROP INDEX product_built_on;
DROP INDEX product_offered_all;
DROP INDEX product_offered;
DROP INDEX product_flagged;
DROP INDEX product_kind;
DROP INDEX product_state;
DROP INDEX product_organisation_changed;
ALTER TABLE product DROP COLUMN revision;
ALTER TABLE product DROP COLUMN flagged_at;
ALTER TABLE product DROP COLUMN flag;
ALTER TABLE product DROP COLUMN flagged;
ALTER TABLE product DROP COLUMN icon_media;
ALTER TABLE product DROP COLUMN icon;
ALTER TABLE product DROP COLUMN care;
ALTER TABLE product DROP COLUMN protocols;
ALTER TABLE product DROP COLUMN solution;
ALTER TABLE product DROP COLUMN built_on;
ALTER TABLE product DROP COLUMN offered;
ALTER TABLE product DROP COLUMN state;
ALTER TABLE product DROP COLUMN kind;
