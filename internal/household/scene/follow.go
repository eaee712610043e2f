package scene

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/tsl"
)

const (
	consumer = "scene.automations"
	batch    = 500
	together = 100             // happenings that are dealt with in one transaction, and those of one record more
	watchFor = 2 * time.Second // how long what another node changed can go unseen
)

// watching is which devices automations that are on wait for.
type watching struct {
	devices map[string]bool
	at      time.Time
}

// Follow looks at automations as the Log tells what happens, until ctx ends. The first time it begins at the end: what was before
// sets nothing off.
func (s *Service) Follow(ctx context.Context, log uplink.Log) error {
	var from uplink.Position
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		err := v.QueryRow(ctx, "SELECT position FROM scene_cursor WHERE consumer = ?", consumer).Scan(&from)
		if errors.Is(err, sql.ErrNoRows) {
			from = log.Tail()
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the cursor of %s: %w", consumer, err)
	}
	s.followed = from
	return uplink.Follow(ctx, log, consumer, from, batch, s.follow, uplink.Logger(s.log))
}

// A happening is something that sets an automation off, or only shows it a value.
type happening struct {
	a      *Automation
	at     time.Time
	cause  string
	off    bool // it is set off
	device string
	value  json.RawMessage
	output map[string]json.RawMessage
}

func (s *Service) follow(ctx context.Context, records []uplink.Record) error {
	watched, err := s.watch(ctx)
	if err != nil {
		return err
	}
	for len(records) > 0 && records[0].Pos <= s.followed { // tried again: a part of them is dealt with
		records = records[1:]
	}
	known := make(map[string][]Automation)
	for len(records) > 0 {
		met, n, err := s.meet(ctx, records, watched, known)
		if err != nil {
			return err
		}
		if len(met) > 0 || s.lag.Due(time.Now()) {
			if err := s.deal(ctx, met, records[n-1].Pos); err != nil {
				return err
			}
		}
		s.followed, records = records[n-1].Pos, records[n:]
	}
	return nil
}

// meet is what records are to automations, up to one with which there are [together] happenings, and how many records that is. A
// record brings one happening for each automation at most.
func (s *Service) meet(ctx context.Context, records []uplink.Record, watched map[string]bool, known map[string][]Automation) (met []*happening, n int, err error) {
	for ; n < len(records) && len(met) < together; n++ {
		r := &records[n]
		if !watched[r.Device] {
			continue
		}
		if known[r.Device] == nil {
			if known[r.Device], err = s.waitingFor(ctx, r.Device); err != nil {
				return nil, n, err
			}
		}
		for j := range known[r.Device] {
			if r.At.Before(known[r.Device][j].ChangedAt) {
				continue // read again, or late: it was not so then
			}
			h, err := s.happens(ctx, &known[r.Device][j], r)
			if err != nil {
				return nil, n, err
			}
			if h != nil {
				met = append(met, h)
			}
		}
	}
	return met, n, nil
}

