-- +goose Up
-- Lists of addresses, their addresses and burn logs count from now on, those that are there already too.
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'mac_lists', 0, COUNT(*), 0 FROM mac_list WHERE organisation <> '' GROUP BY organisation
  ON CONFLICT DO NOTHING;
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'listed_macs', 0, SUM(total), 0 FROM mac_list WHERE organisation <> '' AND state = 'ready' GROUP BY organisation
  ON CONFLICT DO NOTHING;
INSERT INTO quota_used (subject_kind, subject, name, since, used, told)
  SELECT 'organisation', organisation, 'burn_logs', 0, COUNT(*), 0 FROM factory_log WHERE 1 = 1 GROUP BY organisation
  ON CONFLICT DO NOTHING;

-- +goose Down
