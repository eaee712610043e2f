package account

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	factorIssuer  = "Lampworks"
	factorPurpose = "account.totp" // of the seal: for ever
	factorBytes   = 20             // of a secret: RFC 4226 §4 asks for 160 bits
	factorDigits  = 6
	factorStep    = 30 * time.Second
	factorSkew    = 1 // steps that a clock may be ahead or behind
)

// FactorState says how far somebody is with the second factor (第二因素).
type FactorState string

// The states of a second factor.
const (
	NoFactor      FactorState = "none"
	FactorPending FactorState = "pending" // a secret was given out; no code was shown yet
	FactorActive  FactorState = "active"
)

// A Factor is what somebody may know of their own second factor.
type Factor struct {
	State       FactorState
	ConfirmedAt time.Time // zero unless active
	CodesLeft   int       // recovery codes not used yet
	ProvedUntil time.Time // until then this session may see secrets; zero: a code is needed first
}

// A FactorSecret is what an authenticator app is told, once.
type FactorSecret struct {
	Secret Code // base32
	URL    Code // otpauth://totp/…, for a QR code
}

// Factor says what there is of who's second factor.
func (s *Service) Factor(ctx context.Context, who access.Actor) (Factor, error) {
	f := Factor{State: NoFactor}
	if fresh := who.Proved.Add(access.Fresh); !who.Proved.IsZero() && s.now().Before(fresh) {
		f.ProvedUntil = fresh
	}
	err := s.store.Read(ctx, func(v *store.View) error {
		known, err := loadFactor(ctx, v, who.User)
		if err != nil || known == nil {
			return err
		}
		f.State = FactorPending
		if known.confirmed != 0 {
			f.State, f.ConfirmedAt = FactorActive, at(known.confirmed)
		}
		return v.QueryRow(ctx, "SELECT COUNT(*) FROM account_recovery WHERE user_id = ? AND used_at = 0", who.User).Scan(&f.CodesLeft)
	})
	if err != nil {
		return Factor{}, fmt.Errorf("reading the second factor of user %s: %w", who.User, err)
	}
	return f, nil
}

// EnrolFactor draws a secret for who's authenticator. It counts once ConfirmFactor has seen a code of it; until then the
// one before, if there is one, stays in force. It wants a session opened with the password in the last 15 minutes, and, to
// replace a factor, a proof by the one in force.
func (s *Service) EnrolFactor(ctx context.Context, who access.Actor) (FactorSecret, error) {
	if err := ownSession(who, "factor.enrol"); err != nil {
		return FactorSecret{}, err
	}
	secret, now := base32Secret(random(factorBytes)), s.now()
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		known, err := loadFactor(ctx, tx, who.User)
		if err != nil {
			return fmt.Errorf("reading the second factor of user %s: %w", who.User, err)
		}
		if known != nil && known.confirmed != 0 {
			return fault.Conflict("second factor", "there is a second factor already; remove it first, with a code of it, or let the operator reset it")
		}
		if err := s.openedLately(ctx, tx, who); err != nil {
			return err
		}
		if err := s.putFactor(ctx, tx, who.User, secret, now.UnixMilli(), 0); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "factor.enrol", who.User, "")
	})
	if err != nil {
		return FactorSecret{}, err
	}
	return FactorSecret{Code{hide(secret)}, Code{hide(otpURL(secret, who.Login))}}, nil
}

