package product

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/triple"
	"lampworks/tsl"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A works is a service on a store of its own, with two organisations.
type works struct {
	*Service
	root         string
	maker, other access.Actor
	mu           sync.Mutex
	t            time.Time
	told         []string
	refuse       error
}

func newWorks(t testing.TB) *works {
	t.Helper()
	dir := t.TempDir()
	w := &works{root: filepath.Join(dir, "root.key"), maker: engineer("maker"), other: engineer("other"), t: time.UnixMilli(1_800_000_000_000)}
	w.open(t, storetest.Open(t))
	return w
}

func (w *works) open(t testing.TB, s *store.Store) {
	t.Helper()
	keys, err := keyring.Open(t.Context(), s, w.root)
	if err != nil {
		t.Fatal(err)
	}
	w.Service = New(s, keys, slog.New(slog.DiscardHandler), func(_ context.Context, _ *store.Tx, product string, version int) error {
		w.told = append(w.told, fmt.Sprintf("%s@%d", product, version))
		return w.refuse
	})
	w.now = w.clock
}

func (w *works) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.t
}

func (w *works) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.t = w.t.Add(d)
}

func engineer(organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "u-" + organisation, User: "u-" + organisation, Organisation: organisation, Roles: []access.Role{access.Engineer}, Login: "ann"}
}

func query(organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "q", User: "q", Organisation: organisation, Roles: []access.Role{access.Query}, Login: "quentin"}
}

