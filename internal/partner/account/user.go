package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const (
	stateActive   = "active"
	stateDisabled = "disabled"
	stateDeleted  = "deleted" // a row without a name
)

// A User is a person with a login.
type User struct {
	ID           string
	Login        string
	Email        string      // may be empty
	PlatformRole access.Role // of the operator's people; empty for others
	Laboratory   string      // id, for the role laboratory
	Factor       bool        // signs in with a code of the second factor
	Disabled     bool
	Minor        bool  // said to be under 18 at sign-up
	AdultIn      Month // in which a minor turns 18
	Revision     int64 // grows with each change of state, role and second factor
	CreatedAt    time.Time
}

// NewUser is what a user is made of.
type NewUser struct {
	Login    string // 3..64 characters; no other login may differ in case or width only
	Password Password
	Email    string // may be empty
}

func (n NewUser) check() (key string, err error) {
	key, err = loginKey(n.Login)
	if err != nil {
		return "", err
	}
	if err := checkEmail(n.Email); err != nil {
		return "", err
	}
	return key, checkPassword("/password", n.Password, n.Login)
}

// AddUser makes a user without any role. The operator only.
func (s *Service) AddUser(ctx context.Context, who access.Actor, n NewUser) (User, error) {
	if err := who.Check(access.ManageUsers); err != nil {
		return User{}, err
	}
	return s.addUser(ctx, n, "", func(*store.Tx, User) (access.Actor, error) { return who, nil })
}

// addUser makes a user if may, asked within the transaction, says who does it.
func (s *Service) addUser(ctx context.Context, n NewUser, platform access.Role, may func(*store.Tx, User) (access.Actor, error)) (User, error) {
	key, err := n.check()
	if err != nil {
		return User{}, err
	}
	hash, err := s.hasher.hash(ctx, n.Password)
	if err != nil {
		return User{}, err
	}
	now := s.now()
	u := User{ID: newID(), Login: n.Login, Email: n.Email, PlatformRole: platform, Revision: 1, CreatedAt: at(now.UnixMilli())}
	return u, s.store.Write(ctx, func(tx *store.Tx) error {
		who, err := may(tx, u)
		if err != nil {
			return err
		}
		if err := s.insertUser(ctx, tx, u, key, hash, platform); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "user.add", u.ID, "")
	})
}

func scanUser(row listing.Scanner) (User, error) {
	var u User
	var state string
	var created, factor int64
	err := row.Scan(&u.ID, &u.Login, &u.Email, &u.PlatformRole, &u.Laboratory, &state, &u.Revision, &created, &factor)
	u.Factor = factor != 0
	u.Disabled, u.CreatedAt = state != stateActive, at(created)
	return u, err
}

// SetDisabled takes a user's right to act away, with all sessions and tokens in use, or gives it back. The operator only;
// the last operator who can act stays.
func (s *Service) SetDisabled(ctx context.Context, who access.Actor, id string, disabled bool, note string) error {
	if err := who.Check(access.ManageUsers); err != nil {
		return err
	}
	state, act := stateActive, "user.enable"
	if disabled {
		state, act = stateDisabled, "user.disable"
	}
	return s.change(ctx, func(tx *store.Tx) error {
		role, err := platformRole(ctx, tx, id)
		if err != nil {
			return err
		}
		gone, err := exists(ctx, tx, "SELECT 1 FROM account_user WHERE id = ? AND state = ?", id, stateDeleted)
		if err != nil {
			return fmt.Errorf("reading user %s: %w", id, err)
		}
		if gone {
			return fault.NotFound("user", id)
		}
		if disabled && role == access.Admin {
			if err := otherAdmin(ctx, tx, id, "/disabled"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE account_user SET state = ?, revision = revision + 1 WHERE id = ?", state, id); err != nil {
			return fmt.Errorf("setting the state of user %s: %w", id, err)
		}
		if disabled {
			if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE user_id = ?", id); err != nil {
				return fmt.Errorf("ending the sessions of user %s: %w", id, err)
			}
		}
		return audit.RecordPerson(ctx, tx, who, act, id, note)
	})
}

