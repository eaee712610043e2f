package agreement

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

const (
	codeLife  = 24 * time.Hour
	codeTries = 5 // wrong codes, then another consent must be asked for
)

// A Guardian is who consents for a person under age or without full capacity (监护人).
type Guardian struct {
	Name     string `json:"name"`
	Relation string `json:"relation"` // "mother", 母亲
	Contact  string `json:"contact"`  // e-mail address or phone number
}

// A Consent is a guardian's consent (监护人同意) for one user, asked for or given.
type Consent struct {
	ID          string
	User        string
	State       ConsentState
	Guardian    Guardian
	Papers      []Paper   // oldest first
	Ready       bool      // requested, and both kinds of papers are there: a reviewer may confirm
	NeededUntil time.Time // the person is of age from then on; zero: not known
	ConfirmedBy string    // "reviewer" or "code"; empty before
	Reason      string    // why it was refused or withdrawn
	CodeUntil   time.Time
	CreatedAt   time.Time
	DecidedAt   time.Time

	sealed []byte
	tries  int
}

// Open lists what who may do with the consent now.
func (c *Consent) Open(who access.Actor) []ConsentAct {
	open := consentMoves.Open(c.State, who)
	if who.User == c.User {
		return open
	}
	var others []ConsentAct
	for _, a := range open {
		if a != Prove {
			others = append(others, a)
		}
	}
	return others
}

// private is what is sealed.
type private struct {
	Guardian
	Code string `json:"code,omitempty"`
}

// NewConsent names a guardian.
type NewConsent struct {
	Guardian
	SendCode bool   // to the guardian's contact
	Lang     string // of the message with the code
}

func (n NewConsent) check() error {
	for _, f := range []struct {
		where, text string
		most        int
	}{{"/name", n.Name, 100}, {"/relation", n.Relation, 50}, {"/contact", n.Contact, 254}} {
		if l := utf8.RuneCountInString(f.text); l < 1 || l > f.most || !plain(f.text) || strings.ContainsAny(f.text, "\n\t") {
			return fault.Invalid(f.where, fmt.Sprintf("%d characters", l), fmt.Sprintf("1 to %d characters, no control characters", f.most), "correct it")
		}
	}
	if n.Lang != "zh-CN" && n.Lang != "en" {
		return fault.Invalid("/lang", n.Lang, "zh-CN or en", "name the language the guardian reads")
	}
	return nil
}

// AskConsent records who's guardian and, if wanted, sends them a code. It is confirmed by the code, or by a reviewer who saw the
// papers that are uploaded then. One consent of a user is open at a time; a new one may be asked for after the old one has ended.
func (s *Service) AskConsent(ctx context.Context, who access.Actor, ask NewConsent) (Consent, error) {
	if err := ownSession(who, "guardian.ask"); err != nil {
		return Consent{}, err
	}
	if err := ask.check(); err != nil {
		return Consent{}, err
	}
	if ask.SendCode && s.Send == nil {
		return Consent{}, fault.Unsupported("/send_code", "true", "a signed paper that a reviewer confirms: this platform sends no messages")
	}
	c := Consent{ID: newID(), User: who.User, State: Requested, Guardian: ask.Guardian, CreatedAt: at(s.now().UnixMilli())}
	in := private{Guardian: ask.Guardian}
	if ask.SendCode {
		in.Code, c.CodeUntil = newCode(), at(s.now().Add(codeLife).UnixMilli())
	}
	return c, s.Store.Write(ctx, func(tx *store.Tx) error {
		open, err := openConsent(ctx, tx, who.User)
		if err != nil {
			return err
		}
		if err := s.another(ctx, tx, who.User, ask.Contact); err != nil {
			return err
		}
		if c.sealed, err = s.seal(ctx, tx, c.ID, in); err != nil {
			return err
		}
		if open != "" {
			return fault.InState("guardian", "a consent is "+string(open)+" already", consentMoves.Open(open, who))
		}
		n, err := s.need(ctx, tx, who.User)
		if err != nil {
			return err
		}
		c.NeededUntil = n.adultIn.Ends()
		_, err = tx.Exec(ctx, insertGuardianSQL, c.ID, c.User, string(c.State), c.sealed, millis(c.CodeUntil), millis(c.NeededUntil), c.CreatedAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("recording a guardian of user %s: %w", who.User, err)
		}
		if in.Code != "" {
			if err := s.Send(ctx, tx, in.Contact, in.Code, ask.Lang); err != nil {
				return fmt.Errorf("sending a code to a guardian: %w", err)
			}
		}
		tx.AfterCommit(func() { s.verdicts.forget(who.User, "") })
		return audit.Record(ctx, tx, who, "guardian.ask", c.ID, "")
	})
}

