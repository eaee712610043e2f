package notice

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

const (
	maxTitle    = 200      // characters
	maxBody     = 32 << 10 // bytes
	maxAudience = 1000     // entries of one list
	longest     = 3 * 365 * 24 * time.Hour
	shownFor    = 90 * 24 * time.Hour // unless its author says otherwise, after it takes effect
)

// A Severity is how much an announcement or message matters.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// A Text is a title and a body in one language.
type Text struct {
	Title string `json:"title"`
	Body  string `json:"body"` // Markdown
}

// An Audience is whom an announcement is for: everybody, or who fits every list that is given.
type Audience struct {
	Everybody     bool           `json:"everybody,omitempty"`
	Kinds         []account.Kind `json:"kinds,omitempty"`         // the reader's organisation is of one of them
	Organisations []string       `json:"organisations,omitempty"` // the reader acts for one of them
	Services      []string       `json:"services,omitempty"`      // the reader's organisation may use one of them
	Roles         []access.Role  `json:"roles,omitempty"`         // the reader has one of them
}

// An Announcement is what the operator tells many (公告).
type Announcement struct {
	ID          string
	State       State
	Severity    Severity
	Audience    Audience
	Supersedes  string // id of the one it takes the place of
	CreatedAt   time.Time
	PublishedAt time.Time // shown from then on
	EffectiveAt time.Time // what it announces happens then; zero: nothing happens
	EndsAt      time.Time // not shown from then on
	EndedAt     time.Time // superseded or withdrawn
	Texts       map[string]Text
	Reads       int // how many people read it; filled in for its manager
}

// Open lists what who may do with the announcement now; to supersede is to publish another.
func (a *Announcement) Open(who access.Actor) []Act {
	return slices.DeleteFunc(moves.Open(a.State, who), func(act Act) bool { return act == Supersede })
}

// NewAnnouncement is what an announcement is made of.
type NewAnnouncement struct {
	Severity    Severity
	Audience    Audience
	Supersedes  string
	EffectiveAt time.Time // zero: nothing happens
	EndsAt      time.Time // zero: 90 days after it takes effect, or after it is published
	Texts       map[string]Text
}

func (n NewAnnouncement) check() error {
	if !slices.Contains([]Severity{Info, Warning, Critical}, n.Severity) {
		return fault.Invalid("/severity", string(n.Severity), "info, warning or critical", "")
	}
	if err := n.Audience.check(); err != nil {
		return err
	}
	for lang := range n.Texts {
		if !known(lang) {
			return fault.Invalid("/texts/"+fault.Cut(lang), lang, "the language zh-CN or en", "use one of the two")
		}
	}
	for _, lang := range Languages() {
		t := n.Texts[lang]
		if l := utf8.RuneCountInString(t.Title); l < 1 || l > maxTitle || !plain(t.Title) || strings.ContainsAny(t.Title, "\n\t") {
			return fault.Invalid("/texts/"+lang+"/title", t.Title, fmt.Sprintf("1 to %d characters, no control characters", maxTitle), "both languages are needed")
		}
		if len(t.Body) > maxBody {
			return fault.TooLarge("/texts/"+lang+"/body", int64(len(t.Body)), maxBody)
		}
		if strings.TrimSpace(t.Body) == "" || !plain(t.Body) {
			return fault.Invalid("/texts/"+lang+"/body", t.Body, "Markdown in UTF-8, no control characters", "both languages are needed")
		}
	}
	return nil
}

func (a Audience) check() error {
	lists := len(a.Kinds) + len(a.Organisations) + len(a.Services) + len(a.Roles)
	if a.Everybody == (lists > 0) {
		return fault.Invalid("/audience", fmt.Sprintf("everybody %t and %d others", a.Everybody, lists), "either everybody, or lists of whom it is for", "give one of the two")
	}
	if lists > maxAudience {
		return fault.Invalid("/audience", fmt.Sprint(lists), fmt.Sprintf("at most %d entries", maxAudience), "name kinds or services instead of organisations")
	}
	for i, k := range a.Kinds {
		if !slices.ContainsFunc(account.Kinds(), func(n account.KindName) bool { return n.Kind == k }) {
			return fault.Invalid(fmt.Sprintf("/audience/kinds/%d", i), string(k), account.KindRule(), "choose one of them")
		}
	}
	for i, r := range a.Roles {
		if !slices.Contains(access.Roles(), r) {
			return fault.Unlisted(fmt.Sprintf("/audience/roles/%d", i), string(r), access.Roles(), "")
		}
	}
	for i, id := range slices.Concat(a.Organisations, a.Services) {
		if id == "" || len(id) > 64 || !plain(id) {
			return fault.Invalid(fmt.Sprintf("/audience/%d", i), id, "an id or the name of a service", "")
		}
	}
	return nil
}

// plain reports whether s is UTF-8 whose only control characters are line ends and tabs.
func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' })
}

