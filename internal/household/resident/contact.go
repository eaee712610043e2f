package resident

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// A Contact is where codes reach a resident: an e-mail address, or a phone number in the form E.164.
type Contact struct {
	Kind    string // outbox.Mail or outbox.SMS
	Address string
}

const maxContact = 254 // bytes: the longest e-mail address

var numberForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// parseContact tells an e-mail address from a number, and folds it into the one form in which nobody else may have it.
func parseContact(text string) (Contact, error) {
	folded := strings.TrimSpace(text)
	if strings.HasPrefix(folded, "+") {
		number := strings.NewReplacer(" ", "", "-", "", "(", "", ")", "").Replace(folded)
		if !numberForm.MatchString(number) {
			return Contact{}, fault.Invalid("/contact", text, "a phone number as +8613800000000 (E.164)", "begin with + and the country")
		}
		return Contact{Kind: outbox.SMS, Address: number}, nil
	}
	a, err := mail.ParseAddress(folded)
	if err != nil || a.Address != folded || a.Name != "" || len(folded) > maxContact || strings.ContainsAny(folded, "\r\n") {
		return Contact{}, fault.Invalid("/contact", fault.Cut(text), "an e-mail address name@host, or a phone number as +8613800000000", "correct it")
	}
	return Contact{Kind: outbox.Mail, Address: strings.ToLower(folded)}, nil
}

// ChangeContact gives who the contact that a code was sent to, in place of the one they have. The code is asked for as one to
// sign in with.
func (s *Service) ChangeContact(ctx context.Context, who access.Actor, contact, code string) (r Resident, err error) {
	if err := own(who); err != nil {
		return r, err
	}
	c, err := parseContact(contact)
	if err != nil {
		return r, err
	}
	err = s.guess(ctx, c, who.From, func() error {
		return s.store.Write(ctx, func(tx *store.Tx) error {
			if err := s.rightCode(ctx, tx, c, code); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, "UPDATE resident SET kind = ?, address = ? WHERE id = ?", c.Kind, c.Address, who.ID)
			if errors.Is(err, store.ErrDuplicate) { // who reads there may know it
				f := fault.Conflict("/contact", "another resident has this contact")
				f.Fix = "sign in with it, or choose another"
				return f
			}
			if err != nil {
				return fmt.Errorf("changing the contact of resident %s: %w", who.ID, err)
			}
			if r, err = load(ctx, tx, who.ID); err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "resident.contact", "", c.Kind)
		})
	})
	return r, err
}
