package test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"lampworks/internal/infra/store"
	storesqlite "lampworks/internal/infra/store/sqlite"
)

type orderView struct {
	ID, State        string
	Quantity, Issued int
}

type idPage struct {
	Items []struct {
		ID         string
		DeviceName string `json:"device_name"`
		Act        string
		Generation int
	}
	Next string `json:"next_cursor"`
}

// all reads a list to its end.
func (s *server) all(t *testing.T, path string) (p idPage) {
	t.Helper()
	for cursor := ""; ; {
		var part idPage
		s.call(t, "GET", path+"&cursor="+cursor, nil, &part)
		p.Items = append(p.Items, part.Items...)
		if cursor = part.Next; cursor == "" {
			return p
		}
	}
}

// TestKillDuringIssue ends the program with SIGKILL while orders are applied for, issued and downloaded, 20 times (twice with
// -short). Afterwards every order has a true end, no two devices share a name, the limit counts exactly what was issued, and
// each act left one entry.
func TestKillDuringIssue(t *testing.T) {
	t.Parallel()
	kills := howOften()
	s, maker := makes(t)
	dir, token := s.dir, maker.session
	product := maker.does(t, "POST", "/products", map[string]any{"category": "light", "names": names("灯", "lamp")}).id(t)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	var err error
	for range kills {
		if s, err = start(dir, "serve"); err != nil {
			t.Fatalf("the start after a kill: %v", err)
		}
		s.token = token
		untilKilled(t.Context(), s, 2, func(ctx context.Context) error { return order(ctx, s, product) })
	}
	if s, err = start(dir, "serve"); err != nil {
		t.Fatalf("the start after the last kill: %v", err)
	}
	s.token = token
	issued, quantity := ordersEnded(t, s, product)
	if err := s.stop(); err != nil {
		t.Errorf("ending the server: %v\n%s", err, s.log.tail(40))
	}
	if used := used(t, filepath.Join(dir, "data", "lampworks.db"), product); used != quantity {
		t.Errorf("%d triples were issued, and the limit counts %d", quantity, used)
	}
	t.Logf("%d kills, %d orders issued, %d triples", kills, issued, quantity)
	if issued == 0 {
		t.Error("there was no load")
	}
}

// makes is a platform with a maker who may order many triples for debugging, and download them: the second factor was shown.
func makes(t *testing.T) (*server, *person) {
	t.Helper()
	s, operator := operated(t, "en")
	maker := &person{s: s, lang: "en", login: "maker", password: "a lamp in every window"}
	org := operator.admits(t, maker)
	operator.does(t, "POST", "/limits/overrides", map[string]any{
		"subject": map[string]string{"kind": "organisation", "id": org}, "limit": "debug_triples", "purpose": "set", "value": 10_000_000, "reason": "a test",
	})
	maker.signIn(t)
	maker.enrol(t)
	return s, maker
}

// howOften is how many times a test kills the program.
func howOften() int {
	switch {
	case testing.Short():
		return 2
	case os.Getenv("LAMPWORKS_SOAK") != "": // make soak
		return 200
	}
	return 20
}

// untilKilled has workers repeat what they do until the server is killed at a random moment.
func untilKilled(ctx context.Context, s *server, workers int, do func(context.Context) error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for ctx.Err() == nil && do(ctx) == nil {
			}
		})
	}
	time.Sleep(20*time.Millisecond + rand.N(600*time.Millisecond)) // the random moment
	s.kill()
	stop()
	wg.Wait()
}

// order orders triples, waits and downloads them.
func order(ctx context.Context, s *server, product string) error {
	var o orderView
	_, err := s.try("POST", "/api/v1/products/"+product+"/orders", map[string]any{"quantity": 500 + rand.N(1500), "purpose": "debug"}, &o)
	for err == nil && o.State != "issued" {
		time.Sleep(5 * time.Millisecond)
		_, err = s.try("GET", "/api/v1/orders/"+o.ID, nil, &o)
	}
	for range 2 {
		var d struct{ ID string }
		if err == nil {
			_, err = s.try("POST", "/api/v1/orders/"+o.ID+"/downloads", map[string]string{"reason": "a test"}, &d)
		}
		if err != nil {
			return err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.http+"/api/v1/downloads/"+d.ID+"/file", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// ordersEnded waits for the end of each order and holds what is there against it.
func ordersEnded(t *testing.T, s *server, product string) (issued, quantity int) {
	s.noneOpen(t)
	names := make(map[string]bool)
	for _, item := range s.all(t, "/api/v1/orders?product="+product).Items {
		var o orderView
		eventually(t, "the end of order "+item.ID, func() (bool, any) {
			s.call(t, "GET", "/api/v1/orders/"+item.ID, nil, &o)
			return o.State != "requested" && o.State != "issuing", o
		})
		acts := s.acts(t, o.ID)
		downloads := s.all(t, "/api/v1/downloads?order="+o.ID).Items
		if acts["order.request"] != 1 || acts["order.issue"] != 1 || acts["order.download"] != len(downloads) || o.State != "issued" || o.Issued != o.Quantity {
			t.Errorf("order %+v has the entries %v, and %d downloads", o, acts, len(downloads))
		}
		generations := make(map[int]bool)
		for _, d := range downloads {
			if generations[d.Generation] {
				t.Errorf("order %s: generation %d was handed out twice", o.ID, d.Generation)
			}
			generations[d.Generation] = true
		}
		devices := s.all(t, "/api/v1/devices?limit=500&order="+o.ID).Items
		for _, d := range devices {
			if names[d.DeviceName] {
				t.Errorf("two devices are called %s", d.DeviceName)
			}
			names[d.DeviceName] = true
		}
		if len(devices) != o.Quantity {
			t.Errorf("order %s of %d has %d devices", o.ID, o.Quantity, len(devices))
		}
		issued++
		quantity += o.Quantity
	}
	return issued, quantity
}

// noneOpen waits until every order has ended, as long as one after the other does.
func (s *server) noneOpen(t *testing.T) {
	t.Helper()
	left, since := -1, time.Now()
	for {
		now := 0
		for _, state := range []string{"requested", "issuing"} {
			now += len(s.all(t, "/api/v1/orders?limit=500&state="+state).Items)
		}
		switch {
		case now == 0:
			return
		case now != left:
			left, since = now, time.Now()
		case time.Since(since) > patience:
			t.Fatalf("for %s none of %d orders has ended", patience, now)
		}
		time.Sleep(20 * time.Millisecond) // between two looks, not for something to happen
	}
}

// used is what the limit of triples for debugging counts.
func used(t *testing.T, path, product string) (n int) {
	db, err := storesqlite.Open(t.Context(), path, storesqlite.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT used FROM quota_used WHERE subject = ? AND name = 'debug_triples'", product).Scan(&n)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}