// Write makes a draft of an announcement, or, where id is given, writes that draft anew.
func (s *Service) Write(ctx context.Context, who access.Actor, id string, n NewAnnouncement) (Announcement, error) {
	if err := who.Check(access.ManageNotices); err != nil {
		return Announcement{}, err
	}
	if err := n.check(); err != nil {
		return Announcement{}, err
	}
	a := Announcement{
		ID: newID(), State: Draft, Severity: n.Severity, Audience: n.Audience, Supersedes: n.Supersedes, Texts: n.Texts,
		EffectiveAt: n.EffectiveAt, EndsAt: n.EndsAt, CreatedAt: at(s.now().UnixMilli()),
	}
	return a, s.Store.Write(ctx, func(tx *store.Tx) error {
		if id != "" {
			old, err := load(ctx, tx, who, id)
			if err != nil {
				return err
			}
			if old.State != Draft {
				return fault.InState("state", "a published announcement is never changed; publish another that takes its place", old.Open(who))
			}
			a.ID, a.CreatedAt = old.ID, old.CreatedAt
			if err := discard(ctx, tx, id); err != nil {
				return err
			}
		}
		if err := a.replaces(ctx, tx, who); err != nil {
			return err
		}
		if err := insert(ctx, tx, &a); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "announcement.write", a.ID, string(a.Severity))
	})
}

// replaces refuses an announcement that takes the place of none, or of one whose place is free.
func (a *Announcement) replaces(ctx context.Context, q store.Querier, who access.Actor) error {
	if a.Supersedes == "" {
		return nil
	}
	old, err := load(ctx, q, who, a.Supersedes)
	if err != nil {
		return err
	}
	if old.State != Published {
		return fault.InState("/supersedes", "the announcement it should take the place of is "+string(old.State), old.Open(who))
	}
	return nil
}

// Publish shows a draft from its date on (zero: now).
func (s *Service) Publish(ctx context.Context, who access.Actor, id string, from time.Time) (Announcement, error) {
	if err := who.Check(access.ManageNotices); err != nil {
		return Announcement{}, err
	}
	var a Announcement
	err := s.Store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if a, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		to, err := moves.Next(a.State, Publish, who)
		if err != nil {
			return err
		}
		if err := s.dates(&a, from); err != nil {
			return err
		}
		if err := s.room(ctx, tx); err != nil {
			return err
		}
		if err := a.replaces(ctx, tx, who); err != nil {
			return err
		}
		if a.Supersedes != "" {
			old := Announcement{ID: a.Supersedes, State: Published}
			if err := old.move(ctx, tx, Superseded, a.PublishedAt); err != nil {
				return err
			}
		}
		if err := a.move(ctx, tx, to, time.Time{}); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "announcement.publish", a.ID, fault.Stamp(a.PublishedAt))
	})
	return a, err
}

// dates fills in from when on the announcement is shown and until when, and refuses what makes no sense.
func (s *Service) dates(a *Announcement, from time.Time) error {
	now := at(s.now().UnixMilli())
	if from.IsZero() {
		from = now
	}
	if from.Before(now) || from.After(now.Add(longest)) {
		return fault.Invalid("/publish_at", fault.Stamp(from), "a time from now to three years ahead", "leave it out to begin now")
	}
	a.PublishedAt = at(from.UnixMilli())
	last := a.PublishedAt
	if !a.EffectiveAt.IsZero() {
		if a.EffectiveAt.Before(a.PublishedAt) || a.EffectiveAt.After(now.Add(longest)) {
			return fault.Invalid("/effective_at", fault.Stamp(a.EffectiveAt), "a time after the publication and at most three years ahead", "write the draft again")
		}
		last = a.EffectiveAt
	}
	if a.EndsAt.IsZero() {
		a.EndsAt = last.Add(shownFor)
	}
	if !a.EndsAt.After(a.PublishedAt) || a.EndsAt.Before(last) || a.EndsAt.After(now.Add(longest+shownFor)) {
		return fault.Invalid("/ends_at", fault.Stamp(a.EndsAt), "a time after publication and effect, and at most three years ahead", "write the draft again")
	}
	return nil
}

// room refuses more announcements than readers can be asked to go through.
func (s *Service) room(ctx context.Context, tx *store.Tx) error {
	var n int
	now := s.now().UnixMilli()
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM notice_announcement WHERE ends_at > ? AND state = 'published'", now).Scan(&n); err != nil {
		return fmt.Errorf("counting announcements: %w", err)
	}
	if n >= maxShown {
		return fault.Limit("number of announcements that have not ended", fmt.Sprint(n), fmt.Sprint(maxShown), 0)
	}
	return nil
}

// Withdraw takes an announcement back: it is shown no longer, and what it announced is not announced.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, id, note string) error {
	if err := who.Check(access.ManageNotices); err != nil {
		return err
	}
	if n := utf8.RuneCountInString(note); n < 1 || n > 1000 || !plain(note) {
		return fault.Invalid("/note", note, "1 to 1000 characters, no control characters", "say why")
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		a, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		to, err := moves.Next(a.State, Withdraw, who)
		if err != nil {
			return err
		}
		if err := a.move(ctx, tx, to, s.now()); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "announcement.withdraw", id, note)
	})
}

