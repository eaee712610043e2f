package issuance

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

const (
	// MaxLeakBytes is the most bytes of what somebody found.
	MaxLeakBytes = 16 << 20

	maxLeakRows = 10_000    // of a report
	maxDerive   = 4_000_000 // secrets that are derived to find those that came without their address
	busySearch  = 10 * time.Second
)

// A LeakOutcome says what was found of a row.
type LeakOutcome string

// The outcomes.
const (
	LeakTraced  LeakOutcome = "traced"       // the secret is that of a download
	LeakAddress LeakOutcome = "address_only" // the row has no secret; the address is of an order
	LeakOther   LeakOutcome = "other_secret" // the address is of an order, the secret is none that it had
	LeakUnknown LeakOutcome = "unknown"      // neither is known here, or not to who asks
	LeakSearch  LeakOutcome = "no_address"   // the row has a secret only: name the order or the product to search
)

// A Finding is what is known of one row.
type Finding struct {
	Line       int // of what was handed in, from 1
	Outcome    LeakOutcome
	MAC        triple.MAC // zero: unknown
	Order      string
	Product    string // UUID
	Generation uint32
	Download   Download    // that handed the secret out; without an id: none did
	Standing   LeakStatus  // of the secret, now
	Downloads  []Traceable // of LeakAddress: all that hold the address
}

// A Traceable is a download that holds an address.
type Traceable struct {
	ID         string
	Generation uint32
}

// A LeakStatus is what a secret is good for now.
type LeakStatus string

// What a secret is good for.
const (
	SecretInForce  LeakStatus = "in_force" // a device may log in with it
	SecretFixed    LeakStatus = "fixed"    // a device has logged in with it
	SecretReplaced LeakStatus = "replaced" // a device has logged in with another
	SecretEnded    LeakStatus = "ended"    // its time is over
	SecretRevoked  LeakStatus = "revoked"
)

// A Report is what came of looking through a leak.
type Report struct {
	Rows     int // that have something to look for
	Findings []Finding
}

// A Search says where secrets without an address are looked for; nothing: nowhere.
type Search struct {
	Order   string
	Product string // UUID
}

// Trace finds out of which downloads the rows of a file or a text came: rows of our workbooks, of a burning tool, of a log, in
// whatever order their parts stand. A secret without its address is looked for among the triples of the order or product that
// is named, 4,000,000 at most, and by one report at a time: that is some seconds of a processor. Nothing of what is handed in is stored or logged; the report leaves one audit entry.
func (s *Service) Trace(ctx context.Context, who access.Actor, in Search, src io.ReaderAt, size int64) (Report, error) {
	if err := who.Check(access.TraceTriples); err != nil {
		return Report{}, err
	}
	if size > MaxLeakBytes {
		return Report{}, fault.TooLarge("what was found", size, MaxLeakBytes)
	}
	var clues []clue
	err := triple.ReadCells(src, size, true, func(line int, cells []string) error {
		c := clueOf(line, cells)
		if len(c.secrets) == 0 && len(c.macs) == 0 {
			return nil
		}
		if len(clues) == maxLeakRows {
			return fault.Limit("rows of the report", "more", fmt.Sprint(maxLeakRows), 0)
		}
		clues = append(clues, c)
		return nil
	})
	if err != nil && fault.Of(err) == nil { // its text may hold a part of the file
		return Report{}, fault.Invalid("body", "unreadable", "text, CSV or a workbook (.xlsx)", "send it as it was found")
	}
	if err != nil {
		return Report{}, err
	}
	r := Report{Rows: len(clues)}
	t := &tracer{s: s, who: who, now: s.now(), derivers: make(map[string]*triple.Deriver)}
	err = s.store.Read(ctx, func(v *store.View) error {
		if r.Findings, err = t.all(ctx, v, clues); err != nil {
			return err
		}
		return t.search(ctx, v, in, clues, r.Findings)
	})
	if err != nil {
		return Report{}, err
	}
	return r, s.store.Write(ctx, func(tx *store.Tx) error {
		return audit.Record(ctx, tx, who, "leak.trace", in.Order, r.note())
	})
}

// note names the downloads that a report found.
func (r *Report) note() string {
	traced := 0
	var downloads []string
	for _, f := range r.Findings {
		if f.Outcome == LeakTraced {
			traced++
		}
		if f.Download.ID != "" && !slices.Contains(downloads, f.Download.ID) && len(downloads) < 20 {
			downloads = append(downloads, f.Download.ID)
		}
	}
	return fmt.Sprintf("%d of %d rows traced, to downloads %s", traced, r.Rows, strings.Join(downloads, " "))
}

