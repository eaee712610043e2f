package issuance

import (
	"fmt"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/triple"
)

func (w *works) read1(t testing.TB, s *source, row, n int, out *[]run) error {
	t.Helper()
	return w.store.Read(t.Context(), func(v *store.View) (err error) {
		*out, err = s.runs(t.Context(), v, row, n)
		return err
	})
}

func TestTrace(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 4))
	one := w.grant1(t, o.ID)
	book1 := w.file(t, one)
	_, first := w.read(t, book1)
	two := w.grant1(t, o.ID)
	_, second := w.read(t, w.file(t, two))
	if err := w.login(t, o, first[0].MAC, 1); err != nil {
		t.Fatal(err)
	}
	if err := w.RevokeDownload(t.Context(), maker, two.ID, "seen on a forum"); err != nil {
		t.Fatal(err)
	}
	row := func(x triple.Triple) string { return x.Reveal() }
	s := func(x triple.Triple) string { return x.Secret.Reveal() }
	for _, tt := range []struct {
		name, text string
		in         Search
		want       string
	}{
		{"a row of the first", row(first[0]), Search{}, "1 traced 1 fixed " + one.ID},
		{"a row of the second that is dead", row(second[0]), Search{}, "1 traced 2 revoked " + two.ID},
		{"a row that is good", row(first[1]), Search{}, "1 traced 1 in_force " + one.ID},
		{"the form of the mesh stack", first[1].RevealSpaced(), Search{}, "1 traced 1 in_force " + one.ID},
		{"a log line", `level=debug user="` + first[1].MAC.Upper() + `" password='` + s(first[1]) + `'`, Search{}, "1 traced 1 in_force " + one.ID},
		{"an address alone", "see " + first[2].MAC.String(), Search{}, "1 address_only 0  "},
		{"another secret", first[2].MAC.String() + "," + strings.Repeat("a", 32), Search{}, "1 other_secret 0  "},
		{"an address of nobody", "78da07000001," + strings.Repeat("a", 32), Search{}, "1 unknown 0  "},
		{"a secret alone", s(second[3]), Search{}, "1 no_address 0  "},
		{"a secret alone, in the order", s(second[3]), Search{Order: o.ID}, "1 traced 2 revoked " + two.ID},
		{"a secret alone, in the product", s(first[3]), Search{Product: w.product.ID}, "1 traced 1 in_force " + one.ID},
		{"a secret of nobody, in the order", strings.Repeat("b", 32), Search{Order: o.ID}, "1 unknown 0  "},
		{"nothing", "hello\nworld", Search{}, ""},
		{"two lines", "\n" + row(first[1]) + "\n" + s(first[3]), Search{Order: o.ID}, "2 traced 1 in_force " + one.ID + " 3 traced 1 in_force " + one.ID},
		{"the whole workbook", string(book1), Search{}, "2 traced 1 fixed " + one.ID + " 3 traced 1 in_force " + one.ID + " 4 traced 1 in_force " + one.ID + " 5 traced 1 in_force " + one.ID},
	} {
		entries := w.count(t, "audit_entry")
		r, err := w.Trace(t.Context(), maker, tt.in, strings.NewReader(tt.text), int64(len(tt.text)))
		var got []string
		for _, f := range r.Findings {
			if f.Outcome == LeakAddress && (len(f.Downloads) != 2 || f.Downloads[1].ID != two.ID) {
				t.Errorf("%s: %+v", tt.name, f)
			}
			if f.MAC != (triple.MAC{}) || f.Line == 1 || f.Outcome == LeakTraced {
				got = append(got, fmt.Sprintf("%d %s %d %s %s", f.Line, f.Outcome, f.Generation, f.Standing, f.Download.ID))
			}
		}
		if strings.Join(got, " ") != tt.want || err != nil {
			t.Errorf("%s: %v\n got %q\nwant %q", tt.name, err, strings.Join(got, " "), tt.want)
		}
		if w.count(t, "audit_entry") != entries+1 {
			t.Errorf("%s left %d entries", tt.name, w.count(t, "audit_entry")-entries)
		}
	}
	// One report at a time derives secrets; one that needs none does not wait.
	w.searching.Lock()
	_, err := w.Trace(t.Context(), maker, Search{Order: o.ID}, strings.NewReader(s(first[3])), 32)
	if want := "another report is being searched for secrets that came without an address"; !fault.Is(err, fault.Down) || err.Error() != want {
		t.Errorf("a second search:\n got %v\nwant %s", err, want)
	}
	if _, err := w.Trace(t.Context(), maker, Search{Order: o.ID}, strings.NewReader(row(first[1])), int64(len(row(first[1])))); err != nil {
		t.Errorf("a report with addresses: %v", err)
	}
	w.searching.Unlock()
	// A stranger learns nothing, the operator's people all.
	text := row(first[1])
	for who, want := range map[*access.Actor]LeakOutcome{&stranger: LeakUnknown, &operator: LeakTraced} {
		r, err := w.Trace(t.Context(), *who, Search{}, strings.NewReader(text), int64(len(text)))
		if err != nil || r.Findings[0].Outcome != want {
			t.Errorf("%s: %+v, %v", who.ID, r, err)
		}
	}
	if _, err := w.Trace(t.Context(), stranger, Search{Order: o.ID}, strings.NewReader(s(first[1])), 32); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger searches an order: %v", err)
	}
	if n := w.count(t, "audit_entry WHERE note LIKE '%"+s(first[1])+"%'"); n != 0 {
		t.Error("a secret is in the audit")
	}
}

