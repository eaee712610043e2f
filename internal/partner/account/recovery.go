package account

import (
	"context"
	"fmt"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits each: they need no slow hash, and nobody guesses one
	recoveryChars = 16
)

// RenewRecoveryCodes replaces all recovery codes of who, used and unused. They are given once; it wants a proof by the second
// factor within 15 minutes.
func (s *Service) RenewRecoveryCodes(ctx context.Context, who access.Actor) ([]Code, error) {
	if err := ownSession(who, "factor.codes"); err != nil {
		return nil, err
	}
	if err := who.CheckProved("factor.codes"); err != nil {
		return nil, err
	}
	var codes []Code
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		has, err := hasFactor(ctx, tx, who.User)
		if err != nil {
			return fmt.Errorf("reading the second factor of user %s: %w", who.User, err)
		}
		if !has {
			return fault.Conflict("second factor", "there is no second factor; enrol one first (POST /api/v1/factor)")
		}
		if codes, err = newRecoveryCodes(ctx, tx, who.User); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "factor.codes", who.User, "")
	})
	return codes, err
}

// newRecoveryCodes replaces the recovery codes of a user.
func newRecoveryCodes(ctx context.Context, tx *store.Tx, user string) ([]Code, error) {
	if _, err := tx.Exec(ctx, "DELETE FROM account_recovery WHERE user_id = ?", user); err != nil {
		return nil, fmt.Errorf("removing the recovery codes of user %s: %w", user, err)
	}
	codes := make([]Code, 0, recoveryCodes)
	for range recoveryCodes {
		text := letters.EncodeToString(random(recoveryBytes))
		hash := digest(text)
		if _, err := tx.Exec(ctx, "INSERT INTO account_recovery (user_id, hash, used_at) VALUES (?, ?, 0)", user, hash[:]); err != nil {
			return nil, fmt.Errorf("adding a recovery code of user %s: %w", user, err)
		}
		codes = append(codes, Code{hide(text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:])})
	}
	return codes, nil
}

// useRecovery uses up a recovery code.
func (s *Service) useRecovery(ctx context.Context, tx *store.Tx, user string, code Code) error {
	hash := digest(recoveryText(code))
	res, err := tx.Exec(ctx, "UPDATE account_recovery SET used_at = ? WHERE user_id = ? AND hash = ? AND used_at = 0", s.now().UnixMilli(), user, hash[:])
	if err != nil {
		return fmt.Errorf("using a recovery code of user %s up: %w", user, err)
	}
	n, err := res.RowsAffected()
	if err != nil {
		return fmt.Errorf("using a recovery code of user %s up: %w", user, err)
	}
	if n == 0 {
		return errCode()
	}
	return nil
}

// recoveryForm says whether code has the length of a recovery code: a guess at one is hopeless, and needs no bound.
func recoveryForm(code Code) bool { return len(recoveryText(code)) == recoveryChars }

// recoveryText is a recovery code as it was drawn: people add dashes, spaces and capitals.
func recoveryText(code Code) string {
	return strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(strings.TrimSpace(code.Reveal())))
}
