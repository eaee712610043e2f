package account

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

const fullAge = 18 // years; below, a guardian's consent is asked for

// The forms of an organisation.
const (
	FormCompany = "company"
	FormPerson  = "person" // a person on their own (个人)
)

// A SignUp is what somebody makes an account of.
type SignUp struct {
	User         NewUser
	Code         string // id of the code that AskSignUp sent
	Proof        Code   // the code itself
	Organisation *NewOrganisation
	Person       bool      // the organisation is a person on their own
	BirthDate    time.Time // of a person on their own; of somebody under 18 the month in which they turn 18 is kept, of others nothing
	From         string
	Lang         string
}

// SignUpOpen says whether people may make accounts themselves.
func (s *Service) SignUpOpen() bool { return !s.closed }

// AskSignUp sends a code to the contact of a new account. Whether there is an account with it is not told.
func (s *Service) AskSignUp(ctx context.Context, contact, from, lang string) (Asked, error) {
	if s.closed {
		return Asked{}, errClosed()
	}
	c, err := parseContact(contact)
	if err != nil {
		return Asked{}, err
	}
	return s.askCode(ctx, request{forSignUp, c, "", from, lang})
}

// SignUp makes a user with a verified contact and, if asked for, their organisation. The login is told to be taken, which
// cannot be hidden, only after the code was right, and a code tries three names: it costs a guesser a code for every three guesses.
func (s *Service) SignUp(ctx context.Context, in SignUp) (User, error) {
	if s.closed {
		return User{}, errClosed()
	}
	key, err := in.User.check()
	if err != nil {
		return User{}, err
	}
	if err := in.check(s.now()); err != nil {
		return User{}, err
	}
	var u User
	p := &proof{forSignUp, in.Code, "", in.From, in.Proof}
	err = s.guessCode(p, func() error {
		hash, err := s.hasher.hash(ctx, in.User.Password)
		if err != nil {
			return err
		}
		now := s.now()
		u = User{ID: newID(), Login: in.User.Login, CreatedAt: at(now.UnixMilli()), AdultIn: in.adultIn(now)}
		u.Minor = u.AdultIn != ""
		return s.takeCode(ctx, p, func(tx *store.Tx, c Contact) error {
			if err := s.insertUser(ctx, tx, u, key, hash, ""); err != nil {
				return err
			}
			return s.settle(ctx, tx, u, c, &in)
		})
	})
	return u, err
}

// settle gives a new user what they signed up with.
func (s *Service) settle(ctx context.Context, tx *store.Tx, u User, c Contact, in *SignUp) error {
	if err := s.giveContact(ctx, tx, u.ID, c); err != nil {
		return err
	}
	if in.Lang == "zh-CN" || in.Lang == "en" { // they will be written to as they wrote
		if _, err := tx.Exec(ctx, "UPDATE account_user SET lang = ? WHERE id = ?", in.Lang, u.ID); err != nil {
			return fmt.Errorf("setting the language of user %s: %w", u.ID, err)
		}
	}
	if in.Organisation != nil {
		if _, err := s.found(ctx, tx, *in.Organisation, in.form(), u.ID, u.CreatedAt.UnixMilli()); err != nil {
			return err
		}
	}
	who := access.Actor{Kind: access.KindUser, ID: u.ID, User: u.ID, Login: u.Login, From: in.From}
	return audit.RecordPerson(ctx, tx, who, "user.sign_up", u.ID, "")
}

func (in *SignUp) form() string {
	if in.Person {
		return FormPerson
	}
	return FormCompany
}

func (in *SignUp) check(now time.Time) error {
	if in.Person && (in.BirthDate.IsZero() || in.BirthDate.After(now) || in.BirthDate.Before(now.AddDate(-130, 0, 0))) {
		return fault.Invalid("/birth_date", fault.StampDate(in.BirthDate), "the date on which a person on their own was born", "it is asked for once, and not kept")
	}
	if in.Organisation == nil {
		if in.Person {
			return fault.Invalid("/organisation", "none", "names and kinds of what the person works as", "name it")
		}
		return nil
	}
	return checkProfile(in.Organisation.Names, in.Organisation.Kinds)
}

// adultIn is the month in which somebody turns 18 who has not; empty for others.
func (in *SignUp) adultIn(now time.Time) Month {
	if adult := in.BirthDate.AddDate(fullAge, 0, 0); !in.BirthDate.IsZero() && adult.After(now) {
		return MonthOf(adult)
	}
	return ""
}

