package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A peer is a program that is measured beside others.
type peer struct {
	name string
	note string // what has to be known to read its figures
	most int    // devices; 0: any number
	// open starts it for one measurement with as many devices; closing it removes what it left.
	open func(ctx context.Context, what measure, n int) (*place, error)
}

// A measure is what a peer is opened for.
type measure int

const (
	idling measure = iota
	posting
	echoing
)

// peers measures this program and the others in turn, as often as asked for, and prints each figure and then a table of them.
func (b *bench) peers(ctx context.Context) error {
	if b.Peers == "" {
		return errors.New("--peers names no directory; make bench-peers builds what is measured beside and names it")
	}
	all, err := b.findPeers()
	if err != nil {
		return err
	}
	t := &table{}
	for range max(b.Rounds, 1) {
		for _, p := range all {
			if err := b.round(ctx, p, t); err != nil {
				return fmt.Errorf("measuring %s: %w", p.name, err)
			}
		}
	}
	if err := b.own(ctx, t, all); err != nil {
		return err
	}
	_, err = fmt.Fprint(b.Stdout, t.markdown(all))
	return err
}

// findPeers is this program, and which of the others there are.
func (b *bench) findPeers() ([]peer, error) {
	all := []peer{{"lampworks", "its signature checked, presence written, QoS 1 on disk before PUBACK", 0, b.openOwn}}
	plugin := filepath.Join(b.Peers, "hmac.so")
	if _, err := os.Stat(plugin); err == nil {
		all = append(all, b.brokerPeer("mosquitto", "the same HMAC by a plugin; nothing on disk", func(dir, port string) ([]string, error) {
			conf := filepath.Join(dir, "mosquitto.conf")
			text := "listener " + port + " 127.0.0.1\n" + b.certified(dir) + "plugin " + plugin + "\nallow_anonymous false\npersistence false\nset_tcp_nodelay true\nmax_queued_messages 10000\nlog_type error\n"
			return []string{"mosquitto", "-c", conf}, os.WriteFile(conf, []byte(text), 0o600)
		}))
	}
	mochi, nats := filepath.Join(b.Peers, "mochi"), filepath.Join(b.Peers, "nats-server")
	if _, err := os.Stat(mochi); err == nil {
		all = append(all, b.brokerPeer("mochi-mqtt", "the same HMAC by a hook; nothing on disk", func(_, port string) ([]string, error) {
			return []string{mochi, "127.0.0.1:" + port}, nil
		}))
	}
	if _, err := os.Stat(nats); err == nil {
		all = append(all, b.brokerPeer("nats-server", "one password for all; QoS 1 into JetStream, fsynced before PUBACK; 500 devices at most", func(dir, port string) ([]string, error) {
			conf := filepath.Join(dir, "nats.conf")
			text := "server_name: bench\nlisten: 127.0.0.1:-1\njetstream { store_dir: " + fmt.Sprintf("%q", dir) + ", sync_interval: always }\nmqtt { listen: 127.0.0.1:" + port + " }\nauthorization { timeout: 30 }\n"
			return []string{nats, "-c", conf}, os.WriteFile(conf, []byte(text), 0o600)
		}))
		all[len(all)-1].most = 500 // it takes some 70 connections a second
	}
	for _, name := range []string{"mosquitto", "mochi-mqtt", "nats-server"} {
		if !slices.ContainsFunc(all, func(p peer) bool { return p.name == name }) {
			fmt.Fprintf(b.Stderr, "bench: %s is not there; measured without it\n", name)
		}
	}
	return all, nil
}

// certified lets mosquitto serve TLS, if that is measured.
func (b *bench) certified(dir string) string {
	if b.Transport != TLS {
		return ""
	}
	text := "certfile " + filepath.Join(dir, "tls-cert.pem") + "\nkeyfile " + filepath.Join(dir, "tls-key.pem") + "\n"
	if os.Getuid() == 0 {
		text += "user root\n" // it would become another, who cannot read the key
	}
	return text
}

// bound is n, or the most that the peer is measured with.
func (p *peer) bound(n int) int {
	if p.most > 0 {
		return min(n, p.most)
	}
	return n
}

// round measures a peer once.
func (b *bench) round(ctx context.Context, p peer, t *table) error {
	for _, m := range []struct {
		what measure
		n    int
		run  func(ctx context.Context, at *place) ([]Figure, error)
	}{{idling, b.n(5000), b.idle}, {posting, publishers, b.post}, {echoing, echoes, b.echo}} {
		at, err := p.open(ctx, m.what, p.bound(m.n))
		if err != nil {
			return err
		}
		figures, err := m.run(ctx, at)
		if err := errors.Join(err, at.close()); err != nil {
			return err
		}
		if err := b.note(t, p.name, "", figures); err != nil {
			return err
		}
	}
	return nil
}

// A table is the figures of all peers by name, each the values of its rounds.
type table struct {
	names  []string
	values map[string][]float64 // by peer and name
	units  map[string]string
}

func (t *table) add(peer string, f Figure) {
	if t.values == nil {
		t.values, t.units = make(map[string][]float64), make(map[string]string)
	}
	if !slices.Contains(t.names, f.Name) {
		t.names = append(t.names, f.Name)
	}
	t.units[f.Name] = f.Unit
	t.values[peer+" "+f.Name] = append(t.values[peer+" "+f.Name], f.Value)
}

// markdown has a row a figure and a column a peer, each the least and the greatest value of its rounds.
func (t *table) markdown(all []peer) string {
	var out strings.Builder
	out.WriteString("\n| figure |")
	for _, p := range all {
		out.WriteString(" " + p.name + " |")
	}
	out.WriteString("\n|---|" + strings.Repeat("---|", len(all)) + "\n")
	for _, name := range t.names {
		fmt.Fprintf(&out, "| %s, %s |", name, t.units[name])
		for _, p := range all {
			out.WriteString(" " + between(t.values[p.name+" "+name]) + " |")
		}
		out.WriteString("\n")
	}
	out.WriteString("\n")
	for _, p := range all {
		fmt.Fprintf(&out, "- %s: %s\n", p.name, p.note)
	}
	return out.String()
}

// between is the least and the greatest of values, in three digits.
func between(vs []float64) string {
	if len(vs) == 0 {
		return "–"
	}
	least, most := short(slices.Min(vs)), short(slices.Max(vs))
	if least == most {
		return least
	}
	return least + "–" + most
}

func short(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// A place is a running peer and how devices get there.
type place struct {
	*server
	devices []caller
	close   func() error
	stage   *stage // of this program, where people command devices

	caughtUp func(context.Context) error // nil: what was acknowledged is done
}

// ready waits until a connection is taken.
func (s *server) ready(ctx context.Context, d caller) error {
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		c, err := d.dial(ctx, s, nil)
		if err == nil {
			return c.Close()
		}
		select {
		case <-s.exited:
			return fmt.Errorf("it ended before it served: %w", s.err)
		default:
		}
		if time.Now().After(end) || ctx.Err() != nil {
			return errors.Join(err, s.end(syscall.SIGTERM))
		}
	}
}
