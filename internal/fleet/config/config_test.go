package config_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func room(t *testing.T) (*devicetest.Works, *config.Service) {
	t.Helper()
	w := devicetest.New(t, 0)
	return w, config.New(w.Store, w.Products, w.Keys, w.Bus)
}

// TestVersions: a file never changes, the newest is in force, and only so many are kept.
func TestVersions(t *testing.T) {
	w, s := room(t)
	if _, err := s.Current(t.Context(), w.Product.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("of nothing: %v", err)
	}
	for i := range config.MaxVersions + 2 {
		document := fmt.Sprintf(`{ "every_s": %d, "名": "灯" }`, i)
		v, err := s.Upload(t.Context(), w.Maker, w.Product.ID, []byte(document), "a note")
		if err != nil || v.Number != i+1 || len(v.ID) != 32 {
			t.Fatalf("upload %d: %+v, %v", i, v, err)
		}
		got, err := s.Current(t.Context(), w.Product.ID)
		if err != nil || got.ID != v.ID || string(got.Document) != document || got.Size != len(document) || got.SHA256 != v.SHA256 {
			t.Fatalf("in force is %+v, %v; want %+v", got, err, v)
		}
	}
	page, err := s.Versions(t.Context(), w.Maker, w.Product.ID, listing.Ask{})
	if err != nil || len(page.Items) != config.MaxVersions || page.Items[0].Number != config.MaxVersions+2 || page.Items[0].Size != 31 {
		t.Errorf("%d versions, %+v, %v", len(page.Items), page.Items[0], err)
	}
	if v, err := s.Version(t.Context(), w.Maker, w.Product.ID, 3); err != nil || !strings.Contains(string(v.Document), "2") {
		t.Errorf("version 3: %+v, %v", v, err)
	}
	if _, err := s.Version(t.Context(), w.Maker, w.Product.ID, 2); !fault.Is(err, fault.Missing) {
		t.Errorf("version 2 is kept: %v", err)
	}
}

// TestRefused: what is no configuration, and what is another's, changes nothing.
func TestRefused(t *testing.T) {
	w, s := room(t)
	for _, tt := range []struct {
		who            access.Actor
		document, note string
		code           fault.Code
	}{
		{w.Maker, `[1]`, "", fault.Malformed},
		{w.Maker, `null`, "", fault.Malformed},
		{w.Maker, `{"a":`, "", fault.Malformed},
		{w.Maker, "{\"a\":\"\xff\"}", "", fault.Malformed},
		{w.Maker, `{"a":"` + strings.Repeat("x", config.MaxSize) + `"}`, "", fault.TooBig},
		{w.Maker, `{}`, strings.Repeat("n", 501), fault.Malformed},
		{w.Stranger, `{}`, "", fault.Missing},
	} {
		if _, err := s.Upload(t.Context(), tt.who, w.Product.ID, []byte(tt.document), tt.note); !fault.Is(err, tt.code) {
			t.Errorf("%.30s: %v, want %s", tt.document, err, tt.code)
		}
	}
	if _, err := s.Push(t.Context(), w.Maker, w.Product.ID, 1); !fault.Is(err, fault.Missing) {
		t.Errorf("pushing nothing: %v", err)
	}
	for range 2 {
		if _, err := s.Upload(t.Context(), w.Maker, w.Product.ID, []byte(`{}`), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Push(t.Context(), w.Maker, w.Product.ID, 1); !fault.Is(err, fault.Clash) {
		t.Errorf("pushing an old version: %v", err)
	}
	if _, err := s.Push(t.Context(), w.Stranger, w.Product.ID, 2); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger pushes: %v", err)
	}
	if _, err := s.Versions(t.Context(), w.Stranger, w.Product.ID, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger reads versions: %v", err)
	}
	if _, err := s.History(t.Context(), w.Stranger, w.Product.ID, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger reads pushes: %v", err)
	}
}

// TestPushes: each is told once, and its figures add up.
func TestPushes(t *testing.T) {
	w, s := room(t)
	if _, err := s.Upload(t.Context(), w.Maker, w.Product.ID, []byte(`{}`), ""); err != nil {
		t.Fatal(err)
	}
	heard := make(chan string, 10)
	defer w.Bus.Subscribe(config.PushSubject+">", func(subject string, _ []byte) { heard <- subject })()
	before, err := s.NewestPush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.Push(t.Context(), w.Maker, w.Product.ID, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := <-heard; got != config.PushSubject+w.Product.ID {
		t.Errorf("heard %s", got)
	}
	list, newest, err := s.Pushes(t.Context(), before)
	if err != nil || len(list) != 1 || list[0].Seq != p.Seq || newest != p.Seq {
		t.Errorf("pushes are %+v, %d, %v", list, newest, err)
	}
	if list, newest, err := s.Pushes(t.Context(), newest); err != nil || len(list) != 0 || newest != p.Seq {
		t.Errorf("after it: %+v, %d, %v", list, newest, err)
	}
	for range 2 {
		if err := s.Took(t.Context(), p.Seq, 3, 2); err != nil {
			t.Fatal(err)
		}
	}
	page, err := s.History(t.Context(), w.Maker, w.Product.ID, listing.Ask{})
	if err != nil || len(page.Items) != 1 || page.Items[0].Sent != 6 || page.Items[0].Confirmed != 4 {
		t.Errorf("%+v, %v", page.Items, err)
	}
	err = w.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE config_push SET created_at = created_at - 660000")
		return err
	})
	if list, newest, err2 := s.Pushes(t.Context(), before); err != nil || err2 != nil || len(list) != 0 || newest != p.Seq {
		t.Errorf("a push that is over is %+v, %d, %v, %v", list, newest, err, err2)
	}
}

