package agreement

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// Limits of an agreement.
const (
	MaxBody = 256 << 10 // bytes of a text in one language

	maxAgreements = 200 // all are looked at when a gate is decided anew
	maxVersions   = 1000
	maxName       = 100 // characters
	maxPrevails   = 1000
	maxChanges    = 4000
	maxFilter     = 100                      // kinds or categories
	maxAhead      = 2 * 365 * 24 * time.Hour // between publication and effect
)

// Languages are those that every text is written in.
func Languages() []string { return []string{"zh-CN", "en"} }

// A Subject is who has to accept.
type Subject string

// The subjects.
const (
	User         Subject = "user"         // every person for themselves
	Organisation Subject = "organisation" // an owner in its name
	Product      Subject = "product"      // an owner in its organisation's name, once a product
)

// An Agreement is one document of the set, in all its versions.
type Agreement struct {
	ID         string
	Precedence int           // where two contradict each other the lower number prevails: 1 for the master agreement
	Names      account.Names // zh-CN and en
	Prevails   account.Names // the sentence that says which one prevails
	Subject    Subject
	Kinds      []account.Kind // organisations of these kinds only; empty: all
	Categories []string       // products of these categories only; empty: all
	CreatedAt  time.Time
	InForce    *Version // without texts; nil: none
	Ahead      *Version // published, and in force later; nil: none
}

// A Text is a version in one language.
type Text struct {
	Body    string // Markdown
	Changes string // what differs from the version before
	Hash    string // SHA-256 of Body, hexadecimal
}

// A Version is one wording of an agreement.
type Version struct {
	ID          string
	Agreement   string
	Number      int
	State       State
	CreatedAt   time.Time
	PublishedAt time.Time
	EffectiveAt time.Time
	EndedAt     time.Time
	Texts       map[string]Text // by language; nil in lists
}

