package product

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/tsl"
)

// A Draft is a thing model that somebody works on. It may still have problems.
type Draft struct {
	Revision  int64           // grows with each save; 0: there is no draft, Document is the version in force
	Document  json.RawMessage // TSL
	ChangedAt time.Time
	Problems  tsl.Problems // what keeps it from being published
	Changes   []tsl.Change // from the version in force; empty while there are problems
	Devices   int64        // in use, which the changes would hit
}

// A Version is a published thing model. It never changes.
type Version struct {
	Number      int
	Document    json.RawMessage // TSL; left out in lists
	Note        string
	Breaking    bool // something that the version before allowed is now refused or read differently
	PublishedAt time.Time
	PublishedBy string       // user id, empty for the platform
	Changes     []tsl.Change // from the version before; given by Publish only
}

// Draft returns the draft of a product's thing model, or the version in force when there is none.
func (s *Service) Draft(ctx context.Context, who access.Actor, id string) (Draft, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return Draft{}, err
	}
	var d Draft
	err := s.store.Read(ctx, func(v *store.View) error {
		p, err := load(ctx, v, who, id)
		if err != nil {
			return err
		}
		if d, err = loadDraft(ctx, v, id); err != nil {
			return err
		}
		current, err := inForceOf(ctx, v, &p)
		if err != nil {
			return err
		}
		if d.Revision == 0 {
			d.Document, d.ChangedAt = current.Document, current.PublishedAt
			return nil
		}
		d.Problems, d.Changes = compare(current.Document, d.Document)
		d.Devices, err = s.inUse(ctx, v, id)
		return err
	})
	return d, err
}

// NewDraft is what is saved as a draft.
type NewDraft struct {
	Document []byte // JSON, at most 512 KiB
	Revision int64  // the one that was edited; 0: whatever stands there is replaced
}

// SaveDraft keeps a document as the draft of a product's thing model, problems included; they are in the answer. If
// somebody saved since the revision that was edited, nothing is changed and the fault is stale.
func (s *Service) SaveDraft(ctx context.Context, who access.Actor, id string, n NewDraft) (Draft, error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return Draft{}, err
	}
	document, err := compact(n.Document)
	if err != nil {
		return Draft{}, err
	}
	d := Draft{Document: document, ChangedAt: at(s.now().UnixMilli())}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Write); err != nil {
			return err
		}
		old, err := loadDraft(ctx, tx, id)
		if err != nil {
			return err
		}
		if n.Revision != 0 && n.Revision != old.Revision {
			return fault.Stale("draft of product", id)
		}
		current, err := inForceOf(ctx, tx, &p)
		if err != nil {
			return err
		}
		d.Problems, d.Changes = compare(current.Document, document)
		d.Revision = max(old.Revision+1, d.ChangedAt.UnixMilli()) // grows also after a draft was published or dropped
		if _, err := tx.Exec(ctx, saveDraftSQL, id, d.Revision, string(document), d.ChangedAt.UnixMilli()); err != nil {
			return fmt.Errorf("saving the draft of product %s: %w", id, err)
		}
		return audit.Record(ctx, tx, who, "product.draft.save", id, fmt.Sprintf("%d bytes, %d problems", len(document), len(d.Problems)))
	})
	if err != nil {
		return Draft{}, err
	}
	return d, nil
}

// DropDraft forgets the draft of a product's thing model; the version in force is not touched.
func (s *Service) DropDraft(ctx context.Context, who access.Actor, id string) error {
	if err := allow(who, access.WriteProduct); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Write); err != nil {
			return err
		}
		d, err := loadDraft(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.Revision == 0 {
			return fault.NotFound("draft of product", id)
		}
		if err := dropDraft(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "product.draft.drop", id, "")
	})
}

// A Publication is what goes with a new version of a thing model.
type Publication struct {
	Note string // why, for those who read the list of versions
	// AcceptBreaking is how many devices in use the maker has seen that a breaking change hits. A product that is out needs
	// it: with fewer than there are now, or nil, a breaking change is refused.
	AcceptBreaking *int64
	Voice          bool // the draft of the voice configuration is published with it, in the same transaction
}

