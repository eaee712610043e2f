-- +goose Up
-- Devices of the product carry others: they are gateways.
ALTER TABLE product ADD COLUMN gateway INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE product DROP COLUMN gateway;
