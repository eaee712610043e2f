-- +goose Up
-- Tokens that are there count. Those that have expired are given back by account, an hour later at most.
UPDATE api_token SET counted = 1 WHERE organisation <> '' AND revoked_at IS NULL;
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'api_tokens', 0, COUNT(*), 0 FROM api_token WHERE counted = 1 GROUP BY organisation
  ON CONFLICT DO NOTHING;

-- +goose Down
