package product

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
)

// A PaperKind is a kind of paper that the platform knows. It is data of this package and must not be changed.
type PaperKind struct {
	Kind  string `json:"kind"`
	Names Names  `json:"names"`
	Use   string `json:"use"`  // compliance (合规证件), or authorisation of a third party (第三方授权), which is reviewed
	Ends  bool   `json:"ends"` // it has a last day
}

const authorisation = "authorisation"

//go:embed papers.json
var paperFile embed.FS

var paperKinds = sync.OnceValues(func() ([]PaperKind, error) {
	b, err := paperFile.ReadFile("papers.json")
	if err != nil {
		return nil, err
	}
	var all []PaperKind
	return all, json.Unmarshal(b, &all)
})

// PaperKinds returns every kind of paper.
func PaperKinds() ([]PaperKind, error) { return paperKinds() }

// FindPaperKind returns a kind of paper by its name.
func FindPaperKind(kind string) (PaperKind, error) {
	all, err := paperKinds()
	if err != nil {
		return PaperKind{}, err
	}
	var names []string
	for _, k := range all {
		if k.Kind == kind {
			return k, nil
		}
		names = append(names, k.Kind)
	}
	return PaperKind{}, fault.Unlisted("/kind", kind, names, "GET /api/v1/paper-kinds")
}

// A PaperState is where a paper stands.
type PaperState string

// The states of a paper.
const (
	Submitted PaperState = "submitted"
	Approved  PaperState = "approved"
	Refused   PaperState = "refused"
)

// A PaperAct moves a paper.
type PaperAct string

// The acts upon a paper.
const (
	Approve PaperAct = "approve"
	Refuse  PaperAct = "refuse"
)

func reviewer(who access.Actor) bool { return who.Everywhere() && who.May(access.ReviewProduct) }

// paperMoves is the life of a paper (证件). One that was approved can still be found to be wrong.
var paperMoves = lifecycle.Table[PaperState, PaperAct]{
	{From: Submitted, Act: Approve, To: Approved, May: reviewer},
	{From: Submitted, Act: Refuse, To: Refused, May: reviewer},
	{From: Approved, Act: Refuse, To: Refused, May: reviewer},
}

// A Paper is a compliance paper or an authorisation of a product, with its file.
type Paper struct {
	ID           string
	Organisation string
	Product      string
	Kind         string
	Number       string
	Issuer       string
	ValidFrom    time.Time
	ValidUntil   time.Time // excluded; zero: without end
	File         string    // blob
	Media        string
	Size         int64
	State        PaperState
	Note         string // of the reviewer
	CreatedAt    time.Time
	Revision     int64
	told         int // 1: that it ends soon, 2: that it has ended
}

// Open lists what who may do with the paper now.
func (d *Paper) Open(who access.Actor) []PaperAct { return paperMoves.Open(d.State, who) }

// LastDay is the last day on which the paper counts; zero: it has none.
func (d *Paper) LastDay() time.Time {
	if d.ValidUntil.IsZero() {
		return time.Time{}
	}
	return d.ValidUntil.Add(-time.Millisecond).Truncate(day)
}

// reviewed says whether the paper counts only when a reviewer approved it.
func (d *Paper) reviewed() bool {
	k, err := FindPaperKind(d.Kind)
	return err != nil || k.Use == authorisation
}

// counts says whether the paper is good for publishing at now: in force, not refused, and approved where it has to be.
func (d *Paper) counts(now time.Time) bool {
	if d.State == Refused || d.State == Submitted && d.reviewed() {
		return false
	}
	return !now.Before(d.ValidFrom) && (d.ValidUntil.IsZero() || now.Before(d.ValidUntil))
}

// paperWarning is how long before its end a maker is told.
const paperWarning = 30 * 24 * time.Hour

// next is when the clock has to look at the paper; zero: never.
func (d *Paper) next() time.Time {
	switch {
	case d.ValidUntil.IsZero() || d.State == Refused || d.told == 2:
		return time.Time{}
	case d.told == 1:
		return d.ValidUntil
	}
	return d.ValidUntil.Add(-paperWarning)
}

// NewPaper is what a paper is made of.
type NewPaper struct {
	Kind       string
	Number     string
	Issuer     string
	ValidFrom  string // first day, YYYY-MM-DD
	ValidUntil string // last day; empty: without end, where the kind allows it
}

// check gives the moment in which the paper begins to count, and the one from which on it does not; zero: without end.
func (n *NewPaper) check(now time.Time) (from, until time.Time, err error) {
	k, err := FindPaperKind(n.Kind)
	if err != nil {
		return from, until, err
	}
	for _, f := range []struct{ where, text string }{{"/number", n.Number}, {"/issuer", n.Issuer}} {
		if f.text == "" || strings.TrimSpace(f.text) != f.text || !line(f.text, maxName) {
			return from, until, fault.Invalid(f.where, f.text, "1 to 64 letters on one line without blanks around them", "")
		}
	}
	if from, err = fault.Date("/valid_from", n.ValidFrom); err != nil || n.ValidUntil == "" && !k.Ends {
		return from, until, err
	}
	if until, err = fault.Date("/valid_until", n.ValidUntil); err != nil {
		return from, until, err
	}
	switch {
	case until.Before(from):
		err = fault.Invalid("/valid_until", n.ValidUntil, "a date not before valid_from", "")
	case !until.Add(day).After(now):
		err = fault.Invalid("/valid_until", n.ValidUntil, "a date that is not over", "send the paper that is in force")
	}
	return from, until.Add(day), err
}

