package audit_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// office is a store whose entries are sealed.
type office struct {
	t      testing.TB
	store  *store.Store
	key    keyring.Signer
	sealer *audit.Sealer
	clock  time.Time
}

func newOffice(t testing.TB) *office {
	t.Helper()
	s := storetest.Open(t)
	keys, err := keyring.Open(t.Context(), s, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.Signer(t.Context(), s, audit.Purpose)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, store: s, key: key, clock: time.Now()}
	o.restart()
	return o
}

// restart makes another sealer on the same data.
func (o *office) restart() {
	o.t.Helper()
	var err error
	if o.sealer, err = audit.NewSealer(o.store, o.key, 0, slog.New(slog.DiscardHandler)); err != nil {
		o.t.Fatal(err)
	}
	o.sealer.SetNow(func() time.Time { return o.clock })
}

func (o *office) record(who access.Actor, act string, n int) {
	o.t.Helper()
	for i := range n {
		err := o.store.Write(context.Background(), func(tx *store.Tx) error {
			return audit.Record(context.Background(), tx, who, act, fmt.Sprintf("object %d", i), "note")
		})
		if err != nil {
			o.t.Fatal(err)
		}
	}
}

func (o *office) finish() {
	o.t.Helper()
	if err := o.sealer.Finish(context.Background()); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) verify(anchor *audit.Anchor) audit.Report {
	o.t.Helper()
	r, err := audit.Verify(context.Background(), o.store, o.key.Public(), anchor)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

func (o *office) exec(query string, args ...any) {
	o.t.Helper()
	err := o.store.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), query, args...)
		return err
	})
	if err != nil {
		o.t.Fatalf("%s: %v", query, err)
	}
}

