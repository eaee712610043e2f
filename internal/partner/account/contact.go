package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
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
func (s *Service) AskContact(ctx context.Context, who access.Actor, contact, lang string) (Asked, error) {
	if err := ownSession(who, "contact.ask"); err != nil {
		return Asked{}, err
	}
	c, err := parseContact(contact)
	if err != nil {
		return Asked{}, err
	}
	return s.askCode(ctx, request{forContact, c, who.User, who.From, lang})
}

// ChangeContact gives who the contact that the code was sent to, in place of the one of that kind, which is told.
func (s *Service) ChangeContact(ctx context.Context, who access.Actor, id string, code Code, lang string) (Contact, error) {
	if err := ownSession(who, "contact.change"); err != nil {
		return Contact{}, err
	}
	var c Contact
	p := &proof{forContact, id, who.User, who.From, code}
	err := s.guessCode(p, func() error {
		return s.takeCode(ctx, p, func(tx *store.Tx, proved Contact) error {
			c = proved
			if err := s.replaceContact(ctx, tx, who.User, c, lang); err != nil {
				return err
			}
			return audit.RecordPerson(ctx, tx, who, "contact.change", who.User, c.Kind)
		})
	})
	return c, err
}

// replaceContact gives a user a contact, and tells the one before.
func (s *Service) replaceContact(ctx context.Context, tx *store.Tx, user string, c Contact, lang string) error {
	before, err := contactsOf(ctx, tx, user)
	if err != nil {
		return err
	}
	if err := s.giveContact(ctx, tx, user, c); err != nil {
		return err
	}
	for _, old := range before {
		if old.Address == c.Address {
			continue
		}
		if err := s.tell(ctx, tx, user, old, lang, letterContact); err != nil {
			return err
		}
	}
	return nil
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
	before, err := contactsOf(ctx, tx, user)
	if err != nil {
		return err
	}
	for _, changed := range append(before, c) { // what was sent there says who has it, or has it not
		if changed.Kind != c.Kind {
			continue
		}
		if err := errors.Join(forgetCodes(ctx, tx, changed, forReset), forgetCodes(ctx, tx, changed, forContact)); err != nil {
			return err
		}
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
	m.Share, m.Useful = outbox.Others, 24*time.Hour
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
