package scene_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"go.uber.org/goleak"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/product"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// road stands in for the room command, which needs a gateway and devices: it notes what is submitted, in one transaction with
// what stands alongside, and lets each device end its command as the test says. Everything else in these tests is real.
type road struct {
	store    *store.Store
	mu       sync.Mutex
	requests []command.Request
	commands map[string]command.Command
	ends     map[string]func(*command.Command) // by device; none: success
	refuse   func(reqs []command.Request) error
	unread   int // how often the end of commands cannot be read
}

// Submit implements scene.Commands.
func (r *road) Submit(ctx context.Context, _ access.Actor, reqs ...command.Request) ([]command.Command, error) {
	r.mu.Lock()
	refuse := r.refuse
	r.mu.Unlock()
	if refuse != nil {
		if err := refuse(reqs); err != nil {
			return nil, err
		}
	}
	if err := r.store.Write(ctx, func(*store.Tx) error { return nil }); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]command.Command, len(reqs))
	for i, q := range reqs {
		r.requests = append(r.requests, q)
		c := command.Command{ID: cmp.Or(q.ID, "none"), Device: q.Device, Kind: q.Kind, Params: q.Params, State: command.Accepted}
		out[i] = c
		c.State, c.EndedAt = command.Succeeded, time.Now()
		if end := r.ends[q.Device]; end != nil {
			end(&c)
		}
		r.commands[c.ID] = c
	}
	return out, nil
}

// Wait implements scene.Commands.
func (r *road) Wait(ctx context.Context, ids ...string) ([]command.Command, error) {
	r.mu.Lock()
	if r.unread > 0 {
		r.unread--
		r.mu.Unlock()
		return nil, errors.New("the database is away")
	}
	var out []command.Command
	open := false
	for _, id := range ids {
		c := r.commands[id]
		out = append(out, c)
		open = open || !c.Ended()
	}
	r.mu.Unlock()
	if !open {
		return out, nil
	}
	<-ctx.Done()
	return out, ctx.Err()
}

// sent lists what was submitted, "device params", in order, and forgets it.
func (r *road) sent(h *house) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := []string{}
	for _, q := range r.requests {
		all = append(all, fmt.Sprintf("%s %s%s", h.called[q.Device], q.Service, q.Params))
	}
	r.requests = nil
	return all
}

// A house is a home with real rooms, products and models, and a road of ours.
type house struct {
	t      testing.TB
	store  *store.Store
	homes  *home.Service
	scenes *scene.Service
	config scene.Config
	road   *road
	who    access.Actor
	id     string
	device map[string]string // by English name
	called map[string]string // the other way round

	product map[string]string // by English name of the device
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return houseOn(t, storetest.Open(t))
}

