// Package command carries what somebody wants of a device down to it and knows how it ended (命令).
//
// It owns the tables command and command_cursor, and promises:
//   - every command ends: succeeded, failed, expired or cancelled, at its deadline at the latest, also when every event
//     on the Bus is lost and when the process is killed in between;
//   - a command is put on the wire once: it is sent only after the row that says so is committed, and what may have
//     reached the socket is never sent again, but as [Commands.Resume] has it. A lost answer ends it as failed, reason
//     unconfirmed;
//   - succeeded means that the device answered 200 and that its own reports do not say otherwise, or, of a set whose values it
//     fetched as desired, that it reported them since;
//   - a synchronous call has a random id, goes to a device that is online, and is answered only by the session it went to, once;
//   - a device takes the commands of its organisation, and of the home of residents that it is bound in at that moment; such a
//     command is the organisation's all the same, and tells it of the resident an opaque id and nothing else;
//   - what was asked for in a home that the device has left, and was not sent, is cancelled in the same transaction as it leaves;
//   - the newest set of a property replaces those that still wait; at most [MaxWaiting] commands wait for one device.
//
// It knows no socket: the gateway takes what is due for the sessions it holds, and answers come up through the uplink Log.
package command

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/tsl"
)

// Limits of a command.
const (
	MaxWaiting      = 100                // commands that wait for one device
	MaxParams       = 64 << 10           // bytes of the parameters
	DefaultDeadline = 10 * time.Second   // where the request names none
	MaxDeadline     = 7 * 24 * time.Hour // the longest a command may wait
	MaxCall         = 8 * time.Second    // the longest a synchronous call may take, and its default
	MaxCalls        = 16                 // synchronous calls of one device at once
	MaxTopic        = 128                // bytes behind /user/
)

// Kind is what a command asks for.
type Kind string

// The kinds of commands, with the form of their Params.
const (
	PropertySet Kind = "property_set" // set properties: {"brightness":50}
	PropertyGet Kind = "property_get" // ask for properties: ["brightness"]
	Service     Kind = "service"      // call a service of the thing model: its input
	Raw         Kind = "raw"          // bytes on the topic down_raw: see [Payload]
	Message     Kind = "message"      // bytes on a topic below /user/: see [Payload]
	PermitJoin  Kind = "permit_join"  // let sub-devices join a gateway: see [Window]
)

// A Request is a command somebody wants carried out.
type Request struct {
	ID       string // what the command shall be called, a UUID of the caller's own that it wrote down first; empty: a new one
	Device   string // id
	Kind     Kind
	Service  string          // identifier, for Kind Service
	Topic    string          // what stands behind /user/, for Kind Message
	Params   json.RawMessage // see [Kind]
	Sync     bool            // for Kind Service and Message: a call that only the session it goes to may answer, once, within [MaxCall]
	Deadline time.Duration   // from now; 0 is [DefaultDeadline]
	Origin   string          // voice, api, scene …
	Ref      string          // what it belongs to there: the id of a sentence, a scene run
	Home     string          // id of the home in which it is asked for; of a device that is lent it is the organisation that asks
}

// A Command is a request on its way or at its end.
type Command struct {
	ID             string
	Seq            int64 // the id on the wire; grows with every command of the platform
	Organisation   string
	Device         string
	Kind           Kind
	Service        string // identifier
	Topic          string // behind /user/
	Call           string // random id of a synchronous call; empty if it is none
	Params         json.RawMessage
	QoS            uint8 // at which it goes, once it was taken
	State          State
	Reason         Reason
	Note           string          // what the device said when it refused, or why nothing could be sent
	Result         json.RawMessage // output of a service
	Origin, Ref    string
	Home           string // in which it was asked for; empty: in none
	CreatedAt      time.Time
	DeadlineAt     time.Time
	SentAt         time.Time // zero until then, as the next two
	AcknowledgedAt time.Time
	EndedAt        time.Time
}

// Ended reports whether nothing more will happen to the command.
func (c *Command) Ended() bool { return !c.EndedAt.IsZero() }

// Contradicted reports whether the device confirmed the command while its own reports say otherwise: it will end as
// failed, reason wrong, unless a report settles it before the deadline.
func (c *Command) Contradicted() bool { return !c.Ended() && c.Note == noteContradicted }

// Commands is the service of this room. It is safe for concurrent use.
type Commands struct {
	quota    *quota.Service // nil: requests to devices are not limited
	store    *store.Store
	products *product.Service
	shadow   *shadow.Service
	bus      bus.Bus
	log      *slog.Logger
	lent     Lent // nil: devices take the commands of their organisation only

	waiting waiters
	waits   waits
	reading reading
	acks    acknowledgements

	recording sync.Mutex // held from the taking of acknowledgements until they are written
}

