package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
)

// A line of an export; docs/en/audit.md describes the file.
type line struct {
	Type       string      `json:"type"`              // audit, entry, hidden, checkpoint, end
	Version    int         `json:"version,omitempty"` // audit: 1
	Key        string      `json:"key,omitempty"`     // audit: of the server that wrote it
	Root       *Checkpoint `json:"root,omitempty"`    // audit: what is before the first line; absent: nothing
	Entry      *row        `json:"entry,omitempty"`
	Person     *known      `json:"person,omitempty"`  // entry: what its references stand for
	Address    *known      `json:"address,omitempty"` // absent: deleted, or none
	Seq        int64       `json:"seq,omitempty"`     // hidden
	Leaf       []byte      `json:"leaf,omitempty"`    // hidden: hash of an entry that was not asked for
	Seal       []byte      `json:"seal,omitempty"`    // hidden
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"`
	Lines      int64       `json:"lines,omitempty"` // end: how many came before
}

// Export writes the entries that a filter names as JSON lines that can be verified without the server: of entries between
// them that were not asked for, or are not for who, stand the hashes. It reads page by page, and is an entry itself.
func Export(ctx context.Context, s *store.Store, who access.Actor, organisation string, f Filter, w io.Writer) error {
	e := &exporter{store: s, out: json.NewEncoder(w), persons: make(map[string]*known)}
	if err := e.plan(ctx, who, organisation, f); err != nil {
		return err
	}
	if err := Told(ctx, s, who, organisation, f, "jsonl"); err != nil {
		return err
	}
	e.out.SetEscapeHTML(false)
	if err := e.write(line{Type: "audit", Version: 1, Key: hex.EncodeToString(e.key), Root: e.root}); err != nil {
		return err
	}
	for done := false; !done; {
		var lines []line
		err := s.Read(ctx, func(v *store.View) (err error) {
			lines, done, err = e.page(ctx, v)
			return err
		})
		if err != nil {
			return err
		}
		for _, l := range lines {
			if err := e.write(l); err != nil {
				return err
			}
		}
	}
	return e.write(line{Type: "end", Lines: e.lines})
}

// Told records that who takes entries out in a form, and refuses who may not.
func Told(ctx context.Context, s *store.Store, who access.Actor, organisation string, f Filter, form string) error {
	if err := who.Check(access.ExportAudit); err != nil {
		return err
	}
	note := fmt.Sprintf("organisation %q act %q object %q actor %q since %q until %q", organisation, f.Act, f.Object, f.Actor, f.Since, f.Until)
	return s.Write(ctx, func(tx *store.Tx) error { return Record(ctx, tx, who, access.ExportAudit, form, note) })
}

// An exporter writes the chain from a checkpoint before the first entry that was asked for to one behind the last.
type exporter struct {
	store   *store.Store
	out     *json.Encoder
	key     ed25519.PublicKey
	root    *Checkpoint
	filters map[string]string
	since   int64
	until   int64
	after   int64 // number of the entry written last
	last    int64 // number of the last entry that was asked for
	point   int64 // number of the checkpoint written last
	lines   int64
	persons map[string]*known // of a page
}

func (e *exporter) write(l line) error {
	e.lines++
	return e.out.Encode(l)
}

// plan finds out what belongs into the file.
func (e *exporter) plan(ctx context.Context, who access.Actor, organisation string, f Filter) error {
	if err := who.Check(access.ExportAudit); err != nil {
		return err
	}
	if !who.Everywhere() {
		if organisation != "" && organisation != who.Organisation {
			return fault.NotFound("organisation", organisation)
		}
		organisation = who.Organisation
	}
	var err error
	if e.since, err = bound(f.Since, math.MinInt64); err != nil {
		return err
	}
	if e.until, err = bound(f.Until, math.MaxInt64); err != nil {
		return err
	}
	return e.store.Read(ctx, func(v *store.View) error {
		if e.key, err = keyring.SignerPublic(ctx, v, Purpose); err != nil {
			return err
		}
		if e.filters, err = f.resolve(ctx, v, organisation); err != nil {
			return err
		}
		var first int64
		if err := v.QueryRow(ctx, selectRange, e.since, e.until).Scan(&first, &e.last); err != nil {
			return fmt.Errorf("finding the range of an audit export: %w", err)
		}
		root, err := scanCheckpoint(v.QueryRow(ctx, selectCheckpointBefore, first))
		if errors.Is(err, store.ErrNoRows) {
			return e.oldest(ctx, v)
		}
		if err != nil {
			return fmt.Errorf("finding the beginning of an audit export: %w", err)
		}
		e.begin(root)
		return nil
	})
}