// ConfirmFactor puts the secret of EnrolFactor in force for whoever shows a code of it, and gives the recovery codes. The
// session counts as opened with the second factor from here on; all others of the user end.
func (s *Service) ConfirmFactor(ctx context.Context, who access.Actor, code Code) ([]Code, error) {
	if err := ownSession(who, "factor.confirm"); err != nil {
		return nil, err
	}
	var codes []Code
	err := s.guess(who.User, who.From, true, func() error {
		return s.change(ctx, func(tx *store.Tx) error {
			known, err := loadFactor(ctx, tx, who.User)
			if err != nil {
				return fmt.Errorf("reading the second factor of user %s: %w", who.User, err)
			}
			if known == nil || known.confirmed != 0 {
				return fault.Conflict("second factor", "there is no second factor to confirm; enrol one first")
			}
			if err := s.useStep(ctx, tx, known, who.User, code); err != nil {
				return err
			}
			now := s.now().UnixMilli()
			if _, err := tx.Exec(ctx, "UPDATE account_factor SET confirmed_at = ? WHERE user_id = ?", now, who.User); err != nil {
				return fmt.Errorf("confirming the second factor of user %s: %w", who.User, err)
			}
			if _, err := tx.Exec(ctx, factorChangedSQL, who.User); err != nil {
				return fmt.Errorf("confirming the second factor of user %s: %w", who.User, err)
			}
			if codes, err = newRecoveryCodes(ctx, tx, who.User); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE user_id = ? AND id <> ?", who.User, who.Session); err != nil {
				return fmt.Errorf("ending the other sessions of user %s: %w", who.User, err)
			}
			if err := s.noteProof(ctx, tx, who, now); err != nil {
				return err
			}
			return audit.RecordPerson(ctx, tx, who, "factor.confirm", who.User, "")
		})
	})
	return codes, err
}

// Prove shows a code in a running session: for 15 minutes it may see secrets. A recovery code is good, too.
func (s *Service) Prove(ctx context.Context, who access.Actor, code Code) (until time.Time, err error) {
	if err := ownSession(who, "session.prove"); err != nil {
		return until, err
	}
	now := s.now()
	known, err := s.knownPlace(ctx, who.User, who.From)
	if err != nil {
		return until, err
	}
	err = s.guess(who.User, who.From, known || recoveryForm(code), func() error {
		return s.change(ctx, func(tx *store.Tx) error {
			if err := s.useCode(ctx, tx, who.User, code); err != nil {
				return err
			}
			if err := s.noteProof(ctx, tx, who, now.UnixMilli()); err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "session.prove", who.Session, "")
		})
	})
	if err != nil {
		return until, err
	}
	return now.Add(access.Fresh), nil
}

// RemoveFactor takes who's own second factor away; it wants a proof within 15 minutes. Who has a role of the operator keeps it.
func (s *Service) RemoveFactor(ctx context.Context, who access.Actor) error {
	if err := ownSession(who, "factor.remove"); err != nil {
		return err
	}
	if err := who.CheckProved("factor.remove"); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		role, err := platformRole(ctx, tx, who.User)
		if err != nil {
			return err
		}
		if role != "" {
			return fault.Conflict("second factor", "whoever has a role of the operator keeps a second factor; another admin may reset it")
		}
		if err := dropFactor(ctx, tx, who.User); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE login_session SET strong = 0, proved_at = 0 WHERE user_id = ?", who.User); err != nil {
			return fmt.Errorf("weakening the sessions of user %s: %w", who.User, err)
		}
		return audit.RecordPerson(ctx, tx, who, "factor.remove", who.User, "")
	})
}

// ResetFactor takes another user's second factor away, for whoever lost device and recovery codes, and ends their sessions.
// The operator only, and not for oneself. Note says why.
func (s *Service) ResetFactor(ctx context.Context, who access.Actor, user, note string) error {
	if err := who.Check(access.ManageUsers); err != nil {
		return err
	}
	if user == who.User {
		return fault.Conflict("user", "nobody resets their own second factor; another admin may")
	}
	return s.change(ctx, func(tx *store.Tx) error {
		if _, err := platformRole(ctx, tx, user); err != nil {
			return err
		}
		if err := dropFactor(ctx, tx, user); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE user_id = ?", user); err != nil {
			return fmt.Errorf("ending the sessions of user %s: %w", user, err)
		}
		if err := s.notify(ctx, tx, user, "", letterFactor); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "factor.reset", user, note)
	})
}

// ownSession wants a session that was opened with a password: a token is no person.
func ownSession(who access.Actor, act string) error {
	if who.Kind != access.KindUser || who.Session == "" {
		return fault.Forbidden(act, "a session opened with login and password")
	}
	return nil
}