// another refuses a contact at which nobody but the person themselves would read.
func (s *Service) another(ctx context.Context, q store.Querier, user, contact string) error {
	if s.Owns == nil {
		return nil
	}
	own, err := s.Owns(ctx, q, user, contact)
	if err != nil {
		return fmt.Errorf("comparing a guardian's contact with those of user %s: %w", user, err)
	}
	if own {
		return fault.Invalid("/contact", "the person's own", "the guardian's own e-mail address or phone number", "name where the guardian can be reached")
	}
	return nil
}

const (
	insertGuardianSQL = `
		INSERT INTO agreement_guardian (id, user_id, state, sealed, paper, confirmed_by, reason, tries, code_until, needed_until, created_at, decided_at)
		VALUES (?, ?, ?, ?, '', '', '', 0, ?, ?, ?, 0)`

	guardianColumns = `id, user_id, state, sealed, ready, needed_until, confirmed_by, reason, tries, code_until, created_at, decided_at`

	moveGuardianSQL = `
		UPDATE agreement_guardian
		SET state = ?, sealed = ?, confirmed_by = ?, reason = ?, code_until = 0, decided_at = ?, ready = 0
		WHERE id = ? AND state = ?`
)

// sealedAs is what a consent is sealed for, with the platform's own key: the person may belong to no organisation, or to several.
const sealedAs = "guardian's consent"

// seal hides what is private of the consent id.
func (s *Service) seal(ctx context.Context, tx *store.Tx, id string, p private) ([]byte, error) {
	sealed, err := s.Keys.Seal(ctx, tx, "", sealedAs, id, []byte(marshal(p)))
	if err != nil {
		return nil, fmt.Errorf("sealing consent %s: %w", id, err)
	}
	return sealed, nil
}

func (s *Service) unseal(ctx context.Context, q store.Querier, c *Consent) (private, error) {
	var p private
	plain, err := s.Keys.Unseal(ctx, q, "", sealedAs, c.ID, c.sealed)
	if err != nil {
		return p, fmt.Errorf("opening consent %s: %w", c.ID, err)
	}
	return p, json.Unmarshal(plain, &p)
}

// ProveConsent confirms the consent with the code its guardian got. After five wrong codes no code is good any more.
func (s *Service) ProveConsent(ctx context.Context, who access.Actor, id, code string) (Consent, error) {
	var c Consent
	var wrong error
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = loadConsent(ctx, tx, who, id); err != nil {
			return err
		}
		if c.User != who.User {
			return fault.Forbidden("guardian.prove", "the person whom the consent is for")
		}
		to, err := consentMoves.Next(c.State, Prove, who)
		if err != nil {
			return err
		}
		p, err := s.unseal(ctx, tx, &c)
		if err != nil {
			return err
		}
		switch now := s.now(); {
		case p.Code == "":
			return fault.Conflict("/code", "no code was sent; a reviewer looks at the paper")
		case !now.Before(c.CodeUntil):
			return fault.Expired("code of consent", id)
		case c.tries >= codeTries:
			return fault.Limit("number of wrong codes", fmt.Sprint(c.tries), fmt.Sprint(codeTries), 0)
		case subtle.ConstantTimeCompare([]byte(p.Code), []byte(code)) != 1:
			wrong = fault.Invalid("/code", "another", "the code that the guardian got", fmt.Sprintf("%d tries are left", codeTries-c.tries-1))
			_, err := tx.Exec(ctx, "UPDATE agreement_guardian SET tries = tries + 1 WHERE id = ?", id)
			return err
		}
		c.ConfirmedBy = "code"
		return s.moveConsent(ctx, tx, who, &c, Prove, to, "")
	})
	if err == nil {
		err = wrong
	}
	return c, err
}

// A ConsentDecision is what becomes of a consent.
type ConsentDecision struct {
	Act    ConsentAct // Confirm, Refuse or WithdrawConsent
	Papers []string   // ids of those that were looked at, to confirm
	Reason string     // needed but to confirm
}

