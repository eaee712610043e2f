package agreement

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A Decision is what somebody said to a version.
type Decision string

// The decisions.
const (
	Accepted Decision = "accepted"
	Declined Decision = "declined"
)

// An Acceptance is the evidence of one decision.
type Acceptance struct {
	ID           string
	Person       string // random reference, printed on the receipt
	User         string // whom the reference stands for; empty once that was deleted
	Decision     Decision
	Agreement    string
	Version      string
	Number       int
	Lang         string
	Hash         string // SHA-256 of the text that was read
	SubjectKind  Subject
	Subject      string // the reference of the person, the id of the organisation or of the product
	Organisation string // in whose name; empty: the person's own
	Address      string // where from; empty once it was deleted
	Channel      string // "session" or "token"
	At           time.Time
}

// An Answer is what somebody says to a version of an agreement.
type Answer struct {
	Agreement string
	Number    int    // of the version
	Lang      string // in which it was read
	Hash      string // of the text that was read, as it came with it
	Product   string // where the subject is a product
	Category  string // of that product; the caller has loaded it for who
}

// Accept records that who agrees: for themselves, or in the name of their organisation, as the agreement wants it. What was
// accepted already is not recorded twice: the first evidence comes back.
func (s *Service) Accept(ctx context.Context, who access.Actor, in Answer) (Acceptance, error) {
	var a Acceptance
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var before *Acceptance
		var err error
		if a, before, err = s.prepare(ctx, tx, who, in); err != nil {
			return err
		}
		if before != nil && before.Decision == Accepted {
			a = *before
			return nil
		}
		a.Decision = Accepted
		return s.record(ctx, tx, who, &a, access.AcceptAgreement)
	})
	return a, err
}

// A Way is what is open to somebody who declined.
type Way struct {
	Evidence Acceptance
	Export   string       // path of the export that collects the organisation's data; empty: who may not export, or nothing does
	Leave    []access.Act // what stays open to who declined
}

// Decline records that who does not agree, and opens the export of the organisation's data to whoever may end it. The gate
// stays closed but for export and leaving; accepting later is possible.
func (s *Service) Decline(ctx context.Context, who access.Actor, in Answer) (Way, error) {
	var w Way
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		a, before, err := s.prepare(ctx, tx, who, in)
		if err != nil {
			return err
		}
		if before != nil && before.Decision == Accepted {
			return &fault.Fault{
				Code: fault.Clash, What: "the version was accepted on " + fault.Stamp(before.At), Where: "agreement",
				Fix: "end the organisation, or the account, to leave",
			}
		}
		a.Decision = Declined
		if before == nil || before.Decision != Declined {
			if err := s.record(ctx, tx, who, &a, "agreement.decline"); err != nil {
				return err
			}
		} else {
			a = *before
		}
		w.Evidence = a
		for _, act := range free() {
			if act != "" && who.May(act) {
				w.Leave = append(w.Leave, act)
			}
		}
		if s.Export != nil && who.Organisation != "" && who.May(access.LeaveOrganisation) {
			w.Export, err = s.Export(ctx, tx, who.Organisation, who.User)
		}
		return err
	})
	return w, err
}

// prepare holds an answer against everything that it must fit, and finds what the subject said before.
func (s *Service) prepare(ctx context.Context, tx *store.Tx, who access.Actor, in Answer) (Acceptance, *Acceptance, error) {
	if who.User == "" || who.Platform() {
		return Acceptance{}, nil, fault.Forbidden(string(access.AcceptAgreement), "a person who is signed in")
	}
	if who.Scopes != nil {
		if err := who.Check(access.AcceptAgreement); err != nil {
			return Acceptance{}, nil, err
		}
	}
	g, err := loadAgreement(ctx, tx, in.Agreement)
	if err != nil {
		return Acceptance{}, nil, err
	}
	v, err := s.answerable(ctx, tx, who, in)
	if err != nil {
		return Acceptance{}, nil, err
	}
	ref, err := s.reference(ctx, tx, who.User)
	if err != nil {
		return Acceptance{}, nil, err
	}
	a := Acceptance{
		ID: newID(), Person: ref, User: who.User, Agreement: g.ID, Version: v.ID, Number: v.Number, Lang: in.Lang, Hash: in.Hash,
		SubjectKind: g.Subject, Address: who.From, Channel: channel(who), At: at(s.now().UnixMilli()),
	}
	if err := s.inWhoseName(ctx, tx, &a, who, &g, in); err != nil {
		return Acceptance{}, nil, err
	}
	before, err := lastDecision(ctx, tx, &a)
	return a, before, err
}