// all runs statements in one transaction.
func (o *office) all(statements []string) {
	o.t.Helper()
	err := o.store.Write(context.Background(), func(tx *store.Tx) error {
		for _, q := range statements {
			if _, err := tx.Exec(context.Background(), q); err != nil {
				return fmt.Errorf("%s: %w", q, err)
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) newest() *audit.Checkpoint {
	o.t.Helper()
	var c audit.Checkpoint
	err := o.store.Read(context.Background(), func(v *store.View) (err error) {
		c, err = audit.Newest(context.Background(), v)
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return &c
}

// sound wants a chain without a finding.
func (o *office) sound(anchor *audit.Anchor) audit.Report {
	o.t.Helper()
	r := o.verify(anchor)
	if r.Wrong > 0 {
		o.t.Errorf("a chain nobody touched: %s", strings.Join(r.Findings, "; "))
	}
	return r
}

func TestChainGoesOnAcrossRestartsAndClockJumps(t *testing.T) {
	o := newOffice(t)
	o.finish() // nothing to do
	if r := o.sound(nil); r.Entries != 0 || r.Checkpoints != 0 {
		t.Errorf("an empty chain is %+v", r)
	}
	for i, jump := range []time.Duration{0, -48 * time.Hour, 0, 24 * 365 * time.Hour, -time.Hour} {
		o.clock = o.clock.Add(jump)
		o.record(actor("o"), "a.b", 150)
		if i%2 == 0 {
			o.restart()
		}
		if err := o.sealer.Seal(t.Context()); err != nil {
			t.Fatal(err)
		}
		if r := o.sound(nil); r.Unsigned != 150 || r.Unsealed != 0 {
			t.Errorf("before the checkpoint: %+v", r)
		}
		o.restart() // between seal and checkpoint
		o.finish()
		o.finish() // nothing new: no checkpoint
	}
	o.record(actor("o"), "a.b", 3)
	if r := o.sound(nil); r.Entries != 750 || r.Checkpoints != 5 || r.Unsealed != 3 || r.Unsigned != 0 {
		t.Errorf("the chain is %+v", r)
	}
}

func TestTwoSealersSealEachEntryOnce(t *testing.T) {
	o := newOffice(t)
	o.record(actor("o"), "a.b", 10)
	first := o.sealer
	o.finish()
	o.restart()
	o.record(actor("o"), "a.b", 10)
	o.finish() // the second one, behind the back of the first
	o.record(actor("o"), "a.b", 10)
	if err := first.Finish(t.Context()); err == nil || !strings.Contains(err.Error(), "was changed by somebody else meanwhile") {
		t.Errorf("the first sealer says %v", err)
	}
	if err := first.Finish(t.Context()); err != nil {
		t.Errorf("and then %v", err)
	}
	if r := o.sound(nil); r.Entries != 30 || r.Checkpoints != 3 {
		t.Errorf("the chain is %+v", r)
	}
}

func TestRunSealsWithinASecondAndSignsWithinAMinute(t *testing.T) {
	o := newOffice(t)
	storetest.SQLiteOnly(t, "a bubble of time holds no sockets")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error)
		go func() { done <- o.sealer.Run(ctx) }()
		for _, tt := range []struct {
			wait               time.Duration
			unsealed, unsigned int64
		}{{0, 5, 0}, {time.Second, 0, 5}, {time.Minute, 0, 0}} {
			if tt.wait == 0 {
				o.record(actor("o"), "a.b", 5)
			}
			time.Sleep(tt.wait)
			if r := o.sound(nil); r.Unsealed != tt.unsealed || r.Unsigned != tt.unsigned {
				t.Errorf("after %v: %d not sealed, %d not signed; want %d, %d", tt.wait, r.Unsealed, r.Unsigned, tt.unsealed, tt.unsigned)
			}
		}
		o.record(actor("o"), "a.b", 7)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if r := o.sound(nil); r.Entries != 12 || r.Unsealed != 0 || r.Unsigned != 0 {
			t.Errorf("after the end: %+v", r)
		}
	})
}

// loose lets the test do what somebody with the file in their hands can.
func (o *office) loose() {
	if storetest.Postgres() {
		o.exec(`DROP TRIGGER audit_entry_stays ON audit_entry`)
		o.exec(`DROP TRIGGER audit_entry_seal_stays ON audit_entry`)
		o.exec(`DROP TRIGGER audit_checkpoint_stays ON audit_checkpoint`)
		return
	}
	o.exec(`DROP TRIGGER audit_entry_stays`)
	o.exec(`DROP TRIGGER audit_entry_seal_stays`)
	o.exec(`DROP TRIGGER audit_checkpoint_stays`)
}

// filled has 120 entries under 6 checkpoints, of two organisations and the platform.
func filled(t testing.TB) *office {
	o := newOffice(t)
	for i := range 6 {
		o.record(actor([]string{"o", "p", ""}[i%3]), "order.issue", 20)
		o.finish()
	}
	return o
}

// tampering is something done to the tables by somebody who knows them.
func tampering(random *rand.Rand) (kind string, statements []string) {
	n := 1 + random.IntN(120)
	at := func(table, set string, of string, n int) []string {
		return []string{fmt.Sprintf("UPDATE audit_%s SET %s WHERE %s = %d", table, set, of, n)}
	}
	text := []string{"id", "organisation", "actor_kind", "actor", "actor_user", "actor_login", "actor_from", "act", "object", "note"}
	c := 1 + random.IntN(6)
	switch random.IntN(12) {
	case 0, 1:
		column := text[random.IntN(len(text))]
		return "text " + column, at("entry", column+" = "+column+" || 'x'", "seq", n)
	case 2:
		column := []string{"at", "sealed_at"}[random.IntN(2)]
		return "number " + column, at("entry", fmt.Sprintf("%s = %s + %d", column, column, 1+random.IntN(9)), "seq", n)
	case 3:
		return "renumbered", at("entry", fmt.Sprintf("seq = %d", 121+random.IntN(9)), "seq", n)
	case 4:
		return "seal", at("entry", []string{"seal = NULL", "seal = (SELECT k.seal FROM kept_entry k WHERE k.seq = 121 - audit_entry.seq)", "sealed_at = NULL"}[random.IntN(3)], "seq", n)
	case 5:
		return "removed", []string{fmt.Sprintf("DELETE FROM audit_entry WHERE seq >= %d AND seq < %d", n, n+1+random.IntN(5))}
	case 6:
		return "tail cut", []string{fmt.Sprintf("DELETE FROM audit_entry WHERE seq >= %d", n), fmt.Sprintf("DELETE FROM audit_checkpoint WHERE seq >= %d", n)}
	case 7:
		m := 1 + n%120
		return "swapped", []string{
			fmt.Sprintf("UPDATE audit_entry SET seq = 999 WHERE seq = %d", n),
			fmt.Sprintf("UPDATE audit_entry SET seq = %d WHERE seq = %d", n, m),
			fmt.Sprintf("UPDATE audit_entry SET seq = %d WHERE seq = 999", m),
		}
	case 8:
		return "inserted", []string{
			fmt.Sprintf("UPDATE audit_entry SET seq = seq + 1000 WHERE seq >= %d", n),
			"UPDATE audit_entry SET seq = seq - 999 WHERE seq > 1000",
			fmt.Sprintf("INSERT INTO audit_entry (%s) SELECT %d%s FROM kept_entry WHERE seq = %d", entryColumns, n, strings.TrimPrefix(entryColumns, "seq"), 121-n),
		}
	case 9:
		column := []string{"number = number + 100", "seq = seq - 1", "entries = entries + 1", "at = at + 1", "seal = previous", "previous = seal", "signature = seal", "root_signature = signature"}[random.IntN(8)]
		return "checkpoint", at("checkpoint", column, "number", c)
	case 10:
		if c == 6 {
			c = 1
		}
		return "checkpoint removed", []string{fmt.Sprintf("DELETE FROM audit_checkpoint WHERE number = %d", c)}
	default:
		return "person", []string{[]string{
			"UPDATE audit_person SET person = 'u2'", "UPDATE audit_person SET salt = NULL", "UPDATE audit_person SET organisation = organisation || 'x'",
			"UPDATE audit_address SET address = '192.0.2.2'", "UPDATE audit_address SET person = 'u2'",
		}[random.IntN(5)]}
	}
}

const entryColumns = "seq, id, at, organisation, actor_kind, actor, actor_user, actor_login, actor_from, act, object, note, seal, sealed_at"

func TestEveryTamperingIsFound(t *testing.T) {
	o := filled(t)
	o.loose()
	var restore []string
	for table, columns := range map[string]string{"entry": entryColumns, "checkpoint": "*", "person": "*", "address": "*"} {
		o.exec(`CREATE TABLE kept_` + table + ` AS SELECT * FROM audit_` + table)
		into := ""
		if columns != "*" {
			into = "(" + columns + ")"
		}
		restore = append(restore, `DELETE FROM audit_`+table, `INSERT INTO audit_`+table+into+` SELECT `+columns+` FROM kept_`+table)
	}
	newest := o.newest().Anchor()
	random := rand.New(rand.NewPCG(1, 2))
	found, kinds := 0, map[string]int{}
	const rounds = 200
	for range rounds {
		kind, statements := tampering(random)
		kinds[kind]++
		o.all(statements)
		if r := o.verify(&newest); r.Wrong > 0 {
			found++
		} else {
			t.Errorf("not found: %s: %s", kind, strings.Join(statements, "; "))
		}
		o.all(restore)
		o.sound(&newest)
	}
	t.Logf("%d of %d found: %v", found, rounds, kinds)
}

func TestCutTailIsFoundAtEveryLength(t *testing.T) {
	o := filled(t)
	newest := o.newest().Anchor()
	for n := 120; n >= 1; n-- {
		o.exec(`DELETE FROM audit_entry WHERE seq >= ?`, n)
		if r := o.verify(nil); n%20 == 0 && r.Wrong == 0 { // the entry that a checkpoint covers went
			t.Errorf("cut from %d on, with the checkpoints left: not found", n)
		}
		o.exec(`DELETE FROM audit_checkpoint WHERE seq >= ?`, n)
		r := o.verify(&newest)
		if want := fmt.Sprintf("checkpoint %d, the anchor, is not there: the end of the chain was cut", newest.Number); r.Wrong != 1 || r.Findings[0] != want {
			t.Errorf("cut from %d on with the checkpoints:\n got %q\nwant %q", n, r.Findings, want)
		}
	}
}

// TestForgedChainIsFound makes every seal behind a change anew, as the documented encoding allows to everybody: only the
// signatures tell.
func TestForgedChainIsFound(t *testing.T) {
	o := filled(t)
	o.loose()
	o.exec(`UPDATE audit_entry SET note = 'another' WHERE seq = 70`)
	o.all([]string{`UPDATE audit_entry SET seal = NULL WHERE seq >= 70`})
	err := o.store.Write(t.Context(), func(tx *store.Tx) error { return audit.Reseal(t.Context(), tx, 69) })
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"checkpoint 4: entry 80 has another seal than was signed", "checkpoint 5: entry 100 has another seal than was signed",
		"checkpoint 6: entry 120 has another seal than was signed",
	}
	if r := o.verify(nil); !slices.Equal(r.Findings, want) {
		t.Errorf("got  %q\nwant %q", r.Findings, want)
	}
}

func TestBeginningCutAsIfByRetentionIsFound(t *testing.T) {
	o := filled(t)
	o.loose()
	o.exec(`DELETE FROM audit_entry WHERE seq <= 40`)
	o.exec(`DELETE FROM audit_checkpoint WHERE number < 2`)
	for _, tt := range []struct{ signature, want string }{
		{"NULL", "checkpoint 1 is missing before checkpoint 2"},
		{"signature", "checkpoint 2 claims to be the root of the chain, and the key did not sign that"},
	} {
		o.exec(`UPDATE audit_checkpoint SET root_signature = ` + tt.signature + ` WHERE number = 2`)
		if r := o.verify(nil); r.Wrong == 0 || r.Findings[0] != tt.want {
			t.Errorf("got  %q\nwant %q", r.Findings, tt.want)
		}
	}
}

func TestAnotherKeyIsFound(t *testing.T) {
	o := filled(t)
	other, _, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := audit.Verify(t.Context(), o.store, other, nil)
	if err != nil || r.Wrong != 6 || r.Findings[0] != "checkpoint 1 was changed, or signed by another key" {
		t.Errorf("under another key: %q, %v", r.Findings, err)
	}
}

func TestRetentionRemovesTheBeginningOnly(t *testing.T) {
	o := filled(t)
	before := o.newest().Anchor()
	for _, tt := range []struct {
		later         time.Duration
		entries       int64
		first, points int64
	}{
		{audit.DefaultKeep - time.Hour, 120, 0, 6},
		{2 * time.Hour, 21, 5, 3}, // the newest checkpoint stays; the entry of the pruning came
		{0, 2, 6, 3},
		{0, 2, 6, 3},
	} {
		o.clock = o.clock.Add(tt.later)
		if err := o.sealer.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		o.finish()
		r := o.sound(&before)
		if r.Entries != tt.entries || r.Root.Number != tt.first || r.Checkpoints != tt.points {
			t.Errorf("after %v: %d entries behind checkpoint %d, %d checkpoints; want %+v", tt.later, r.Entries, r.Root.Number, r.Checkpoints, tt)
		}
	}
	entries, _, err := list(t, o.store, "", audit.Filter{Act: "audit."})
	if err != nil || len(entries) != 2 || entries[1].Object != "checkpoint 5" || !strings.HasSuffix(entries[1].Note, "from checkpoint 1 on") {
		t.Errorf("the pruning is recorded as %+v, %v", entries, err)
	}
	o.restart()
	o.record(actor("o"), "a.b", 5)
	o.finish()
	if r := o.sound(&before); r.Entries != 7 {
		t.Errorf("the chain goes on with %+v", r)
	}
	old, err := audit.ParseAnchor("2:" + strings.Repeat("00", 32))
	if err != nil {
		t.Fatal(err)
	}
	want := "the anchor, checkpoint 2, is older than what is kept (from checkpoint 6 on): it says nothing of these entries"
	if r := o.verify(&old); r.Wrong != 1 || r.Findings[0] != want {
		t.Errorf("got  %q\nwant %q", r.Findings, want)
	}
}

func TestShorterRetentionThanTheLawIsRefused(t *testing.T) {
	o := newOffice(t)
	for _, tt := range []struct {
		keep time.Duration
		want string
	}{
		{audit.MinKeep - time.Second, "audit-keep is 4319h59m59s, want at least 4320h0m0s (180 days)"},
		{-1, "audit-keep is -1ns, want at least 4320h0m0s (180 days)"},
		{audit.MinKeep, ""},
		{0, ""},
	} {
		_, err := audit.NewSealer(o.store, o.key, tt.keep, slog.New(slog.DiscardHandler))
		if got := text(err); got != tt.want {
			t.Errorf("%v:\n got %q\nwant %q", tt.keep, got, tt.want)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestClockThatJumpedRemovesNothing lets everything be too old by a clock that was set.
func TestClockThatJumpedRemovesNothing(t *testing.T) {
	o := filled(t)
	before := o.newest().Anchor()
	o.sealer.Jump()
	o.clock = o.clock.Add(2 * audit.DefaultKeep)
	if err := o.sealer.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := o.sound(&before); r.Entries != 120 || r.Root.Number != 0 {
		t.Errorf("after the clock jumped %d entries are left, behind checkpoint %d", r.Entries, r.Root.Number)
	}
}
