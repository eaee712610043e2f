-- +goose Up
-- The number of a command is its id on the wire. Device SDKs count up from one for messages of their own and put such
-- numbers into replies, too; ours begin far beyond, within 31 bits.
ALTER TABLE command ALTER COLUMN seq RESTART WITH 100000001;

-- +goose Down
ALTER TABLE command ALTER COLUMN seq RESTART WITH 1;
