package command

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/tsl"
)

const consumer = "command.completion"

// What stands in the row of a set while the device's own report says otherwise: until the next report, or the deadline.
const (
	noteOtherwise    = "the device reports another value"                // and has not answered
	noteContradicted = "confirmed, but the device reports another value" // and has answered 200
)

const maxNote = 512 // bytes of a device's words that are kept

// Follow completes commands by the answers and reports in the Log, until ctx ends. The rows and the position they came
// from are one transaction.
func (s *Commands) Follow(ctx context.Context, log uplink.Log) error {
	f := &follower{s: s, byDevice: make(map[string][]*pending)}
	var from uplink.Position
	err := s.store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM command_cursor WHERE consumer = ?", consumer).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the cursor of %s: %w", consumer, err)
	}
	s.reading.done.Store(uint64(from))
	s.reading.log.Store(&log)
	defer s.reading.log.Store(nil)
	return uplink.Follow(ctx, log, consumer, from, 1000, f.handle, uplink.Logger(s.log))
}

// pending is an open command.
type pending struct {
	Command
	sets         map[string]json.RawMessage // of a property set
	contradicted map[string]bool            // properties whose last report since the command was sent says otherwise
	agreed       map[string]time.Time       // when each property was last reported as it was set
	looked       bool                       // SentAt and fetched are known
	fetched      bool                       // its values went as desired ones
}

// follower is the state of one reading of the Log; used by one goroutine.
type follower struct {
	s        *Commands
	newest   int64 // the newest Seq that byDevice knows
	byDevice map[string][]*pending
	forget   time.Time  // when what needs no memory is next looked for
	lag      uplink.Lag // of the cursor
	compare  time.Time  // when memory is next held against the rows

	otherwise []contradiction // of the report that is read; kept for its memory
}

func (f *follower) handle(ctx context.Context, records []uplink.Record) error {
	if err := f.learn(ctx); err != nil {
		return err
	}
	if f.idle(records) {
		f.read(ctx, records)
		return nil
	}
	if len(f.byDevice) > 0 {
		for _, product := range device.Products(records, alink.PropertyGetReply) { // a write must not wait for reads: from here on they are known
			if _, err := f.s.products.Model(ctx, product); err != nil {
				return fmt.Errorf("opening the thing model of product %s: %w", product, err)
			}
		}
	}
	var done []*pending
	err := f.s.store.Write(ctx, func(tx *store.Tx) error {
		done = done[:0]
		for _, r := range records {
			p, err := f.record(ctx, tx, r)
			if err != nil {
				return err
			}
			done = append(done, p...)
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO command_cursor (consumer, position) VALUES (?, ?)
			ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, consumer, records[len(records)-1].Pos)
		if err != nil {
			return fmt.Errorf("moving the cursor of %s: %w", consumer, err)
		}
		return nil
	})
	if err != nil {
		f.byDevice, f.newest = make(map[string][]*pending), 0 // learn anew: what memory holds may be ahead of the rows
		return err
	}
	for _, p := range done {
		f.s.ended(p.Command)
		if p.Kind == PropertySet { // an ended call is kept: a second answer to it must not be taken for another's
			f.byDevice[p.Device] = slices.DeleteFunc(f.byDevice[p.Device], func(q *pending) bool { return q == p })
		}
	}
	f.read(ctx, records)
	return nil
}

// read tells the sweep that the records were acted on, and forgets what needs no memory.
func (f *follower) read(ctx context.Context, records []uplink.Record) {
	f.s.reading.done.Store(uint64(records[len(records)-1].Pos))
	if err := f.drop(ctx, time.Now()); err != nil {
		f.s.log.LogAttrs(ctx, slog.LevelWarn, "looking for ended commands failed", slog.Any("error", err))
	}
}

// idle reports whether nothing among the records concerns an open command, and the cursor was written not long ago.
func (f *follower) idle(records []uplink.Record) bool {
	for i := range records {
		if records[i].Kind == uplink.Message && len(f.byDevice[records[i].Device]) > 0 {
			return false
		}
	}
	return !f.lag.Due(time.Now())
}

