package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

const (
	contactLife  = 10 * time.Minute // of a code that proves a contact
	contactTries = 5                // wrong codes, then another must be asked for
	contactPause = time.Minute      // between two codes to one address
)

// The purposes of a code.
const (
	forSignUp  = "signup"
	forReset   = "reset"
	forContact = "contact"
)

// A Contact is an address that messages reach a person at: an e-mail address, or a phone number in the form E.164.
type Contact struct {
	Kind       string // outbox.Mail or outbox.SMS
	Address    string
	VerifiedAt time.Time // zero while it is not known to be theirs
}

var numberForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// parseContact tells an e-mail address from a number, and folds it into the one form in which nobody else may have it.
func parseContact(text string) (Contact, error) {
	text = strings.TrimSpace(text)
	if strings.HasPrefix(text, "+") {
		number := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(text)
		if !numberForm.MatchString(number) {
			return Contact{}, fault.Invalid("/contact", text, "a phone number as +8613800000000 (E.164)", "begin with + and the country")
		}
		return Contact{Kind: outbox.SMS, Address: number}, nil
	}
	if text == "" || checkEmail(text) != nil {
		return Contact{}, fault.Invalid("/contact", text, "an e-mail address name@host, or a phone number as +8613800000000", "correct it")
	}
	return Contact{Kind: outbox.Mail, Address: strings.ToLower(text)}, nil
}

// Contacts lists the verified contacts of who: at most one of each kind.
func (s *Service) Contacts(ctx context.Context, who access.Actor) (all []Contact, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		all, err = contactsOf(ctx, v, who.User)
		return err
	})
	return all, err
}

func contactsOf(ctx context.Context, q store.Querier, user string) ([]Contact, error) {
	rows, err := q.Query(ctx, "SELECT kind, address, verified_at FROM account_contact WHERE user_id = ? ORDER BY kind", user)
	if err != nil {
		return nil, fmt.Errorf("reading the contacts of user %s: %w", user, err)
	}
	defer rows.Close()
	all := []Contact{}
	for rows.Next() {
		var c Contact
		var verified int64
		if err := rows.Scan(&c.Kind, &c.Address, &verified); err != nil {
			return nil, fmt.Errorf("reading the contacts of user %s: %w", user, err)
		}
		c.VerifiedAt = at(verified)
		all = append(all, c)
	}
	return all, rows.Err()
}

// holderOf is the user who has a contact, empty for none.
func holderOf(ctx context.Context, q store.Querier, c Contact) (user string, err error) {
	err = q.QueryRow(ctx, "SELECT user_id FROM account_contact WHERE kind = ? AND address = ?", c.Kind, c.Address).Scan(&user)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("looking for a contact: %w", err)
	}
	return user, nil
}

// AskContact sends a code to a contact that who wants to have. ChangeContact takes it. Whether somebody else has that
// contact is not told: it is in the message.
func (s *Service) AskContact(ctx context.Context, who access.Actor, contact, lang string) (id string, err error) {
	if err := ownSession(who, "contact.ask"); err != nil {
		return "", err
	}
	c, err := parseContact(contact)
	if err != nil {
		return "", err
	}
	return s.askCode(ctx, who.From, request{forContact, c, who.User, lang})
}

// ChangeContact gives who the contact that the code was sent to, in place of the one of that kind, which is told.
func (s *Service) ChangeContact(ctx context.Context, who access.Actor, id string, code Code, lang string) (Contact, error) {
	if err := ownSession(who, "contact.change"); err != nil {
		return Contact{}, err
	}
	var c Contact
	err := s.takeCode(ctx, forContact, id, who.User, code, func(tx *store.Tx, proved Contact) error {
		c = proved
		before, err := contactsOf(ctx, tx, who.User)
		if err != nil {
			return err
		}
		if err := s.giveContact(ctx, tx, who.User, c); err != nil {
			return err
		}
		for _, old := range before {
			if old.Address == c.Address {
				continue
			}
			if err := s.tell(ctx, tx, who.User, old, lang, letterContact); err != nil {
				return err
			}
		}
		return audit.RecordPerson(ctx, tx, who, "contact.change", who.User, c.Kind)
	})
	return c, err
}

