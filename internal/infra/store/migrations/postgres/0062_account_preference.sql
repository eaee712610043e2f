-- +goose Up
ALTER TABLE account_user ADD COLUMN lang TEXT NOT NULL DEFAULT '';            -- of what is sent to them; empty: both languages
ALTER TABLE account_user ADD COLUMN mail_notices BIGINT NOT NULL DEFAULT 1;  -- 0: only notices that nobody may decline
ALTER TABLE api_token ADD COLUMN counted BIGINT NOT NULL DEFAULT 0;          -- 1: it takes one of the limit of its organisation
CREATE INDEX api_token_counted ON api_token (organisation, expires_at) WHERE counted = 1;

-- +goose Down
DROP INDEX api_token_counted;
ALTER TABLE api_token DROP COLUMN counted;
ALTER TABLE account_user DROP COLUMN mail_notices;
ALTER TABLE account_user DROP COLUMN lang;