// DecideConsent confirms, refuses or withdraws a consent. A reviewer confirms the papers they saw, or refuses, with a reason; the
// person or a reviewer withdraws.
func (s *Service) DecideConsent(ctx context.Context, who access.Actor, id string, d ConsentDecision) (Consent, error) {
	if !slices.Contains([]ConsentAct{Confirm, Refuse, WithdrawConsent}, d.Act) {
		return Consent{}, fault.Invalid("/act", string(d.Act), "confirm, refuse or withdraw", "show a code with the route of its own")
	}
	if d.Act != Confirm || d.Reason != "" {
		if err := checkReason("/reason", d.Reason); err != nil {
			return Consent{}, err
		}
	}
	var c Consent
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = loadConsent(ctx, tx, who, id); err != nil {
			return err
		}
		to, err := consentMoves.Next(c.State, d.Act, who)
		if err != nil {
			return err
		}
		if d.Act == Confirm {
			if err := c.confirmable(who, d.Papers); err != nil {
				return err
			}
			c.ConfirmedBy = "reviewer"
		}
		if err := s.moveConsent(ctx, tx, who, &c, d.Act, to, d.Reason); err != nil {
			return err
		}
		c.veil(who)
		return nil
	})
	return c, err
}

// confirmable refuses to confirm one's own consent, one whose papers are not there, and other papers than those that were seen.
func (c *Consent) confirmable(who access.Actor, seen []string) error {
	if who.User == c.User {
		return fault.Forbidden("guardian.confirm", "another reviewer than the person whom the consent is for")
	}
	if !c.Ready {
		f := fault.Conflict("papers", "what the guardian signed, or what shows the relationship, was not uploaded")
		f.Fix = "wait for both, or refuse it"
		return f
	}
	there := make([]string, len(c.Papers))
	for i := range c.Papers {
		there[i] = c.Papers[i].ID
	}
	seen = slices.Sorted(slices.Values(seen))
	if slices.Sort(there); !slices.Equal(there, seen) {
		return fault.Stale("consent", c.ID)
	}
	return nil
}

// veil masks the guardian's contact to others than the person whom the consent is for.
func (c *Consent) veil(who access.Actor) {
	if who.User != c.User {
		c.Guardian.Contact = account.Masked(c.Guardian.Contact)
	}
}

// moveConsent writes the new state; the code goes with it, and the papers do with the end.
func (s *Service) moveConsent(ctx context.Context, tx *store.Tx, who access.Actor, c *Consent, act ConsentAct, to ConsentState, reason string) error {
	p, err := s.unseal(ctx, tx, c)
	if err != nil {
		return err
	}
	p.Code = ""
	if c.sealed, err = s.seal(ctx, tx, c.ID, p); err != nil {
		return err
	}
	c.Guardian, c.Reason, c.CodeUntil, c.DecidedAt = p.Guardian, reason, time.Time{}, at(s.now().UnixMilli())
	res, err := tx.Exec(ctx, moveGuardianSQL, string(to), c.sealed, c.ConfirmedBy, reason, c.DecidedAt.UnixMilli(), c.ID, string(c.State))
	if err != nil {
		return fmt.Errorf("moving consent %s to %s: %w", c.ID, to, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("consent", c.ID), err)
	}
	c.State, c.Ready = to, false
	if to != Confirmed {
		if err := s.throwAll(ctx, tx, c); err != nil {
			return err
		}
	}
	tx.AfterCommit(func() { s.verdicts.forget(c.User, "") })
	return audit.Record(ctx, tx, who, "guardian."+string(act), c.ID, reason)
}

// Consent returns a consent of who, or any for a reviewer.
func (s *Service) Consent(ctx context.Context, who access.Actor, id string) (Consent, error) {
	var c Consent
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		if c, err = loadConsent(ctx, v, who, id); err != nil {
			return err
		}
		return s.open(ctx, v, who, &c)
	})
	return c, err
}

// Reveal returns a consent with the guardian's contact in full, to a reviewer only, who shows the second factor and says why; the
// look is an entry of the audit.
func (s *Service) Reveal(ctx context.Context, who access.Actor, id, reason string) (Consent, error) {
	var c Consent
	if err := who.Check(access.ReviewVerification); err != nil {
		return c, err
	}
	if err := who.CheckProved("guardian.reveal"); err != nil {
		return c, err
	}
	if err := checkReason("/reason", reason); err != nil {
		return c, err
	}
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = loadConsent(ctx, tx, who, id); err != nil {
			return err
		}
		p, err := s.unseal(ctx, tx, &c)
		if err != nil {
			return err
		}
		c.Guardian = p.Guardian
		return audit.Record(ctx, tx, who, "guardian.reveal", id, reason)
	})
	return c, err
}