// A secret that was revoked for its device alone is told as revoked, beside one of the same download that is in force.
func TestTraceOfARevokedDevice(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	o := w.wait(t, w.request(t, 2))
	_, rows := w.read(t, w.file(t, w.grant1(t, o.ID)))
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := RevokeOne(t.Context(), tx, o.ID, rows[0].MAC, w.now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := rows[0].Reveal() + "\n" + rows[1].Reveal()
	r, err := w.Trace(t.Context(), maker, Search{}, strings.NewReader(text), int64(len(text)))
	if err != nil || len(r.Findings) != 2 || r.Findings[0].Standing != SecretRevoked || r.Findings[1].Standing != SecretInForce {
		t.Errorf("the report is %+v, %v", r.Findings, err)
	}
}

// What was erased stays as bare numbers, and nobody gets them again.
func TestErase(t *testing.T) {
	w := newWorks(t)
	stop := w.run(t)
	o := w.wait(t, w.request(t, 5))
	l := w.bring(t, "78da07000001\n")
	w.file(t, w.grant1(t, o.ID))
	first, last, _ := w.macs(t, o)
	for i := range 3 {
		if err := w.login(t, o, triple.MACOf(first+uint64(i)), 1); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	holds := func() (n int64) {
		err := w.store.Read(t.Context(), func(v *store.View) (err error) {
			n, err = w.Holds(t.Context(), v, "organisation", "lamps")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := holds(); n != 3 {
		t.Errorf("it holds %d before", n)
	}
	calls := 0
	for more := true; more; calls++ {
		err := w.store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = w.Erase(t.Context(), tx, "organisation", "lamps", 2)
			return err
		})
		if err != nil || calls > 10 {
			t.Fatal(err, calls)
		}
	}
	if n := holds(); n != 0 || w.count(t, "issuance_secret") != 0 || w.count(t, "issuance_download") != 0 || w.count(t, "issuance_generation") != 0 {
		t.Errorf("it holds %d after %d calls", n, calls)
	}
	if _, err := w.Load(t.Context(), operator, o.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("an erased order: %v", err)
	}
	if _, err := w.LoadList(t.Context(), operator, l.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("an erased list: %v", err)
	}
	w.run(t)
	if l := w.bring(t, "78da07000001\n"); l.State != ListRefused {
		t.Errorf("an address of an erased list: %+v", l)
	}
	if begins, _, _ := w.macs(t, w.wait(t, w.request(t, 1))); begins != last+1 {
		t.Errorf("the next order begins at %x, want %x", begins, last+1)
	}
}
