package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func admin() access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "root", User: "root", Login: "root", Strong: true, Roles: []access.Role{access.Admin}}
}

func (o *office) export(who access.Actor, organisation string, f audit.Filter) []byte {
	o.t.Helper()
	var b bytes.Buffer
	if err := audit.Export(o.t.Context(), o.store, who, organisation, f, &b); err != nil {
		o.t.Fatal(err)
	}
	return b.Bytes()
}

func (o *office) verifyFile(b []byte, anchor *audit.Anchor) audit.Report {
	o.t.Helper()
	r, err := audit.VerifyFile(bytes.NewReader(b), o.key.Public(), anchor)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

func TestExportsAreVerifiedWithoutTheServer(t *testing.T) {
	o := filled(t)
	o.record(actor("o"), "home.create", 3) // not signed yet
	owner := actor("o")
	owner.Roles = []access.Role{access.Owner}
	for _, tt := range []struct {
		name         string
		who          access.Actor
		organisation string
		filter       audit.Filter
		want         string // entries, of them hidden, unsealed, checkpoints
	}{
		{"all", admin(), "", audit.Filter{}, "120 0 3 6"},
		{"own", owner, "", audit.Filter{}, "120 80 3 6"},
		{"one organisation", admin(), "p", audit.Filter{}, "120 80 0 6"},
		{"the platform's", admin(), audit.Platform, audit.Filter{Object: "object 3"}, "120 118 0 6"},
		{"a room's", admin(), "o", audit.Filter{Act: "home."}, "120 120 3 6"},
		{"a person's", admin(), "o", audit.Filter{Actor: "u1"}, "120 80 4 6"},
		{"nothing", admin(), "", audit.Filter{Until: "2001-01-01T00:00:00Z"}, "20 20 0 1"},
	} {
		b := o.export(tt.who, tt.organisation, tt.filter)
		r := o.verifyFile(b, nil)
		if got := fmt.Sprint(r.Entries, " ", r.Hidden, " ", r.Unsealed, " ", r.Checkpoints); got != tt.want || r.Wrong > 0 {
			t.Errorf("%s: got %s, want %s; %q", tt.name, got, tt.want, r.Findings)
		}
		if tt.organisation == "p" && bytes.Contains(b, []byte("home.create")) {
			t.Errorf("%s: it holds entries of others", tt.name)
		}
		o.sound(nil)
	}
	entries, _, err := list(t, o.store, "o", audit.Filter{Act: "audit.export"})
	if err != nil || len(entries) != 1 || entries[0].Note != `organisation "" act "" object "" actor "" since "" until ""` {
		t.Errorf("the export is recorded as %+v, %v", entries, err)
	}
	err = audit.Export(t.Context(), o.store, owner, "p", audit.Filter{}, new(bytes.Buffer))
	if got := text(err); got != `there is no organisation "p"` {
		t.Errorf("a foreign organisation gives %q", got)
	}
}

func TestExportOfATimeBeginsAtACheckpoint(t *testing.T) {
	o := newOffice(t)
	var times []string
	for range 4 {
		times = append(times, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
		o.record(actor("o"), "a.b", 10)
		o.finish()
		time.Sleep(2 * time.Millisecond) // times have milliseconds
	}
	r := o.verifyFile(o.export(admin(), "", audit.Filter{Since: times[1], Until: times[2]}), nil)
	if r.Wrong > 0 || r.Root.Number != 1 || r.Entries < 10 || r.Entries-r.Hidden > 20 || r.Newest.Number > 3 {
		t.Errorf("%+v", r)
	}
	o.clock = o.clock.Add(audit.DefaultKeep + time.Hour)
	if err := o.sealer.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	o.finish()
	if r := o.verifyFile(o.export(admin(), "", audit.Filter{}), nil); r.Wrong > 0 || r.Root.Number != 3 || r.Entries != 12 {
		t.Errorf("behind the root: %+v", r)
	}
}

func TestEveryTamperingOfAFileIsFound(t *testing.T) {
	o := filled(t)
	owner := actor("o")
	owner.Roles = []access.Role{access.Owner}
	newest := o.newest().Anchor()
	whole := o.export(owner, "", audit.Filter{})
	if r := o.verifyFile(whole, &newest); r.Wrong > 0 {
		t.Fatalf("nobody touched it: %q", r.Findings)
	}
	lines := bytes.SplitAfter(whole, []byte("\n"))
	lines = lines[:len(lines)-1]
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		n, m := 1+random.IntN(len(lines)-1), 1+random.IntN(len(lines)-1)
		changed := slices.Clone(lines)
		kind := random.IntN(5)
		switch kind {
		case 0:
			changed = slices.Delete(changed, n, n+1)
		case 1:
			changed = changed[:n]
		case 2:
			if changed[n], changed[m] = changed[m], changed[n]; n == m {
				continue
			}
		case 3:
			changed = slices.Insert(changed, n, lines[m])
		case 4: // a letter or digit of a value
			l := bytes.Clone(lines[n])
			at := random.IntN(len(l))
			if !strings.ContainsRune("0123456789abcdefghijklmnopqrstuvwxyz", rune(l[at])) || bytes.LastIndex(l[:at], []byte(`"login":`)) > 0 && at-bytes.LastIndex(l[:at], []byte(`"login":`)) < 13 {
				continue
			}
			l[at] ^= 1
			changed[n] = l
		}
		r, err := audit.VerifyFile(bytes.NewReader(bytes.Join(changed, nil)), o.key.Public(), &newest)
		if err == nil && r.Wrong == 0 {
			t.Errorf("not found: %d at line %d (%d): %s", kind, n, m, changed[min(n, len(changed)-1)])
		}
	}
	for _, tt := range []struct{ file, want string }{
		{"", "reading the export: EOF"},
		{"{}\n", "the file is no audit export of version 1: its first line does not say so"},
		{`{"type":"audit","version":1,"key":"00"}` + "\n", "key is 00, want 64 hexadecimal characters"},
	} {
		_, err := audit.VerifyFile(strings.NewReader(tt.file), nil, nil)
		if got := text(err); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}

// BenchmarkSeal tells how many entries a second are sealed.
func BenchmarkSeal(b *testing.B) {
	o := newOffice(b)
	const many = 2000
	for b.Loop() {
		b.StopTimer()
		o.many(many)
		b.StartTimer()
		if err := o.sealer.Seal(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "entries/s")
}

func (o *office) many(n int) {
	o.t.Helper()
	err := o.store.Write(o.t.Context(), func(tx *store.Tx) error {
		for range n {
			if err := audit.Record(o.t.Context(), tx, actor("o"), "a.b", "c", "d"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}

// BenchmarkRecord tells what an entry costs the act, and BenchmarkWriter how long a writer takes without and with a sealer at work.
func BenchmarkRecord(b *testing.B) {
	s := storetest.Open(b)
	b.ReportAllocs()
	err := s.Write(b.Context(), func(tx *store.Tx) error {
		for b.Loop() {
			if err := audit.Record(b.Context(), tx, actor("o"), "a.b", "c", "d"); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkWriter(b *testing.B) {
	for _, sealing := range []bool{false, true} {
		b.Run(fmt.Sprintf("sealing=%v", sealing), func(b *testing.B) {
			o := newOffice(b)
			sealer, err := audit.NewSealer(o.store, o.key, 0, slog.New(slog.DiscardHandler))
			if err != nil {
				b.Fatal(err)
			}
			ctx, stop := context.WithCancel(b.Context())
			done := make(chan error, 1)
			if sealing {
				go func() { done <- sealer.Run(ctx) }()
			} else {
				done <- nil
			}
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				o.many(1)
				took = append(took, time.Since(began))
			}
			stop()
			if err := <-done; err != nil {
				b.Error(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-us")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-us")
		})
	}
}
