package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"lampworks/mqtt"
)

// stage is a home with a lamp in each of many rooms, every lamp answered for by this process.
type stage struct {
	s       *server
	home    string
	rooms   []string // names
	devices []string // ids, in the order of the rooms
	clients []*mqtt.Client
}

// names of 64 rooms that are told apart by ear.
func roomNames() []string {
	var out []string
	for _, a := range []string{"春", "夏", "秋", "冬", "梅", "兰", "竹", "菊"} {
		for _, b := range []string{"厅", "房", "阁", "轩", "居", "斋", "苑", "堂"} {
			out = append(out, a+b)
		}
	}
	return out
}

func (b *bench) stage(ctx context.Context) (*stage, error) {
	s, err := b.serve(ctx, "")
	if err != nil {
		return nil, err
	}
	st := &stage{s: s, rooms: roomNames()}
	if err := st.build(ctx); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return st, nil
}

func (st *stage) close() error {
	drop(st.clients)
	return st.s.stop()
}

func (st *stage) build(ctx context.Context) error {
	s := st.s
	if err := s.signIn(ctx); err != nil {
		return err
	}
	m, err := s.manufacture(ctx, "light", nil, len(st.rooms))
	if err != nil {
		return err
	}
	var home, room struct{ ID string }
	if err := s.call(ctx, "POST", "/api/v1/homes", map[string]any{"names": map[string]string{"zh-CN": "家"}}, &home); err != nil {
		return err
	}
	st.home = home.ID
	list, err := s.devices(ctx, m)
	if err != nil {
		return err
	}
	byName := make(map[string]string)
	for _, d := range list {
		byName[d.DeviceName] = d.ID
	}
	for i, name := range st.rooms {
		if err := s.call(ctx, "POST", "/api/v1/homes/"+st.home+"/rooms", map[string]any{"names": map[string]string{"zh-CN": name}}, &room); err != nil {
			return err
		}
		id := byName[m.triples[i].MAC.String()]
		st.devices = append(st.devices, id)
		in := map[string]any{"device": id, "room": room.ID, "names": map[string]string{"zh-CN": "灯"}}
		if err := s.call(ctx, "POST", "/api/v1/homes/"+st.home+"/devices", in, nil); err != nil {
			return err
		}
	}
	if st.clients, _, err = s.connect(ctx, m, m.triples, answering(m, m.triples)); err != nil {
		return err
	}
	if err := s.allOnline(ctx, m); err != nil {
		drop(st.clients)
		return err
	}
	return nil
}

// listed is a device as the API lists it.
type listed struct {
	ID         string `json:"id"`
	DeviceName string `json:"device_name"`
	Online     bool   `json:"online"`
}

// devices lists those of a product, up to the 500 of a page.
func (s *server) devices(ctx context.Context, m *maker) ([]listed, error) {
	var page struct{ Items []listed }
	err := s.call(ctx, "GET", "/api/v1/devices?limit=500&product="+m.ID, nil, &page)
	return page.Items, err
}

// allOnline waits until the platform holds all devices of a product for connected, so that no sentence meets one that is
// not yet.
func (s *server) allOnline(ctx context.Context, m *maker) error {
	const within = 30 * time.Second
	online := 0
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		list, err := s.devices(ctx, m)
		if err != nil {
			return err
		}
		online = 0
		for _, d := range list {
			if d.Online {
				online++
			}
		}
		if online == len(m.triples) {
			return nil
		}
	}
	return fmt.Errorf("%d of %d devices are online after %s", online, len(m.triples), within)
}

// sentences measures from a sentence at the API to the confirmation of its device.
func (b *bench) sentences(ctx context.Context) error {
	return b.people(ctx, "sentences", func(ctx context.Context, st *stage, room, turn int) error {
		verb := "打开"
		if turn%2 == 1 {
			verb = "关闭"
		}
		var a struct{ Outcome, Reply string }
		in := map[string]any{"text": verb + st.rooms[room] + "的灯", "speaker": fmt.Sprint(room)}
		if err := st.s.call(ctx, "POST", "/api/v1/homes/"+st.home+"/sentences", in, &a); err != nil {
			return err
		}
		if a.Outcome != "act" {
			return fmt.Errorf("%q was answered %s: %s", in["text"], a.Outcome, a.Reply)
		}
		return nil
	})
}

