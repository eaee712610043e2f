package product

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/tsl"
)

const (
	dimmable = `{"properties":[{"identifier":"brightness","name":"亮度","accessMode":"rw","dataType":{"type":"int","specs":{"min":"1","max":"100"}}}]}`
	brighter = `{"properties":[{"identifier":"brightness","name":"亮度","accessMode":"rw","dataType":{"type":"int","specs":{"min":"1","max":"255"}}}]}`
	narrower = `{"properties":[{"identifier":"brightness","name":"亮度","accessMode":"rw","dataType":{"type":"int","specs":{"min":"1","max":"50"}}}]}`
)

func (w *works) dimmable(t testing.TB) Product {
	t.Helper()
	p, err := w.Create(t.Context(), w.maker, NewProduct{Category: "light", Names: Names{"en": "Lamp"}, Document: []byte(dimmable)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDraftAndPublish(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	ctx := t.Context()

	d, err := w.Draft(ctx, w.maker, p.ID)
	if err != nil || d.Revision != 0 || string(d.Document) != dimmable {
		t.Fatalf("without a draft Draft is %+v, %v", d, err)
	}
	if _, err := w.Publish(ctx, w.maker, p.ID, Publication{}); text(err) != "conflict: product "+p.ID+" has no draft to publish" {
		t.Errorf("publishing nothing: %v", err)
	}

	w.pass(time.Second)
	broken, err := w.SaveDraft(ctx, w.maker, p.ID, NewDraft{Document: []byte(`{"properties":[{}]}`)})
	if err != nil || len(broken.Problems) != 4 || broken.Changes != nil {
		t.Fatalf("a broken draft is %+v, %v", broken, err)
	}
	_, err = w.Publish(ctx, w.maker, p.ID, Publication{})
	if problems, ok := errors.AsType[tsl.Problems](err); !ok || len(problems) != 4 || fault.Of(err).Where != "/document/properties/0/identifier" {
		t.Errorf("publishing a broken draft: %v", err)
	}

	d, err = w.SaveDraft(ctx, w.maker, p.ID, NewDraft{Document: []byte(" " + brighter), Revision: broken.Revision})
	if err != nil || d.Revision <= broken.Revision || len(d.Changes) != 1 || d.Changes[0].Text != "max was 100, is 255" {
		t.Fatalf("the second draft is %+v, %v", d, err)
	}
	_, err = w.SaveDraft(ctx, w.maker, p.ID, NewDraft{Document: []byte(narrower), Revision: broken.Revision})
	if !fault.Is(err, fault.Outdated) {
		t.Errorf("saving over somebody's work: %v", err)
	}

	old, err := w.Model(ctx, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	v, err := w.Publish(ctx, w.maker, p.ID, Publication{Note: "brighter lamps"})
	if err != nil || v.Number != 2 || v.Breaking || len(v.Changes) != 1 || string(v.Document) != brighter || v.PublishedBy != w.maker.User {
		t.Fatalf("Publish gave %+v, %v", v, err)
	}
	m, err := w.Model(ctx, p.ID)
	if err != nil || m == old || m.CheckPost([]byte(`{"brightness":200}`), nil) != nil {
		t.Errorf("the new version is not in force: %v", err)
	}
	if old.CheckPost([]byte(`{"brightness":200}`), nil) == nil {
		t.Error("the old model changed")
	}
	if d, err := w.Draft(ctx, w.maker, p.ID); err != nil || d.Revision != 0 || string(d.Document) != brighter {
		t.Errorf("after publishing Draft is %+v, %v", d, err)
	}
	if got := strings.Join(w.told, " "); got != p.ID+"@1 "+p.ID+"@2" {
		t.Errorf("the hook was told %s", got)
	}
	if p, _ := w.Load(ctx, w.maker, p.ID); p.Version != 2 {
		t.Errorf("the product says version %d", p.Version)
	}
	if e := w.entries(t, "maker"); e[0].Act != "product.publish" || e[0].Note != "version 2, 1 changes, breaking false, brighter lamps" {
		t.Errorf("audit has %+v", e[0])
	}
}

func TestPublishMarksBreaking(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	ctx := t.Context()
	if _, err := w.SaveDraft(ctx, w.maker, p.ID, NewDraft{Document: []byte(narrower)}); err != nil {
		t.Fatal(err)
	}
	if v, err := w.Publish(ctx, w.maker, p.ID, Publication{}); err != nil || !v.Breaking {
		t.Errorf("Publish gave %+v, %v", v, err)
	}
	if _, err := w.SaveDraft(ctx, w.maker, p.ID, NewDraft{Document: []byte(narrower)}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Publish(ctx, w.maker, p.ID, Publication{}); text(err) != "conflict: the draft says nothing else than version 2" {
		t.Errorf("publishing the same again: %v", err)
	}
	if err := w.DropDraft(ctx, w.maker, p.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.DropDraft(ctx, w.maker, p.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("dropping nothing: %v", err)
	}
	versions, next, err := w.Versions(ctx, w.maker, p.ID, 0, 1)
	if err != nil || len(versions) != 1 || versions[0].Number != 2 || !versions[0].Breaking || versions[0].Document != nil || next != 2 {
		t.Errorf("the first page is %+v, %d, %v", versions, next, err)
	}
	versions, next, err = w.Versions(ctx, w.maker, p.ID, next, 1)
	if err != nil || len(versions) != 1 || versions[0].Number != 1 || next != 0 {
		t.Errorf("the second page is %+v, %d, %v", versions, next, err)
	}
	if v, err := w.Version(ctx, w.maker, p.ID, 1); err != nil || string(v.Document) != dimmable {
		t.Errorf("version 1 is %+v, %v", v, err)
	}
	if _, err := w.Version(ctx, w.maker, p.ID, 9); text(err) != `not_found: there is no version of product `+p.ID+` "9"` {
		t.Errorf("version 9: %v", err)
	}
}

// A hook that fails keeps the version from being published, and the model in force stays.
func TestPublishIsOneTransaction(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	if _, err := w.SaveDraft(t.Context(), w.maker, p.ID, NewDraft{Document: []byte(brighter)}); err != nil {
		t.Fatal(err)
	}
	model, before := must(w.Model(t.Context(), p.ID)), w.rows(t)
	w.refuse = errors.New("no room")
	if _, err := w.Publish(t.Context(), w.maker, p.ID, Publication{}); !errors.Is(err, w.refuse) {
		t.Errorf("Publish gave %v", err)
	}
	if after := w.rows(t); after != before {
		t.Errorf("rows are %s, were %s", after, before)
	}
	if must(w.Model(t.Context(), p.ID)) != model {
		t.Error("another model is in force")
	}
}

// The database itself refuses to change a published model.
func TestPublishedModelNeverChanges(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE product_model SET document = '{}' WHERE product = ?", p.ID)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "a published thing model never changes") {
		t.Errorf("the update gave %v", err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestKnown(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	ctx := t.Context()
	known := must(w.ByKey(ctx, p.ProductKey))
	if known.ID != p.ID || known.Organisation != "maker" {
		t.Errorf("ByKey gave %+v", known)
	}
	model := must(w.Model(ctx, p.ID))
	if c := must(w.Category(ctx, p.ID)); c != "light" {
		t.Errorf("Category gave %s", c)
	}
	for _, err := range []error{
		func() error { _, err := w.ByKey(ctx, "lw000000000"); return err }(),
		func() error { _, err := w.Model(ctx, "nothing"); return err }(),
		func() error { _, err := w.Category(ctx, "nothing"); return err }(),
	} {
		if !fault.Is(err, fault.Missing) {
			t.Errorf("what is not there gives %v", err)
		}
	}
	// After its time an entry is compared with its row, and keeps the very model while the version is the same.
	w.pass(knownTime)
	if must(w.Model(ctx, p.ID)) != model {
		t.Error("the comparison compiled the same version again")
	}
	// Another process publishes: seen after the time, not before.
	if err := w.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, insertModelSQL, p.ID, 2, brighter, "", false, 0, ""); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, advanceSQL, 2, 0, p.ID, 1)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if must(w.Model(ctx, p.ID)) != model {
		t.Error("a known model was looked up again before its time")
	}
	w.pass(knownTime)
	if must(w.Model(ctx, p.ID)) == model {
		t.Error("another process's version is not seen after its time")
	}
}

// While the table cannot be read a model that was known goes on being so.
func TestKnownWithoutTable(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	other := w.dimmable(t)
	model := must(w.Model(t.Context(), p.ID))
	if err := w.store.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.pass(knownTime)
		if got, err := w.Model(t.Context(), p.ID); got != model || err != nil {
			t.Errorf("without its table the model is another, or none: %v", err)
		}
	}
	if _, err := w.Model(t.Context(), other.ID); err == nil {
		t.Error("a model that was not known was read from nowhere")
	}
}

// What is kept is bounded, and a look that began before a publication does not bring the older model back.
func TestKnownBounds(t *testing.T) {
	var k known
	for i := range maxKnown + 100 {
		k.keep(&entry{product: Product{ID: fmt.Sprint(i), ProductKey: "k" + fmt.Sprint(i)}}, 0)
	}
	if len(k.byID) != maxKnown || len(k.byKey) != maxKnown {
		t.Errorf("%d and %d entries are kept, want %d", len(k.byID), len(k.byKey), maxKnown)
	}
	_, changes := k.look(&k.byID, "x", time.Time{})
	k.forget("x")
	k.keep(&entry{product: Product{ID: "x", ProductKey: "kx"}}, changes)
	if k.byID["x"] != nil {
		t.Error("an older look came back after the publication")
	}
}

// Many goroutines that ask at once get one and the same model, before and after a publication.
func TestModelConcurrently(t *testing.T) {
	w := newWorks(t)
	p := w.dimmable(t)
	if _, err := w.SaveDraft(t.Context(), w.maker, p.ID, NewDraft{Document: []byte(brighter)}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 200 {
				m, err := w.Model(t.Context(), p.ID)
				if err != nil || len(m.Properties()) != 1 {
					t.Errorf("Model gave %v, %v", m, err)
					return
				}
			}
		})
	}
	if _, err := w.Publish(t.Context(), w.maker, p.ID, Publication{}); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if must(w.Model(t.Context(), p.ID)).CheckPost([]byte(`{"brightness":200}`), nil) != nil {
		t.Error("the published version is not in force")
	}
}

func BenchmarkModel(b *testing.B) {
	w := newWorks(b)
	w.now = time.Now
	p := w.lamp(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.Model(b.Context(), p.ID); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkByKey(b *testing.B) {
	w := newWorks(b)
	w.now = time.Now
	p := w.lamp(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.ByKey(b.Context(), p.ProductKey); err != nil {
			b.Fatal(err)
		}
	}
}