// TestLinks: a link opens its file, and no letter of it may be another.
func TestLinks(t *testing.T) {
	w, s := room(t)
	v, err := s.Upload(t.Context(), w.Maker, w.Product.ID, []byte(`{"a":1}`), "")
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.Link(t.Context(), &v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open(t.Context(), link); err != nil || string(got) != `{"a":1}` {
		t.Errorf("opened %s, %v", got, err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(link)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if got, err := s.Open(t.Context(), base64.RawURLEncoding.EncodeToString(raw)); !fault.Is(err, fault.Missing) {
			t.Errorf("with byte %d changed it opens %s, %v", i, got, err)
		}
		raw[i] ^= 1
	}
	for _, bad := range []string{"", "x", link[1:], link + "A", strings.Repeat("A", len(link)), "../../etc/passwd"} {
		if _, err := s.Open(t.Context(), bad); !fault.Is(err, fault.Missing) {
			t.Errorf("%q opens %v", bad, err)
		}
	}
	s.SetClock(func() time.Time { return time.Now().Add(config.LinkTime + 2*time.Second) })
	if _, err := s.Open(t.Context(), link); !fault.Is(err, fault.Lapsed) {
		t.Errorf("after its time it opens %v", err)
	}
}

// TestErase leaves nothing of a product.
func TestErase(t *testing.T) {
	for _, kind := range []string{"product", "organisation"} {
		w, s := room(t)
		id := map[string]string{"product": w.Product.ID, "organisation": w.Maker.Organisation}[kind]
		for range 5 {
			if _, err := s.Upload(t.Context(), w.Maker, w.Product.ID, []byte(`{}`), ""); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Push(t.Context(), w.Maker, w.Product.ID, 5); err != nil {
			t.Fatal(err)
		}
		holds := func() (n int64) {
			err := w.Store.Read(t.Context(), func(v *store.View) (err error) {
				n, err = s.Holds(t.Context(), v, kind, id)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := holds(); n != 6 {
			t.Errorf("of the %s there are %d rows, want 6", kind, n)
		}
		for more := true; more; {
			err := w.Store.Write(t.Context(), func(tx *store.Tx) (err error) {
				more, err = s.Erase(t.Context(), tx, kind, id, 2)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := holds(); n != 0 {
			t.Errorf("of the %s %d rows are left", kind, n)
		}
	}
}