// deal finds out what is to become of happenings, and writes it with the place in the Log that is reached by it: one transaction.
func (s *Service) deal(ctx context.Context, met []*happening, reached uplink.Position) (err error) {
	verdicts := make([]verdict, len(met))
	for i, h := range met {
		if verdicts[i], err = s.consider(ctx, h); err != nil {
			return err
		}
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		for i := range verdicts {
			if err := s.conclude(ctx, tx, &verdicts[i]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO scene_cursor (consumer, position) VALUES (?, ?)
			ON CONFLICT (consumer) DO UPDATE SET position = excluded.position`, consumer, reached)
		if err != nil {
			return fmt.Errorf("moving the cursor of %s: %w", consumer, err)
		}
		return nil
	})
}

// watch is which devices matter, looked up now and then.
func (s *Service) watch(ctx context.Context) (map[string]bool, error) {
	if w := s.watched.Load(); w != nil && time.Since(w.at).Abs() < watchFor {
		return w.devices, nil
	}
	w := &watching{devices: make(map[string]bool), at: time.Now()}
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT DISTINCT device FROM scene_device WHERE kind = 'automation'")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var d string
			if err := rows.Scan(&d); err != nil {
				return err
			}
			w.devices[d] = true
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("looking which devices automations wait for: %w", err)
	}
	s.watched.Store(w)
	return w.devices, nil
}

// waitingFor are the automations that are on and wait for a device.
func (s *Service) waitingFor(ctx context.Context, id string) (all []Automation, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		all, err = queryAutomations(ctx, v, "WHERE id IN (SELECT id FROM scene_device WHERE kind = 'automation' AND device = ?) AND enabled = 1 ORDER BY id", id)
		return err
	})
	kept := []Automation{}
	for i := range all {
		if all[i].Trigger.Device == id {
			kept = append(kept, all[i])
		}
	}
	return kept, err
}

// happens says what a record is to an automation, nil for nothing.
func (s *Service) happens(ctx context.Context, a *Automation, r *uplink.Record) (*happening, error) {
	t := &a.Trigger
	switch {
	case r.Kind == uplink.Presence && t.Kind == OnPresence:
		p, err := device.DecodePresence(r.Body)
		if err != nil || p.Online != t.Online || p.Replaced {
			return nil, nil //nolint:nilerr,nilnil // a broken record is told by who keeps presence
		}
		cause := "offline"
		if p.Online {
			cause = "online"
		}
		return &happening{a: a, at: r.At, off: true, device: r.Device, cause: cause}, nil
	case r.Kind == uplink.Message && (t.Kind == OnProperty || t.Kind == OnEvent):
		m, err := device.DecodeMessage(r.Body)
		if err != nil {
			return nil, nil //nolint:nilerr,nilnil // a broken record is told by who keeps shadows
		}
		if t.Kind == OnEvent {
			return eventOf(a, &m, r), nil
		}
		if !m.Reports() || m.Past() {
			return nil, nil //nolint:nilnil // it says nothing of now
		}
		model, err := s.c.Products.Model(ctx, m.Product)
		if err != nil {
			return nil, fmt.Errorf("opening the thing model of product %s: %w", m.Product, err)
		}
		return reportOf(a, &m, r, model), nil
	}
	return nil, nil //nolint:nilnil // nothing to it
}

func eventOf(a *Automation, m *device.Message, r *uplink.Record) *happening {
	if m.Template != alink.EventPost || m.Arg != a.Trigger.Event {
		return nil
	}
	var in struct {
		Params json.RawMessage `json:"params"`
	}
	h := &happening{a: a, at: r.At, off: true, device: r.Device, cause: "event " + m.Arg}
	if json.Unmarshal(m.Payload, &in) != nil {
		return h
	}
	var wrapped struct {
		Value map[string]json.RawMessage `json:"value"`
	}
	if json.Unmarshal(in.Params, &wrapped) == nil && wrapped.Value != nil {
		h.output = wrapped.Value
	} else {
		_ = json.Unmarshal(in.Params, &h.output) // was checked by the gateway
	}
	return h
}

// reportOf is a report of the property that an automation waits for.
func reportOf(a *Automation, m *device.Message, r *uplink.Record, model *tsl.Model) *happening {
	var raw json.RawMessage
	m.Values(model, func(p *tsl.Property, value []byte, _ int64) {
		if p.Identifier == a.Trigger.Property {
			raw = append(json.RawMessage(nil), value...)
		}
	})
	var is float64
	if raw == nil || json.Unmarshal(raw, &is) != nil {
		return nil
	}
	was := a.seen
	a.seen = &is
	h := &happening{a: a, at: r.At, device: r.Device, value: raw}
	if was == nil || !a.Trigger.becomes(*was, is) {
		if was != nil && *was == is {
			return nil
		}
		return h
	}
	form := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	h.off, h.cause = true, a.Trigger.Property+" "+form(*was)+" → "+form(is)
	return h
}

// A verdict is what is to become of a happening.
type verdict struct {
	a     Automation
	off   bool
	trace Trace
}

// consider finds out whether the condition of an automation holds. It reads, and writes nothing.
func (s *Service) consider(ctx context.Context, h *happening) (verdict, error) {
	v := verdict{a: *h.a, off: h.off, trace: Trace{Home: h.a.Home, Automation: h.a.ID, At: time.Now(), Cause: h.cause, Outcome: Ran}}
	if !h.off {
		return v, nil
	}
	if time.Since(h.at) > MaxLate {
		v.trace.Outcome = TraceLate
		return v, nil
	}
	me := access.System("scene", h.a.Organisation)
	hm, err := s.c.Homes.Load(ctx, me, h.a.Home)
	if fault.Is(err, fault.Missing) {
		v.off = false
		return v, nil
	}
	if err != nil {
		return v, err
	}
	if h.device != "" && !slices.ContainsFunc(hm.Devices, func(d home.Device) bool { return d.ID == h.device }) {
		v.off = false // it has left the home: what it does is the business of another
		return v, nil
	}
	c, err := s.conditionOf(ctx, h.a, &hm)
	if err != nil {
		if !refusal(err) {
			return v, err
		}
		v.trace.Outcome, v.trace.Why = Undoable, fault.Cut(err.Error())
		return v, nil
	}
	in, err := s.observe(ctx, me, h, &hm)
	if err != nil {
		return v, err
	}
	switch is, why := c.holds(h.a, in); {
	case why != "":
		v.trace.Outcome, v.trace.Why = Unknown, fault.Cut(why)
	case !is:
		v.trace.Outcome = Unmet
	}
	return v, nil
}

// observe gathers what a condition looks at.
func (s *Service) observe(ctx context.Context, me access.Actor, h *happening, hm *home.Home) (*circumstances, error) {
	in := &circumstances{local: time.Now().In(s.c.Homes.Zone(hm)), value: h.value, output: h.output}
	var devices []string
	for _, d := range h.a.Devices {
		devices = append(devices, d)
	}
	if len(devices) == 0 {
		return in, nil
	}
	var err error
	if in.states, err = s.c.Shadows.States(ctx, devices...); err != nil {
		return nil, err
	}
	if in.online, err = s.c.Homes.Online(ctx, me, hm.ID, devices...); err != nil {
		return nil, err
	}
	for _, d := range devices {
		in.online[d] = in.online[d] || s.c.Live != nil && s.c.Live(d)
		if d == h.device && h.value != nil { // shadows may be behind the record that set it off
			st := in.states[d]
			if st.Reported == nil {
				continue
			}
			own := st.Reported[h.a.Trigger.Property]
			own.Value = h.value
			st.Reported[h.a.Trigger.Property] = own
		}
	}
	return in, nil
}

// conditionOf is the compiled condition of an automation, kept until it or a model changes.
func (s *Service) conditionOf(ctx context.Context, a *Automation, hm *home.Home) (*condition, error) {
	of, err := s.modelsOf(ctx, hm)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	kept := s.conditions[a.ID]
	s.mu.Unlock()
	if kept != nil && kept.version == a.Version && kept.same(a, of) {
		return kept, nil
	}
	c, err := compile(a, of)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conditions == nil || len(s.conditions) >= maxConditions {
		s.conditions = make(map[string]*condition)
	}
	s.conditions[a.ID] = c
	return c, nil
}

// maxConditions is how many compiled conditions are kept.
const maxConditions = 10_000

// same reports whether a condition was compiled with the models that hold now.
func (c *condition) same(a *Automation, of models) bool {
	for _, d := range a.devices() {
		if c.of[d] != of[d] {
			return false
		}
	}
	return true
}

// conclude writes what becomes of an automation: that it saw a value, its trace, and the run that it begins.
func (s *Service) conclude(ctx context.Context, tx *store.Tx, v *verdict) error {
	a := &v.a
	if a.Trigger.Kind == OnProperty {
		if _, err := tx.Exec(ctx, "UPDATE scene_automation SET seen = ? WHERE id = ? AND version = ?", a.sighted(), a.ID, a.Version); err != nil {
			return fmt.Errorf("noting what automation %s saw: %w", a.ID, err)
		}
	}
	if !v.off {
		return nil
	}
	var there int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM scene_automation WHERE id = ? AND version = ? AND enabled = 1", a.ID, a.Version).Scan(&there)
	if err != nil || there == 0 { // it was changed, or taken away, meanwhile
		return err
	}
	t := v.trace
	if t.Outcome == Ran {
		if err := s.restrain(ctx, tx, a, &t); err != nil {
			return err
		}
	}
	if t.Outcome == Ran {
		if err := s.runAutomation(ctx, tx, a, &t); err != nil {
			return err
		}
	}
	return writeTrace(ctx, tx, a, &t)
}

// restrain keeps automations from setting off each other without end, and from running too often.
func (s *Service) restrain(ctx context.Context, tx *store.Tx, a *Automation, t *Trace) error {
	var by string
	var err error
	if t.Depth, by, err = causedBy(ctx, tx, a, t.At); err != nil {
		return err
	}
	if t.Depth >= MaxCauses {
		t.Outcome, t.Why = Looped, by
		return nil
	}
	since := t.At.Add(-time.Minute).UnixMilli()
	for _, limit := range []struct {
		column, of string
		most       int
	}{{"automation", a.ID, MaxPerMinute}, {"home", a.Home, MaxHomeMinute}} {
		var n int
		err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM scene_trace WHERE "+limit.column+" = ? AND outcome = ? AND at > ?", limit.of, Ran, since).Scan(&n)
		if err != nil {
			return fmt.Errorf("counting runs of automation %s: %w", a.ID, err)
		}
		if n >= limit.most {
			t.Outcome, t.Why = TooOften, fmt.Sprintf("%s: %d a minute", limit.column, limit.most)
			return nil
		}
	}
	return nil
}

// causedBy says how many automations led to what sets one off: those whose runs lately commanded the very property that was reported.
func causedBy(ctx context.Context, tx *store.Tx, a *Automation, at time.Time) (depth int, by string, err error) {
	if a.Trigger.Device == "" || a.Trigger.Kind == OnPresence {
		return 0, "", nil
	}
	rows, err := tx.Query(ctx, "SELECT "+runColumns+` FROM scene_run
		WHERE id IN (SELECT id FROM scene_device WHERE device = ? AND kind = 'run') AND origin = ? AND due_at > ?
		ORDER BY id DESC LIMIT 20`, a.Trigger.Device, OfAutomation, at.Add(-echo).UnixMilli())
	if err != nil {
		return 0, "", fmt.Errorf("looking what set off automation %s: %w", a.ID, err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := scanRun(rows)
		if err != nil {
			return 0, "", err
		}
		if r.Depth+1 > depth && r.touches(a.Trigger.Device, a.Trigger.Property) {
			depth, by = r.Depth+1, r.Label.In(home.Chinese)
		}
	}
	return depth, by, rows.Err()
}

// touches reports whether a run commands a property of a device, or, of no property, the device.
func (r *Run) touches(id, property string) bool {
	for i := range r.Steps {
		st := &r.Steps[i]
		if st.Device != id || st.Command == "" {
			continue
		}
		var sets map[string]json.RawMessage
		if property == "" || st.Kind == Call || st.Property == property {
			return true
		}
		if json.Unmarshal(st.Params, &sets) == nil && sets[property] != nil {
			return true
		}
	}
	return false
}

// runAutomation begins what an automation does.
func (s *Service) runAutomation(ctx context.Context, tx *store.Tx, a *Automation, t *Trace) error {
	scenes, err := scenesOf(ctx, tx, a.Home)
	if err != nil {
		return err
	}
	r := s.newRun(access.Clock("automation", a.Organisation), a.Home, OfAutomation, a.ID, t.Cause)
	r.Label, r.Depth = home.Names{home.Chinese: a.Name}, t.Depth
	r.Steps = expand(a.Actions, scenes, "", -1, nil)
	err = s.begin(ctx, tx, &r)
	switch {
	case fault.Is(err, fault.OverLimit):
		t.Outcome, t.Why = Undoable, "too many runs are under way"
		return nil
	case err != nil:
		return err
	}
	t.Run = r.ID
	return nil
}

// lookAutomations looks at the automations whose time has come, and says how long no other's does.
func (s *Service) lookAutomations(ctx context.Context, wg *sync.WaitGroup) (time.Duration, error) {
	var soon []Automation
	err := s.c.Store.Read(ctx, func(v *store.View) (err error) {
		soon, err = queryAutomations(ctx, v, "WHERE enabled = 1 AND due_at > 0 ORDER BY due_at, id LIMIT ?", s.window())
		return err
	})
	if err != nil {
		return s.c.Every, err
	}
	now := time.Now()
	for i := range soon {
		a := soon[i]
		if left := a.DueAt.Sub(now); left > 0 {
			return min(s.c.Every, left), nil
		}
		key := OfAutomation + " " + a.ID
		if !s.take(key, a.Home) {
			continue
		}
		wg.Go(func() {
			defer s.release(key)
			if err := s.strike(ctx, &a, now); err != nil && !errors.Is(err, errTaken) && ctx.Err() == nil {
				s.log.LogAttrs(ctx, slog.LevelWarn, "automation held up", slog.String("automation", a.ID), slog.Any("error", err))
			}
		})
	}
	return s.c.Every, nil
}

// strike looks at an automation whose time has come, and finds its next: one transaction, which of two nodes one comes through.
func (s *Service) strike(ctx context.Context, a *Automation, now time.Time) error {
	was := a.DueAt
	hm, err := s.c.Homes.Load(ctx, access.System("scene", a.Organisation), a.Home)
	if err != nil {
		return err
	}
	cause := a.Trigger.Sun
	if a.Trigger.Kind == OnTime {
		cause = a.Trigger.At
	}
	v, err := s.consider(ctx, &happening{a: a, at: was, off: true, cause: cause})
	if err != nil {
		return err
	}
	due := a.Trigger.next(now, hm.Place, s.c.Homes.Zone(&hm))
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, "UPDATE scene_automation SET due_at = ? WHERE id = ? AND due_at = ? AND version = ?", millis(due), a.ID, millis(was), a.Version)
		if err != nil {
			return fmt.Errorf("moving on automation %s: %w", a.ID, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errTaken
		}
		return s.conclude(ctx, tx, &v)
	})
}

// retime finds when the automations of a home are due that lies elsewhere now.
func (s *Service) retime(ctx context.Context, tx *store.Tx, homeID string) error {
	var p home.Place
	var latitude, longitude sql.NullInt64
	err := tx.QueryRow(ctx, "SELECT time_zone, latitude_e6, longitude_e6 FROM home WHERE id = ?", homeID).Scan(&p.TimeZone, &latitude, &longitude)
	if err != nil {
		return fmt.Errorf("reading where home %s lies: %w", homeID, err)
	}
	p.Located, p.Latitude, p.Longitude = latitude.Valid && longitude.Valid, latitude.Int64, longitude.Int64
	all, err := queryAutomations(ctx, tx, "WHERE home = ? ORDER BY id LIMIT ?", homeID, MaxAutomations)
	if err != nil {
		return err
	}
	for i := range all {
		a := &all[i]
		if a.Trigger.Kind != OnTime && a.Trigger.Kind != OnSun {
			continue
		}
		due := a.Trigger.next(time.Now(), p, s.c.Homes.Zone(&home.Home{Place: p}))
		if _, err := tx.Exec(ctx, "UPDATE scene_automation SET due_at = ?, version = version + 1 WHERE id = ?", millis(due), a.ID); err != nil {
			return fmt.Errorf("moving automation %s: %w", a.ID, err)
		}
	}
	return nil
}
