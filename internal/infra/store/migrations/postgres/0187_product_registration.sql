-- +goose Up
-- Whether devices of the product may register by its secret, and which generation of that secret is in force.
ALTER TABLE product ADD COLUMN registration BIGINT NOT NULL DEFAULT 0;
ALTER TABLE product ADD COLUMN secret_generation BIGINT NOT NULL DEFAULT 1;

-- +goose Down
ALTER TABLE product DROP COLUMN secret_generation;
ALTER TABLE product DROP COLUMN registration;