// Minor says whether a user said to be under 18 when they signed up, and in which month they turn 18, where that is known:
// agreements ask for a guardian's consent until then.
func (s *Service) Minor(ctx context.Context, q store.Querier, user string) (minor bool, adultIn Month, err error) {
	err = q.QueryRow(ctx, "SELECT adult_in FROM account_user WHERE id = ? AND minor = 1", user).Scan(&adultIn)
	if errors.Is(err, store.ErrNoRows) {
		return false, "", nil
	}
	if err != nil {
		return false, "", fmt.Errorf("asking whether user %s is a minor: %w", user, err)
	}
	return true, adultIn, nil
}

// insertUser adds a user whose login is free.
func (s *Service) insertUser(ctx context.Context, tx *store.Tx, u User, key, hash string, platform access.Role) error {
	taken, err := exists(ctx, tx, "SELECT 1 FROM account_user WHERE login_key = ?", key)
	if err != nil {
		return fmt.Errorf("looking for login %q: %w", u.Login, err)
	}
	if taken {
		return loginTaken{fault.Conflict("/login", "the login "+fault.Cut(u.Login)+" is taken")}
	}
	made := u.CreatedAt.UnixMilli()
	if _, err := tx.Exec(ctx, insertUserSQL, u.ID, u.Login, key, u.Email, hash, string(platform), made, made, flag(u.Minor), string(u.AdultIn)); err != nil {
		return fmt.Errorf("adding user %q: %w", u.Login, err)
	}
	return nil
}

// found makes an organisation with its owner.
func (s *Service) found(ctx context.Context, tx *store.Tx, n NewOrganisation, form, owner string, now int64) (Organisation, error) {
	o := Organisation{ID: newID(), Names: n.Names, Kinds: n.Kinds, Form: form, Revision: 1, CreatedAt: at(now)}
	_, err := tx.Exec(ctx, "INSERT INTO organisation (id, names, kinds, form, created_at) VALUES (?, ?, ?, ?, ?)", o.ID, marshal(o.Names), marshal(o.Kinds), form, now)
	if err != nil {
		return Organisation{}, fmt.Errorf("adding organisation %s: %w", o.ID, err)
	}
	if err := enlist(ctx, tx, &o); err != nil {
		return Organisation{}, err
	}
	if err := members(ctx, tx, o.ID, 1); err != nil {
		return Organisation{}, err
	}
	return o, insertMember(ctx, tx, o.ID, owner, access.Owner, now)
}

// members counts one member more, or less, of an organisation.
func members(ctx context.Context, tx *store.Tx, organisation string, n int64) error {
	return quota.Take(ctx, tx, quota.Subject{Kind: quota.KindOrganisation, ID: organisation}, quota.Members, n)
}

func errClosed() error {
	f := fault.Forbidden("user.sign_up", "an operator who makes the account, or an invitation")
	f.Fix = "ask the operator"
	return f
}

// AskReset sends a code for a new password to a verified contact. Whether there is an account with it is not told.
func (s *Service) AskReset(ctx context.Context, contact, from, lang string) (Asked, error) {
	c, err := parseContact(contact)
	if err != nil {
		return Asked{}, err
	}
	return s.askCode(ctx, request{forReset, c, "", from, lang})
}

// Reset sets a new password for whoever got the code, and ends all sessions. The second factor stays.
func (s *Service) Reset(ctx context.Context, id string, code Code, replacement Password, from, lang string) error {
	if err := checkPassword("/password", replacement, ""); err != nil {
		return err
	}
	p := &proof{forReset, id, "", from, code}
	return s.guessCode(p, func() error {
		hash, err := s.hasher.hash(ctx, replacement)
		if err != nil {
			return err
		}
		return s.takeCode(ctx, p, func(tx *store.Tx, c Contact) error { return s.reset(ctx, tx, c, hash, from, lang) })
	})
}

// reset sets the password of whoever has a contact.
func (s *Service) reset(ctx context.Context, tx *store.Tx, c Contact, hash, from, lang string) error {
	user, err := holderOf(ctx, tx, c)
	if err != nil {
		return err
	}
	if user == "" {
		return errContactCode() // the contact changed hands meanwhile
	}
	if _, err := tx.Exec(ctx, "UPDATE account_user SET password = ?, password_at = ? WHERE id = ?", hash, s.now().UnixMilli(), user); err != nil {
		return fmt.Errorf("setting the password of user %s: %w", user, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE user_id = ?", user); err != nil {
		return fmt.Errorf("ending the sessions of user %s: %w", user, err)
	}
	if err := s.notify(ctx, tx, user, lang, letterPassword); err != nil {
		return err
	}
	return audit.RecordPerson(ctx, tx, access.Actor{Kind: access.KindUser, ID: user, User: user, From: from}, "user.reset", user, "")
}