// SetPlatformRole makes a user one of the operator's people, or no longer (empty role). Whoever works for a laboratory
// (实验室) names which. Tokens that the user made for the platform end with the role. The operator only; the last admin who can
// act stays one.
func (s *Service) SetPlatformRole(ctx context.Context, who access.Actor, id string, role access.Role, laboratory, note string) error {
	if err := who.Check(access.ManageUsers); err != nil {
		return err
	}
	if err := checkPlatformRole(role, laboratory); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		was, err := platformRole(ctx, tx, id)
		if err != nil {
			return err
		}
		if was == access.Admin && role != access.Admin {
			if err := otherAdmin(ctx, tx, id, "/role"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, "UPDATE account_user SET platform_role = ?, laboratory = ?, revision = revision + 1 WHERE id = ?", string(role), laboratory, id); err != nil {
			return fmt.Errorf("setting the platform role of user %s: %w", id, err)
		}
		_, err = tx.Exec(ctx, "UPDATE api_token SET revoked_at = ? WHERE user_id = ? AND organisation = '' AND revoked_at IS NULL", s.now().UnixMilli(), id)
		if err != nil {
			return fmt.Errorf("revoking the platform tokens of user %s: %w", id, err)
		}
		return audit.RecordPerson(ctx, tx, who, "user.role", id, strings.TrimSpace(string(role)+" "+laboratory+" "+note))
	})
}

func checkPlatformRole(role access.Role, laboratory string) error {
	if all := access.PlatformRoles(); role != "" && !slices.Contains(all, role) {
		f := fault.Unlisted("/role", string(role), all, "")
		f.Fix = "choose one of them, or leave it empty for none"
		return f
	}
	if (role == access.Laboratory) != (laboratory != "") {
		return fault.Invalid("/laboratory", laboratory, "the id of a laboratory for the role laboratory, and empty for others", "name the laboratory that was appointed")
	}
	if len(laboratory) > 64 {
		return fault.Invalid("/laboratory", laboratory, "an id of at most 64 characters", "")
	}
	return nil
}

// otherAdmin wants an admin besides this one who can act.
func otherAdmin(ctx context.Context, tx *store.Tx, id, where string) error {
	other, err := exists(ctx, tx, "SELECT 1 FROM account_user WHERE platform_role = 'admin' AND state = 'active' AND id <> ?", id)
	if err != nil {
		return fmt.Errorf("looking for another operator: %w", err)
	}
	if !other {
		return fault.Conflict(where, "this is the last operator who can act")
	}
	return nil
}

// ChangePassword sets a new password for who, ends all their sessions and opens a new one. API tokens stay.
// The old password is checked under the same bounds as a login.
func (s *Service) ChangePassword(ctx context.Context, who access.Actor, old, replacement Password) (Session, error) {
	if who.Kind != access.KindUser {
		return Session{}, fault.Forbidden("user.password", "a session opened with login and password")
	}
	if err := checkPassword("/new_password", replacement, who.Login); err != nil {
		return Session{}, err
	}
	was, err := s.prove(ctx, who.Login, old, who.From)
	if err != nil {
		return Session{}, err
	}
	hash, err := s.hasher.hash(ctx, replacement)
	if err != nil {
		return Session{}, err
	}
	var opened Session
	err = s.change(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, "UPDATE account_user SET password = ?, password_at = ? WHERE id = ? AND password = ?",
			hash, s.now().UnixMilli(), was.id, was.password)
		if err != nil {
			return fmt.Errorf("setting the password of user %s: %w", was.id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(fault.Stale("user", was.id), err)
		}
		if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE user_id = ?", was.id); err != nil {
			return fmt.Errorf("ending the sessions of user %s: %w", was.id, err)
		}
		opened, err = s.open(ctx, tx, opening{
			user: was.id, organisation: who.Organisation, from: who.From, strong: who.Strong, proved: milli(who.Proved),
		})
		if err != nil {
			return err
		}
		if err := s.notify(ctx, tx, was.id, "", letterPassword); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "user.password", was.id, "")
	})
	return opened, err
}