// open fills in what is sealed, as who may see it, but the code.
func (s *Service) open(ctx context.Context, q store.Querier, who access.Actor, c *Consent) error {
	p, err := s.unseal(ctx, q, c)
	c.Guardian = p.Guardian
	c.veil(who)
	return err
}

// Consents lists consents, the newest first: who's own, or all for a reviewer.
func (s *Service) Consents(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Consent], error) {
	filters := map[string]string{"state": ask.Filters["state"], "user": ask.Filters["user"], "ready": ask.Filters["ready"]}
	if !reviewer(who) {
		if filters["user"] != "" && filters["user"] != who.User {
			return listing.Page[Consent]{}, fault.NotFound("user", filters["user"])
		}
		filters["user"] = who.User
	}
	ask.Filters = filters
	var page listing.Page[Consent]
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		if page, err = consents().Read(ctx, v, ask); err != nil {
			return err
		}
		for i := range page.Items {
			c := &page.Items[i]
			if err := s.open(ctx, v, who, c); err != nil {
				return err
			}
			if c.Papers, err = papersOf(ctx, v, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return page, err
}

// consents is how they are listed.
func consents() *listing.List[Consent] {
	return &listing.List[Consent]{
		Object: "consent", Columns: guardianColumns, From: "agreement_guardian", Newest: true,
		Fields: []listing.Field{{Name: "user", Column: "user_id"}, {Name: "state"}, {Name: "ready", Parse: yes}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"user"}, Rest: []string{"state", "ready"}, Bound: "a person asks for a consent a few times in their life"},
			{Filters: []string{"state"}},
			{Filters: []string{"ready"}},
		},
		Scan: scanConsent,
	}
}

func yes(text string) (any, error) {
	switch text {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return nil, fault.Invalid("/ready", text, `"true" or "false"`, "send one of the two")
}

func scanConsent(row listing.Scanner) (Consent, error) {
	var c Consent
	var ready, needed, until, created, decided int64
	err := row.Scan(&c.ID, &c.User, &c.State, &c.sealed, &ready, &needed, &c.ConfirmedBy, &c.Reason, &c.tries, &until, &created, &decided)
	c.Ready, c.NeededUntil, c.CodeUntil, c.CreatedAt, c.DecidedAt = ready != 0, at(needed), at(until), at(created), at(decided)
	return c, err
}

// loadConsent finds a consent of who, or any for a reviewer. It is not opened.
func loadConsent(ctx context.Context, q store.Querier, who access.Actor, id string) (Consent, error) {
	c, err := scanConsent(q.QueryRow(ctx, "SELECT "+guardianColumns+" FROM agreement_guardian WHERE id = ?", id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && c.User != who.User && !reviewer(who) {
		return Consent{}, fault.NotFound("consent", id)
	}
	if err != nil {
		return Consent{}, fmt.Errorf("reading consent %s: %w", id, err)
	}
	c.Papers, err = papersOf(ctx, q, id)
	return c, err
}

// openConsent is the state of the consent of a user that has not ended, empty for none.
func openConsent(ctx context.Context, q store.Querier, user string) (state ConsentState, err error) {
	err = q.QueryRow(ctx, "SELECT state FROM agreement_guardian WHERE user_id = ? AND state IN ('requested', 'confirmed')", user).Scan(&state)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("reading the consent for user %s: %w", user, err)
	}
	return state, nil
}

// guardianOf fills in whether a user needs a consent and has none that is confirmed.
func (s *Service) guardianOf(ctx context.Context, q store.Querier, user string, d *Duties) error {
	n, err := s.need(ctx, q, user)
	if err != nil || !n.holds(s.now()) {
		return err
	}
	d.AdultIn = n.adultIn
	d.Consent, err = openConsent(ctx, q, user)
	d.Guardian = d.Consent != Confirmed
	return err
}

// newCode is eight digits: with five tries a guess succeeds once in 20 million.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		panic(err) // crypto/rand never fails
	}
	return fmt.Sprintf("%08d", n)
}

// rand128 is a random reference, 32 hexadecimal characters.
func rand128() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