// openedLately wants who's session to be younger than 15 minutes: a browser left open enrols nobody's phone.
func (s *Service) openedLately(ctx context.Context, q store.Querier, who access.Actor) error {
	lately, err := exists(ctx, q, "SELECT 1 FROM login_session WHERE id = ? AND created_at > ?", who.Session, s.now().Add(-access.Fresh).UnixMilli())
	if err == nil && !lately {
		f := fault.Forbidden("factor.enrol", "a session opened in the last 15 minutes")
		f.Fix = "sign out and in again"
		return f
	}
	return err
}

// noteProof notes that the session of who showed the second factor.
func (s *Service) noteProof(ctx context.Context, tx *store.Tx, who access.Actor, now int64) error {
	_, err := tx.Exec(ctx, "UPDATE login_session SET strong = 1, proved_at = ? WHERE id = ? AND user_id = ?", now, who.Session, who.User)
	if err != nil {
		return fmt.Errorf("noting the proof of session %s: %w", who.Session, err)
	}
	return nil
}

// factorRow is a row of account_factor.
type factorRow struct {
	sealed    []byte
	confirmed int64
	last      int64
}

// loadFactor reads the second factor of a user, nil if there is none.
func loadFactor(ctx context.Context, q store.Querier, user string) (*factorRow, error) {
	var f factorRow
	err := q.QueryRow(ctx, "SELECT sealed, confirmed_at, last_step FROM account_factor WHERE user_id = ?", user).Scan(&f.sealed, &f.confirmed, &f.last)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &f, err
}

// putFactor writes a secret, sealed for its user, in place of the one before.
func (s *Service) putFactor(ctx context.Context, tx *store.Tx, user, secret string, made, confirmed int64) error {
	sealed, err := s.keys.Seal(ctx, tx, "", factorPurpose, user, []byte(secret))
	if err != nil {
		return fmt.Errorf("sealing the second factor of user %s: %w", user, err)
	}
	if _, err := tx.Exec(ctx, putFactorSQL, user, sealed, made, confirmed); err != nil {
		return fmt.Errorf("adding the second factor of user %s: %w", user, err)
	}
	return nil
}

// hasFactor says whether a user signs in with a code.
func hasFactor(ctx context.Context, q store.Querier, user string) (bool, error) {
	return exists(ctx, q, "SELECT 1 FROM account_factor WHERE user_id = ? AND confirmed_at > 0", user)
}

// useCode uses up a code of the authenticator, or a recovery code.
func (s *Service) useCode(ctx context.Context, tx *store.Tx, user string, code Code) error {
	known, err := loadFactor(ctx, tx, user)
	if err != nil {
		return fmt.Errorf("reading the second factor of user %s: %w", user, err)
	}
	if known == nil || known.confirmed == 0 {
		return fault.Conflict("second factor", "there is no second factor; enrol one first (POST /api/v1/factor)")
	}
	if recoveryForm(code) {
		return s.useRecovery(ctx, tx, user, code)
	}
	return s.useStep(ctx, tx, known, user, code)
}

// useStep uses up a code of the authenticator: it and all before it are good no more.
func (s *Service) useStep(ctx context.Context, tx *store.Tx, f *factorRow, user string, code Code) error {
	secret, err := s.keys.Unseal(ctx, tx, "", factorPurpose, user, f.sealed)
	if err != nil {
		return fmt.Errorf("opening the second factor of user %s: %w", user, err)
	}
	step, err := matchStep(string(secret), code, s.now())
	if err != nil {
		return fmt.Errorf("checking a code of user %s: %w", user, err)
	}
	if step <= f.last {
		return errCode()
	}
	res, err := tx.Exec(ctx, "UPDATE account_factor SET last_step = ? WHERE user_id = ? AND last_step < ?", step, user, step)
	if err != nil {
		return fmt.Errorf("using a code of user %s up: %w", user, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(errCode(), err)
	}
	return nil
}

// matchStep is the step whose code it is, 0 if it is none of those around now. All are compared, whichever matches.
func matchStep(secret string, code Code, now time.Time) (int64, error) {
	text := strings.ReplaceAll(strings.TrimSpace(code.Reveal()), " ", "")
	current, found := now.Unix()/int64(factorStep/time.Second), int64(0)
	for step := current - factorSkew; step <= current+factorSkew; step++ {
		want, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(text)) == 1 {
			found = step
		}
	}
	return found, nil
}