const day = 24 * time.Hour

const maxPapers = 100 // of a product

func paperRule() blob.Rule {
	return blob.Rule{Where: "/file", Types: []blob.Type{blob.PDF, blob.PNG, blob.JPEG, blob.WebP}, MaxBytes: 1 << 20}
}

// AddPaper keeps a paper of a product with its file.
func (s *Service) AddPaper(ctx context.Context, who access.Actor, id string, n NewPaper, content io.Reader) (Paper, error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return Paper{}, err
	}
	from, until, err := n.check(s.now())
	if err != nil {
		return Paper{}, err
	}
	p, err := s.Load(ctx, who, id)
	if err != nil {
		return Paper{}, err
	}
	b, err := s.Blobs.Put(ctx, p.Organisation, content, paperRule())
	if err != nil {
		return Paper{}, err
	}
	d := Paper{
		ID: uuid.Must(uuid.NewV7()).String(), Organisation: p.Organisation, Product: id, Kind: n.Kind, Number: n.Number, Issuer: n.Issuer,
		ValidFrom: from, ValidUntil: until, File: b.ID, Media: string(b.Type), Size: b.Size, State: Submitted,
		CreatedAt: at(s.now().UnixMilli()), Revision: 1,
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error { return s.addPaper(ctx, tx, who, d) })
	if err != nil {
		return Paper{}, errors.Join(err, s.Blobs.Remove(context.WithoutCancel(ctx), b.ID))
	}
	return d, nil
}

func (s *Service) addPaper(ctx context.Context, tx *store.Tx, who access.Actor, d Paper) error {
	p, err := load(ctx, tx, who, d.Product)
	if err != nil {
		return err
	}
	if p.State == Retired {
		return fault.Closed("adding a paper", string(p.State), p.Open(who))
	}
	if err := p.stands(ctx, tx, enforce.Write); err != nil {
		return err
	}
	have, err := papersOf(ctx, tx, d.Product)
	if err != nil {
		return err
	}
	if len(have) >= maxPapers {
		return fault.Limit("number of papers", fmt.Sprint(len(have)), fmt.Sprint(maxPapers), 0)
	}
	if err := quota.Take(ctx, tx, quota.Organisation(p.Organisation), quota.Storage, d.Size); err != nil {
		return err
	}
	if err := insertPaper(ctx, tx, &d); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "product.paper.add", d.Product, d.ID+" "+d.Kind+" "+d.Number)
}

// RemovePaper takes a paper away, unless a product that is out needs it.
func (s *Service) RemovePaper(ctx context.Context, who access.Actor, id string) error {
	if err := allow(who, access.WriteProduct); err != nil {
		return err
	}
	var file string
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		d, err := loadPaper(ctx, tx, who, id)
		if err != nil {
			return err
		}
		p, err := load(ctx, tx, who, d.Product)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Write); err != nil {
			return err
		}
		if p.State.out() && d.counts(s.now()) {
			if err := s.spare(ctx, tx, &d); err != nil {
				return err
			}
		}
		file = d.File
		if _, err := tx.Exec(ctx, "DELETE FROM product_paper WHERE id = ?", id); err != nil {
			return fmt.Errorf("removing paper %s: %w", id, err)
		}
		if err := quota.Give(ctx, tx, quota.Organisation(d.Organisation), quota.Storage, d.Size); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "product.paper.remove", d.Product, id+" "+d.Kind+" "+d.Number)
	})
	if err != nil {
		return err
	}
	if err := s.Blobs.Remove(context.WithoutCancel(ctx), file); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "paper's file not removed", slog.String("blob", file), slog.Any("error", err)) // the sweep finds it
	}
	return nil
}

// spare refuses to part with the only paper of its kind that counts.
func (s *Service) spare(ctx context.Context, tx *store.Tx, d *Paper) error {
	have, err := papersOf(ctx, tx, d.Product)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(have, func(o Paper) bool { return o.ID != d.ID && o.Kind == d.Kind && o.counts(s.now()) }) {
		return nil
	}
	f := fault.Conflict("paper "+d.ID, "product "+d.Product+" is published and has no other paper of the kind "+d.Kind+" in force")
	f.Fix = "add the one that takes its place first"
	return f
}