// learn adds the commands accepted since the last batch. An answer is in the Log only after its command's row.
func (f *follower) learn(ctx context.Context) error {
	return f.s.store.Read(ctx, func(v *store.View) error {
		for {
			fresh, err := query(ctx, v, freshSQL, f.newest, atOnce)
			if err != nil {
				return err
			}
			for _, c := range fresh {
				if err := f.add(c); err != nil {
					return err
				}
			}
			if len(fresh) < atOnce {
				return newestIn(ctx, v, &f.newest)
			}
		}
	})
}

func (f *follower) add(c Command) error {
	p := &pending{Command: c}
	if c.Kind == PropertySet {
		var err error
		if p.sets, err = setsOf(&c); err != nil {
			return err
		}
		p.recall()
	}
	f.byDevice[c.Device] = append(f.byDevice[c.Device], p)
	f.newest = c.Seq
	return nil
}

// recall takes up after a restart what the row says of reports that came before: which property it was is not known, so
// each has to be reported as it was set.
func (p *pending) recall() {
	if p.Note != noteOtherwise && p.Note != noteContradicted {
		return
	}
	p.contradicted = make(map[string]bool)
	for id := range p.sets {
		p.contradicted[id] = true
	}
}

// A second answer to a command that has ended is known as such for a while.
const remember = time.Minute

// drop forgets, every second, what is past its deadline or ended, and once a minute what ended by other hands.
func (f *follower) drop(ctx context.Context, now time.Time) error {
	if now.Before(f.forget) {
		return nil
	}
	f.forget = now.Add(time.Second)
	var open map[int64]bool
	if now.After(f.compare) {
		f.compare = now.Add(remember)
		var err error
		if open, err = f.s.open(ctx); err != nil {
			return err
		}
	}
	for id, list := range f.byDevice {
		list = slices.DeleteFunc(list, func(p *pending) bool {
			switch {
			case p.Ended():
				return now.After(p.EndedAt.Add(remember))
			case open != nil && !open[p.Seq]:
				return true
			}
			return now.After(p.DeadlineAt.Add(time.Second))
		})
		if f.byDevice[id] = list; len(list) == 0 {
			delete(f.byDevice, id)
		}
	}
	return nil
}

func (f *follower) record(ctx context.Context, tx *store.Tx, r uplink.Record) ([]*pending, error) {
	list := f.byDevice[r.Device]
	if r.Kind != uplink.Message || len(list) == 0 {
		return nil, nil
	}
	m, err := device.DecodeMessage(r.Body)
	if err != nil {
		f.s.log.LogAttrs(ctx, slog.LevelError, "message record passed over", slog.Uint64("position", uint64(r.Pos)), slog.Any("error", err))
		return nil, nil
	}
	switch m.Template {
	case alink.PropertySetReply, alink.ServiceReply, alink.PropertyGetReply, alink.RRPCResponse, alink.GatewayPermitReply:
		return f.answer(ctx, tx, r, m, list)
	case alink.RawDownReply, alink.ExtRRPC:
		return f.bytes(ctx, tx, r, m, list)
	case alink.PropertyPost, alink.BatchPost, alink.PackPost:
		return f.report(ctx, tx, r, m, list)
	}
	return nil, nil
}

// answer ends the command that the device answers.
func (f *follower) answer(ctx context.Context, tx *store.Tx, r uplink.Record, m device.Message, list []*pending) ([]*pending, error) {
	reply, err := alink.ParseReply(m.Payload)
	if err != nil {
		return nil, nil //nolint:nilerr // the gateway has told the device already
	}
	p := answered(list, m, reply)
	if p == nil {
		return nil, nil
	}
	switch {
	case reply.Code != alink.CodeOK:
		said := alink.Text(reply.Message)
		p.Note = fmt.Sprintf("%d %s", reply.Code, strings.ToValidUTF8(said[:min(len(said), maxNote)], "")) // a cut letter goes
		return f.finish(ctx, tx, r, p, Refuse, Refused)
	case len(p.contradicted) > 0:
		p.Note = noteContradicted
		return nil, f.note(ctx, tx, p)
	}
	switch p.Kind {
	case Service:
		p.Result = append([]byte(nil), reply.Data...)
	case PropertyGet:
		return f.values(ctx, tx, r, m, p, reply.Data)
	}
	return f.finish(ctx, tx, r, p, Confirm, "")
}

