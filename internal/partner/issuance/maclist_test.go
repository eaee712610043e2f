package issuance

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/triple"
)

// bring adds a list and waits until it is read.
func (w *works) bring(t testing.TB, file string) MACList {
	t.Helper()
	l, err := w.AddList(t.Context(), maker, "own", strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	return w.listed(t, l)
}

func (w *works) listed(t testing.TB, l MACList) MACList {
	t.Helper()
	if _, err := w.jobs.Wait(t.Context(), access.System("test", ""), l.Job); err != nil {
		t.Fatal(err)
	}
	l, err := w.LoadList(t.Context(), maker, l.ID)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestListRules(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	w.pool(t, "acde48")
	if l := w.bring(t, "78da07ffffff\n"); l.State != ListReady {
		t.Fatalf("%+v", l)
	}
	for _, tt := range []struct{ file, want string }{
		{"78da07000001\n78DA07000002\n\n# more\n78:da:07:00:00:04\r\n78-da-07-00-00-03", "ready 4"},
		{"\ufeffserial;MAC;label\n1;78da07000101;a\n2;78da07000102;b\n", "ready 2"},
		{"\"78da07000201\",\"a, b\"\n78da07000203\n", "ready 2"},
		{"78da07000301\n78da07000302\n78da07000301\n", "refused 3:78da07000301: an address that the file has once; line 1 has it, too"},
		{"78da07ffffff\n", "refused 1:78da07ffffff: an address that no list has had"},
		{"acde48000001\n78da07000401\n", "refused 1:acde48000001: an address outside the blocks of the platform"},
		{"79da07000001\n", "refused 1:79da07000001: the address of one device: its first octet must be even"},
		{"7ada07000001\n", "refused 1:7ada07000001: an address of a block that the IEEE has assigned: bit 1 of its first octet must be 0"},
		{"000000000001\n", "refused 1:000000000001: an address of a block that the IEEE has assigned to the maker"},
		{"78da0700000\n78da0700000g\n", "refused 1:78da0700000: twelve hexadecimal digits, bare or parted by : or - 2:78da0700000g: twelve hexadecimal digits, bare or parted by : or -"},
		{"mac\n", "refused 1:: a MAC address on a line"},
		{"", "refused 1:: a MAC address on a line"},
		{"78da07000501\n\xff\xfe\n", "refused 2:\ufffd\ufffd: twelve hexadecimal digits, bare or parted by : or -"},
	} {
		before := w.count(t, "issuance_mac")
		l := w.bring(t, tt.file)
		got := string(l.State)
		switch l.State {
		case ListReady:
			got += fmt.Sprint(" ", l.Total)
		case ListFailed:
			got += " " + l.Reason
		}
		for _, r := range l.Report {
			got += fmt.Sprintf(" %d:%s: %s", r.Line, r.Value, r.Rule)
		}
		if got != tt.want || l.Bad != len(l.Report) {
			t.Errorf("%q\n got %q\nwant %q", tt.file, got, tt.want)
		}
		if after := w.count(t, "issuance_mac"); (l.State == ListReady) != (after > before) {
			t.Errorf("%q: %d runs before, %d after", tt.file, before, after)
		}
	}
	if n := w.count(t, "issuance_upload"); n != 0 {
		t.Errorf("%d blocks of files are kept", n)
	}
	if _, err := w.AddPool(t.Context(), operator, NewPool{Name: "x", Prefix: "78da07"}); text(err) != "the prefix holds 78da07000001, which is on the list of a maker" {
		t.Errorf("a pool over a list: %v", err)
	}
	for _, name := range []string{"", "a\nb", strings.Repeat("x", 101)} {
		if _, err := w.AddList(t.Context(), maker, name, strings.NewReader("")); !fault.Is(err, fault.Malformed) {
			t.Errorf("a list called %q: %v", name, err)
		}
	}
}

// An order takes the next addresses of a list, one order at a time, and gives back what it has not handed on.
func TestOrdersFromAList(t *testing.T) {
	w := newWorks(t)
	var file strings.Builder
	for i := range 5000 { // in runs of three, upside down
		if i%4 != 3 {
			fmt.Fprintf(&file, "78da07%06x\n", 0x10000-i)
		}
	}
	w.run(t)
	l := w.bring(t, file.String())
	if l.State != ListReady || l.Left != 3750 {
		t.Fatalf("%+v", l)
	}
	order := func(n int) (Order, error) {
		want := w.mass(n)
		want.List = l.ID
		return w.Request(t.Context(), maker, want)
	}
	first, err := order(3000)
	if err != nil || first.List != l.ID {
		t.Fatal(err)
	}
	if _, err := order(1); text(err) != "order "+first.ID+" takes from this list at this moment" {
		t.Errorf("a second order at once: %v", err)
	}
	if _, err := w.Decide(t.Context(), reviewer1, first.ID, Reject, "no"); err != nil {
		t.Fatal(err)
	}
	if first, err = order(3000); err != nil {
		t.Fatal("what was rejected did not come back: ", err)
	}
	if _, err := w.Decide(t.Context(), reviewer1, first.ID, Approve, ""); err != nil {
		t.Fatal(err)
	}
	if first = w.wait(t, first); first.State != StateIssued {
		t.Fatalf("%+v", first)
	}
	if _, err := order(751); text(err) != "/quantity is 751, the limit is the 750 addresses that the list has left" {
		t.Errorf("more than is left: %v", err)
	}
	rest, err := order(750)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Decide(t.Context(), reviewer1, rest.ID, Approve, ""); err != nil {
		t.Fatal(err)
	}
	rest = w.wait(t, rest)
	_, last, n := w.macs(t, first)
	begins, _, m := w.macs(t, rest)
	if n != 3000 || m != 750 || begins <= last {
		t.Errorf("%d up to %x, %d from %x", n, last, m, begins)
	}
	// The workbook has them, and a leak is traced to it.
	d := w.grant1(t, rest.ID)
	_, all := w.read(t, w.file(t, d))
	if len(all) != 750 {
		t.Fatalf("%d triples", len(all))
	}
	r, err := w.Trace(t.Context(), maker, Search{}, strings.NewReader(all[700].Reveal()), 100)
	if err != nil || len(r.Findings) != 1 || r.Findings[0].Order != rest.ID || r.Findings[0].Download.ID != d.ID {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := w.Request(t.Context(), stranger, NewOrder{Product: "x", Quantity: 1, Purpose: Debug, List: l.ID}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger: %v", err)
	}
}

// A list whose job was stopped is read anew, and a cancelled one leaves nothing.
func TestListStops(t *testing.T) {
	w := newWorks(t)
	l, err := w.AddList(t.Context(), maker, "own", strings.NewReader("78da07000001\n78da07000003\n"))
	if err != nil {
		t.Fatal(err)
	}
	w.exec(t, "INSERT INTO issuance_mac (list, start, first, last) VALUES (1, 0, 1, 2)") // of a run that was killed
	w.run(t)
	if l = w.listed(t, l); l.State != ListReady || w.count(t, "issuance_mac") != 2 {
		t.Errorf("%+v, %d runs", l, w.count(t, "issuance_mac"))
	}
}

func TestRunsOfASource(t *testing.T) {
	w := newWorks(t)
	w.run(t)
	l := w.bring(t, "78da07000001\n78da07000002\n78da07000003\n78da07000010\n78da07000020\n78da07000021\n")
	if l.State != ListReady {
		t.Fatalf("%+v", l)
	}
	pool := source{ranges: []macRange{{first: 1, last: 3}, {first: 16, last: 16}, {first: 32, last: 33}}}
	list := source{list: 1}
	for row := range 6 {
		for n := 1; n <= 6-row; n++ {
			text := func(s *source) (out []string) {
				var runs []run
				err := w.read1(t, s, row, n, &runs)
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range runs {
					for m := r.first; m <= r.last; m++ {
						out = append(out, triple.MACOf(m&0xff).String())
					}
				}
				return out
			}
			a, b := text(&pool), text(&list)
			if diff := cmp.Diff(a, b); diff != "" || len(a) != n {
				t.Errorf("%d rows from %d: %v\n%s", n, row, a, diff)
			}
		}
	}
}

// Files that come in are few at once, count as stored files until they are read, and what they bring counts.
func TestListsAreLimited(t *testing.T) {
	w := newWorks(t)
	var open []MACList
	for i := range maxOpenLists {
		l, err := w.AddList(t.Context(), maker, "own", strings.NewReader(fmt.Sprintf("78da0700000%d\n", i)))
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, l)
	}
	if _, err := w.AddList(t.Context(), maker, "own", strings.NewReader("78da07000009\n")); text(err) != "adding a list of addresses: lists that are being read is 5, the limit is 4" {
		t.Errorf("one more: %q", text(err))
	}
	used := func(of string) string {
		return w.text(t, "SELECT COALESCE(SUM(used), 0) FROM quota_used WHERE subject = 'lamps' AND name = ?", of)
	}
	if got := used("storage_bytes"); got != "52" {
		t.Errorf("%s bytes are taken", got)
	}
	w.run(t)
	for _, l := range open { // four jobs at once: they end in any order
		w.listed(t, l)
	}
	if got := used("storage_bytes") + " " + used("mac_lists") + " " + used("listed_macs"); got != "0 4 4" {
		t.Errorf("afterwards %s are taken", got)
	}
	w.recounted(t)
}