// Publish makes the draft the next version of a product's thing model, against which its devices are checked from then
// on. A version with breaking changes is marked as such; for a product that is out see [Publication].
func (s *Service) Publish(ctx context.Context, who access.Actor, id string, with Publication) (next Version, err error) {
	if err := allow(who, access.PublishModel); err != nil {
		return Version{}, err
	}
	if err := checkNote(with.Note); err != nil {
		return Version{}, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Publish); err != nil {
			return err
		}
		if next, err = s.version(ctx, tx, who, &p); err != nil {
			return err
		}
		next.Note, next.PublishedBy = with.Note, who.User
		if err := s.mayBreak(ctx, tx, &p, next, with.AcceptBreaking); err != nil {
			return err
		}
		if err := s.enter(ctx, tx, id, next); err != nil {
			return err
		}
		if err := dropDraft(ctx, tx, id); err != nil {
			return err
		}
		if with.Voice {
			p.Version = next.Number
			if _, err := s.publishVoice(ctx, tx, who, &p, with.Note); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, who, access.PublishModel, id,
			fmt.Sprintf("version %d, %d changes, breaking %t, %s", next.Number, len(next.Changes), next.Breaking, with.Note))
	})
	if err != nil {
		return Version{}, err
	}
	return next, nil
}

// version is the draft of a product as its next version.
func (s *Service) version(ctx context.Context, tx *store.Tx, who access.Actor, p *Product) (Version, error) {
	if p.State == Retired {
		return Version{}, fault.Closed("publishing a thing model", string(p.State), p.Open(who))
	}
	d, err := loadDraft(ctx, tx, p.ID)
	if err != nil {
		return Version{}, err
	}
	if d.Revision == 0 {
		return Version{}, fault.Conflict("product "+p.ID, "product "+p.ID+" has no draft to publish")
	}
	current, err := inForceOf(ctx, tx, p)
	if err != nil {
		return Version{}, err
	}
	problems, changes := compare(current.Document, d.Document)
	if len(problems) > 0 {
		return Version{}, broken(problems)
	}
	if p.Version > 0 && bytes.Equal(current.Document, d.Document) {
		return Version{}, fault.Conflict("product "+p.ID, "the draft says nothing else than version "+strconv.Itoa(p.Version))
	}
	return Version{
		Number: p.Version + 1, Document: d.Document, PublishedAt: at(s.now().UnixMilli()), Changes: changes, Breaking: breaking(changes),
	}, nil
}

// mayBreak refuses a breaking change of a product that is out, unless its maker has seen how many devices it hits.
func (s *Service) mayBreak(ctx context.Context, q store.Querier, p *Product, v Version, accepted *int64) error {
	if !v.Breaking || !p.State.out() {
		return nil
	}
	n, err := s.inUse(ctx, q, p.ID)
	if err != nil || accepted != nil && *accepted >= n {
		return err
	}
	var what []string
	for _, c := range v.Changes {
		if c.Breaking {
			what = append(what, c.Path+": "+c.Text)
		}
	}
	return &fault.Fault{
		Code: fault.Clash, What: fmt.Sprintf("the version breaks what %d devices in use rely on: %s", n, strings.Join(what, "; ")),
		Where: "/accept_breaking", Got: "a breaking change", Rule: fmt.Sprintf("accept_breaking of at least %d", n),
		Fix: "keep what devices rely on and add beside it, or send accept_breaking with the number of devices that you have seen",
	}
}

// inUse counts the devices of a product that have been in use.
func (s *Service) inUse(ctx context.Context, q store.Querier, id string) (int64, error) {
	if s.Devices == nil {
		return 0, nil
	}
	return s.Devices(ctx, q, id)
}

// enter writes a version, puts it in force, and tells who asked to be told.
func (s *Service) enter(ctx context.Context, tx *store.Tx, id string, v Version) error {
	_, err := tx.Exec(ctx, insertModelSQL, id, v.Number, string(v.Document), v.Note, bit(v.Breaking), v.PublishedAt.UnixMilli(), v.PublishedBy)
	if err != nil {
		return fmt.Errorf("publishing version %d of product %s: %w", v.Number, id, err)
	}
	r, err := tx.Exec(ctx, advanceSQL, v.Number, v.PublishedAt.UnixMilli(), id, v.Number-1)
	if err != nil {
		return fmt.Errorf("putting version %d of product %s in force: %w", v.Number, id, err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fault.Stale("product", id), err)
	}
	tx.AfterCommit(func() {
		s.known.forget(id)
		s.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "thing model published",
			slog.String("product", id), slog.Int("version", v.Number), slog.Bool("breaking", v.Breaking))
	})
	for _, hook := range s.hooks {
		if err := hook(ctx, tx, id, v.Number); err != nil {
			return fmt.Errorf("telling of version %d of product %s: %w", v.Number, id, err)
		}
	}
	return nil
}

