package main

import (
	"context"
	"fmt"
	"os"

	"lampworks/internal/bench"
)

type benchCommand struct {
	What      string `arg:"" help:"start, sessions, ingest, check, commands, sentences, triples, lists, storm, restart, enforce, peers or all but those." enum:"start,sessions,ingest,check,commands,sentences,triples,lists,storm,restart,enforce,peers,all"`
	N         int    `short:"n" help:"How many: sessions, triples, devices. Default: what bench/README.md was measured with." placeholder:"N"`
	Seconds   int    `help:"How long a rate is measured. Default: ${default}." default:"10" placeholder:"S"`
	Rate      int    `help:"Sentences a second for the latency figure. Default: ${default}." default:"100" placeholder:"N"`
	Out       string `help:"Leave the workbook of triples here." placeholder:"FILE"`
	Database  string `help:"PostgreSQL for the server that issues triples; an empty database. Default: its own SQLite." placeholder:"URL"`
	Transport string `help:"How devices connect: tcp, tls, ws or wss. Over TLS with a whole handshake each. Default: ${default}." default:"tcp" enum:"tcp,tls,ws,wss"`
	Peers     string `help:"Directory with mochi, nats-server and the plugin of mosquitto, as scripts/bench-peers makes them." placeholder:"DIR"`
	Rounds    int    `help:"How often each peer is measured. Default: ${default}." default:"3" placeholder:"N"`
	JSON      bool   `name:"json" help:"Print JSON only (as is the default); kept for scripts."`
}

func (b *benchCommand) Help() string {
	return "Every measurement starts a server of its own on throw-away data and ends it; nothing is asked of a server that runs already."
}

func (b *benchCommand) Run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	return bench.Run(ctx, bench.Options{What: b.What, N: b.N, Seconds: b.Seconds, Rate: b.Rate, Out: b.Out, Database: b.Database, Transport: b.Transport, Peers: b.Peers, Rounds: b.Rounds, Program: self, Stdout: os.Stdout, Stderr: os.Stderr})
}
