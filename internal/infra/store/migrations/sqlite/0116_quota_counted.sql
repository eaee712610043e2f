-- +goose Up
-- What is there already is counted.
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'members', 0, COUNT(*), 0 FROM member WHERE 1 = 1 GROUP BY organisation
  ON CONFLICT DO NOTHING;
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'triples', 0, SUM(quantity), 0 FROM issuance_order WHERE purpose = 'mass' AND state = 'issued' GROUP BY organisation
  ON CONFLICT DO NOTHING;
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'product', product, 'debug_triples', 0, SUM(quantity), 0 FROM issuance_order WHERE purpose = 'debug' AND state = 'issued' GROUP BY product
  ON CONFLICT DO NOTHING;

-- +goose Down
DELETE FROM quota_used WHERE name IN ('members', 'triples', 'debug_triples');
