-- +goose Up
-- The evidence of certifications counts as stored files, that which is there already too.
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'storage_bytes', 0, SUM(size), 0 FROM certification_evidence WHERE 1 = 1 GROUP BY organisation
  ON CONFLICT (subject_kind, subject, name, since) DO UPDATE SET used = quota_used.used + excluded.used;

-- +goose Down
