package agreement

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// DeclareCapacity records whether a user is under age or without full capacity, and so needs a guardian's consent. People
// say so of themselves; that they need it no longer is a reviewer's to say, who also says it of others.
func (s *Service) DeclareCapacity(ctx context.Context, who access.Actor, user string, needsGuardian bool, reason string) error {
	switch {
	case who.User == "" || who.Platform():
		return fault.Forbidden("capacity.declare", "a person who is signed in")
	case user != who.User && !reviewer(who):
		return fault.NotFound("user", user)
	case !needsGuardian && (!reviewer(who) || user == who.User):
		return fault.Forbidden("capacity.declare", "a reviewer, and another than the person")
	}
	if err := checkReason("/reason", reason); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		var one int
		err := tx.QueryRow(ctx, "SELECT 1 FROM account_user WHERE id = ?", user).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("user", user)
		}
		if err != nil {
			return fmt.Errorf("looking for user %s: %w", user, err)
		}
		needs := 0
		if needsGuardian {
			needs = 1
		}
		if _, err := tx.Exec(ctx, declareSQL, user, needs, s.now().UnixMilli()); err != nil {
			return fmt.Errorf("recording the capacity of user %s: %w", user, err)
		}
		tx.AfterCommit(func() { s.verdicts.forget(user, "") })
		return audit.RecordPerson(ctx, tx, who, "capacity.declare", user, fmt.Sprintf("needs a guardian: %t; %s", needsGuardian, reason))
	})
}

const declareSQL = `
	INSERT INTO agreement_capacity (user_id, needs_guardian, declared_at)
	VALUES (?, ?, ?)
	ON CONFLICT (user_id) DO UPDATE SET needs_guardian = excluded.needs_guardian, declared_at = excluded.declared_at`

// minor says whether a user needs a guardian's consent: what was declared last counts, which is a reviewer's word where it says
// no, and what the room below knows only where nothing was.
func (s *Service) minor(ctx context.Context, q store.Querier, user string) (bool, error) {
	var needs int
	err := q.QueryRow(ctx, "SELECT needs_guardian FROM agreement_capacity WHERE user_id = ?", user).Scan(&needs)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return false, fmt.Errorf("reading the capacity of user %s: %w", user, err)
	}
	if err == nil || s.Minor == nil {
		return needs != 0, nil
	}
	minor, err := s.Minor(ctx, q, user)
	if err != nil {
		return false, fmt.Errorf("asking whether user %s needs a guardian: %w", user, err)
	}
	return minor, nil
}
