package test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"lampworks/mqtt"
	triples "lampworks/triple"
)

// TestFullDisk lets another program fill the disk under load. Acts are refused and say why; who reads, signs in, or cuts
// somebody off, is served from the reserve, and live sessions end. With the disk freed all goes on without a restart, and
// what was acknowledged to a device is there.
func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "224m")
	s, operator := operatedIn(t, dir, "en")
	d := &fullDisk{s: s, operator: operator}
	d.settle(t)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	wg.Go(func() { d.device.live(ctx, s.mqtt) })
	eventually(t, "posts", func() (bool, any) { n := d.device.posted(); return n > 100, n })
	d.fill(t, filepath.Join(dir, "ballast"))
	d.refuses(t)
	d.serves(t)
	d.cuts(t)
	d.refuses(t) // still: the reserve is for no others
	full := d.device.posted()
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	d.heals(t)
	eventually(t, "posts after the disk was freed", func() (bool, any) { n := d.device.posted(); return n > full+100, n })
	stop()
	wg.Wait()
	s.token = d.maker.session
	historyHolds(t, s, []*forgetful{d.device})
	if err := s.stop(); err != nil {
		t.Errorf("ending the server: %v", err)
	}
	logHolds(t, filepath.Join(dir, "data", "uplink.db"), []*forgetful{d.device})
	whole(t, dir)
}

// smallDisk is a directory with a file system of its own. Only who may mount has one.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// A fullDisk is a platform whose disk fills, with a maker and four of its devices.
type fullDisk struct {
	s               *server
	operator, maker *person
	organisation    string
	product         string
	order           string
	rows            []triples.Triple
	key             string // ProductKey
	ids             []string
	lives           []*mqtt.Client // sessions of the second and the third device
	device          *forgetful     // the first
}

// settle makes the maker, a product and its devices.
func (d *fullDisk) settle(t *testing.T) {
	t.Helper()
	d.maker = &person{s: d.s, lang: "en", login: "maker", password: "a lamp in every window"}
	d.organisation = d.operator.admits(t, d.maker)
	d.maker.signIn(t)
	d.maker.enrol(t)
	made := d.maker.does(t, "POST", "/products", map[string]any{"category": "light", "names": names("灯", "lamp")})
	d.product, d.key = made.id(t), made.text(t, "product_key")
	w := &way{s: d.s, maker: d.maker, key: d.key}
	d.order = d.maker.does(t, "POST", "/products/"+d.product+"/orders", map[string]any{"quantity": 4, "purpose": "debug"}).id(t)
	w.issued(t, d.order)
	_, d.rows = w.download(t, d.order)
	d.s.token = d.maker.session
	for i, row := range d.rows {
		d.ids = append(d.ids, d.s.device(t, row.MAC.String()).ID)
		if i == 1 || i == 2 {
			d.lives = append(d.lives, dial(t, d.s.mqtt, credentials(t, w.device(row), plain)))
		}
	}
	d.device = &forgetful{t: t, d: w.device(d.rows[0]), id: d.ids[0], executed: make(map[string]int)}
}

// fill takes what is left of the disk until the platform refuses to write.
func (d *fullDisk) fill(t *testing.T, ballast string) {
	t.Helper()
	eventually(t, "a refused act", func() (bool, any) {
		eat(t, ballast)
		r := d.maker.ask(t, "PATCH", "/products/"+d.product, map[string]any{"names": names("灯", "lamp")})
		return r.status == 503, string(r.body)
	})
}

// eat takes what is left of a disk.
func eat(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err := f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
}

// refuses asks for acts that write.
func (d *fullDisk) refuses(t *testing.T) {
	t.Helper()
	const why = "is full"
	d.maker.refused(t, 503, "unavailable", "POST", "/products", map[string]any{"category": "light", "names": names("灯二", "lamp 2")}, why)
	d.maker.refused(t, 503, "unavailable", "POST", "/products/"+d.product+"/orders", map[string]any{"quantity": 1, "purpose": "debug"}, why)
	d.operator.refused(t, 503, "unavailable", "POST", "/users", map[string]string{"login": "late", "password": "nobody can be added now"}, why)
}

// serves reads, and signs people and a device in.
func (d *fullDisk) serves(t *testing.T) {
	t.Helper()
	if got := d.maker.does(t, "GET", "/products", nil).items(t); len(got) != 1 {
		t.Errorf("%d products on a full disk, want 1", len(got))
	}
	d.maker.does(t, "GET", "/orders/"+d.order, nil)
	d.maker.does(t, "GET", "/devices/"+d.ids[0]+"/shadow", nil)
	if got := d.operator.does(t, "GET", "/organisations/"+d.organisation, nil).id(t); got != d.organisation {
		t.Errorf("organisation %q on a full disk, want %q", got, d.organisation)
	}
	for range 3 { // each a row of the reserve
		again := *d.maker
		again.secret = ""
		if r := again.ask(t, "POST", "/session", map[string]string{"login": again.login, "password": again.password}); r.status != 403 {
			t.Errorf("a password without its code on a full disk: %d %s", r.status, r.body)
		}
	}
	d.operator.signIn(t)
	d.operator.does(t, "GET", "/users", nil)
	dial(t, d.s.mqtt, credentials(t, (&way{key: d.key}).device(d.rows[3]), plain)).Kill()
}

// cuts revokes a secret, puts another device out of force by a measure, and ends a session of a person.
func (d *fullDisk) cuts(t *testing.T) {
	t.Helper()
	w := &way{key: d.key}
	d.maker.does(t, "POST", "/devices/"+d.ids[1]+"/revocation", map[string]string{"reason": "its secret was found in a forum"})
	closed(t, d.lives[0])
	refusedWith(t, d.s.mqtt, credentials(t, w.device(d.rows[1]), plain), 4)
	measure := map[string]any{
		"subject": map[string]string{"kind": "device", "id": d.ids[2]}, "kind": "suspend", "cause": "unsafe_product", "reason": "It overheats.",
	}
	id := d.operator.does(t, "POST", "/enforcement/measures", measure, "Idempotency-Key", "full").id(t)
	if again := d.operator.does(t, "POST", "/enforcement/measures", measure, "Idempotency-Key", "full").id(t); again != id {
		t.Errorf("a measure sent again on a full disk is %s, want %s", again, id)
	}
	closed(t, d.lives[1])
	other := *d.operator
	other.signIn(t)
	d.operator.last = other.last
	other.does(t, "DELETE", "/session", nil)
	if r := other.ask(t, "GET", "/users", nil); r.status != 401 {
		t.Errorf("an ended session is answered %d, want 401", r.status)
	}
}

// heals waits until acts are taken again.
func (d *fullDisk) heals(t *testing.T) {
	t.Helper()
	eventually(t, "an act on the freed disk", func() (bool, any) {
		r := d.maker.ask(t, "POST", "/products/"+d.product+"/orders", map[string]any{"quantity": 1, "purpose": "debug"})
		return r.status == 201, string(r.body)
	})
	d.maker.does(t, "POST", "/products", map[string]any{"category": "light", "names": names("灯二", "lamp 2")})
}

// live is run until ctx ends, however often the connection ends.
func (f *forgetful) live(ctx context.Context, addr string) {
	for ctx.Err() == nil {
		f.run(ctx, addr)
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond): // as a device waits
		}
	}
}

// posted is how many posts were acknowledged.
func (f *forgetful) posted() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.acked)
}