// Version returns a published thing model of a product.
func (s *Service) Version(ctx context.Context, who access.Actor, id string, number int) (Version, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return Version{}, err
	}
	var found Version
	err := s.store.Read(ctx, func(v *store.View) error {
		if _, err := load(ctx, v, who, id); err != nil {
			return err
		}
		var err error
		found, err = loadVersion(ctx, v, id, number)
		return err
	})
	return found, err
}

// Versions returns the published thing models of a product, newest first, without their documents; before is the number
// where the page before ended, 0 for the first. The second value is that of the next page, 0 after the last.
func (s *Service) Versions(ctx context.Context, who access.Actor, id string, before, limit int) ([]Version, int, error) {
	return published(ctx, s, who, id, versionsSQL, before, limit, func(row scanner) (Version, int, error) {
		v, err := scanVersion(row)
		v.Document = nil
		return v, v.Number, err
	})
}

// published is a page of what a product has published in numbered versions, and the number of the next page, as [Service.Versions]
// says. The statement takes the product, the number behind which to look, and how many.
func published[T any](ctx context.Context, s *Service, who access.Actor, id, statement string, before, limit int, scan func(scanner) (T, int, error)) ([]T, int, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return nil, 0, err
	}
	if limit < 1 || limit > 500 {
		return nil, 0, fault.Invalid("/limit", strconv.Itoa(limit), "an integer from 1 to 500", "")
	}
	if before <= 0 {
		before = 1<<31 - 1
	}
	page, next := []T{}, 0
	err := s.store.Read(ctx, func(v *store.View) error {
		if _, err := load(ctx, v, who, id); err != nil {
			return err
		}
		rows, err := v.Query(ctx, statement, id, before, limit+1)
		if err != nil {
			return fmt.Errorf("listing what product %s has published: %w", id, err)
		}
		defer rows.Close()
		last := 0
		for rows.Next() {
			one, number, err := scan(rows)
			if err != nil {
				return fmt.Errorf("listing what product %s has published: %w", id, err)
			}
			if len(page) == limit {
				next = last
				break
			}
			page, last = append(page, one), number
		}
		return rows.Err()
	})
	return page, next, err
}

func loadDraft(ctx context.Context, q store.Querier, id string) (Draft, error) {
	var d Draft
	var document string
	var changed int64
	err := q.QueryRow(ctx, draftSQL, id).Scan(&d.Revision, &document, &changed)
	if errors.Is(err, sql.ErrNoRows) {
		return Draft{}, nil
	}
	if err != nil {
		return Draft{}, fmt.Errorf("reading the draft of product %s: %w", id, err)
	}
	d.Document, d.ChangedAt = json.RawMessage(document), at(changed)
	return d, nil
}

func dropDraft(ctx context.Context, tx *store.Tx, id string) error {
	if _, err := tx.Exec(ctx, dropDraftSQL, id); err != nil {
		return fmt.Errorf("dropping the draft of product %s: %w", id, err)
	}
	return nil
}

// inForceOf is the version in force; of a product that has none an empty one.
func inForceOf(ctx context.Context, q store.Querier, p *Product) (Version, error) {
	if p.Version == 0 {
		return Version{Document: json.RawMessage("{}"), PublishedAt: p.CreatedAt}, nil
	}
	return loadVersion(ctx, q, p.ID, p.Version)
}

func loadVersion(ctx context.Context, q store.Querier, id string, number int) (Version, error) {
	v, err := scanVersion(q.QueryRow(ctx, versionSQL, id, number))
	if errors.Is(err, sql.ErrNoRows) {
		return Version{}, fault.NotFound("version of product "+id, strconv.Itoa(number))
	}
	if err != nil {
		return Version{}, fmt.Errorf("reading version %d of product %s: %w", number, id, err)
	}
	return v, nil
}

// compare is what keeps after from being a thing model, or else how it differs from before.
func compare(before, after []byte) (tsl.Problems, []tsl.Change) {
	is, err := tsl.Parse(after)
	if problems, ok := errors.AsType[tsl.Problems](err); ok {
		return problems, nil
	}
	was, err := tsl.Parse(before)
	if err != nil {
		was = &tsl.Document{} // published by a program with other rules: everything counts as new
	}
	return nil, tsl.Diff(was, is)
}

func breaking(changes []tsl.Change) bool {
	for _, c := range changes {
		if c.Breaking {
			return true
		}
	}
	return false
}
