// Package demo runs the whole platform for somebody who wants to see it: a node with an organisation, a home and virtual
// devices that speak the real protocol, and a console that is signed in (演示).
//
// It owns the file demo.json in the data directory, which holds the token and which device is which, so that a demo with
// --data finds itself again, even if it was killed while it was built. It promises to listen on loopback only, and to leave
// nothing behind without --data.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/node"
)

// tokenFile is in the data directory; those who speak over Wyoming do so with the demo's token.
const tokenFile = "wyoming-token"

// Options are what a demo is told beside the node's configuration.
type Options struct {
	Say    string        // one sentence; the demo ends after it
	Fault  virtual.Fault // of every virtual device
	Spare  int           // unused triples written for others to connect with
	NoOpen bool          // open no browser
	Out    io.Writer     // what a person reads
}

// ErrNotConfirmed is the outcome of a sentence that no device confirmed.
var ErrNotConfirmed = errors.New("the sentence was not carried out")

// ready is what the ready file of a demo says beyond a node's.
type ready struct {
	node.Addresses
	Token       string `json:"token"`
	DevicesFile string `json:"devices_file"`
}

// Run serves a demo until ctx ends or, with a sentence, until it is answered.
func Run(ctx context.Context, c node.Config, o Options, log *slog.Logger) (err error) {
	c.LoopbackOnly = true
	if c.Data == "" {
		dir, err := os.MkdirTemp("", "lampworks-demo-")
		if err != nil {
			return fmt.Errorf("making a directory for the demo: %w", err)
		}
		defer os.RemoveAll(dir)
		c.Data = filepath.Join(dir, "data")
		if c.RootKey == "" {
			c.RootKey = filepath.Join(dir, "root.key")
		}
	}
	if c.Data, err = filepath.Abs(c.Data); err != nil { // the ready file names a file in it
		return fmt.Errorf("finding the data directory: %w", err)
	}
	c.Operator = node.OperatorLater // the demo makes its own
	if c.Wyoming != "" && c.WyomingToken == "" {
		c.WyomingToken = filepath.Join(c.Data, tokenFile)
	}
	n, err := node.Open(ctx, c, log)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	g, serving := errgroup.WithContext(serving)
	served := make(chan struct{})
	g.Go(func() error {
		return n.Run(serving, func() error { close(served); return nil })
	})
	g.Go(func() error {
		select {
		case <-serving.Done():
			return nil
		case <-served:
		}
		defer stop()
		return play(serving, n, c, o, log)
	})
	return g.Wait()
}

// play sets the stage, once the node serves.
func play(ctx context.Context, n *node.Node, c node.Config, o Options, log *slog.Logger) error {
	s, err := setUp(ctx, n, c.Data, o.Spare)
	if err != nil {
		return fmt.Errorf("setting up the demo: %w", err)
	}
	if c.Wyoming != "" && c.WyomingToken == filepath.Join(c.Data, tokenFile) {
		if err := os.WriteFile(c.WyomingToken, []byte(s.Token+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing the token that speaks: %w", err)
		}
	}
	playing, stop := context.WithCancel(ctx)
	defer n.Virtual.Wait()
	defer stop()
	if err := s.startDevices(playing, n, o.Fault, log); err != nil {
		return fmt.Errorf("starting the virtual devices: %w", err)
	}
	if err := s.online(ctx, n); err != nil {
		return err
	}
	if c.ReadyFile != "" {
		err := node.WriteReady(c.ReadyFile, ready{n.Addresses(), s.Token, filepath.Join(c.Data, sparesFile)})
		if err != nil {
			return err
		}
	}
	if o.Say != "" {
		return say(ctx, n, s, o)
	}
	address := n.Addresses().HTTP + "/#token=" + s.Token
	fmt.Fprintf(o.Out, "Lampworks demo / 演示\n\n  console  控制台   %s\n  devices  设备     mqtt://%s\n\nTry / 试试: 把客厅的灯调到百分之五十\nCtrl-C ends it.\n", address, n.Addresses().MQTT)
	if !o.NoOpen {
		openBrowser(ctx, address, log)
	}
	<-ctx.Done()
	return nil
}

// openBrowser shows the console where there is a desktop to show it on.
func openBrowser(ctx context.Context, address string, log *slog.Logger) {
	if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return
	}
	if err := exec.CommandContext(ctx, "xdg-open", address).Start(); err != nil {
		log.LogAttrs(ctx, slog.LevelInfo, "no browser was opened", slog.Any("error", err))
	}
}

