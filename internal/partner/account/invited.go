package account

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

const (
	unanswered = 3                   // invitations that somebody gets of one organisation without an answer, sent again or not
	leftAlone  = 30 * 24 * time.Hour // after the last of them, or after they declined one
)

// receiver is whom an invitation is for, as it is counted: a contact, or a login, whether somebody has it or not.
func receiver(kind, address string) []byte {
	sum := sha256.Sum256([]byte("invited " + kind + " " + address))
	return sum[:]
}

// countInvitation counts one more invitation by who and by the organisation, and to a receiver, if they may still be written
// to. An invitation from before receivers were counted has none.
func (s *Service) countInvitation(ctx context.Context, tx *store.Tx, who access.Actor, organisation string, to []byte) error {
	if err := s.mayWrite(ctx, tx, organisation, to); err != nil {
		return err
	}
	if err := quota.Take(ctx, tx, quota.Organisation(organisation), quota.Invitations, 1); err != nil {
		return err
	}
	if err := quota.Take(ctx, tx, quota.User(who.User, organisation), quota.UserInvitations, 1); err != nil {
		return err
	}
	if len(to) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, countInvitedSQL, organisation, to, s.now().UnixMilli()); err != nil {
		return fmt.Errorf("counting an invitation of %s: %w", organisation, err)
	}
	return nil
}

// mayWrite refuses one more invitation to whoever declined one of the organisation, or did not answer several, for a while.
func (s *Service) mayWrite(ctx context.Context, tx *store.Tx, organisation string, to []byte) error {
	var sent, declined, last int64
	err := tx.QueryRow(ctx, "SELECT sent, declined, last_at FROM account_invited WHERE organisation = ? AND receiver = ?", organisation, to).Scan(&sent, &declined, &last)
	if errors.Is(err, sql.ErrNoRows) || err == nil && sent < unanswered && declined == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("counting the invitations of %s: %w", organisation, err)
	}
	wait := at(last).Add(leftAlone).Sub(s.now())
	if wait <= 0 || wait > leftAlone { // longer: it is of a clock that ran ahead
		return s.answered(ctx, tx, organisation, to)
	}
	f := fault.Limit("/contact", "one more invitation", fmt.Sprintf("%d without an answer in 30 days, none after one was declined", unanswered), whole(wait))
	f.What = "they declined an invitation of this organisation, or did not answer several"
	f.Fix = "ask them in another way; they can be invited again later"
	return f
}

// answered forgets how often an organisation has invited somebody.
func (s *Service) answered(ctx context.Context, tx *store.Tx, organisation string, to []byte) error {
	if _, err := tx.Exec(ctx, "DELETE FROM account_invited WHERE organisation = ? AND receiver = ?", organisation, to); err != nil {
		return fmt.Errorf("forgetting the invitations of %s: %w", organisation, err)
	}
	return nil
}

// Decline turns an invitation down, by its code, or by its id if it is for who's login. Its organisation cannot invite the
// same contact or login again for 30 days. Whoever has the code needs no account: who may be nobody but an address.
func (s *Service) Decline(ctx context.Context, who access.Actor, id string, code Code) error {
	switch {
	case who.Kind == "":
		who.Kind, who.ID = access.KindSystem, "invitee"
	case who.Kind != access.KindUser:
		return fault.Forbidden("invitation.decline", "a session opened with login and password, or none and the code")
	}
	return s.guessInvitation(who.User, who.From, func() error {
		return s.store.Write(ctx, func(tx *store.Tx) error {
			i, err := s.openInvitation(ctx, tx, id, who.User, code)
			if err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, declinedSQL, i.Organisation, i.receiver, s.now().UnixMilli()); err != nil {
				return fmt.Errorf("declining invitation %s: %w", i.ID, err)
			}
			if err := s.endInvitation(ctx, tx, "declined", i.ID, i.Organisation); err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "invitation.decline", i.ID, "")
		})
	})
}

// guessInvitation runs try under the bounds of a login: wrong codes and ids slow down who sends them from where.
func (s *Service) guessInvitation(user, from string, try func() error) error {
	done, wait := s.attempts.open("invitations of "+user, from, true)
	if wait > 0 {
		return fault.Limit("/invitation", "too many attempts", "five failures in a row, then a growing pause", whole(wait))
	}
	err := try()
	done(err != nil)
	return err
}