// oldest begins at the root that retention left, if there is one.
func (e *exporter) oldest(ctx context.Context, q store.Querier) error {
	points, err := readCheckpoints(ctx, q, 0, 1)
	if err == nil && len(points) > 0 && points[0].RootSignature != nil {
		e.begin(points[0])
	}
	return err
}

func (e *exporter) begin(root Checkpoint) { e.root, e.after, e.point = &root, root.Seq, root.Number }

func bound(s string, none int64) (int64, error) {
	if s == "" {
		return none, nil
	}
	v, err := moment(s)
	if err != nil {
		return 0, err
	}
	return v.(int64), nil
}

// page gives the next lines; done says that they are the last.
func (e *exporter) page(ctx context.Context, q store.Querier) (lines []line, done bool, err error) {
	rows, err := readRows(ctx, q, e.after, verifyPage)
	if err != nil {
		return nil, false, err
	}
	points, err := readCheckpoints(ctx, q, e.point, verifyPage)
	if err != nil {
		return nil, false, err
	}
	clear(e.persons)
	for i := range rows {
		l, err := e.line(ctx, q, &rows[i])
		if err != nil {
			return nil, false, err
		}
		e.after = rows[i].Seq
		if l.Type != "" {
			lines = append(lines, l)
		}
		if len(points) > 0 && points[0].Seq == rows[i].Seq {
			lines, e.point = append(lines, line{Type: "checkpoint", Checkpoint: &points[0]}), points[0].Number
			points = points[1:]
			if e.after >= e.last {
				return lines, true, nil
			}
		}
		if rows[i].Seal == nil && e.after >= e.last {
			return lines, true, nil // not signed yet, and nothing more was asked for
		}
	}
	return lines, len(rows) < verifyPage, nil
}

// line is how an entry stands in the file; its type is empty if it does not.
func (e *exporter) line(ctx context.Context, q store.Querier, r *row) (line, error) {
	if !e.asked(r) {
		if r.Seal == nil {
			return line{}, nil
		}
		leaf := r.leaf()
		return line{Type: "hidden", Seq: r.Seq, Leaf: leaf[:], Seal: r.Seal}, nil
	}
	l := line{Type: "entry", Entry: r}
	var err error
	if l.Person, err = e.known(ctx, q, selectKnownPerson, r.User); err != nil {
		return line{}, err
	}
	l.Address, err = e.known(ctx, q, selectKnownAddress, r.From)
	return l, err
}

// asked says whether an entry is one of those that were asked for.
func (e *exporter) asked(r *row) bool {
	area, _, _ := strings.Cut(r.Act, ".")
	for name, value := range map[string]string{"act": r.Act, "area": area, "object": r.Object, "actor": r.Actor, "person": r.User} {
		if want := e.filters[name]; want != "" && want != value {
			return false
		}
	}
	organisation := e.filters["organisation"]
	return (organisation == "" || strings.TrimSuffix(organisation, Platform) == r.Organisation) && r.At >= e.since && r.At < e.until
}

// known looks up what a reference stands for; nil if it was forgotten.
func (e *exporter) known(ctx context.Context, q store.Querier, statement, reference string) (*known, error) {
	if reference == "" {
		return nil, nil
	}
	if k, ok := e.persons[reference]; ok {
		return k, nil
	}
	k := new(known)
	err := q.QueryRow(ctx, statement, reference).Scan(&k.User, &k.Organisation, &k.Login, &k.Address, &k.Salt)
	if errors.Is(err, store.ErrNoRows) {
		k, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking up a person of the audit: %w", err)
	}
	e.persons[reference] = k
	return k, nil
}
