package factory

import (
	"context"
	"fmt"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// maxOpen is how many burn logs of an organisation may be coming in or be read at once.
const maxOpen = 4

// admit takes what a log needs before its file comes in.
func admit(ctx context.Context, tx *store.Tx, organisation string) error {
	var open int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM factory_log WHERE organisation = ? AND state IN ('uploading', 'checking')", organisation).Scan(&open)
	if err != nil {
		return fmt.Errorf("counting the open burn logs of %s: %w", organisation, err)
	}
	if open >= maxOpen {
		f := fault.Limit("burn logs that are being read", fmt.Sprint(open+1), fmt.Sprint(maxOpen), 0)
		f.Fix = "wait until one of them was read"
		return f
	}
	return quota.Take(ctx, tx, quota.Organisation(organisation), quota.BurnLogs, 1)
}

// dropUpload removes the file of a log and gives back what it took of the storage.
func dropUpload(ctx context.Context, tx *store.Tx, log string) error {
	var organisation string
	var size int64
	err := tx.QueryRow(ctx, `
		SELECT l.organisation, (SELECT COALESCE(SUM(LENGTH(bytes)), 0) FROM factory_upload WHERE log = l.id)
		FROM factory_log l
		WHERE l.id = ?`, log).Scan(&organisation, &size)
	if err != nil {
		return fmt.Errorf("reading what the file of burn log %s takes: %w", log, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM factory_upload WHERE log = ?", log); err != nil {
		return fmt.Errorf("removing the file of burn log %s: %w", log, err)
	}
	return quota.Give(ctx, tx, quota.Organisation(organisation), quota.Storage, size)
}

// drop removes a log with its file, and gives back its place.
func drop(ctx context.Context, tx *store.Tx, log string) error {
	if err := dropUpload(ctx, tx, log); err != nil {
		return err
	}
	var organisation string
	if err := tx.QueryRow(ctx, "DELETE FROM factory_log WHERE id = ? RETURNING organisation", log).Scan(&organisation); err != nil {
		return fmt.Errorf("removing burn log %s: %w", log, err)
	}
	return quota.Give(ctx, tx, quota.Organisation(organisation), quota.BurnLogs, 1)
}

// Stored counts the bytes of the files that are being read for an organisation.
func Stored(ctx context.Context, q store.Querier, organisation string) (n int64, err error) {
	err = q.QueryRow(ctx, `
		SELECT COALESCE(SUM(LENGTH(u.bytes)), 0)
		FROM factory_upload u
		JOIN factory_log l ON l.id = u.log
		WHERE l.organisation = ?`, organisation).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the files of burn logs of %s: %w", organisation, err)
	}
	return n, nil
}

// Count counts the burn logs of an organisation.
func Count(ctx context.Context, q store.Querier, organisation string) (n int64, err error) {
	if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM factory_log WHERE organisation = ?", organisation).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting the burn logs of %s: %w", organisation, err)
	}
	return n, nil
}