// Digest tells the texts of a version, with their summaries of changes, from any others: SHA-256, hexadecimal.
func (v *Version) Digest() string {
	h := sha256.New()
	for _, lang := range slices.Sorted(maps.Keys(v.Texts)) {
		fmt.Fprintf(h, "%q %q %q\n", lang, v.Texts[lang].Hash, v.Texts[lang].Changes)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Open lists what who may do with the version now.
func (v *Version) Open(who access.Actor) []Act { return moves.Open(v.State, who) }

// NewAgreement is what an agreement is made of.
type NewAgreement struct {
	Precedence int
	Names      account.Names
	Prevails   account.Names
	Subject    Subject
	Kinds      []account.Kind
	Categories []string
}

func (n NewAgreement) check() error {
	if n.Precedence < 1 || n.Precedence > 1_000_000 {
		return fault.Invalid("/precedence", fmt.Sprint(n.Precedence), "an integer from 1 to 1000000", "1 is the one that prevails over all")
	}
	if err := bilingual("/names", n.Names, maxName); err != nil {
		return err
	}
	if err := bilingual("/prevails", n.Prevails, maxPrevails); err != nil {
		return err
	}
	if !slices.Contains([]Subject{User, Organisation, Product}, n.Subject) {
		return fault.Invalid("/subject", string(n.Subject), "user, organisation or product", "say who has to accept")
	}
	if n.Subject == User && len(n.Kinds) > 0 {
		return fault.Invalid("/kinds", "given", "none where the subject is user", "leave them out")
	}
	if n.Subject != Product && len(n.Categories) > 0 {
		return fault.Invalid("/categories", "given", "none where the subject is not product", "leave them out")
	}
	return n.checkFilters()
}

func (n NewAgreement) checkFilters() error {
	for i, k := range n.Kinds {
		if !slices.ContainsFunc(account.Kinds(), func(known account.KindName) bool { return known.Kind == k }) {
			return fault.Invalid(fmt.Sprintf("/kinds/%d", i), string(k), account.KindRule(), "choose one of them")
		}
	}
	if len(n.Categories) > maxFilter {
		return fault.Invalid("/categories", fmt.Sprint(len(n.Categories)), fmt.Sprintf("at most %d", maxFilter), "name none to cover all")
	}
	for i, c := range n.Categories {
		if c == "" || len(c) > 64 || !plain(c) {
			return fault.Invalid(fmt.Sprintf("/categories/%d", i), c, "the name of a category", "GET /api/v1/categories lists them")
		}
	}
	return nil
}

// bilingual holds texts against the rule that all languages are there, in at most most characters.
func bilingual(where string, texts account.Names, most int) error {
	for lang := range texts {
		if !slices.Contains(Languages(), lang) {
			return fault.Invalid(where+"/"+fault.Cut(lang), lang, "the language zh-CN or en", "use one of the two")
		}
	}
	for _, lang := range Languages() {
		text := texts[lang]
		if n := utf8.RuneCountInString(text); n < 1 || n > most || !plain(text) || strings.TrimSpace(text) == "" {
			return fault.Invalid(where+"/"+lang, text, fmt.Sprintf("1 to %d characters, no control characters", most), "both languages are needed")
		}
	}
	return nil
}

// plain reports whether s is UTF-8 whose only control characters are line ends and tabs.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}

// Add puts an agreement into the set. It asks nobody for anything before a version is published.
func (s *Service) Add(ctx context.Context, who access.Actor, n NewAgreement) (Agreement, error) {
	if err := who.Check(access.ManageAgreements); err != nil {
		return Agreement{}, err
	}
	if err := n.check(); err != nil {
		return Agreement{}, err
	}
	a := Agreement{
		ID: newID(), Precedence: n.Precedence, Names: n.Names, Prevails: n.Prevails, Subject: n.Subject,
		Kinds: n.Kinds, Categories: n.Categories, CreatedAt: at(s.now().UnixMilli()),
	}
	return a, s.Store.Write(ctx, func(tx *store.Tx) error {
		var all int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM agreement").Scan(&all); err != nil {
			return fmt.Errorf("counting agreements: %w", err)
		}
		if all >= maxAgreements {
			return fault.Limit("number of agreements", fmt.Sprint(all), fmt.Sprint(maxAgreements), 0)
		}
		if err := insertAgreement(ctx, tx, &a); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "agreement.add", a.ID, fmt.Sprintf("%s, precedence %d", a.Subject, a.Precedence))
	})
}

// NewText is a version in one language as its author writes it.
type NewText struct {
	Body    string // Markdown, at most 256 KiB
	Changes string // what differs from the version before; needed from the second version on
}

// SetDraft writes the texts of the draft of an agreement, and begins one if there is none. It may be done again until the
// draft is published.
func (s *Service) SetDraft(ctx context.Context, who access.Actor, agreement string, texts map[string]NewText) (Version, error) {
	if err := who.Check(access.ManageAgreements); err != nil {
		return Version{}, err
	}
	checked, err := checkTexts(texts)
	if err != nil {
		return Version{}, err
	}
	var v Version
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := loadAgreement(ctx, tx, agreement); err != nil {
			return err
		}
		v, err = s.draft(ctx, tx, agreement)
		if err != nil {
			return err
		}
		v.Texts = checked
		if err := replaceTexts(ctx, tx, v.ID, checked); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "agreement.draft", v.ID, fmt.Sprintf("version %d of %s", v.Number, agreement))
	})
	return v, err
}

// draft is the draft of an agreement, a new one if need be.
func (s *Service) draft(ctx context.Context, tx *store.Tx, agreement string) (Version, error) {
	all, err := versions(ctx, tx, agreement)
	if err != nil {
		return Version{}, err
	}
	last := 0
	for _, v := range all {
		if v.State == Draft {
			return v, nil
		}
		last = max(last, v.Number)
	}
	if last >= maxVersions {
		return Version{}, fault.Limit("number of versions", fmt.Sprint(last), fmt.Sprint(maxVersions), 0)
	}
	v := Version{ID: newID(), Agreement: agreement, Number: last + 1, State: Draft, CreatedAt: at(s.now().UnixMilli())}
	if _, err := tx.Exec(ctx, insertVersionSQL, v.ID, v.Agreement, v.Number, string(v.State), v.CreatedAt.UnixMilli()); err != nil {
		return Version{}, fmt.Errorf("beginning version %d of agreement %s: %w", v.Number, agreement, err)
	}
	return v, nil
}