func houseOn(t testing.TB, s *store.Store) *house {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	keys, err := keyring.Open(t.Context(), s, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	h := &house{
		t: t, store: s, homes: home.New(s), who: owner("org"), device: make(map[string]string), called: make(map[string]string), product: make(map[string]string),
		road: &road{store: s, ends: make(map[string]func(*command.Command)), commands: make(map[string]command.Command)},
	}
	products := product.New(s, keys, quiet)
	h.config = scene.Config{Store: s, Homes: h.homes, Products: products, Shadows: shadow.New(s, products, quiet), Commands: h.road, Logger: quiet}
	h.scenes = scene.New(h.config)
	h.homes.OnChanged(h.scenes.Moved)
	h.homes.OnLeft(h.scenes.Left)
	made, err := h.homes.Create(t.Context(), h.who, home.Names{"zh-CN": "家"})
	if err != nil {
		t.Fatal(err)
	}
	h.id = made.ID
	room, err := h.homes.AddRoom(t.Context(), h.who, h.id, home.Label{Names: home.Names{"zh-CN": "客厅", "en": "living room"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []struct{ category, zh, en string }{{"light", "灯", "lamp"}, {"curtain", "窗帘", "curtain"}, {"air_conditioner", "空调", "air conditioner"}} {
		p, err := products.Create(t.Context(), h.who, product.NewProduct{Category: d.category, Names: product.Names{"en": d.category}})
		if err != nil {
			t.Fatal(err)
		}
		id := h.issued(p.ID)
		if _, err := h.homes.Bind(t.Context(), h.who, h.id, room.ID, id, home.Label{Names: home.Names{"zh-CN": d.zh, "en": d.en}}); err != nil {
			t.Fatal(err)
		}
		h.online(id, true)
		h.device[d.en], h.called[id], h.product[d.en] = id, d.en, p.ID
	}
	return h
}

// work lets a service carry out what is due until the test ends, or stop is called.
func (h *house) work(s *scene.Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(h.t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			h.t.Error(err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	h.t.Cleanup(stop)
	return stop
}

// What other rooms would have written is written by hand here: a device otherwise comes from an order, and its presence and
// state from the Log.

func owner(organisation string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "u-" + organisation, User: "u-" + organisation, Organisation: organisation, Roles: []access.Role{access.Owner}}
}

func (h *house) write(statement string, args ...any) {
	h.t.Helper()
	err := h.store.Write(h.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(h.t.Context(), statement, args...)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) issued(product string) string {
	id := uuid.Must(uuid.NewV7()).String()
	h.write(`INSERT INTO issuance_order (id, organisation, product, quantity, purpose, note, state, reason, done, generation, job, requested_by, created_at)
		VALUES (?, 'org', ?, 1, 'debug', '', 'issued', '', 1, 0, '', '', 0)`, product+" order", product)
	h.write(`INSERT INTO device (id, organisation, product, name, batch, generation, state, created_at) VALUES (?, 'org', ?, ?, ?, 0, 'enabled', 0)`,
		id, product, fmt.Sprintf("%.12s", id[24:]), product+" order")
	return id
}

func (h *house) online(device string, is bool) {
	h.write(`INSERT INTO device_presence (device, online, epoch, reason, address, changed_at, seen_at) VALUES (?, ?, 1, 'connected', '', 0, 0)
		ON CONFLICT (device) DO UPDATE SET online = excluded.online`, device, is)
}

func (h *house) reports(device, reported string) {
	h.write(`INSERT INTO shadow (device, version, reported, updated_at) VALUES (?, 1, ?, 0)
		ON CONFLICT (device) DO UPDATE SET reported = excluded.reported`, device, []byte(reported))
}

// set is an action that sets properties of a device.
func (h *house) set(device, params string) scene.Action {
	return scene.Action{Kind: scene.Set, Device: h.device[device], Params: json.RawMessage(params)}
}

func (h *house) create(name string, actions ...scene.Action) (scene.Scene, error) {
	return h.scenes.Create(h.t.Context(), h.who, h.id, scene.Draft{Label: home.Label{Names: home.Names{"zh-CN": name}}, Actions: actions})
}

func (h *house) scene(name string, actions ...scene.Action) scene.Scene {
	h.t.Helper()
	sc, err := h.create(name, actions...)
	if err != nil {
		h.t.Fatal(err)
	}
	return sc
}

// run starts a scene and waits for its end.
func (h *house) run(sc scene.Scene) scene.Run {
	h.t.Helper()
	r, err := h.scenes.Start(h.t.Context(), h.who, h.id, sc.ID, "api")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	if r, err = h.scenes.Await(ctx, r.ID); err != nil {
		h.t.Fatal(err)
	}
	return r
}

// outcomes are what came of the steps of a run: "done", "failed offline".
func outcomes(r scene.Run) []string {
	var all []string
	for i := range r.Steps {
		st := &r.Steps[i]
		all = append(all, st.Outcome)
		if st.Reason != "" {
			all[i] += " " + st.Reason
		}
	}
	return all
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func ended(state command.State, reason command.Reason, note string) func(*command.Command) {
	return func(c *command.Command) { c.State, c.Reason, c.Note = state, reason, note }
}

// rows counts the rows of a table.
func (h *house) rows(table string) (n int) {
	h.t.Helper()
	err := h.store.Read(h.t.Context(), func(v *store.View) error {
		return v.QueryRow(h.t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}
