// Package bench measures a running Lampworks from outside: it starts a server process of its own, provisions products,
// triples and homes through the public API, loads it over loopback, and prints one JSON object a figure (基准测试).
//
// It owns a throw-away data directory a run. It promises to end every process it started and to leave nothing behind;
// memory and CPU are the server process's own, as the operating system counts them.
package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// Options are what is measured and how.
type Options struct {
	What     string // start, sessions, ingest, check, commands, sentences, triples, lists, storm, restart, enforce, peers, all but those
	N        int    // how many; 0: each measurement's own default
	Seconds  int    // how long a rate is measured
	Rate     int    // sentences or commands a second for the latency figures
	Out      string // leave the workbook of triples here
	Database string // of the server that issues triples; empty: its own, SQLite
	Program  string // this binary
	Stdout   io.Writer
	Stderr   io.Writer

	Transport string // of devices: TCP (or empty), TLS, WS, WSS

	Peers  string // directory with the programs that are measured beside
	Rounds int    // how often each of them is; 0: three times
}

// A Figure is one measurement. Times are in microseconds unless Unit says otherwise.
type Figure struct {
	Name       string  `json:"name"`
	Value      float64 `json:"value"`
	Unit       string  `json:"unit"`
	P50        float64 `json:"p50,omitempty"`
	P99        float64 `json:"p99,omitempty"`
	N          int     `json:"n,omitempty"`
	CPUPerOpUS float64 `json:"cpu_us_per_op,omitempty"`
	RSSBytes   int64   `json:"rss_bytes,omitempty"`
	Note       string  `json:"note,omitempty"`
}

// bench is one run.
type bench struct {
	Options
	out  *json.Encoder
	seen *[]Figure // takes what would be printed, if not nil
}

func (b *bench) print(f Figure) error {
	if b.seen != nil {
		*b.seen = append(*b.seen, f)
		return nil
	}
	if err := b.out.Encode(f); err != nil {
		return fmt.Errorf("printing a figure: %w", err)
	}
	return nil
}

// n is the number asked for, or a measurement's own.
func (b *bench) n(own int) int {
	if b.N > 0 {
		return b.N
	}
	return own
}

// database is the flag that names the database.
func (b *bench) database() []string {
	if b.Database == "" {
		return nil
	}
	return []string{"--database", b.Database}
}

func (b *bench) span() time.Duration { return time.Duration(max(b.Seconds, 1)) * time.Second }

// Run measures what is asked for and prints the figures.
func Run(ctx context.Context, o Options) error {
	b := &bench{Options: o, out: json.NewEncoder(o.Stdout)}
	all := []struct {
		name string
		run  func(context.Context) error
	}{
		{"start", b.start},
		{"check", b.check},
		{"sessions", b.sessions},
		{"ingest", b.ingest},
		{"commands", b.commands},
		{"sentences", b.sentences},
		{"triples", b.triples},
		{"lists", b.lists},
		{"storm", b.storm},
		{"restart", b.restart},
		{"enforce", b.enforce},
		{"peers", b.peers},
	}
	for _, m := range all {
		if o.What != m.name && (o.What != "all" || m.name == "peers") {
			continue
		}
		if err := m.run(ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	return nil
}

// spread sorts durations and returns the median and the 99th percentile, in microseconds.
func spread(ds []time.Duration) (p50, p99 float64) {
	if len(ds) == 0 {
		return 0, 0
	}
	slices.Sort(ds)
	us := func(p int) float64 { return float64(ds[min(len(ds)-1, len(ds)*p/100)].Nanoseconds()) / 1000 }
	return us(50), us(99)
}