// say runs one sentence through the whole platform and prints each stage with its time.
func say(ctx context.Context, n *node.Node, s *stage, o Options) error {
	who, err := n.Accounts.Authenticate(ctx, s.Token, "demo")
	if err != nil {
		return fmt.Errorf("signing in: %w", err)
	}
	a, err := n.Voice.Say(ctx, who, voice.Sentence{Home: s.Home, Text: o.Say, Speaker: "demo"})
	if err != nil {
		return fmt.Errorf("saying the sentence: %w", err)
	}
	h, err := n.Homes.Load(ctx, who, s.Home)
	if err != nil {
		return fmt.Errorf("reading the home: %w", err)
	}
	rooms := make(map[string]string)
	for _, r := range h.Rooms {
		rooms[r.ID] = r.Names[a.Lang]
	}
	Print(o.Out, &a, rooms)
	if a.Outcome != "act" {
		return ErrNotConfirmed
	}
	return nil
}

// Print writes an answer for a person: the stages with their times, what every device did, and the reply. rooms are the
// names of the home's rooms by id; a room without a name is left out.
func Print(w io.Writer, a *voice.Answer, rooms map[string]string) {
	fmt.Fprintf(w, "%s\n\n", a.Text)
	for _, st := range a.Stages {
		fmt.Fprintf(w, "  %-10s %9.3f ms  at %9.3f ms  %s\n", st.Name, float64(st.LengthUS)/1000, float64(st.StartUS)/1000, st.Detail)
	}
	for _, act := range a.Actions {
		for _, t := range act.Targets {
			where := t.Name
			if room := rooms[t.Room]; room != "" {
				where = room + " / " + where
			}
			what := strings.TrimSpace(fmt.Sprintf("%s -> %s %s", deed(&act), t.Outcome, t.Reason))
			fmt.Fprintf(w, "  %s: %s\n", where, what)
		}
	}
	fmt.Fprintf(w, "\n%s\n(%.3f ms)\n", a.Reply, float64(a.TotalUS)/1000)
}

// deed is an act in a few characters, a switch as it is on the wire: "set powerstate=1".
func deed(act *voice.Act) string {
	switch v := act.Value.(type) {
	case nil:
		return strings.TrimSpace(act.Op + " " + act.Prop)
	case bool:
		return fmt.Sprintf("%s %s=%d", act.Op, act.Prop, map[bool]int{true: 1}[v])
	case string:
		return fmt.Sprintf("%s %s=%s", act.Op, act.Prop, v)
	}
	value, err := json.Marshal(act.Value)
	if err != nil {
		return act.Op + " " + act.Prop // not reached: it came as JSON or goes as JSON
	}
	return fmt.Sprintf("%s %s=%s", act.Op, act.Prop, value)
}

// onlineWithin bounds how long the virtual devices may take to connect.
const onlineWithin = 10 * time.Second

// online waits until every device of the home has a session and has posted its first values.
func (s *stage) online(ctx context.Context, n *node.Node) error {
	ctx, cancel := context.WithTimeout(ctx, onlineWithin)
	defer cancel()
	ids := make([]string, 0, len(s.Devices))
	for _, d := range s.Devices {
		ids = append(ids, d.ID)
	}
	for {
		states, err := n.Shadows.States(ctx, ids...)
		if err == nil && len(states) == len(ids) && n.Gateway.Sessions() >= len(ids) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %d virtual devices to connect, %d have: %w", len(ids), len(states), ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// operator is the actor that sets the stage.
func operator() access.Actor { return access.System("demo", "") }