// giveContact makes a contact a user's own, in place of the one of that kind.
func (s *Service) giveContact(ctx context.Context, tx *store.Tx, user string, c Contact) error {
	holder, err := holderOf(ctx, tx, c)
	if err != nil {
		return err
	}
	if holder != "" && holder != user {
		return errContactCode() // somebody else has proved it meanwhile
	}
	if _, err := tx.Exec(ctx, "DELETE FROM account_contact WHERE user_id = ? AND kind = ?", user, c.Kind); err != nil {
		return fmt.Errorf("replacing a contact of user %s: %w", user, err)
	}
	_, err = tx.Exec(ctx, "INSERT INTO account_contact (kind, address, user_id, verified_at) VALUES (?, ?, ?, ?)", c.Kind, c.Address, user, s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("adding a contact of user %s: %w", user, err)
	}
	if c.Kind != outbox.Mail {
		return nil
	}
	if _, err := tx.Exec(ctx, "UPDATE account_user SET email = ? WHERE id = ?", c.Address, user); err != nil {
		return fmt.Errorf("setting the e-mail address of user %s: %w", user, err)
	}
	return nil
}

// request is what a code is asked for.
type request struct {
	purpose string
	contact Contact
	user    string // who may use it
	lang    string
}

// askCode sends a code, or, where the contact does not fit the purpose, a message that says so: whoever asks sees no
// difference, and each costs the same. What an address asks for is slowed down as guessing is.
func (s *Service) askCode(ctx context.Context, from string, r request) (id string, err error) {
	if s.outbox == nil || !s.outbox.Takes(r.contact.Kind) {
		return "", fault.Unsupported("/contact", r.contact.Kind, "what the operator has configured")
	}
	done, wait := s.attempts.begin("codes for "+r.purpose, from)
	if wait > 0 {
		f := fault.Limit("/contact", "too many codes", "five codes, then a growing pause", whole(wait))
		f.What = "too many codes were asked for from this address"
		return "", f
	}
	defer done(true)
	id = newID()
	code, now := sixDigits(), s.now()
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if err := lately(ctx, tx, r.contact, now); err != nil {
			return err
		}
		holder, err := holderOf(ctx, tx, r.contact)
		if err != nil {
			return err
		}
		letter, user := letterCode, r.user
		switch {
		case r.purpose == forReset && holder == "":
			letter = letterUnknown
		case r.purpose == forReset:
			user = holder
		case holder != "" && holder != r.user:
			letter = letterTaken
		}
		hash := codeHash(id, code.Reveal())
		if letter != letterCode {
			hash = sha256.Sum256(random(32)) // no code is right
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO account_code (id, purpose, kind, address, user_id, hash, made_at, expires_at, tries)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
			id, r.purpose, r.contact.Kind, r.contact.Address, user, hash[:], now.UnixMilli(), now.Add(contactLife).UnixMilli())
		if err != nil {
			return fmt.Errorf("adding a code: %w", err)
		}
		m := letter.to(r.contact, r.lang, code.Reveal())
		m.User = user
		return s.outbox.Put(ctx, tx, m)
	})
	return id, err
}

// lately refuses a second code to one contact within a minute.
func lately(ctx context.Context, q store.Querier, c Contact, now time.Time) error {
	var last sql.NullInt64
	err := q.QueryRow(ctx, "SELECT MAX(made_at) FROM account_code WHERE kind = ? AND address = ?", c.Kind, c.Address).Scan(&last)
	if err != nil {
		return fmt.Errorf("looking for the last code: %w", err)
	}
	wait := at(last.Int64).Add(contactPause).Sub(now)
	if last.Valid && wait > 0 && wait <= contactPause { // longer: it is of a clock that ran ahead
		f := fault.Limit("/contact", "another code", "one code in a minute", whole(wait))
		f.What = "a code was sent there less than a minute ago"
		return f
	}
	return nil
}