// values ends a question for properties, if what the device answers is what its thing model allows.
func (f *follower) values(ctx context.Context, tx *store.Tx, r uplink.Record, m device.Message, p *pending, data []byte) ([]*pending, error) {
	model, err := f.s.products.Model(ctx, m.Product)
	if err != nil {
		return nil, fmt.Errorf("opening the thing model of product %s: %w", m.Product, err)
	}
	if v := model.CheckPost(data, nil); v != nil {
		p.Note = strings.Replace(v.Error(), "/params", "/data", 1)
		return f.finish(ctx, tx, r, p, Contradict, Wrong)
	}
	p.Result = append([]byte(nil), data...)
	return f.finish(ctx, tx, r, p, Confirm, "")
}

// bytes ends a command that the device answers with bytes of its own: a call by its id, raw data in the order it went.
func (f *follower) bytes(ctx context.Context, tx *store.Tx, r uplink.Record, m device.Message, list []*pending) ([]*pending, error) {
	for _, p := range list {
		if p.Ended() || !p.answers(m) {
			continue
		}
		if err := p.look(ctx, tx); err != nil {
			return nil, err
		}
		if p.SentAt.IsZero() {
			continue
		}
		p.Result = resultOf(m.Payload)
		return f.finish(ctx, tx, r, p, Confirm, "")
	}
	return nil, nil
}

// answered finds the command a reply belongs to: by its id, or, because the official JavaScript SDK makes up an id of
// its own in service replies, the oldest open call of the service it came from.
func answered(list []*pending, m device.Message, reply alink.Reply) *pending {
	seq, err := strconv.ParseInt(string(reply.ID), 10, 64)
	if err == nil && m.Template != alink.RRPCResponse { // which the id in the topic names

		for _, p := range list {
			if p.Seq == seq && p.answers(m) {
				if p.Ended() {
					return nil
				}
				return p
			}
		}
	}
	if m.Template != alink.ServiceReply && m.Template != alink.RRPCResponse {
		return nil
	}
	for _, p := range list {
		if p.answers(m) && !p.Ended() {
			return p
		}
	}
	return nil
}

// answers reports whether an answer on the topic of m can be p's.
func (p *pending) answers(m device.Message) bool {
	switch {
	case p.Kind == Service && p.Call != "":
		return m.Template == alink.RRPCResponse && m.Arg == p.Call
	case p.Kind == Message && p.Call != "":
		id, _, _ := strings.Cut(m.Arg, "/")
		return m.Template == alink.ExtRRPC && id == p.Call
	}
	switch p.Kind {
	case PropertySet:
		return m.Template == alink.PropertySetReply
	case PropertyGet:
		return m.Template == alink.PropertyGetReply
	case Service:
		return m.Template == alink.ServiceReply && m.Arg == p.Service
	case Raw:
		return m.Template == alink.RawDownReply
	case PermitJoin:
		return m.Template == alink.GatewayPermitReply
	case Message: // nothing answers it
	}
	return false
}

// report holds what a device says of itself against what it was told, and settles the sets it confirmed already.
func (f *follower) report(ctx context.Context, tx *store.Tx, r uplink.Record, m device.Message, list []*pending) ([]*pending, error) {
	model, err := f.s.products.Model(ctx, m.Product)
	if err != nil {
		return nil, fmt.Errorf("opening the thing model of product %s: %w", m.Product, err)
	}
	f.otherwise = f.otherwise[:0]
	newestValues(&m, model, r.At, func(prop *tsl.Property, value []byte, at int64) {
		said := r.At
		if at > 0 && m.Template != alink.PropertyPost {
			said = earlier(said, time.UnixMilli(at))
		}
		for i, p := range list {
			if !p.Ended() && !p.agrees(prop.Identifier, value, said, list[i+1:]) {
				f.otherwise = append(f.otherwise, contradiction{p, prop.Identifier, said})
			}
		}
	})
	for _, c := range f.otherwise {
		if err := c.hold(ctx, tx); err != nil {
			return nil, err
		}
	}
	var done []*pending
	for _, p := range list {
		if p.Ended() || p.Kind != PropertySet {
			continue
		}
		fetched, err := p.carriedOut(ctx, tx)
		if err != nil {
			return nil, err
		}
		if !fetched && (p.Note != noteContradicted || len(p.contradicted) > 0) {
			if err := f.remember(ctx, tx, p); err != nil {
				return nil, err
			}
			continue
		}
		p.Note = ""
		ended, err := f.finish(ctx, tx, r, p, Confirm, "")
		if err != nil {
			return nil, err
		}
		done = append(done, ended...)
	}
	return done, nil
}