// checkTexts holds the texts against the rules and adds their hashes. Line ends become "\n" first.
func checkTexts(texts map[string]NewText) (map[string]Text, error) {
	out := make(map[string]Text, len(texts))
	for lang, n := range texts {
		where := "/texts/" + fault.Cut(lang)
		if !slices.Contains(Languages(), lang) {
			return nil, fault.Invalid(where, lang, "the language zh-CN or en", "use one of the two")
		}
		body := strings.ReplaceAll(n.Body, "\r\n", "\n")
		switch {
		case len(body) > MaxBody:
			return nil, fault.TooLarge(where+"/body", int64(len(body)), MaxBody)
		case !plain(body):
			return nil, fault.Invalid(where+"/body", "text with control characters", "Markdown in UTF-8, no control characters", "remove them")
		case utf8.RuneCountInString(n.Changes) > maxChanges || !plain(n.Changes):
			return nil, fault.Invalid(where+"/changes", n.Changes, fmt.Sprintf("at most %d characters, no control characters", maxChanges), "summarise")
		}
		out[lang] = Text{Body: body, Changes: n.Changes, Hash: hashOf(body)}
	}
	return out, nil
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// Publish makes the draft with this id public, in force from effective on (zero: now). Digest is that of the texts as they were
// read: if they are others now, nothing is published.
func (s *Service) Publish(ctx context.Context, who access.Actor, version, digest string, effective time.Time) (Version, error) {
	if err := who.Check(access.ManageAgreements); err != nil {
		return Version{}, err
	}
	if b, err := hex.DecodeString(digest); err != nil || len(b) != sha256.Size {
		return Version{}, fault.Invalid("/digest", digest, "the digest of the texts that were read", "read the version and send the digest that comes with it")
	}
	var v Version
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if v, err = loadVersion(ctx, tx, who, version); err != nil {
			return err
		}
		to, err := moves.Next(v.State, Publish, who)
		if err != nil {
			return err
		}
		if digest != v.Digest() {
			return fault.Stale("version", version)
		}
		if err := v.complete(); err != nil {
			return err
		}
		now := at(s.now().UnixMilli())
		if effective.IsZero() {
			effective = now
		}
		if effective.Before(now) || effective.After(now.Add(maxAhead)) {
			return fault.Invalid("/effective_at", fault.Stamp(effective), "a time from now to two years ahead", "leave it out to begin now")
		}
		v.PublishedAt, v.EffectiveAt = now, at(effective.UnixMilli())
		if err := s.move(ctx, tx, &v, to); err != nil {
			return err
		}
		if err := s.supersede(ctx, tx); err != nil {
			return err
		}
		if err := s.announce(ctx, tx, &v); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "agreement.publish", v.ID, fmt.Sprintf("version %d of %s from %s", v.Number, v.Agreement, fault.Stamp(v.EffectiveAt)))
	})
	return v, err
}

// announce has people told of a version.
func (s *Service) announce(ctx context.Context, tx *store.Tx, v *Version) error {
	if s.Announce == nil {
		return nil
	}
	g, err := loadAgreement(ctx, tx, v.Agreement)
	if err != nil {
		return err
	}
	return s.Announce(ctx, tx, &g, v)
}

// complete refuses what may not be published yet.
func (v *Version) complete() error {
	for _, lang := range Languages() {
		t := v.Texts[lang]
		if strings.TrimSpace(t.Body) == "" {
			return fault.Invalid("/texts/"+lang+"/body", "", "a text in both languages, zh-CN and en", "write it into the draft first")
		}
		if v.Number > 1 && strings.TrimSpace(t.Changes) == "" {
			return fault.Invalid("/texts/"+lang+"/changes", "", "a summary of what differs from the version before", "write it into the draft first")
		}
	}
	return nil
}