// takeCode uses a code up: fn runs in the same transaction with the contact that it proves. A wrong code is counted, and
// committed as such; the fifth ends the code. A right one is used up, too, if fn finds the login taken before it has
// written anything: each name that is tried costs a code.
func (s *Service) takeCode(ctx context.Context, purpose, id, user string, code Code, fn func(*store.Tx, Contact) error) error {
	wrong := false
	var told error
	err := s.change(ctx, func(tx *store.Tx) error {
		wrong, told = false, nil
		now := s.now() // a code that ends later than any can is of a clock that ran ahead
		var c Contact
		var hash []byte
		var owner string
		var tries int
		err := tx.QueryRow(ctx, `
			SELECT kind, address, user_id, hash, tries
			FROM account_code
			WHERE id = ? AND purpose = ? AND expires_at > ? AND expires_at <= ?`, id, purpose, now.UnixMilli(), now.Add(2*contactLife).UnixMilli()).Scan(&c.Kind, &c.Address, &owner, &hash, &tries)
		if errors.Is(err, sql.ErrNoRows) || err == nil && (tries >= contactTries || user != "" && owner != user) {
			wrong = true
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading a code: %w", err)
		}
		want := codeHash(id, strings.TrimSpace(code.Reveal()))
		if wrong = subtle.ConstantTimeCompare(want[:], hash) != 1; wrong {
			_, err := tx.Exec(ctx, "UPDATE account_code SET tries = tries + 1 WHERE id = ?", id)
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM account_code WHERE id = ?", id); err != nil {
			return fmt.Errorf("using a code up: %w", err)
		}
		err = fn(tx, c)
		if taken, ok := errors.AsType[loginTaken](err); ok {
			told = taken.error // and the code stays used up
			return nil
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case wrong:
		return errContactCode()
	}
	return told
}

// loginTaken is what a transaction that has written nothing yet ends with when the login is somebody's.
type loginTaken struct{ error }

func (t loginTaken) Unwrap() error { return t.error }

func errContactCode() error {
	f := fault.Unauthenticated("the code is wrong, older than 10 minutes, or was tried too often")
	f.Where, f.Fix = "/code", "read the newest message again, or ask for another code"
	return f
}

// codeHash is what is stored of six digits: with the id, 128 bits nobody knows beforehand. It holds ten minutes.
func codeHash(id, code string) [sha256.Size]byte { return sha256.Sum256([]byte(id + " " + code)) }

func sixDigits() Code {
	n, _ := rand.Int(rand.Reader, big.NewInt(1_000_000)) // never fails
	return Code{hide(fmt.Sprintf("%06d", n))}
}

// Masked is a contact as people see it who do not have to write to it: enough to recognise it by, too little to reach it.
func Masked(contact string) string {
	name, domain, mail := strings.Cut(contact, "@")
	r := []rune(name)
	switch {
	case mail:
		return string(r[:min(len(r), 1)]) + "***@" + domain
	case len(r) > 8:
		return string(r[:3]) + strings.Repeat("*", len(r)-5) + string(r[len(r)-2:])
	}
	return "***"
}

// Owns says whether a contact is a user's own, verified or not.
func (s *Service) Owns(ctx context.Context, q store.Querier, user, contact string) (bool, error) {
	c, err := parseContact(contact)
	if err != nil { // no contact at all is nobody's
		return false, nil //nolint:nilerr // whoever sends to it says what is wrong with it
	}
	holder, err := holderOf(ctx, q, c)
	if err != nil || holder == user {
		return err == nil, err
	}
	var email string
	if err := q.QueryRow(ctx, "SELECT email FROM account_user WHERE id = ?", user).Scan(&email); err != nil {
		return false, fmt.Errorf("reading the e-mail address of user %s: %w", user, err)
	}
	own, err := parseContact(email)
	return err == nil && own == c, nil
}

// SendToGuardian sends a guardian (监护人) the code that confirms their consent, within the transaction that keeps it.
func (s *Service) SendToGuardian(ctx context.Context, tx *store.Tx, contact, code, lang string) error {
	c, err := parseContact(contact)
	if err != nil {
		return err
	}
	if s.outbox == nil {
		return fault.Unsupported("/contact", c.Kind, "what the operator has configured")
	}
	m := letterGuardian.to(c, lang, code)
	m.Useful = 24 * time.Hour
	return s.outbox.Put(ctx, tx, m)
}

// tell writes to a contact, if messages of its kind can be sent.
func (s *Service) tell(ctx context.Context, tx *store.Tx, user string, c Contact, lang string, l *letter) error {
	if s.outbox == nil || !s.outbox.Takes(c.Kind) {
		return nil
	}
	m := l.to(c, lang, "")
	m.User = user
	err := s.outbox.Put(ctx, tx, m)
	if fault.Is(err, fault.OverLimit) {
		return nil // a notice more does not stop an act
	}
	return err
}

// notify tells a user at all their contacts.
func (s *Service) notify(ctx context.Context, tx *store.Tx, user, lang string, l *letter) error {
	all, err := contactsOf(ctx, tx, user)
	if err != nil {
		return err
	}
	for _, c := range all {
		if err := s.tell(ctx, tx, user, c, lang, l); err != nil {
			return err
		}
	}
	return nil
}
