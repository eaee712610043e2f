package issuance

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

// RevokeOrder takes every secret of an order that was handed out so far out of force: no device logs in with one, and live
// sessions end. Another download hands out new ones. Where nothing is in force it is refused, so that nobody takes it for done twice.
func (s *Service) RevokeOrder(ctx context.Context, who access.Actor, order, reason string) error {
	return s.revoke(ctx, who, reason, func(tx *store.Tx) (string, error) {
		o, err := load(ctx, tx, who, order)
		if err == nil && o.State != StateIssued {
			err = fault.Closed("revoke", string(o.State), o.Open(who))
		}
		return o.ID, err
	}, "order.revoke", order, "")
}

// RevokeDownload takes the secrets that one download handed out out of force. Those of the downloads before and after it stay
// as they are.
func (s *Service) RevokeDownload(ctx context.Context, who access.Actor, download, reason string) error {
	return s.revoke(ctx, who, reason, func(tx *store.Tx) (string, error) {
		d, err := loadDownload(ctx, tx, who, download)
		if err == nil && !d.RevokedAt.IsZero() {
			err = fault.Conflict("download", "it was revoked at "+fault.Stamp(d.RevokedAt))
		}
		return d.Order, err
	}, "download.revoke", download, download)
}

// revoke revokes the generations of an order: all, or the one of a download.
func (s *Service) revoke(ctx context.Context, who access.Actor, reason string, find func(*store.Tx) (order string, err error), act, object, download string) error {
	if err := who.Check(access.RevokeTriples); err != nil {
		return err
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		order, err := find(tx)
		if err != nil {
			return err
		}
		windows, args := "UPDATE issuance_generation SET revoked_at = ? WHERE batch = ? AND revoked_at IS NULL", []any{s.now().UnixMilli(), order}
		files := "UPDATE issuance_download SET revoked_at = ? WHERE batch = ? AND revoked_at IS NULL"
		if download != "" {
			windows, files, args = windows+" AND download = ?", files+" AND id = ?", append(args, download)
		}
		var changed int64
		for _, query := range []string{windows, files} {
			r, err := tx.Exec(ctx, query, args...)
			if err != nil {
				return fmt.Errorf("revoking secrets of order %s: %w", order, err)
			}
			n, err := r.RowsAffected()
			if err != nil {
				return err
			}
			changed += n
		}
		if changed == 0 {
			return fault.Conflict("order", "nothing that was handed out of this order is in force: there is nothing to revoke")
		}
		if err := void(ctx, tx, order, s.now()); err != nil {
			return err
		}
		if s.c.Revoked != nil {
			if err := s.c.Revoked(ctx, tx, order); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, who, act, object, reason)
	})
}

// RevokeOne takes every secret of one address that was handed out so far out of force, in the transaction of the act; its
// session is the caller's to end. It does not register in a window either, until it is reset. It says whether anything was in
// force: once revoked, nothing is until more is handed out.
func RevokeOne(ctx context.Context, tx *store.Tx, order string, mac triple.MAC, now time.Time) (changed bool, err error) {
	for _, q := range []struct {
		statement string
		args      []any
	}{
		{`
		INSERT INTO issuance_secret (batch, mac, generation, newest, lowest)
		VALUES (?, ?, 0, 0, (SELECT generation + 1 FROM issuance_order WHERE id = ?))
		ON CONFLICT (batch, mac) DO UPDATE SET lowest = excluded.lowest WHERE issuance_secret.lowest <> excluded.lowest`, []any{order, mac.Uint64(), order}},
		{"DELETE FROM issuance_registered WHERE batch = ? AND mac = ? AND generation = 0", []any{order, mac.Uint64()}},
	} {
		r, err := tx.Exec(ctx, q.statement, q.args...)
		if err != nil {
			return false, fmt.Errorf("revoking the secret of %s: %w", mac, err)
		}
		n, err := r.RowsAffected()
		if err != nil {
			return false, err
		}
		changed = changed || n > 0
	}
	return changed, void(ctx, tx, order, now)
}

// void ends the downloads of an order that are open: what they leave out is not the same any more.
func void(ctx context.Context, tx *store.Tx, order string, now time.Time) error {
	_, err := tx.Exec(ctx, "UPDATE issuance_download SET voided_at = ? WHERE batch = ? AND taken_at IS NULL AND voided_at IS NULL AND ends_at > ?",
		now.UnixMilli(), order, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("ending the open downloads of order %s: %w", order, err)
	}
	return nil
}