func (w *works) lamp(t testing.TB) Product {
	t.Helper()
	p, err := w.Create(t.Context(), w.maker, NewProduct{Category: "light", Names: Names{"zh-CN": "床头灯", "en": "Bedside lamp"}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// entries are the acts in the audit of an organisation, newest first.
func (w *works) entries(t testing.TB, organisation string) []audit.Entry {
	t.Helper()
	var entries []audit.Entry
	if err := w.store.Read(t.Context(), func(v *store.View) error {
		var err error
		entries, _, err = audit.List(t.Context(), v, organisation, audit.Filter{})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return entries
}

// rows counts everything this room wrote, to see that a refusal wrote nothing.
func (w *works) rows(t testing.TB) string {
	t.Helper()
	var n [5]int
	if err := w.store.Read(t.Context(), func(v *store.View) error {
		for i, table := range []string{"product", "product_draft", "product_model", "keyring_product", "audit_entry"} {
			if err := v.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n[i]); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(n)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	if f := fault.Of(err); f != nil {
		return string(f.Code) + ": " + f.Sentence()
	}
	return err.Error()
}

func TestCreate(t *testing.T) {
	w := newWorks(t)
	p := w.lamp(t)
	if p.ProductID != 10001 || p.ProductKey != triple.ProductKey(10001) || p.Version != 1 || p.Organisation != "maker" || !p.CreatedAt.Equal(w.clock()) {
		t.Errorf("created %+v", p)
	}
	loaded, err := w.Load(t.Context(), w.maker, p.ID)
	if err != nil || fmt.Sprint(loaded) != fmt.Sprint(p) {
		t.Errorf("loaded %+v, %v\nwant %+v", loaded, err, p)
	}
	if q := w.lamp(t); q.ProductID != 10002 || q.ProductKey == p.ProductKey {
		t.Errorf("the second is %+v", q)
	}
	if err := w.store.Read(t.Context(), func(v *store.View) error { _, err := w.keys.ProductKey(t.Context(), v, p.ID); return err }); err != nil {
		t.Errorf("the product has no key: %v", err)
	}
	if len(w.told) != 2 || w.told[0] != p.ID+"@1" {
		t.Errorf("the hook was told %v", w.told)
	}
	e := w.entries(t, "maker")
	if len(e) != 2 || e[1].Act != "product.create" || e[1].Object != p.ID || e[1].Note != `10001 light {"en":"Bedside lamp","zh-CN":"床头灯"}` {
		t.Errorf("audit has %+v", e)
	}
	m, err := w.Model(t.Context(), p.ID)
	if err != nil || m.CheckPost([]byte(`{"powerstate":1,"brightness":50,"colorTemperature":4000}`), nil) != nil {
		t.Errorf("the category's model is not in force: %v", err)
	}
}

func TestCreateRefuses(t *testing.T) {
	w := newWorks(t)
	names := Names{"en": "Lamp"}
	before := w.rows(t)
	for _, tt := range []struct {
		who  access.Actor
		n    NewProduct
		want string
	}{
		{access.Actor{}, NewProduct{Category: "light", Names: names}, `unauthenticated: nobody is signed in`},
		{query("maker"), NewProduct{Category: "light", Names: names}, `forbidden: product.write is not allowed: it needs role owner or engineer`},
		{engineer(""), NewProduct{Category: "light", Names: names}, `forbidden: product.write is not allowed: it needs an organisation to act for`},
		{w.maker, NewProduct{Category: "toaster", Names: names}, `invalid: /category is toaster, want one of the 30 that GET /api/v1/categories lists; the nearest are heater`},
		{w.maker, NewProduct{Category: "light"}, `invalid: /names is empty, want a name in zh-CN, en or both`},
		{w.maker, NewProduct{Category: "light", Names: Names{"fr": "Lampe"}}, `invalid: /names/fr is fr, want the language zh-CN or en`},
		{w.maker, NewProduct{Category: "light", Names: Names{"en": " a"}}, `invalid: /names/en is  a, want 1 to 64 letters on one line without blanks around them`},
		{w.maker, NewProduct{Category: "light", Names: Names{"en": strings.Repeat("灯", 65)}}, `invalid: /names/en is ` + strings.Repeat("灯", 20) + `…, want 1 to 64 letters on one line without blanks around them`},
		{w.maker, NewProduct{Category: "light", Names: names, Document: []byte(`[]`)}, `invalid: /document is [], want a JSON object`},
		{w.maker, NewProduct{Category: "light", Names: names, Document: []byte(`{`)}, `invalid: /document is not JSON: unexpected end of JSON input, want a JSON object`},
		{w.maker, NewProduct{Category: "light", Names: names, Document: []byte("{\"a\":\"\xff\"}")}, `invalid: /document is not UTF-8, want a JSON object in UTF-8`},
		{w.maker, NewProduct{Category: "light", Names: names, Document: bytes.Repeat([]byte(" "), 512<<10+1)}, `too_large: /document has 524289 bytes, the most is 524288`},
		{
			w.maker,
			NewProduct{Category: "light", Names: names, Document: []byte(`{"properties":[{"identifier":"a b","name":"x","accessMode":"r","dataType":{"type":"int"}},{"identifier":"c","name":"x","dataType":{"type":"int"}}]}`)},
			`invalid: the thing model has 2 problems, the first: /properties/0/identifier is "a b", want 1 to 50 letters, digits and underscores`,
		},
	} {
		_, err := w.Create(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("Create(%s %v %.80s)\n got %s\nwant %s", tt.n.Category, tt.n.Names, tt.n.Document, got, tt.want)
		}
	}
	if after := w.rows(t); after != before {
		t.Errorf("refusals changed rows: %s, before %s", after, before)
	}
	_, err := w.Create(t.Context(), w.maker, NewProduct{Category: "light", Names: names, Document: []byte(`{"properties":[{},{}]}`)})
	if problems, ok := errors.AsType[tsl.Problems](err); !ok || len(problems) != 8 {
		t.Errorf("the fault holds %v, want 8 problems", problems)
	}
}

// A hook that fails undoes the creation.
func TestCreateIsOneTransaction(t *testing.T) {
	w := newWorks(t)
	before := w.rows(t)
	w.refuse = errors.New("no room")
	if _, err := w.Create(t.Context(), w.maker, NewProduct{Category: "light", Names: Names{"en": "Lamp"}}); !errors.Is(err, w.refuse) {
		t.Errorf("Create gave %v", err)
	}
	if after := w.rows(t); after != before {
		t.Errorf("rows are %s, were %s", after, before)
	}
	w.refuse = nil
	if p := w.lamp(t); p.ProductID != 10002 {
		t.Errorf("the number of a product that was not made is used again: %s", p.ProductID)
	}
}

// A number is not given again by data restored from before it was given: the mark stands beside the root key.
func TestProductIDSurvivesRestore(t *testing.T) {
	w := newWorks(t)
	old := filepath.Join(t.TempDir(), "old.db")
	s := storetest.OpenAt(t, old)
	keys := filepath.Join(t.TempDir(), "k")
	w.root = keys
	w.open(t, s)
	for range 3 {
		w.lamp(t)
	}
	if err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "DELETE FROM product WHERE product_id > 10001") // the state of an older backup
		return err
	}); err != nil {
		t.Fatal(err)
	}
	w.open(t, s)
	if p := w.lamp(t); p.ProductID != 10004 {
		t.Errorf("the next product is %s, want 10004", p.ProductID)
	}
}

// Products made at the same time get numbers of their own.
func TestCreateConcurrently(t *testing.T) {
	w := newWorks(t)
	w.hooks = nil
	var wg sync.WaitGroup
	var mu sync.Mutex
	numbers := map[triple.ProductID]bool{}
	for range 20 {
		wg.Go(func() {
			p, err := w.Create(t.Context(), w.maker, NewProduct{Category: "fan", Names: Names{"en": "Fan"}})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			numbers[p.ProductID] = true
		})
	}
	wg.Wait()
	if len(numbers) != 20 {
		t.Errorf("20 products have %d numbers", len(numbers))
	}
}

func TestListAndSearch(t *testing.T) {
	w := newWorks(t)
	for _, n := range []NewProduct{
		{Category: "light", Names: Names{"zh-CN": "床头灯", "en": "Bedside lamp"}},
		{Category: "curtain", Names: Names{"zh-CN": "电动窗帘"}},
		{Category: "light", Names: Names{"en": "Desk LAMP"}},
	} {
		if _, err := w.Create(t.Context(), w.maker, n); err != nil {
			t.Fatal(err)
		}
		w.pass(time.Second)
	}
	if _, err := w.Create(t.Context(), w.other, NewProduct{Category: "light", Names: Names{"en": "Foreign lamp"}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		ask  listing.Ask
		want string
	}{
		{listing.Ask{}, "10001 10002 10003"},
		{listing.Ask{Filters: map[string]string{ByCategory: "light"}}, "10001 10003"},
		{listing.Ask{Filters: map[string]string{ByCategory: "light", ByState: "draft", ByKind: "terminal", ByFlagged: "false"}}, "10001 10003"},
		{listing.Ask{Filters: map[string]string{ByState: "debug"}}, ""},
		{listing.Ask{Filters: map[string]string{ByFlagged: "true"}}, ""},
		{listing.Ask{Sort: "-changed_at"}, "10003 10002 10001"},
		{listing.Ask{Filters: map[string]string{BySearch: "Lamp"}}, "10001 10003"},
		{listing.Ask{Filters: map[string]string{BySearch: "窗帘"}}, "10002"},
		{listing.Ask{Filters: map[string]string{BySearch: "10003"}}, "10003"},
		{listing.Ask{Filters: map[string]string{BySearch: strings.ToUpper(triple.ProductKey(10001))}}, "10001"},
		{listing.Ask{Filters: map[string]string{BySearch: "%"}}, ""},
		{listing.Ask{Filters: map[string]string{BySearch: "_"}}, ""},
		{listing.Ask{Limit: 2}, "10001 10002 …10003"},
		{listing.Ask{Filters: map[string]string{BySearch: "foreign"}}, ""},
		{listing.Ask{Filters: map[string]string{"organisation": "other"}}, "10001 10002 10003"},
	} {
		page, err := w.List(t.Context(), w.maker, tt.ask)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range page.Items {
			got = append(got, p.ProductID.String())
		}
		if page.Next != "" {
			ask := tt.ask
			ask.Cursor = page.Next
			page, err := w.List(t.Context(), w.maker, ask)
			if err != nil || len(page.Items) == 0 {
				t.Fatalf("the next page: %v %v", page, err)
			}
			got = append(got, "…"+page.Items[0].ProductID.String())
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("List(%+v) = %s, want %s", tt.ask, s, tt.want)
		}
	}
	if _, err := w.List(t.Context(), w.maker, listing.Ask{Limit: 501}); text(err) != "invalid: /limit is 501, want an integer from 1 to 500" {
		t.Errorf("a limit of 501: %v", err)
	}
	if _, err := w.List(t.Context(), w.maker, listing.Ask{Filters: map[string]string{ByFlagged: "maybe"}}); text(err) != `invalid: /flagged is maybe, want "true" or "false"` {
		t.Errorf("flagged maybe: %v", err)
	}
}

func TestListsAreIndexed(t *testing.T) {
	s := storetest.Open(t)
	listingtest.Prove(t, s, products())
	listingtest.Prove(t, s, offers())
	listingtest.Prove(t, s, papers())
}

func TestRename(t *testing.T) {
	w := newWorks(t)
	p := w.lamp(t)
	if _, err := w.ByKey(t.Context(), p.ProductKey); err != nil {
		t.Fatal(err)
	}
	if err := w.Rename(t.Context(), w.maker, p.ID, Names{"en": "Night light"}); err != nil {
		t.Fatal(err)
	}
	known, err := w.ByKey(t.Context(), p.ProductKey)
	if err != nil || known.Names["en"] != "Night light" {
		t.Errorf("ByKey still knows %v (%v)", known.Names, err)
	}
	if page, _ := w.List(t.Context(), w.maker, listing.Ask{Filters: map[string]string{BySearch: "night"}}); len(page.Items) != 1 {
		t.Error("the new name is not found")
	}
	if e := w.entries(t, "maker"); e[0].Act != "product.rename" || e[0].Note != `{"en":"Night light"}` {
		t.Errorf("audit has %+v", e[0])
	}
}

// Nobody sees or changes what belongs to another organisation.
func TestForeignProductIsNotFound(t *testing.T) {
	w := newWorks(t)
	p := w.lamp(t)
	before := w.rows(t)
	want := "not_found: there is no product \"" + p.ID + "\""
	ctx := t.Context()
	for name, act := range map[string]func(access.Actor) error{
		"Load":   func(who access.Actor) error { _, err := w.Load(ctx, who, p.ID); return err },
		"Rename": func(who access.Actor) error { return w.Rename(ctx, who, p.ID, Names{"en": "Mine"}) },
		"Draft":  func(who access.Actor) error { _, err := w.Draft(ctx, who, p.ID); return err },
		"SaveDraft": func(who access.Actor) error {
			_, err := w.SaveDraft(ctx, who, p.ID, NewDraft{Document: []byte(`{}`)})
			return err
		},
		"DropDraft": func(who access.Actor) error { return w.DropDraft(ctx, who, p.ID) },
		"Publish":   func(who access.Actor) error { _, err := w.Publish(ctx, who, p.ID, Publication{}); return err },
		"Version":   func(who access.Actor) error { _, err := w.Version(ctx, who, p.ID, 1); return err },
		"Versions":  func(who access.Actor) error { _, _, err := w.Versions(ctx, who, p.ID, 0, 10); return err },
	} {
		if got := text(act(w.other)); got != want {
			t.Errorf("%s of another's product: %s, want %s", name, got, want)
		}
		if got := text(act(access.Actor{})); !strings.HasPrefix(got, "unauthenticated") {
			t.Errorf("%s by nobody: %s", name, got)
		}
	}
	if after := w.rows(t); after != before {
		t.Errorf("refusals changed rows: %s, before %s", after, before)
	}
}