// ReviewPaper approves or refuses a paper; a refusal says why. Nobody reviews for an organisation they are a member of.
func (s *Service) ReviewPaper(ctx context.Context, who access.Actor, id string, approve bool, note string) (d Paper, err error) {
	if err := who.Check(access.ReviewProduct); err != nil {
		return Paper{}, err
	}
	if err := checkNote(note); err != nil {
		return Paper{}, err
	}
	act := Approve
	if !approve {
		act = Refuse
		if note == "" {
			return Paper{}, fault.Invalid("/note", "empty", "why it is refused", "")
		}
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if d, err = loadPaper(ctx, tx, who, id); err != nil {
			return err
		}
		from := d.State
		if d.State, err = paperMoves.Next(from, act, who); err != nil {
			return err
		}
		if err := disinterested(ctx, tx, who, d.Organisation); err != nil {
			return err
		}
		d.Note = note
		if err := updatePaper(ctx, tx, &d, from); err != nil {
			return err
		}
		if act == Refuse {
			err := s.tell(ctx, tx, d.Organisation, "product.paper.refused", map[string]string{"product": d.Product, "paper": d.Kind + " " + d.Number, "note": note})
			if err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, who, "product.paper."+string(act), d.Product, id+" "+note)
	})
	if err != nil {
		return Paper{}, err
	}
	return d, nil
}

// disinterested refuses a reviewer who is a member of the organisation.
func disinterested(ctx context.Context, q store.Querier, who access.Actor, organisation string) error {
	var one int
	err := q.QueryRow(ctx, "SELECT 1 FROM member WHERE organisation = ? AND user_id = ?", organisation, who.User).Scan(&one)
	switch {
	case err == nil:
		return fault.Forbidden(string(access.ReviewProduct), "somebody who is no member of the organisation")
	case errors.Is(err, store.ErrNoRows):
		return nil
	}
	return fmt.Errorf("looking for a membership of user %s: %w", who.User, err)
}

// Paper returns a paper that who sees.
func (s *Service) Paper(ctx context.Context, who access.Actor, id string) (d Paper, err error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return Paper{}, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		d, err = loadPaper(ctx, v, who, id)
		return err
	})
	return d, err
}

// OpenPaper reads the file of a paper that who sees.
func (s *Service) OpenPaper(ctx context.Context, who access.Actor, id string) (Paper, io.ReadCloser, error) {
	d, err := s.Paper(ctx, who, id)
	if err != nil {
		return Paper{}, nil, err
	}
	r, err := s.Blobs.Open(ctx, d.Organisation, d.File)
	return d, r, err
}

// PaperRevision is the number of a paper's last change.
func (s *Service) PaperRevision(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	d, err := loadPaper(ctx, q, who, id)
	return d.Revision, err
}

// Papers lists papers that who sees, newest first. Filters: product, state, organisation.
func (s *Service) Papers(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Paper], err error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return page, err
	}
	if ask, err = scoped(who, ask); err != nil {
		return page, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = papers().Read(ctx, v, ask)
		return err
	})
	return page, err
}

func papers() *listing.List[Paper] {
	const few = "a product has at most 100 papers, an organisation some hundreds"
	return &listing.List[Paper]{
		Object: "paper", Columns: paperColumns, From: "product_paper", Newest: true,
		Fields: []listing.Field{{Name: "organisation"}, {Name: "product"}, {Name: "state"}},
		Ways: []listing.Way{
			{},
			{Filters: []string{"product"}, Rest: []string{"organisation", "state"}, Bound: few},
			{Filters: []string{"organisation"}, Rest: []string{"state"}, Bound: few},
			{Filters: []string{"state"}},
		},
		Scan: scanPaper,
	}
}

// tickEvery is how soon makers are told of papers that end; what counts does not wait for it.
const tickEvery = time.Minute

// Run tells makers of papers that end, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "papers not looked at", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tick tells of every paper whose time has come, each in a transaction of its own.
func (s *Service) Tick(ctx context.Context) error {
	for {
		var due []string
		err := s.store.Read(ctx, func(v *store.View) (err error) {
			due, err = texts(ctx, v, "SELECT id FROM product_paper WHERE next_at > 0 AND next_at <= ? ORDER BY next_at LIMIT 100", s.now().UnixMilli())
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, id := range due {
			if err := s.store.Write(ctx, func(tx *store.Tx) error { return s.tick(ctx, tx, id) }); err != nil {
				return fmt.Errorf("telling of paper %s: %w", id, err)
			}
		}
	}
}

func (s *Service) tick(ctx context.Context, tx *store.Tx, id string) error {
	d, err := loadPaper(ctx, tx, access.Clock("product", ""), id)
	if fault.Is(err, fault.Missing) {
		return nil // it was removed
	}
	if err != nil {
		return err
	}
	kind := "product.paper.expiring"
	d.told = 1
	if !s.now().Before(d.ValidUntil) {
		kind, d.told = "product.paper.expired", 2
	}
	if err := updatePaper(ctx, tx, &d, d.State); err != nil {
		return err
	}
	return s.tell(ctx, tx, d.Organisation, kind, map[string]string{"product": d.Product, "paper": d.Kind + " " + d.Number, "until": fault.StampDate(d.LastDay())})
}