// clue is what a row holds: 32 digits may be a secret or the MD5 of one, so that each is tried.
type clue struct {
	line    int
	macs    []triple.MAC
	secrets []triple.Secret
}

const maxClues = 4 // of each kind, of a row

func clueOf(line int, cells []string) (c clue) {
	c.line = line
	for _, cell := range cells {
		for _, word := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(" \t,;\"'{}[]()=<>|", r) }) {
			word = strings.ToLower(strings.Trim(word, ":"))
			if secret, err := triple.ParseSecret(word); err == nil && len(c.secrets) < maxClues {
				c.secrets = append(c.secrets, secret)
			}
			if mac, err := triple.ParseMAC(word); err == nil && len(c.macs) < maxClues && !slices.Contains(c.macs, mac) {
				c.macs = append(c.macs, mac)
			}
		}
	}
	return c
}

// tracer looks clues up; used by one goroutine.
type tracer struct {
	s        *Service
	who      access.Actor
	now      time.Time
	derivers map[string]*triple.Deriver // by product
}

func (t *tracer) all(ctx context.Context, q store.Querier, clues []clue) ([]Finding, error) {
	out := make([]Finding, 0, len(clues))
	for _, c := range clues {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f := Finding{Line: c.line, Outcome: LeakUnknown}
		if len(c.macs) == 0 {
			f.Outcome = LeakSearch
		}
		for _, mac := range c.macs {
			found, err := t.one(ctx, q, c, mac)
			if err != nil {
				return nil, err
			}
			if found.Outcome != LeakUnknown {
				f = found
			}
			if found.Outcome == LeakTraced {
				break
			}
		}
		out = append(out, f)
	}
	return out, nil
}

// one looks an address up, and which generation the secrets are.
func (t *tracer) one(ctx context.Context, q store.Querier, c clue, mac triple.MAC) (Finding, error) {
	f := Finding{Line: c.line, Outcome: LeakUnknown}
	order, err := orderOf(ctx, q, mac)
	if err != nil || order == "" {
		return f, err
	}
	o, err := load(ctx, q, t.who, order)
	if fault.Is(err, fault.Missing) {
		return f, nil
	}
	if err != nil {
		return f, err
	}
	f.MAC, f.Order, f.Product, f.Outcome = mac, o.ID, o.Product, LeakOther
	all, err := generations(ctx, q, o.ID)
	if err != nil {
		return f, err
	}
	if len(c.secrets) == 0 {
		f.Outcome = LeakAddress
		for _, g := range all {
			if g.download != "" {
				f.Downloads = append(f.Downloads, Traceable{g.download, g.generation})
			}
		}
		return f, nil
	}
	d, err := t.deriver(ctx, q, o.Product)
	if err != nil {
		return f, err
	}
	var match *generation
	for i := range all { // each is compared, whichever it is
		derived := d.Secret(mac, all[i].generation)
		for _, secret := range c.secrets {
			if secret.Equal(derived) {
				match = &all[i]
			}
		}
	}
	if match == nil {
		return f, nil
	}
	return f, t.traced(ctx, q, &f, match)
}

// traced fills in what is known of a secret that was found.
func (t *tracer) traced(ctx context.Context, q store.Querier, f *Finding, g *generation) error {
	f.Outcome, f.Generation = LeakTraced, g.generation
	var err error
	if g.download != "" {
		f.Download, err = loadDownload(ctx, q, t.who, g.download)
		if fault.Is(err, fault.Missing) { // of before downloads were kept
			err = nil
		}
		if err != nil {
			return err
		}
	}
	standing, err := InForce(ctx, q, f.Order, f.MAC, t.now)
	if err != nil {
		return err
	}
	switch {
	case g.revoked || g.generation < standing.lowest:
		f.Standing = SecretRevoked
	case slices.Contains(standing.Generations, g.generation) && standing.Fixed:
		f.Standing = SecretFixed
	case slices.Contains(standing.Generations, g.generation):
		f.Standing = SecretInForce
	case standing.Fixed:
		f.Standing = SecretReplaced
	default:
		f.Standing = SecretEnded
	}
	return nil
}

// deriver derives the secrets of a product.
func (t *tracer) deriver(ctx context.Context, q store.Querier, product string) (*triple.Deriver, error) {
	if d := t.derivers[product]; d != nil {
		return d, nil
	}
	key, err := t.s.keys.ProductKey(ctx, q, product)
	if err != nil {
		return nil, fmt.Errorf("opening the key of product %s: %w", product, err)
	}
	d := triple.NewDeriver(key.Reveal(), product)
	t.derivers[product] = d
	return d, nil
}
