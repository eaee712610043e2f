package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"fmt"
	"time"

	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
)

// maxFindings is how many findings a report tells; it counts all.
const maxFindings = 100

// A Report is what a verification found out.
type Report struct {
	Entries     int64 // sealed, and read
	Hidden      int64 // of them only their hashes: an export leaves out what was not asked for
	Unsealed    int64 // the newest, which wait for their seal
	Unsigned    int64 // sealed behind the newest checkpoint: who can write the database can still replace these
	Checkpoints int64
	Newest      Checkpoint // number 0: none
	Root        Checkpoint // what was before it was removed by retention; number 0: the chain begins with the first entry
	Key         ed25519.PublicKey
	Findings    []string // what is wrong
	Wrong       int      // how many things are wrong
}

// A verifier follows a chain: entries in order, each checkpoint behind the entry it covers.
type verifier struct {
	Report
	seal    [32]byte
	seq     int64
	total   int64 // entries ever sealed
	unknown bool  // the seal before is not known, after a finding
	before  [32]byte
	number  int64
	anchor  *Anchor
	met     bool // the anchor
}

func newVerifier(key ed25519.PublicKey, anchor *Anchor) *verifier {
	return &verifier{Report: Report{Key: key}, anchor: anchor}
}

func (v *verifier) find(format string, args ...any) {
	if v.Wrong++; len(v.Findings) < maxFindings {
		v.Findings = append(v.Findings, fmt.Sprintf(format, args...))
	}
}

// root begins at a checkpoint instead of the first entry.
func (v *verifier) root(c Checkpoint, rooted bool) {
	v.Root = c
	if !c.signedBy(v.Key) {
		v.find("checkpoint %d was changed, or signed by another key", c.Number)
	}
	if rooted && !c.rootedBy(v.Key) {
		v.find("checkpoint %d claims to be the root of the chain, and the key did not sign that", c.Number)
	}
	seal, err := seal32(c.Seal)
	if err != nil {
		v.find("checkpoint %d: %v", c.Number, err)
	}
	v.seal, v.seq, v.total = seal, c.Seq, c.Entries
	v.known(c)
}

// entry follows one entry.
func (v *verifier) entry(r *row) {
	if r.Seal == nil && r.Seq > v.seq {
		v.Unsealed++
		v.seq = r.Seq
		return
	}
	v.sealed(r.Seq, r.leaf(), r.Seal)
}

// sealed follows one seal.
func (v *verifier) sealed(seq int64, leaf [32]byte, stored []byte) {
	if seq <= v.seq {
		v.find("entry %d stands behind entry %d", seq, v.seq)
		return
	}
	if v.Unsealed > 0 {
		v.find("entry %d is sealed, and %d entries before it are not", seq, v.Unsealed)
		v.Unsealed, v.unknown = 0, true
	}
	v.seq = seq
	v.Entries++
	v.total++
	v.Unsigned++
	got, err := seal32(stored)
	switch want := link(v.seal, leaf); {
	case err != nil:
		v.find("entry %d: its seal: %v", seq, err)
	case got != want && v.unknown:
		v.find("entry %d: nothing vouches for it, for the entry before was changed too", seq)
	case got != want:
		v.find("entry %d: it was changed, or one before it was removed, added or moved", seq)
	}
	v.seal, v.unknown = got, err != nil
}

// known takes a checkpoint as the newest that was met.
func (v *verifier) known(c Checkpoint) {
	v.Checkpoints++
	v.number, v.before, v.Newest = c.Number, c.hash(), c
	if v.anchor != nil && c.Number == v.anchor.Number {
		if v.met = true; c.hash() != v.anchor.Hash {
			v.find("checkpoint %d is another than the anchor", c.Number)
		}
	}
}

// checkpoint holds the chain to a signed statement.
func (v *verifier) checkpoint(c Checkpoint) {
	seal, err := seal32(c.Seal)
	switch {
	case !c.signedBy(v.Key):
		v.find("checkpoint %d was changed, or signed by another key", c.Number)
	case c.Number != v.number+1:
		v.find("checkpoint %d is missing before checkpoint %d", v.number+1, c.Number)
	case string(c.Previous) != string(v.before[:]):
		v.find("checkpoint %d does not follow the one before it", c.Number)
	case c.RootSignature != nil && !c.rootedBy(v.Key):
		v.find("checkpoint %d claims to be the root of the chain, and the key did not sign that", c.Number)
	}
	switch {
	case err != nil:
		v.find("checkpoint %d: %v", c.Number, err)
	case c.Seq != v.seq || v.Unsealed > 0:
		v.find("checkpoint %d covers entry %d, which is not there", c.Number, c.Seq)
	case seal != v.seal:
		v.find("checkpoint %d: entry %d has another seal than was signed", c.Number, c.Seq)
	case c.Entries != v.total:
		v.find("checkpoint %d counts %d entries, and there are %d", c.Number, c.Entries, v.total)
	}
	if v.total = c.Entries; v.total < 0 {
		v.total = 0
	}
	v.Unsigned = 0
	v.known(c)
}