func channel(who access.Actor) string {
	if who.Kind == access.KindToken {
		return "token"
	}
	return "session"
}

// answerable is the version that an answer is about, if it can still be answered and its text is the one that was read.
func (s *Service) answerable(ctx context.Context, tx *store.Tx, who access.Actor, in Answer) (Version, error) {
	if err := s.supersede(ctx, tx); err != nil {
		return Version{}, err
	}
	all, err := versions(ctx, tx, in.Agreement)
	if err != nil {
		return Version{}, err
	}
	i := slices.IndexFunc(all, func(v Version) bool { return v.Number == in.Number && !v.PublishedAt.IsZero() })
	if i < 0 {
		return Version{}, fault.NotFound("version", fmt.Sprint(in.Number))
	}
	v := all[i]
	if v.State != Published {
		return Version{}, fault.InState("/version", fmt.Sprintf("version %d is %s", v.Number, v.State), v.Open(who))
	}
	have, err := texts(ctx, tx, v.ID)
	if err != nil {
		return Version{}, err
	}
	t, ok := have[in.Lang]
	if !ok {
		return Version{}, fault.Invalid("/lang", in.Lang, "zh-CN or en", "name the language in which the text was read")
	}
	if in.Hash != t.Hash {
		return Version{}, fault.Invalid("/hash", in.Hash, "the hash of the text that was read", "read the version again and send the hash that comes with its text")
	}
	return v, nil
}

// inWhoseName fills in whom the decision binds, if who may speak for them and the agreement concerns them.
func (s *Service) inWhoseName(ctx context.Context, tx *store.Tx, a *Acceptance, who access.Actor, g *Agreement, in Answer) error {
	if g.Subject == User {
		a.Subject = a.Person
		return nil
	}
	if err := who.Check(access.AcceptAgreement); err != nil {
		return err
	}
	if who.Organisation == "" {
		return fault.Conflict("organisation", "the agreement is an organisation's to accept, and this session acts for none")
	}
	kinds, err := s.kindsOf(ctx, tx, who.Organisation)
	if err != nil {
		return err
	}
	a.Organisation, a.Subject = who.Organisation, who.Organisation
	if !g.concerns(kinds, in.Category) {
		return fault.Conflict("agreement", "the agreement does not concern this "+string(g.Subject))
	}
	if g.Subject == Product {
		if in.Product == "" {
			return fault.Invalid("/product", "", "the id of a product", "the terms are accepted for each product")
		}
		a.Subject = in.Product
	}
	return nil
}

// concerns says whether an organisation of kinds, or a product of category, has to accept.
func (a *Agreement) concerns(kinds []account.Kind, category string) bool {
	if len(a.Kinds) > 0 && !slices.ContainsFunc(a.Kinds, func(k account.Kind) bool { return slices.Contains(kinds, k) }) {
		return false
	}
	return a.Subject != Product || len(a.Categories) == 0 || slices.Contains(a.Categories, category)
}

// reference is what stands for a user in the evidence, made at the first decision.
func (s *Service) reference(ctx context.Context, tx *store.Tx, user string) (string, error) {
	ref, err := referenceOf(ctx, tx, user)
	if err != nil || ref != "" {
		return ref, err
	}
	ref = rand128()
	if _, err := tx.Exec(ctx, "INSERT INTO agreement_person (reference, user_id, created_at) VALUES (?, ?, ?)", ref, user, s.now().UnixMilli()); err != nil {
		return "", fmt.Errorf("making a reference for user %s: %w", user, err)
	}
	return ref, nil
}

func referenceOf(ctx context.Context, q store.Querier, user string) (ref string, err error) {
	err = q.QueryRow(ctx, "SELECT reference FROM agreement_person WHERE user_id = ?", user).Scan(&ref)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("reading the reference of user %s: %w", user, err)
	}
	return ref, nil
}

