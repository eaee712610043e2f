-- +goose Up
-- What a reviewer is told of an order, and what was decided.
ALTER TABLE issuance_order ADD COLUMN factory_name TEXT NOT NULL DEFAULT '';
ALTER TABLE issuance_order ADD COLUMN factory_address TEXT NOT NULL DEFAULT '';
ALTER TABLE issuance_order ADD COLUMN factory_contact TEXT NOT NULL DEFAULT '';
ALTER TABLE issuance_order ADD COLUMN planned_at INTEGER;                      -- when the factory means to begin
ALTER TABLE issuance_order ADD COLUMN list INTEGER NOT NULL DEFAULT 0;         -- number of the maker's list that the addresses are of; 0: the platform's pools
ALTER TABLE issuance_order ADD COLUMN list_from INTEGER NOT NULL DEFAULT 0;    -- the row of the list it begins with
ALTER TABLE issuance_order ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';     -- the reviewer; empty: nobody had to decide
ALTER TABLE issuance_order ADD COLUMN decided_at INTEGER;
CREATE INDEX issuance_order_state ON issuance_order (state, id);
CREATE INDEX issuance_order_product ON issuance_order (product, id);
CREATE INDEX issuance_order_own_state ON issuance_order (organisation, state, id);
CREATE INDEX issuance_order_own_product ON issuance_order (organisation, product, id);

-- +goose Down
DROP INDEX issuance_order_own_product;
DROP INDEX issuance_order_own_state;
DROP INDEX issuance_order_product;
DROP INDEX issuance_order_state;
ALTER TABLE issuance_order DROP COLUMN decided_at;
ALTER TABLE issuance_order DROP COLUMN decided_by;
ALTER TABLE issuance_order DROP COLUMN list_from;
ALTER TABLE issuance_order DROP COLUMN list;
ALTER TABLE issuance_order DROP COLUMN planned_at;
ALTER TABLE issuance_order DROP COLUMN factory_contact;
ALTER TABLE issuance_order DROP COLUMN factory_address;
ALTER TABLE issuance_order DROP COLUMN factory_name;