// remember writes down that an unanswered set is contradicted, or is so no more, for a process that takes over.
func (f *follower) remember(ctx context.Context, tx *store.Tx, p *pending) error {
	note := ""
	if len(p.contradicted) > 0 {
		note = noteOtherwise
	}
	if p.Note == noteContradicted || p.Note == note {
		return nil
	}
	p.Note = note
	return f.note(ctx, tx, p)
}

// agrees reports whether the report of a property does not speak against the set: it is as it was set, or as a newer set
// wants it.
func (p *pending) agrees(property string, value []byte, said time.Time, newer []*pending) bool {
	want, ok := p.sets[property]
	if !ok {
		return true
	}
	if !sameValue(want, value) && !slices.ContainsFunc(newer, func(q *pending) bool {
		want, ok := q.sets[property]
		return ok && sameValue(want, value)
	}) {
		return false
	}
	delete(p.contradicted, property)
	if p.agreed == nil {
		p.agreed = make(map[string]time.Time)
	}
	p.agreed[property] = said
	return true
}

// carriedOut reports whether the device fetched what was set as desired and has reported all of it since. There is no answer
// to wait for.
func (p *pending) carriedOut(ctx context.Context, tx *store.Tx) (bool, error) {
	if len(p.agreed) < len(p.sets) || len(p.contradicted) > 0 {
		return false, nil
	}
	if err := p.look(ctx, tx); err != nil || !p.fetched {
		return false, err
	}
	for _, said := range p.agreed {
		if said.Before(p.SentAt) {
			return false, nil
		}
	}
	return true, nil
}

// look reads when and how the command went, until that is known.
func (p *pending) look(ctx context.Context, tx *store.Tx) error {
	if p.looked {
		return nil
	}
	var at sql.NullInt64
	if err := tx.QueryRow(ctx, "SELECT sent_at, fetched FROM command WHERE seq = ?", p.Seq).Scan(&at, &p.fetched); err != nil {
		return fmt.Errorf("reading when command %s was sent: %w", p.ID, err)
	}
	p.SentAt, p.looked = moment(at), at.Valid
	return nil
}

// contradiction is a set and a property that was reported otherwise.
type contradiction struct {
	p        *pending
	property string
	said     time.Time
}

// hold notes the contradiction, unless the device said it before the command was sent: that says nothing of it.
func (c contradiction) hold(ctx context.Context, tx *store.Tx) error {
	p := c.p
	if err := p.look(ctx, tx); err != nil {
		return err
	}
	if p.SentAt.IsZero() || c.said.Before(p.SentAt) {
		return nil
	}
	if p.contradicted == nil {
		p.contradicted = make(map[string]bool)
	}
	p.contradicted[c.property] = true
	return nil
}

// sameValue compares two JSON values: numbers by value, all else by their canonical text.
func sameValue(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	ca, errA := json.Marshal(x)
	cb, errB := json.Marshal(y)
	return errA == nil && errB == nil && bytes.Equal(ca, cb)
}

func (f *follower) note(ctx context.Context, tx *store.Tx, p *pending) error {
	if _, err := tx.Exec(ctx, "UPDATE command SET note = ? WHERE seq = ? AND ended_at IS NULL", p.Note, p.Seq); err != nil {
		return fmt.Errorf("noting the answer to command %s: %w", p.ID, err)
	}
	return nil
}

// finish ends p as it stands in its row: the memory may be behind (acknowledged, expired, cancelled meanwhile).
func (f *follower) finish(ctx context.Context, tx *store.Tx, r uplink.Record, p *pending, act Act, reason Reason) ([]*pending, error) {
	err := tx.QueryRow(ctx, "SELECT state FROM command WHERE seq = ?", p.Seq).Scan(&p.State)
	if err != nil {
		return nil, fmt.Errorf("reading the state of command %s: %w", p.ID, err)
	}
	err = end(ctx, tx, &p.Command, act, reason, r.At)
	if errors.Is(err, errMoved) {
		p.EndedAt = r.At
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return []*pending{p}, nil
}