// commands measures the same without words.
func (b *bench) commands(ctx context.Context) error {
	return b.people(ctx, "commands", command)
}

// command sets a device of a room and waits until it has done so.
func command(ctx context.Context, st *stage, room, turn int) error {
	var c struct{ State, Reason string }
	in := map[string]any{"kind": "property_set", "params": map[string]int{"brightness": 1 + turn%100}, "wait_ms": 5000}
	if err := st.s.call(ctx, "POST", "/api/v1/devices/"+st.devices[room]+"/commands", in, &c); err != nil {
		return err
	}
	if c.State != "succeeded" {
		return fmt.Errorf("a command ended %s %s", c.State, c.Reason)
	}
	return nil
}

// people measures an act at a steady rate and at saturation.
func (b *bench) people(ctx context.Context, name string, act func(ctx context.Context, st *stage, room, turn int) error) (err error) {
	st, err := b.stage(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	for room := range st.rooms { // warm
		if err := act(ctx, st, room, 1); err != nil {
			return err
		}
	}
	machine := pace(ctx, name+".machine")
	steady, err := b.steady(ctx, st, name, act)
	if err != nil {
		return err
	}
	full, err := b.saturate(ctx, st, name, act)
	if err != nil {
		return err
	}
	return errors.Join(b.print(machine), b.print(steady), b.print(full))
}

// steady starts acts at a fixed rate, whatever became of the ones before.
func (b *bench) steady(ctx context.Context, st *stage, name string, act func(context.Context, *stage, int, int) error) (Figure, error) {
	var mu sync.Mutex
	var took []time.Duration
	var failed error
	var wg sync.WaitGroup
	cpu := st.s.cpu()
	tick := time.NewTicker(time.Second / time.Duration(max(b.Rate, 1)))
	defer tick.Stop()
	n := 0
	for end := time.Now().Add(b.span()); time.Now().Before(end); n++ {
		<-tick.C
		room, turn := n%len(st.rooms), n/len(st.rooms)
		wg.Go(func() {
			began := time.Now()
			err := act(ctx, st, room, turn)
			mu.Lock()
			defer mu.Unlock()
			took, failed = append(took, time.Since(began)), errors.Join(failed, err)
		})
	}
	wg.Wait()
	p50, p99 := spread(took)
	spent := st.s.cpu() - cpu
	return Figure{Name: name + ".latency", Value: p99 / 1000, Unit: "ms", P50: p50, P99: p99, N: n, CPUPerOpUS: float64(spent.Microseconds()) / float64(max(n, 1)), Note: fmt.Sprintf("p99 at %d/s, over HTTP", b.Rate)}, failed
}

// saturate lets one worker a room go on as fast as it is answered.
func (b *bench) saturate(ctx context.Context, st *stage, name string, act func(context.Context, *stage, int, int) error) (Figure, error) {
	var n atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, len(st.rooms))
	all := make([][]time.Duration, len(st.rooms))
	cpu, began := st.s.cpu(), time.Now()
	end := began.Add(b.span())
	for room := range st.rooms {
		wg.Go(func() {
			for turn := 0; time.Now().Before(end) && errs[room] == nil; turn++ {
				at := time.Now()
				errs[room] = act(ctx, st, room, turn)
				all[room] = append(all[room], time.Since(at))
				n.Add(1)
			}
		})
	}
	wg.Wait()
	wall, spent := time.Since(began), st.s.cpu()-cpu
	var took []time.Duration
	for _, a := range all {
		took = append(took, a...)
	}
	p50, p99 := spread(took)
	return Figure{
		Name: name + ".saturation", Value: float64(n.Load()) / wall.Seconds(), Unit: "1/s", P50: p50, P99: p99, N: int(n.Load()),
		CPUPerOpUS: float64(spent.Microseconds()) / float64(max(n.Load(), 1)), RSSBytes: st.s.memory("VmRSS"), Note: fmt.Sprintf("%d at once", len(st.rooms)),
	}, errors.Join(errs...)
}