// lastDecision is what the subject said last about the version; nil: nothing.
func lastDecision(ctx context.Context, q store.Querier, a *Acceptance) (*Acceptance, error) {
	found, err := scanAcceptance(q.QueryRow(ctx, `
		SELECT `+acceptanceColumns+`
		FROM `+acceptanceFrom+`
		WHERE a.subject_kind = ? AND a.subject = ? AND a.version = ?
		ORDER BY a.id DESC
		LIMIT 1`, string(a.SubjectKind), a.Subject, a.Version))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was said about version %s: %w", a.Version, err)
	}
	return &found, nil
}

// record writes the evidence and where it came from.
func (s *Service) record(ctx context.Context, tx *store.Tx, who access.Actor, a *Acceptance, act access.Act) error {
	_, err := tx.Exec(ctx, insertAcceptanceSQL, a.ID, a.Person, string(a.Decision), a.Agreement, a.Version, a.Number, a.Lang, a.Hash,
		string(a.SubjectKind), a.Subject, a.Organisation, a.Channel, a.At.UnixMilli())
	if err != nil {
		return fmt.Errorf("recording a decision about version %s: %w", a.Version, err)
	}
	if _, err := tx.Exec(ctx, insertOriginSQL, a.ID, a.Person, a.Organisation, a.Address); err != nil {
		return fmt.Errorf("recording where a decision about version %s came from: %w", a.Version, err)
	}
	tx.AfterCommit(func() { s.verdicts.forget(who.User, a.Organisation) })
	return audit.Record(ctx, tx, who, act, a.Version, fmt.Sprintf("version %d for the %s, evidence %s", a.Number, a.SubjectKind, a.ID))
}

func scanAcceptance(row listing.Scanner) (Acceptance, error) {
	var a Acceptance
	var decided int64
	err := row.Scan(&a.ID, &a.Person, &a.User, &a.Decision, &a.Agreement, &a.Version, &a.Number, &a.Lang, &a.Hash, &a.SubjectKind,
		&a.Subject, &a.Organisation, &a.Address, &a.Channel, &decided)
	a.At = at(decided)
	return a, err
}

// acceptances is how the evidence is listed.
func acceptances() *listing.List[Acceptance] {
	return &listing.List[Acceptance]{
		Object: "acceptance", Columns: acceptanceColumns, From: acceptanceFrom, Key: "a.id", Newest: true,
		Fields: []listing.Field{
			{Name: "organisation", Column: "a.organisation"},
			{Name: "person", Column: "a.person"},
			{Name: "agreement", Column: "a.agreement"},
			{Name: "version", Column: "a.version"},
		},
		Ways: []listing.Way{
			{},
			{Filters: []string{"organisation"}},
			{Filters: []string{"person"}},
			{Filters: []string{"agreement"}},
			{Filters: []string{"version"}},
		},
		Scan: scanAcceptance,
	}
}

// Acceptances lists evidence, the newest first: to its manager all of it, to others who may read the audit of their
// organisation what was decided in its name, and to everybody else, and whoever filters by the person [Me], what they decided
// themselves.
func (s *Service) Acceptances(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Acceptance], error) {
	var page listing.Page[Acceptance]
	err := s.Store.Read(ctx, func(v *store.View) error {
		scope, err := evidenceScope(ctx, v, who, ask.Filters["person"] == Me)
		if err != nil {
			return err
		}
		filters := make(map[string]string)
		for name, value := range ask.Filters {
			filters[name] = value
		}
		for name, value := range scope {
			if filters[name] != "" && filters[name] != value && filters[name] != Me {
				return fault.NotFound(name, filters[name])
			}
			filters[name] = value
		}
		ask.Filters = filters
		page, err = acceptances().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Me is the person who asks, as a filter.
const Me = "me"

// evidenceScope is the filter that who cannot leave out; own says that they ask for what they decided themselves.
func evidenceScope(ctx context.Context, q store.Querier, who access.Actor, own bool) (map[string]string, error) {
	switch {
	case own:
	case who.Everywhere() && who.May(access.ManageAgreements):
		return nil, nil
	case who.Organisation != "" && who.May(access.ReadAudit):
		return map[string]string{"organisation": who.Organisation}, nil
	}
	ref, err := referenceOf(ctx, q, who.User)
	if ref == "" {
		ref = "none"
	}
	return map[string]string{"person": ref}, err
}
