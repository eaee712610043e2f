package timeline

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
)

// Names of what is read, each with a position of its own.
const (
	ofLog      = "timeline.log"
	ofCommands = "timeline.commands"
)

// lookEvery is how often commands are looked for where no event tells of one, and what was counted is looked at.
const lookEvery = 2 * time.Second

// gathering is how long what is to be told may wait for more of it: a commit for each command would cost more than the command.
const gathering = 100 * time.Millisecond

// Follow keeps timelines as the Log and the commands tell them, until ctx ends; then it writes down what it has counted.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	s.clock.Look(s.now())
	from, err := s.begin(ctx, log)
	if err != nil {
		return err
	}
	defer s.bus.Subscribe(device.RefusedSubject+">", s.refused)()
	defer s.bus.Subscribe(device.SlowedSubject+">", s.slowed)()
	fresh := make(chan struct{}, 1)
	defer s.bus.Subscribe(command.DueSubject+">", func(string, []byte) {
		select {
		case fresh <- struct{}{}:
		default:
		}
	})()
	defer s.bus.Subscribe(command.EndedSubject+">", func(subject string, id []byte) {
		s.ended(subject, id)
		select {
		case fresh <- struct{}{}:
		default:
		}
	})()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return uplink.Follow(ctx, log, ofLog, uplink.Position(from), 1000, s.handle, uplink.Logger(s.log), uplink.Gather(gathering))
	})
	g.Go(func() error {
		s.keep(ctx, fresh)
		return nil
	})
	err = g.Wait()
	if err := s.flush(context.WithoutCancel(ctx)); err != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "what devices did last is not in their timelines", slog.Any("error", err))
	}
	return err
}

// keep looks for commands and their ends, writes down once a minute what was counted, and forgets what is old.
func (s *Service) keep(ctx context.Context, fresh <-chan struct{}) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	flushed, swept, aged := s.now(), time.Time{}, time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-fresh:
		case <-s.crowded:
		case <-look.C:
		}
		ends := s.takeEnded() // first: what ended later finds its command told of
		err := s.readCommands(ctx)
		if err == nil {
			err = s.readEnds(ctx, ends)
		}
		if now := s.now(); now.Sub(swept) >= sweepEvery || now.Before(swept) || err != nil {
			swept = now
			err = errors.Join(err, s.sweep(ctx))
		}
		if now := s.now(); now.Sub(flushed) >= minute || now.Before(flushed) || s.full() {
			flushed = now
			err = errors.Join(err, s.flush(ctx))
		}
		if now := s.now(); now.Sub(aged) >= ageEvery || now.Before(aged) {
			aged = now
			err = errors.Join(err, s.age(ctx))
		}
		if err != nil && ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "timelines are behind", slog.Any("error", err))
		}
		gather(ctx)
	}
}

// gather lets more come that is to be told.
func gather(ctx context.Context) {
	t := time.NewTimer(gathering)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (s *Service) position(ctx context.Context, of string) (at int64, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM timeline_cursor WHERE consumer = ?", of).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reading the cursor of %s: %w", of, err)
	}
	return at, nil
}

// begin is where to go on in the Log: where the first reading finds what is kept of it. Commands are told of from the first
// reading on.
func (s *Service) begin(ctx context.Context, log uplink.Log) (from int64, err error) {
	if from, err = s.position(ctx, ofLog); err != nil {
		return 0, err
	}
	if head := log.Head(); from == 0 && head > 0 {
		from = int64(head) - 1
	}
	if known, err := s.position(ctx, ofCommands); err != nil || known > 0 {
		return from, err
	}
	newest, err := s.commands.Newest(ctx)
	if err != nil {
		return 0, err
	}
	return from, s.store.Write(ctx, func(tx *store.Tx) error { return move(ctx, tx, ofCommands, max(newest, 1)) })
}

func move(ctx context.Context, tx *store.Tx, of string, to int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO timeline_cursor (consumer, position) VALUES (?, ?)
		ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, of, to)
	if err != nil {
		return fmt.Errorf("moving the cursor of %s: %w", of, err)
	}
	return nil
}

// refused counts a message that the gateway did not take.
func (s *Service) refused(subject string, payload []byte) {
	var t device.Traffic
	if json.Unmarshal(payload, &t) != nil || t.Kept {
		return // what is kept comes by the Log
	}
	id := strings.TrimPrefix(subject, device.RefusedSubject)
	s.tell(id, line{Refused, t.Topic, t.Why}, t.At)
}

// slowed counts a pause of a device that is ahead of a limit.
func (s *Service) slowed(subject string, payload []byte) {
	var t device.Traffic
	if json.Unmarshal(payload, &t) == nil {
		s.tell(strings.TrimPrefix(subject, device.SlowedSubject), line{Slowed, t.Topic, t.Why}, t.At)
	}
}

