package issuance

import (
	"context"
	"fmt"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// maxOpenLists is how many files of addresses of an organisation may be coming in or be read at once.
const maxOpenLists = 4

// admit takes what a list needs before its file comes in.
func admit(ctx context.Context, tx *store.Tx, organisation string) error {
	var open int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM mac_list WHERE organisation = ? AND state IN ('uploading', 'checking')", organisation).Scan(&open)
	if err != nil {
		return fmt.Errorf("counting the open lists of %s: %w", organisation, err)
	}
	if open >= maxOpenLists {
		f := fault.Limit("lists that are being read", fmt.Sprint(open+1), fmt.Sprint(maxOpenLists), 0)
		f.Fix = "wait until one of them was read"
		return f
	}
	return quota.Take(ctx, tx, quota.Organisation(organisation), quota.MACLists, 1)
}

// dropUpload removes the file of a list and gives back what it took of the storage.
func dropUpload(ctx context.Context, tx *store.Tx, list int64) error {
	var organisation string
	var size int64
	err := tx.QueryRow(ctx, `
		SELECT l.organisation, (SELECT COALESCE(SUM(LENGTH(bytes)), 0) FROM issuance_upload WHERE list = l.number)
		FROM mac_list l
		WHERE l.number = ?`, list).Scan(&organisation, &size)
	if err != nil {
		return fmt.Errorf("reading what the file of list %d takes: %w", list, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM issuance_upload WHERE list = ?", list); err != nil {
		return fmt.Errorf("removing the file of list %d: %w", list, err)
	}
	return quota.Give(ctx, tx, quota.Organisation(organisation), quota.Storage, size)
}

// forgetList removes a list whose file did not come in, and gives back its place.
func forgetList(ctx context.Context, tx *store.Tx, list int64) error {
	if err := dropUpload(ctx, tx, list); err != nil {
		return err
	}
	var organisation string
	if err := tx.QueryRow(ctx, "DELETE FROM mac_list WHERE number = ? RETURNING organisation", list).Scan(&organisation); err != nil {
		return fmt.Errorf("forgetting list %d: %w", list, err)
	}
	return quota.Give(ctx, tx, quota.Organisation(organisation), quota.MACLists, 1)
}

// Stored counts the bytes of the files that are being read for an organisation.
func Stored(ctx context.Context, q store.Querier, organisation string) (n int64, err error) {
	err = q.QueryRow(ctx, `
		SELECT COALESCE(SUM(LENGTH(u.bytes)), 0)
		FROM issuance_upload u
		JOIN mac_list l ON l.number = u.list
		WHERE l.organisation = ?`, organisation).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the files of addresses of %s: %w", organisation, err)
	}
	return n, nil
}
