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

// A Change is the contact that a resident wants in place of the one they have, and the proof that they read at both.
type Change struct {
	Contact     string
	Code        string // sent to it, as one to sign in with
	PresentCode string // sent to the contact they have
	Lang        string // of what the contact before is told, if the resident has said none
}

// ChangeContact gives who another contact. A session alone does not do it: whoever has stolen one cannot read at both. All other
// sessions end, codes that are open at either contact are good for nothing, and the contact before is told.
func (s *Service) ChangeContact(ctx context.Context, who access.Actor, in Change) (r Resident, err error) {
	before, err := s.Load(ctx, who)
	if err != nil {
		return r, err
	}
	c, err := parseContact(in.Contact)
	if err != nil {
		return r, err
	}
	if c == before.Contact {
		return r, fault.Invalid("/contact", "the contact that you have", "another one", "leave it, or choose another")
	}
	err = s.guess(ctx, before.Contact, who.From, func() error {
		return s.guess(ctx, c, who.From, func() error {
			return s.store.Write(ctx, func(tx *store.Tx) error {
				r, err = s.replaceContact(ctx, tx, who, c, in)
				return err
			})
		})
	})
	return r, err
}

func (s *Service) replaceContact(ctx context.Context, tx *store.Tx, who access.Actor, c Contact, in Change) (r Resident, err error) {
	before, err := load(ctx, tx, who.ID) // another session may have been faster: then the code is of no use
	if err != nil {
		return r, err
	}
	if err := s.rightCode(ctx, tx, before.Contact, in.PresentCode); err != nil {
		if f := fault.Of(err); f != nil {
			f.Where = "/present_code"
		}
		return r, err
	}
	if err := s.rightCode(ctx, tx, c, in.Code); err != nil {
		return r, err
	}
	_, err = tx.Exec(ctx, "UPDATE resident SET kind = ?, address = ? WHERE id = ?", c.Kind, c.Address, who.ID)
	if errors.Is(err, store.ErrDuplicate) { // who reads there may know it
		f := fault.Conflict("/contact", "another resident has this contact")
		f.Fix = "sign in with it, or choose another"
		return r, f
	}
	if err != nil {
		return r, fmt.Errorf("changing the contact of resident %s: %w", who.ID, err)
	}
	if _, err := tx.Exec(ctx, endOthersSQL, who.ID, who.Session); err != nil {
		return r, fmt.Errorf("ending the other sessions of resident %s: %w", who.ID, err)
	}
	if err := s.leaveContact(ctx, tx, &before, in.Lang); err != nil {
		return r, err
	}
	if r, err = load(ctx, tx, who.ID); err != nil {
		return r, err
	}
	return r, audit.Record(ctx, tx, who, "resident.contact", "", c.Kind)
}

// leaveContact forgets what was sent to the contact that a resident had, and tells it.
func (s *Service) leaveContact(ctx context.Context, tx *store.Tx, r *Resident, lang string) error {
	if s.outbox == nil {
		return nil
	}
	if err := s.outbox.Forget(ctx, tx, room, r.Contact.Address); err != nil {
		return err
	}
	if !s.outbox.Takes(r.Contact.Kind) {
		return nil
	}
	if r.Lang != "" {
		lang = r.Lang
	}
	m := moved(r.Contact, lang)
	m.User = r.ID
	err := s.outbox.Put(ctx, tx, m)
	if fault.Is(err, fault.OverLimit) {
		return nil // a notice more does not stop the act
	}
	return err
}

// moved is what the contact before is told. It is binding: nobody uses up beforehand what it takes.
func moved(c Contact, lang string) outbox.Message {
	m := outbox.Message{Room: room, Kind: c.Kind, To: c.Address, Share: outbox.Binding}
	subject := "Your contact was changed"
	if lang == "zh-CN" {
		subject = "您的联系方式已更改"
		m.Body = "您的住户账号已改用另一个联系方式，其他会话均已结束，这个地址不能再登录。如果不是您本人操作，请立即联系平台操作员。"
	} else {
		m.Body = "Your account as a resident has another contact now, and all other sessions were ended; this address does not sign in to it any more. If it was not you, tell the operator at once."
	}
	if c.Kind == outbox.Mail {
		m.Subject = subject
	}
	return m
}
