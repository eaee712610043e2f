package demo

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sync/errgroup"

	"lampworks/internal/household/home"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/node"
	"lampworks/internal/partner/account"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// open serves a node on dir until the test, or the function it returns, ends it.
func open(t *testing.T, dir string) (*node.Node, func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	n, err := node.Open(t.Context(), node.Config{Data: dir, HTTP: "127.0.0.1:0", MQTT: "127.0.0.1:0", Operator: node.OperatorLater}, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	g, ctx := errgroup.WithContext(ctx)
	served := make(chan struct{})
	g.Go(func() error { return n.Run(ctx, func() error { close(served); return nil }) })
	select {
	case <-served:
	case <-ctx.Done():
		t.Fatal(g.Wait())
	}
	ended := false
	end := func() {
		if ended {
			return
		}
		ended = true
		stop()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(end)
	return n, end
}

// whole fails the test unless the stage is complete and there is nothing twice.
func whole(t *testing.T, n *node.Node, s *stage) {
	t.Helper()
	ctx := t.Context()
	who, err := n.Accounts.Authenticate(ctx, s.Token, "test")
	if err != nil {
		t.Fatal(err)
	}
	homes, _, err := n.Homes.List(ctx, who, home.Page{})
	if err != nil || len(homes) != 1 || homes[0].ID != s.Home {
		t.Fatalf("homes %v, want %s alone: %v", homes, s.Home, err)
	}
	h, err := n.Homes.Load(ctx, who, s.Home)
	if err != nil || len(h.Rooms) != len(rooms) || len(h.Devices) != len(cast) || len(s.Devices) != len(cast) {
		t.Errorf("%d rooms and %d devices, the stage has %d, want %d and %d: %v", len(h.Rooms), len(h.Devices), len(s.Devices), len(rooms), len(cast), err)
	}
	products, err := n.Products.List(ctx, who, listing.Ask{})
	if err != nil || len(products.Items) != 5 {
		t.Errorf("%d products, want one of each of 5 categories: %v", len(products.Items), err)
	}
	organisations, err := n.Accounts.Organisations(ctx, operator(), listing.Ask{})
	if err != nil || len(organisations.Items) != 1 {
		t.Errorf("%d organisations, want 1: %v", len(organisations.Items), err)
	}
	if s.Password != "" {
		t.Error("the password is kept")
	}
}

// TestKilledAnywhere ends the building of the stage after each of its steps, and at arbitrary times, and builds on.
func TestKilledAnywhere(t *testing.T) {
	cut := func(upTo func(context.Context, *stage, *node.Node, access.Actor) error) func(*testing.T, *node.Node, string) {
		return func(t *testing.T, n *node.Node, dir string) {
			s := &stage{Password: "long enough for a password"}
			if err := s.save(dir); err != nil {
				t.Fatal(err)
			}
			who, err := s.founder(t.Context(), n)
			if err == nil {
				err = upTo(t.Context(), s, n, who)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, kill := range map[string]func(*testing.T, *node.Node, string){
		"before the user": func(t *testing.T, _ *node.Node, dir string) {
			if err := (&stage{Password: "long enough for a password"}).save(dir); err != nil {
				t.Fatal(err)
			}
		},
		"after the user": func(t *testing.T, n *node.Node, dir string) {
			s := &stage{Password: "long enough for a password"}
			_, err := n.Accounts.AddUser(t.Context(), operator(), account.NewUser{Login: login, Password: account.NewPassword(s.Password)})
			if err := errors.Join(err, s.save(dir)); err != nil {
				t.Fatal(err)
			}
		},
		"after the organisation": cut(func(context.Context, *stage, *node.Node, access.Actor) error { return nil }),
		"after the home": cut(func(ctx context.Context, _ *stage, n *node.Node, who access.Actor) error {
			_, err := n.Homes.Create(ctx, who, home.Names{"en": "Xiaoman's home"})
			return err
		}),
		"before the token": cut(func(ctx context.Context, s *stage, n *node.Node, who access.Actor) error {
			return s.furnish(ctx, n, who)
		}),
		"anywhere": func(t *testing.T, n *node.Node, dir string) {
			for after := time.Duration(0); after < 40*time.Millisecond; after += 3 * time.Millisecond {
				ctx, cancel := context.WithTimeout(t.Context(), after)
				_, err := setUp(ctx, n, dir, 0)
				cancel()
				if err == nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			n, end := open(t, dir)
			kill(t, n, dir)
			end()
			n, _ = open(t, dir)
			s, err := setUp(t.Context(), n, dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			whole(t, n, s)
			again, err := setUp(t.Context(), n, dir, 0)
			if err != nil || !reflect.DeepEqual(again, s) {
				t.Errorf("the next run finds %+v, %v, want %+v", again, err, s)
			}
		})
	}
}

func TestLostStageFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	n, _ := open(t, dir)
	if _, err := setUp(t.Context(), n, dir, 0); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, stageFile)); err != nil {
		t.Fatal(err)
	}
	_, err := setUp(t.Context(), n, dir, 0)
	if want := "there is a user demo whose demo.json is lost; name another --data: "; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want one that begins with %q", err, want)
	}
}

// TestSparesGrow asks for more triples with each run: those that were written stay.
func TestSparesGrow(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	n, _ := open(t, dir)
	var before []byte
	for _, tt := range []struct{ ask, have int }{{0, 0}, {2, 2}, {2, 2}, {5, 5}, {1, 5}} {
		if _, err := setUp(t.Context(), n, dir, tt.ask); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, sparesFile))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
		different := make(map[string]bool)
		for _, l := range lines {
			if l != "" {
				different[l] = true
			}
		}
		if len(different) != tt.have || !bytes.HasPrefix(b, before) {
			t.Errorf("asked for %d: %d triples, want %d after what was there", tt.ask, len(different), tt.have)
		}
		before = b
	}
}

func TestPrintNamesRooms(t *testing.T) {
	var out bytes.Buffer
	Print(&out, &voice.Answer{Actions: []voice.Act{{Op: "set", Prop: "brightness", Value: 50.0, Targets: []voice.Target{
		{Room: "r1", Name: "灯", Outcome: "done"}, {Room: "r2", Name: "灯", Outcome: "failed", Reason: "silent"},
	}}}}, map[string]string{"r1": "客厅"})
	for _, want := range []string{"  客厅 / 灯: set brightness=50 -> done\n", "  灯: set brightness=50 -> failed silent\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q lacks %q", out.String(), want)
		}
	}
}