// Withdraw ends a version without another in its place: nobody is asked for it any more. An older version does not come back.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, version, note string) error {
	if err := who.Check(access.ManageAgreements); err != nil {
		return err
	}
	if err := checkReason("/note", note); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		if err := s.supersede(ctx, tx); err != nil { // what this version replaced is over, also if nobody wrote it down yet
			return err
		}
		v, err := loadVersion(ctx, tx, who, version)
		if err != nil {
			return err
		}
		to, err := moves.Next(v.State, Withdraw, who)
		if err != nil {
			return err
		}
		if err := s.move(ctx, tx, &v, to); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "agreement.withdraw", v.ID, note)
	})
}

func checkReason(where, note string) error {
	if n := utf8.RuneCountInString(note); n < 1 || n > 1000 || !plain(note) {
		return fault.Invalid(where, note, "1 to 1000 characters, no control characters", "say why")
	}
	return nil
}

// A Move is what becomes of a version.
type Move struct {
	To        State     // Published or Withdrawn
	Digest    string    // of the texts that were read, to publish them
	Effective time.Time // of a publication; zero: now
	Note      string    // why it is withdrawn
}

// SetState publishes or withdraws the version of an agreement with this number; see Publish and Withdraw.
func (s *Service) SetState(ctx context.Context, who access.Actor, agreement string, number int, m Move) (Version, error) {
	v, err := s.Numbered(ctx, who, agreement, number)
	if err != nil {
		return Version{}, err
	}
	switch m.To {
	case Published:
		return s.Publish(ctx, who, v.ID, m.Digest, m.Effective)
	case Withdrawn:
		if err := s.Withdraw(ctx, who, v.ID, m.Note); err != nil {
			return Version{}, err
		}
		return s.Version(ctx, who, v.ID)
	}
	return Version{}, fault.Invalid("/state", string(m.To), "published or withdrawn", "")
}

// move writes the new state of a version if it is still in the old one.
func (s *Service) move(ctx context.Context, tx *store.Tx, v *Version, to State) error {
	if to == Withdrawn {
		v.EndedAt = at(s.now().UnixMilli())
	}
	res, err := tx.Exec(ctx, moveVersionSQL, string(to), millis(v.PublishedAt), millis(v.EffectiveAt), millis(v.EndedAt), v.ID, string(v.State))
	if err != nil {
		return fmt.Errorf("moving version %s to %s: %w", v.ID, to, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("version", v.ID), err)
	}
	v.State = to
	tx.AfterCommit(s.verdicts.forgetAll)
	return nil
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// visible says whether who may see the version: everybody what was ever published, managers the rest too.
func (v *Version) visible(who access.Actor) bool { return !v.PublishedAt.IsZero() || manager(who) }

// Version returns a version with its texts.
func (s *Service) Version(ctx context.Context, who access.Actor, id string) (Version, error) {
	var v Version
	err := s.Store.Read(ctx, func(view *store.View) error {
		var err error
		v, err = loadVersion(ctx, view, who, id)
		return err
	})
	return v, err
}

// Numbered returns the version of an agreement with this number, with its texts.
func (s *Service) Numbered(ctx context.Context, who access.Actor, agreement string, number int) (Version, error) {
	var v Version
	err := s.Store.Read(ctx, func(view *store.View) error {
		var id string
		err := view.QueryRow(ctx, "SELECT id FROM agreement_version WHERE agreement = ? AND number = ?", agreement, number).Scan(&id)
		if errors.Is(err, store.ErrNoRows) {
			if _, err := loadAgreement(ctx, view, agreement); err != nil {
				return err
			}
			return fault.NotFound("version", fmt.Sprint(number))
		}
		if err != nil {
			return fmt.Errorf("looking for version %d of agreement %s: %w", number, agreement, err)
		}
		v, err = loadVersion(ctx, view, who, id)
		return err
	})
	return v, err
}