// handle writes down what a piece of the Log tells. What is counted is counted when that is committed.
func (s *Service) handle(ctx context.Context, records []uplink.Record) error {
	told, gone := s.read(ctx, records)
	var taken map[string]*tally
	if len(gone) > 0 {
		taken = s.take(gone...)
	}
	did := lastWords(taken, told, gone)
	w := newWriting()
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		w.reset()
		for d, t := range did { // before it went
			if err := w.tally(ctx, tx, d, t); err != nil {
				return err
			}
		}
		for i := range told {
			if told[i].Kind == Message {
				continue
			}
			if err := w.entry(ctx, tx, &told[i]); err != nil {
				return err
			}
		}
		return move(ctx, tx, ofLog, int64(records[len(records)-1].Pos))
	})
	if err != nil {
		s.giveBack(taken)
		return err
	}
	for i := range told {
		if e := &told[i]; e.Kind == Message && did[e.Device] == nil {
			s.tell(e.Device, line{kind: Message, what: e.What}, e.At)
		}
	}
	s.written(ctx, w)
	return nil
}

// lastWords is what was counted of the devices that went, and what they said in the piece of the Log in which they did.
func lastWords(taken map[string]*tally, told []Entry, gone []string) map[string]*tally {
	did := make(map[string]*tally, len(gone))
	for _, d := range gone {
		did[d] = new(tally)
		if t := taken[d]; t != nil {
			did[d].counts = slices.Clone(t.counts)
		}
	}
	for i := range told {
		if e := &told[i]; e.Kind == Message && did[e.Device] != nil {
			did[e.Device].add(line{kind: Message, what: cut(e.What)}, 1, e.At)
		}
	}
	return did
}

// read is what records tell, and the devices that went.
func (s *Service) read(ctx context.Context, records []uplink.Record) (told []Entry, gone []string) {
	for i := range records {
		r := &records[i]
		e, ok, err := entryOf(r)
		if err != nil {
			s.log.LogAttrs(ctx, slog.LevelError, "record passed over by timelines", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
		}
		if !ok || err != nil {
			continue
		}
		if e.Kind == Disconnected {
			gone = append(gone, e.Device)
		}
		told = append(told, e)
	}
	return told, gone
}

// topicOf is the topic of a message, without the names of its device and the ids of calls, so that messages of one kind are counted
// together.
func topicOf(m *device.Message) string {
	topic := m.Template.String()
	switch m.Template {
	case alink.RRPCResponse:
		return topic
	case alink.User:
		return strings.Replace(topic, "{rest}", m.Arg, 1)
	case alink.ExtRRPC:
		_, rest, _ := strings.Cut(m.Arg, "/user/")
		return strings.Replace(topic, "{rest}", rest, 1)
	}
	return strings.Replace(topic, "{id}", m.Arg, 1)
}

func entryOf(r *uplink.Record) (e Entry, ok bool, err error) {
	e = Entry{Device: r.Device, At: r.At}
	switch {
	case r.Device == "":
		return e, false, nil
	case r.Kind == uplink.Presence:
		p, err := device.DecodePresence(r.Body)
		if e.Kind, e.What = Connected, p.Address; !p.Online {
			e.Kind, e.What, e.Why = Disconnected, "", p.Reason
		}
		return e, true, err
	case r.Kind == uplink.Message:
		m, err := device.DecodeMessage(r.Body)
		if e.Kind, e.What = Message, topicOf(&m); m.WillOf != 0 {
			e.Kind = Will
		}
		return e, true, err
	case r.Kind == uplink.Fact:
		kind, told := facts[r.Subject]
		if !told {
			return e, false, nil
		}
		f, err := device.DecodeRefusal(r.Body)
		e.Kind, e.What, e.Why = kind, f.Topic, f.Why
		return e, true, err
	}
	return e, false, nil
}

// facts are what records of kind [uplink.Fact] tell, by their subjects.
var facts = map[string]Kind{device.RefusalFact: Refused, device.CloneFact: Fight, device.RegisteredFact: Registered}

// readCommands writes down commands that were given since the last look.
func (s *Service) readCommands(ctx context.Context) error {
	from, err := s.position(ctx, ofCommands)
	if err != nil {
		return err
	}
	for {
		cs, err := s.commands.Since(ctx, from, 500)
		if err != nil || len(cs) == 0 {
			return err
		}
		w := newWriting()
		err = s.store.Write(ctx, func(tx *store.Tx) error {
			w.reset()
			for i := range cs {
				if err := w.told(ctx, tx, &cs[i]); err != nil {
					return err
				}
			}
			return move(ctx, tx, ofCommands, cs[len(cs)-1].Seq)
		})
		if err != nil {
			return err
		}
		from = cs[len(cs)-1].Seq
		s.written(ctx, w)
	}
}

// named says in a word what a command is.
func named(c *command.Command) string {
	switch c.Kind {
	case command.Service:
		return "service " + c.Service
	case command.Message:
		return "message on " + c.Topic
	case command.PropertySet, command.PropertyGet, command.Raw:
	}
	return string(c.Kind) + " " + string(c.Params)
}