// factorChangedSQL notes that others see a change of the user.
const factorChangedSQL = "UPDATE account_user SET revision = revision + 1 WHERE id = ?"

func dropFactor(ctx context.Context, tx *store.Tx, user string) error {
	for _, statement := range []string{"DELETE FROM account_factor WHERE user_id = ?", "DELETE FROM account_recovery WHERE user_id = ?", factorChangedSQL} {
		if _, err := tx.Exec(ctx, statement, user); err != nil {
			return fmt.Errorf("removing the second factor of user %s: %w", user, err)
		}
	}
	return nil
}

// guess runs try under the bounds of guessing. Failures count by user and address; those from places the user never signed
// in from count together, too, so that a guesser with many addresses gains nothing, and whoever sits where they always sit,
// or has a recovery code, does not notice (exempt).
func (s *Service) guess(user, from string, exempt bool, try func() error) error {
	keys := [][2]string{{"second factor of " + user, from}}
	if !exempt {
		keys = append(keys, [2]string{"second factor of " + user, "elsewhere for " + user})
	}
	failed := true
	for _, k := range keys {
		done, wait := s.attempts.begin(k[0], k[1])
		if wait > 0 {
			refused := fault.Limit("/code", "too many wrong codes", "five wrong codes in a row, then a growing pause", whole(wait))
			refused.What = "too many wrong codes of the second factor"
			refused.Fix = "wait, or use a recovery code"
			return refused
		}
		defer func() { done(failed) }()
	}
	err := try()
	failed = fault.Is(err, fault.NoActor)
	return err
}

// knownPlace says whether user signed in from this place before, with all that is needed.
func (s *Service) knownPlace(ctx context.Context, user, from string) (known bool, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		known, err = exists(ctx, v, "SELECT 1 FROM account_place WHERE user_id = ? AND place = ?", user, access.Place(from))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking for a place of user %s: %w", user, err)
	}
	return known, nil
}

func errCode() error {
	f := fault.Unauthenticated("the code is wrong, or was used before")
	f.Where = "/code"
	f.Fix = "wait for the next code of the authenticator, and check its clock"
	return f
}

// errNeedsCode asks whoever knows the password for the rest.
func errNeedsCode() error {
	f := fault.NeedsFactor("this account signs in with a code of the second factor, too", "repeat the call with code: six digits of the authenticator, or a recovery code")
	f.Where = "/code"
	return f
}

func base32Secret(b []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}

// checkSecret reads a secret that somebody wrote down, as base32 with or without padding, spaces and lower case.
func checkSecret(text string) (string, error) {
	text = strings.ToUpper(strings.NewReplacer(" ", "", "=", "").Replace(text))
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(b) < 16 || len(b) > 64 {
		return "", fault.Invalid("/totp_secret", "a text of another form", "16 to 64 bytes as base32", "draw 20 random bytes")
	}
	return text, nil
}

// otpURL is what an authenticator app reads from a QR code.
func otpURL(secret, login string) string {
	v := url.Values{"secret": {secret}, "issuer": {factorIssuer}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(factorDigits)}, "period": {fmt.Sprint(int(factorStep / time.Second))}}
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + factorIssuer + ":" + login, RawQuery: v.Encode()}
	return u.String()
}

// TOTP is the code of a secret at a time, for programs that sign in on their own: what an authenticator app would show.
func TOTP(secret string, now time.Time) (Code, error) {
	secret, err := checkSecret(secret)
	if err != nil {
		return Code{}, err
	}
	code, err := totp.GenerateCode(secret, now)
	if err != nil {
		return Code{}, fmt.Errorf("computing a code: %w", err)
	}
	return Code{hide(code)}, nil
}

// platformRole is the role of the operator that a user has, empty for none.
func platformRole(ctx context.Context, q store.Querier, user string) (role access.Role, err error) {
	err = q.QueryRow(ctx, "SELECT platform_role FROM account_user WHERE id = ?", user).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fault.NotFound("user", user)
	}
	if err != nil {
		return "", fmt.Errorf("reading user %s: %w", user, err)
	}
	return role, nil
}
