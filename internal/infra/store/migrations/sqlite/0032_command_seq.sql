-- +goose Up
-- The number of a command is its id on the wire. Device SDKs count up from one for messages of their own and put such
-- numbers into replies, too; ours begin far beyond, within 31 bits.
INSERT INTO sqlite_sequence (name, seq) SELECT 'command', 100000000 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'command');

-- +goose Down
DELETE FROM sqlite_sequence WHERE name = 'command';