// New returns the service over a migrated store. [Commands.Run] and [Commands.Follow] must run for commands to end.
func New(s *store.Store, products *product.Service, sh *shadow.Service, b bus.Bus, log *slog.Logger) *Commands {
	return &Commands{store: s, products: products, shadow: sh, bus: b, log: log, acks: acknowledgements{wake: make(chan struct{}, 1)}}
}

// Submit checks the requests against the thing models of their devices and accepts all of them or, with a
// [fault.Fault] or [*tsl.Violation] inside, none. They are on disk when it returns.
func (s *Commands) Submit(ctx context.Context, who access.Actor, reqs ...Request) ([]Command, error) {
	if len(reqs) == 0 {
		return nil, nil
	}
	wanted, err := s.prepare(ctx, who, reqs)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	out := make([]Command, len(reqs))
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		for i := range wanted {
			c, err := s.accept(ctx, tx, who, &wanted[i], now)
			if err != nil {
				return err
			}
			out[i] = c
		}
		tx.AfterCommit(func() { s.announce(out) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// want is a request that was checked.
type want struct {
	Request
	organisation string
	sets         []shadow.Setting // of a property set
	lent         bool             // who asks has the device lent
}

// prepare checks requests against their devices' models, before the write that others wait for.
func (s *Commands) prepare(ctx context.Context, who access.Actor, reqs []Request) ([]want, error) {
	out := make([]want, len(reqs))
	for i, r := range reqs {
		if err := r.bound(); err != nil {
			return nil, err
		}
		var d device.Device
		var lent bool
		err := s.store.Read(ctx, func(v *store.View) error {
			var err error
			if d, lent, err = s.reach(ctx, v, who, r.Device); err != nil {
				return err
			}
			st, err := enforce.StandingOf(ctx, v, enforce.Chain{Device: d.ID, Batch: d.Order, Product: d.Product, Organisation: d.Organisation})
			if err != nil {
				return err
			}
			return st.Check(enforce.Control)
		})
		if err != nil {
			return nil, err
		}
		if r.Sync && !d.Online {
			return nil, fault.Conflict("device "+d.ID, "the device is offline, and a synchronous call waits for nobody")
		}
		if r.Kind == PermitJoin {
			if err := s.mayCarry(ctx, d.Product); err != nil {
				return nil, err
			}
		}
		if err := s.charge(d); err != nil {
			return nil, err
		}
		model, err := s.products.Model(ctx, d.Product)
		if err != nil {
			return nil, fmt.Errorf("opening the thing model of device %s: %w", d.ID, err)
		}
		sets, err := check(model, r)
		if err != nil {
			return nil, err
		}
		switch {
		case r.Deadline == 0 && r.Sync:
			r.Deadline = MaxCall
		case r.Deadline == 0:
			r.Deadline = DefaultDeadline
		}
		out[i] = want{r, d.Organisation, sets, lent}
	}
	return out, nil
}

// bound refuses what is beyond the limits of a command.
func (r *Request) bound() error {
	if r.Deadline < 0 || r.Deadline > MaxDeadline {
		return fault.Invalid("/deadline", r.Deadline.String(), "more than 0 and at most "+MaxDeadline.String(), "choose a deadline within a week")
	}
	if r.Sync && r.Deadline > MaxCall {
		return fault.Invalid("/deadline", r.Deadline.String(), "at most "+MaxCall.String()+" for a synchronous call", "call it without sync, or wait less")
	}
	if r.Sync && r.Kind != Service && r.Kind != Message {
		return fault.Invalid("/sync", "true", "false, but for services and messages", "send it without sync")
	}
	if len(r.Params) > MaxParams {
		return fault.Invalid("/params", fmt.Sprintf("%d bytes", len(r.Params)), fmt.Sprintf("at most %d bytes", MaxParams), "send less at once")
	}
	return nil
}

func (s *Commands) accept(ctx context.Context, tx *store.Tx, who access.Actor, r *want, now time.Time) (Command, error) {
	if r.lent {
		if err := s.stillLent(ctx, tx, who, r.Device); err != nil {
			return Command{}, err
		}
		r.Home = who.Organisation
		who.From = "" // where residents are is not for the makers of their devices
	}
	if err := s.makeRoom(ctx, tx, r.Device, r.Request, r.sets, now); err != nil {
		return Command{}, err
	}
	call, err := drawCall(ctx, tx, &r.Request)
	if err != nil {
		return Command{}, err
	}
	c := Command{
		ID: cmp.Or(r.ID, uuid.Must(uuid.NewV7()).String()), Organisation: r.organisation, Device: r.Device, Kind: r.Kind, Service: r.Service, Topic: r.Topic, Call: call, Params: r.Params,
		State: Accepted, Origin: r.Origin, Ref: r.Ref, Home: r.Home, CreatedAt: now.UTC(), DeadlineAt: now.Add(r.Deadline).UTC(),
	}
	if c.Seq, err = insert(ctx, tx, who, &c); err != nil {
		return Command{}, err
	}
	s.waits.name(r.Device)
	if len(r.sets) > 0 {
		if err := s.shadow.SetDesired(ctx, tx, r.Device, r.sets, now); err != nil {
			return Command{}, err
		}
	}
	return c, nil
}

// check holds the parameters against the model and returns the properties a set names.
func check(model *tsl.Model, r Request) ([]shadow.Setting, error) {
	switch r.Kind {
	case PropertySet:
		var sets []shadow.Setting
		v := model.CheckSet(r.Params, func(p *tsl.Property, value []byte, _ int64) {
			sets = append(sets, shadow.Setting{Property: p.Identifier, Value: json.RawMessage(append([]byte(nil), value...))})
		})
		if v != nil {
			return nil, v
		}
		if len(sets) == 0 {
			return nil, fault.Invalid("/params", "{}", "at least one property", "name the property to set")
		}
		return sets, nil
	case Service:
		if v := model.CheckInput(r.Service, r.Params); v != nil {
			return nil, v
		}
		return nil, nil
	case PropertyGet:
		return nil, checkNames(model, r.Params)
	case Raw:
		_, err := payloadOf(r.Params)
		return nil, err
	case Message:
		return nil, checkMessage(&r)
	case PermitJoin:
		return nil, checkWindow(r.Params)
	}
	return nil, fault.Unlisted("/kind", string(r.Kind), Kinds(), "")
}

// makeRoom cancels the waiting sets that the new one replaces, and refuses the command when the device's queue is full.
func (s *Commands) makeRoom(ctx context.Context, tx *store.Tx, device string, r Request, sets []shadow.Setting, now time.Time) error {
	waiting, err := open(ctx, tx, device, Accepted)
	if err != nil {
		return err
	}
	left := len(waiting)
	for i := range waiting {
		w := &waiting[i]
		if r.Kind != PropertySet || !replaces(sets, w) {
			continue
		}
		if err := end(ctx, tx, w, Replace, Replaced, now); err != nil {
			return err
		}
		left--
		tx.AfterCommit(func() { s.ended(*w) })
	}
	if left >= MaxWaiting {
		return &fault.Fault{
			Code: fault.OverLimit, What: fmt.Sprintf("%d commands wait for the device already", left), Where: device,
			Rule: fmt.Sprintf("at most %d commands wait for one device", MaxWaiting), Fix: "wait until it is online, or cancel some",
		}
	}
	return nil
}

// replaces reports whether sets name every property that the waiting command w would set.
func replaces(sets []shadow.Setting, w *Command) bool {
	if w.Kind != PropertySet {
		return false
	}
	had, err := setsOf(w)
	if err != nil {
		return false
	}
	for _, set := range sets {
		delete(had, set.Property)
	}
	return len(had) == 0
}

// setsOf are the properties that a set names, with their values.
func setsOf(c *Command) (sets map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(c.Params, &sets); err != nil {
		return nil, fmt.Errorf("reading the parameters of command %s: %w", c.ID, err)
	}
	return sets, nil
}

// Load returns a command of who's organisation, or one that was asked for in the home of residents that who acts for.
func (s *Commands) Load(ctx context.Context, who access.Actor, id string) (Command, error) {
	var c Command
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		c, err = load(ctx, v, who, id)
		return err
	})
	return c, err
}

// List returns a page of the commands of a device, newest first, and whether more follow. before is the Seq of the last
// one of the page before, or 0.
func (s *Commands) List(ctx context.Context, who access.Actor, deviceID string, before int64, limit int) ([]Command, bool, error) {
	if limit == 0 {
		limit = 50
	}
	if limit < 1 || limit > 500 {
		return nil, false, fault.Invalid("/limit", fmt.Sprint(limit), "an integer from 1 to 500", "ask for at most 500 and follow the cursor")
	}
	var page []Command
	err := s.store.Read(ctx, func(v *store.View) error {
		if _, err := device.Load(ctx, v, who, deviceID); err != nil {
			return err
		}
		var err error
		page, err = list(ctx, v, deviceID, before, limit+1)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	if len(page) > limit {
		return page[:limit], true, nil
	}
	return page, false, nil
}

// Cancel ends a command that has not left yet.
func (s *Commands) Cancel(ctx context.Context, who access.Actor, id string) (Command, error) {
	var c Command
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if c, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		if _, err := moves.Next(c.State, Revoke, access.Actor{}); err != nil {
			return err
		}
		if err := end(ctx, tx, &c, Revoke, Withdrawn, time.Now()); err != nil {
			return err
		}
		tx.AfterCommit(func() { s.ended(c) })
		return nil
	})
	if errors.Is(err, errMoved) {
		return c, fault.Stale("command", id)
	}
	return c, err
}