// end gives the report.
func (v *verifier) end() Report {
	if v.anchor != nil && !v.met {
		switch {
		case v.anchor.Number < v.Root.Number:
			v.find("the anchor, checkpoint %d, is older than what is kept (from checkpoint %d on): it says nothing of these entries", v.anchor.Number, v.Root.Number)
		default:
			v.find("checkpoint %d, the anchor, is not there: the end of the chain was cut", v.anchor.Number)
		}
	}
	return v.Report
}

// person holds a reference to what it is said to stand for.
func (v *verifier) person(reference string, k *known) {
	if !k.holds(reference) {
		v.find("%s stands for somebody else than when it was made", reference)
	}
}

// Verify follows the whole chain of a database. Without a key it trusts the one it finds there; with an anchor it also finds
// that the end was cut. It reads page by page, beside a server that works.
func Verify(ctx context.Context, s *store.Store, key ed25519.PublicKey, anchor *Anchor) (Report, error) {
	var report Report
	err := s.Read(ctx, func(q *store.View) error {
		if key == nil {
			var err error
			if key, err = keyring.SignerPublic(ctx, q, Purpose); err != nil {
				return err
			}
		}
		v := newVerifier(key, anchor)
		if err := v.follow(ctx, q); err != nil {
			return err
		}
		if err := v.persons(ctx, q); err != nil {
			return err
		}
		report = v.end()
		return nil
	})
	return report, err
}

const verifyPage = 500

// follow reads entries and checkpoints side by side.
func (v *verifier) follow(ctx context.Context, q store.Querier) error {
	points := &checkpoints{q: q}
	c, err := points.next(ctx)
	if err != nil {
		return err
	}
	after := int64(-1 << 63)
	if c != nil && c.RootSignature != nil {
		v.root(*c, true)
		if c, err = points.next(ctx); err != nil {
			return err
		}
	}
	for {
		rows, err := readRows(ctx, q, after, verifyPage)
		if err != nil {
			return err
		}
		for i := range rows {
			for ; c != nil && c.Seq < rows[i].Seq; c, err = points.next(ctx) {
				v.checkpoint(*c)
			}
			if err != nil {
				return err
			}
			v.entry(&rows[i])
			after = rows[i].Seq
		}
		if len(rows) < verifyPage {
			break
		}
	}
	for ; c != nil; c, err = points.next(ctx) {
		v.checkpoint(*c)
	}
	return err
}

// checkpoints reads them one by one.
type checkpoints struct {
	q     store.Querier
	page  []Checkpoint
	after int64
	begun bool
}

func (c *checkpoints) next(ctx context.Context) (*Checkpoint, error) {
	if len(c.page) == 0 {
		if !c.begun {
			c.after, c.begun = -1<<63, true
		}
		var err error
		if c.page, err = readCheckpoints(ctx, c.q, c.after, verifyPage); err != nil || len(c.page) == 0 {
			return nil, err
		}
	}
	first := c.page[0]
	c.page, c.after = c.page[1:], first.Number
	return &first, nil
}

// persons holds every reference to its row.
func (v *verifier) persons(ctx context.Context, q store.Querier) error {
	for _, statement := range []string{selectKnownPersons, selectKnownAddresses} {
		for after := ""; ; {
			n, last, err := v.personPage(ctx, q, statement, after)
			if err != nil {
				return fmt.Errorf("reading the persons of the audit: %w", err)
			}
			if n < verifyPage {
				break
			}
			after = last
		}
	}
	return nil
}

func (v *verifier) personPage(ctx context.Context, q store.Querier, statement, after string) (n int, last string, err error) {
	rows, err := q.Query(ctx, statement, after, verifyPage)
	if err != nil {
		return 0, "", err
	}
	defer rows.Close()
	for ; rows.Next(); n++ {
		var k known
		if err := rows.Scan(&last, &k.User, &k.Organisation, &k.Login, &k.Address, &k.Salt); err != nil {
			return 0, "", err
		}
		v.person(last, &k)
	}
	return n, last, rows.Err()
}

// Lines tells a person what a report says, a line each.
func (r *Report) Lines() []string {
	lines := []string{fmt.Sprintf("%d entries sealed, %d checkpoints signed by key %s", r.Entries, r.Checkpoints, hex.EncodeToString(r.Key))}
	if r.Hidden > 0 {
		lines = append(lines, fmt.Sprintf("%d of them are not in the file, only their hashes", r.Hidden))
	}
	if r.Root.Number > 0 {
		lines = append(lines, fmt.Sprintf("the chain begins behind checkpoint %d of %s", r.Root.Number, stamp(r.Root.At)))
	}
	if r.Unsigned > 0 {
		lines = append(lines, fmt.Sprintf("%d entries behind the newest checkpoint are not signed yet", r.Unsigned))
	}
	if r.Unsealed > 0 {
		lines = append(lines, fmt.Sprintf("%d entries are not sealed yet", r.Unsealed))
	}
	if r.Newest.Number > 0 {
		lines = append(lines, fmt.Sprintf("newest checkpoint %d of %s; keep it elsewhere and give it to the next verify:", r.Newest.Number, stamp(r.Newest.At)),
			"anchor "+r.Newest.Anchor().String())
	}
	for _, f := range r.Findings {
		lines = append(lines, "WRONG "+f)
	}
	if more := r.Wrong - len(r.Findings); more > 0 {
		lines = append(lines, fmt.Sprintf("WRONG and %d more", more))
	}
	return lines
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339) }