// SetState publishes or withdraws an announcement; see Publish and Withdraw.
func (s *Service) SetState(ctx context.Context, who access.Actor, id string, to State, from time.Time, note string) (Announcement, error) {
	switch to {
	case Published:
		return s.Publish(ctx, who, id, from)
	case Withdrawn:
		if err := s.Withdraw(ctx, who, id, note); err != nil {
			return Announcement{}, err
		}
		return s.Announcement(ctx, who, id)
	}
	return Announcement{}, fault.Invalid("/state", string(to), "published or withdrawn", "")
}

// move writes the new state if the announcement is still in the old one.
func (a *Announcement) move(ctx context.Context, tx *store.Tx, to State, ended time.Time) error {
	var res sql.Result
	var err error
	if to == Published {
		res, err = tx.Exec(ctx, publishSQL, millis(a.PublishedAt), millis(a.EndsAt), a.ID)
	} else {
		res, err = tx.Exec(ctx, endSQL, string(to), millis(ended), a.ID, string(a.State))
	}
	if err != nil {
		return fmt.Errorf("moving announcement %s to %s: %w", a.ID, to, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("announcement", a.ID), err)
	}
	a.State, a.EndedAt = to, at(millis(ended))
	return nil
}

// Announcement returns an announcement with its texts: any to its manager, what they may read to others.
func (s *Service) Announcement(ctx context.Context, who access.Actor, id string) (Announcement, error) {
	var a Announcement
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		if a, err = load(ctx, v, who, id); err != nil {
			return err
		}
		return v.QueryRow(ctx, "SELECT COUNT(*) FROM notice_receipt WHERE notice = ?", id).Scan(&a.Reads)
	})
	return a, err
}

// Announced returns an announcement that was published, to the room that wants to act upon its date. It has no texts.
func (s *Service) Announced(ctx context.Context, q store.Querier, id string) (Announcement, error) {
	a, err := scan(q.QueryRow(ctx, announcementSQL, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && a.State == Draft {
		return Announcement{}, fault.NotFound("published announcement", id)
	}
	return a, err
}

// Announcements lists all announcements to their manager, the newest first, without texts.
func (s *Service) Announcements(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Announcement], error) {
	if err := who.Check(access.ManageNotices); err != nil {
		return listing.Page[Announcement]{}, err
	}
	var page listing.Page[Announcement]
	err := s.Store.Read(ctx, func(v *store.View) error {
		var err error
		if page, err = announcements().Read(ctx, v, ask); err != nil {
			return err
		}
		for i := range page.Items {
			a := &page.Items[i]
			if err := v.QueryRow(ctx, "SELECT COUNT(*) FROM notice_receipt WHERE notice = ?", a.ID).Scan(&a.Reads); err != nil {
				return err
			}
			if a.Texts, err = texts(ctx, v, a.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return page, err
}

func announcements() *listing.List[Announcement] {
	return &listing.List[Announcement]{
		Object: "announcement", Columns: columns, From: "notice_announcement", Newest: true,
		Fields: []listing.Field{{Name: "state"}},
		Ways:   []listing.Way{{}, {Filters: []string{"state"}}},
		Scan:   scan,
	}
}

// A Receipt is that somebody read something.
type Receipt struct {
	User         string
	Organisation string
	ReadAt       time.Time
}

// Receipts lists who read an announcement, to its manager.
func (s *Service) Receipts(ctx context.Context, who access.Actor, announcement string, ask listing.Ask) (listing.Page[Receipt], error) {
	if err := who.Check(access.ManageNotices); err != nil {
		return listing.Page[Receipt]{}, err
	}
	ask.Filters = map[string]string{"notice": announcement}
	var page listing.Page[Receipt]
	err := s.Store.Read(ctx, func(v *store.View) error {
		if _, err := load(ctx, v, who, announcement); err != nil {
			return err
		}
		var err error
		page, err = receipts().Read(ctx, v, ask)
		return err
	})
	return page, err
}

func receipts() *listing.List[Receipt] {
	return &listing.List[Receipt]{
		Object: "receipt", Columns: "user_id, organisation, read_at", From: "notice_receipt", Key: "user_id",
		Fields: []listing.Field{{Name: "notice"}},
		Ways:   []listing.Way{{Filters: []string{"notice"}}},
		Scan: func(row listing.Scanner) (r Receipt, err error) {
			var read int64
			err = row.Scan(&r.User, &r.Organisation, &read)
			r.ReadAt = at(read)
			return r, err
		},
	}
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps, slices and structs of strings always encode
	}
	return string(b)
}

// Reaches says whether the announcement is for everybody who uses a service.
func (a *Audience) Reaches(service string) bool {
	return a.Everybody || slices.Contains(a.Services, service) && len(a.Kinds)+len(a.Organisations)+len(a.Roles) == 0
}
