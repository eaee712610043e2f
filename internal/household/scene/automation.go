package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/tsl"
)

// Limits of automations.
const (
	MaxAutomations = 100         // of one home
	MaxCauses      = 3           // automations that set off each other, one behind the other
	MaxPerMinute   = 10          // runs of one automation
	MaxHomeMinute  = 100         // runs of all automations of one home a minute
	MaxCondition   = 1000        // bytes
	MaxVariables   = 16          // devices that a condition names
	MaxTraces      = 100         // kept of one automation
	MaxOffset      = 6 * 60      // minutes before or after the sun
	echo           = time.Minute // how long a report is taken for the answer to a command
)

// OfAutomation is the origin of the runs of automations.
const OfAutomation = "automation"

// TriggerKind is what sets an automation off.
type TriggerKind string

// The kinds of triggers.
const (
	OnProperty TriggerKind = "property" // a report of Device: its Property is changed, above, below or equals Value
	OnEvent    TriggerKind = "event"    // Device posts Event
	OnPresence TriggerKind = "presence" // Device comes (Online) or goes
	OnTime     TriggerKind = "time"     // it is At, on Days
	OnSun      TriggerKind = "sun"      // Sun rises or sets, OffsetMinutes later, on Days
)

// TriggerKinds lists the kinds of triggers.
func TriggerKinds() []TriggerKind {
	return []TriggerKind{OnProperty, OnEvent, OnPresence, OnTime, OnSun}
}

// What a property must do to set an automation off: it becomes so, and was not before.
const (
	Changed = "changed"
	Above   = "above"
	Below   = "below"
	Equals  = "equals"
)

// A Trigger is when an automation is looked at.
type Trigger struct {
	Kind          TriggerKind `json:"kind" enum:"property,event,presence,time,sun"`
	Device        string      `json:"device,omitempty" maxLength:"64" doc:"Id, of property, event and presence."`
	Property      string      `json:"property,omitempty" maxLength:"64"`
	Is            string      `json:"is,omitempty" enum:"changed,above,below,equals" doc:"Of property: what it becomes, and was not before."`
	Value         float64     `json:"value,omitempty" doc:"Of above, below and equals."`
	Event         string      `json:"event,omitempty" maxLength:"64"`
	Online        bool        `json:"online,omitempty" doc:"Of presence: true when it comes, false when it goes."`
	At            string      `json:"at,omitempty" maxLength:"5" doc:"Of time: time of day in the home, as 07:30."`
	Sun           string      `json:"sun,omitempty" enum:"sunrise,sunset"`
	OffsetMinutes int         `json:"offset_minutes,omitempty" minimum:"-360" maximum:"360" doc:"Of sun: so much later, below 0 earlier."`
	Days          []string    `json:"days,omitempty" nullable:"false" maxItems:"7" enum:"monday,tuesday,wednesday,thursday,friday,saturday,sunday" doc:"Of time and sun: on these weekdays only."`
}

// An Automation (自动化) does something when something happens, if a condition holds.
type Automation struct {
	ID, Home     string
	Organisation string
	Name         string
	Enabled      bool
	Trigger      Trigger
	Devices      map[string]string // what the condition calls devices, by id
	Condition    string            // CEL; empty: always
	Actions      []Action
	Version      int64
	DueAt        time.Time // of time and sun: when next; zero: never
	CreatedAt    time.Time
	ChangedAt    time.Time
	Broken       []Flaw

	seen *float64 // what its property was when it was last reported
}

// An AutomationDraft is what somebody wants an automation to be.
type AutomationDraft struct {
	Name      string
	Enabled   bool
	Trigger   Trigger
	Devices   map[string]string
	Condition string
	Actions   []Action
}

// check holds a trigger against the home and the models of its devices.
func (t *Trigger) check(h *home.Home, of models) error {
	if t.Kind == OnTime || t.Kind == OnSun { // what is not of the kind is not kept
		t.Device, t.Property, t.Event = "", "", ""
	}
	switch t.Kind {
	case OnTime:
		if _, err := time.Parse("15:04", t.At); err != nil {
			return fault.Invalid("/trigger/at", t.At, "a time of day, such as 07:30", "send hours and minutes of 24 hours")
		}
	case OnSun:
		if err := t.checkSun(h); err != nil {
			return err
		}
	case OnProperty, OnEvent, OnPresence:
		model, here := of[t.Device]
		if !here {
			return fault.Invalid("/trigger/device", t.Device, "a device of the home", "bind it first, or choose another trigger")
		}
		if model == nil {
			return fault.Conflict("/trigger/device", "the product of this device has no thing model in force")
		}
		if err := t.fits(model); err != nil {
			return err
		}
	default:
		return fault.Unlisted("/trigger/kind", string(t.Kind), TriggerKinds(), "")
	}
	_, err := maskOf(t.Days)
	return err
}

func (t *Trigger) checkSun(h *home.Home) error {
	switch {
	case t.Sun != "sunrise" && t.Sun != "sunset":
		return fault.Invalid("/trigger/sun", t.Sun, `"sunrise" or "sunset"`, "send one of the two")
	case t.OffsetMinutes < -MaxOffset || t.OffsetMinutes > MaxOffset:
		return fault.Invalid("/trigger/offset_minutes", strconv.Itoa(t.OffsetMinutes), fmt.Sprintf("an integer from %d to %d", -MaxOffset, MaxOffset), "choose a time nearer to the sun's")
	case !h.Place.Located:
		f := fault.Conflict("/trigger/sun", "nobody has said where the home lies, so that nobody knows when the sun rises there")
		f.Fix = "say it first (PUT /api/v1/homes/{home}/place)"
		return f
	}
	return nil
}

// fits holds a trigger against the model of its device.
func (t *Trigger) fits(model *tsl.Model) error {
	switch t.Kind {
	case OnProperty:
		p, ok := model.Property(t.Property)
		if !ok || !p.Readable || !measured(p) {
			return fault.Invalid("/trigger/property", t.Property, "a number, enum or bool of the thing model that is reported", "name another property")
		}
		if all := []string{Changed, Above, Below, Equals}; !slices.Contains(all, t.Is) {
			return fault.Unlisted("/trigger/is", t.Is, all, "")
		}
	case OnEvent:
		if _, ok := model.Event(t.Event); !ok {
			return fault.Invalid("/trigger/event", t.Event, "an event of the thing model", "name another event, or publish a model version that has it")
		}
	case OnPresence, OnTime, OnSun:
	}
	return nil
}

// measured reports whether values of a property can be compared as numbers.
func measured(p *tsl.Property) bool {
	return p.Type.Numeric() || p.Type == tsl.Bool || p.Type == tsl.Enum
}

// becomes reports whether a property that was one value, and is another, sets the trigger off.
func (t *Trigger) becomes(was, is float64) bool {
	switch t.Is {
	case Above:
		return is > t.Value && was <= t.Value
	case Below:
		return is < t.Value && was >= t.Value
	case Equals:
		return is == t.Value && was != t.Value
	}
	return is != was
}

// next is when an automation by time is due after a moment; zero: never.
func (t *Trigger) next(after time.Time, p home.Place, zone *time.Location) time.Time {
	mask, err := maskOf(t.Days)
	if err != nil {
		return time.Time{}
	}
	switch t.Kind {
	case OnTime:
		at, err := time.Parse("15:04", t.At)
		if err != nil {
			return time.Time{}
		}
		due, _ := next(after, at.Hour(), at.Minute(), mask, zone)
		return due
	case OnSun:
		if !p.Located {
			return time.Time{}
		}
		return nextSun(after, t.Sun == "sunrise", time.Duration(t.OffsetMinutes)*time.Minute, mask, p, zone)
	case OnProperty, OnEvent, OnPresence:
	}
	return time.Time{}
}

// devices are those that an automation names, each once.
func (a *Automation) devices() []string {
	all := devicesOf(a.Actions)
	for _, d := range a.Devices {
		if !slices.Contains(all, d) {
			all = append(all, d)
		}
	}
	if d := a.Trigger.Device; d != "" && !slices.Contains(all, d) {
		all = append(all, d)
	}
	return all
}

// CreateAutomation adds an automation to a home of who's organisation.
func (s *Service) CreateAutomation(ctx context.Context, who access.Actor, homeID string, d AutomationDraft) (Automation, error) {
	return s.keepAutomation(ctx, who, homeID, "", 0, d)
}

// ChangeAutomation makes an automation what d says.
func (s *Service) ChangeAutomation(ctx context.Context, who access.Actor, homeID, id string, d AutomationDraft) (Automation, error) {
	return s.keepAutomation(ctx, who, homeID, id, 0, d)
}

// keepAutomation makes an automation, or changes one: that of the version held, unless that is 0; another is errMoved.
func (s *Service) keepAutomation(ctx context.Context, who access.Actor, homeID, id string, held int64, d AutomationDraft) (Automation, error) {
	if err := who.Check(access.WriteHome); err != nil {
		return Automation{}, err
	}
	if err := who.Check(access.ControlDevice); err != nil { // it will command devices, with nobody there
		return Automation{}, err
	}
	h, err := s.c.Homes.Load(ctx, who, homeID)
	if err != nil {
		return Automation{}, err
	}
	of, err := s.modelsOf(ctx, &h)
	if err != nil {
		return Automation{}, err
	}
	if n := utf8.RuneCountInString(d.Name); n < 1 || n > home.MaxName || !utf8.ValidString(d.Name) {
		return Automation{}, fault.Invalid("/name", d.Name, fmt.Sprintf("1 to %d characters", home.MaxName), "choose another name")
	}
	if err := d.Trigger.check(&h, of); err != nil {
		return Automation{}, err
	}
	if err := checkActions("/actions", d.Actions, &h, of); err != nil {
		return Automation{}, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	a := Automation{
		ID: id, Home: homeID, Organisation: h.Organisation, Name: d.Name, Enabled: d.Enabled, Trigger: d.Trigger, Devices: d.Devices, Condition: d.Condition,
		Actions: d.Actions, Version: 1, CreatedAt: now, ChangedAt: now, DueAt: d.Trigger.next(now, h.Place, s.c.Homes.Zone(&h)),
	}
	if _, err := compile(&a, of); err != nil {
		return Automation{}, err
	}
	if a.seen, err = s.lastSeen(ctx, &a); err != nil {
		return Automation{}, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error { return s.writeAutomation(ctx, tx, who, &a, held) })
	return a, err
}

// lastSeen is what the property of a trigger was reported as last, nil if it never was.
func (s *Service) lastSeen(ctx context.Context, a *Automation) (*float64, error) {
	if a.Trigger.Kind != OnProperty {
		return nil, nil //nolint:nilnil // nothing was reported
	}
	states, err := s.c.Shadows.States(ctx, a.Trigger.Device)
	if err != nil {
		return nil, err
	}
	var v float64
	if json.Unmarshal(states[a.Trigger.Device].Reported[a.Trigger.Property].Value, &v) != nil {
		return nil, nil //nolint:nilnil // nothing was reported
	}
	return &v, nil
}

func (s *Service) writeAutomation(ctx context.Context, tx *store.Tx, who access.Actor, a *Automation, held int64) error {
	if _, err := home.Revision(ctx, tx, who, a.Home); err != nil {
		return err
	}
	scenes, err := scenesOf(ctx, tx, a.Home)
	if err != nil {
		return err
	}
	if err := startsKnown(a.Actions, scenes, ""); err != nil {
		return err
	}
	if err := checkSize(a.Actions, scenes); err != nil {
		return err
	}
	act := "automation.set"
	if a.ID == "" {
		var n int
		if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM scene_automation WHERE home = ?", a.Home).Scan(&n); err != nil {
			return fmt.Errorf("counting the automations of home %s: %w", a.Home, err)
		}
		if n >= MaxAutomations {
			return fault.Limit("automations", strconv.Itoa(n), fmt.Sprintf("%d automations a home", MaxAutomations), 0)
		}
		act, a.ID = "automation.create", newID()
	} else {
		had, err := loadAutomation(ctx, tx, a.Home, a.ID)
		if err != nil {
			return err
		}
		if held != 0 && had.Version != held {
			return errMoved
		}
		a.Version, a.CreatedAt = had.Version+1, had.CreatedAt
	}
	if err := insertAutomation(ctx, tx, a); err != nil {
		return err
	}
	if err := link(ctx, tx, OfAutomation, a.ID, a.devices()); err != nil {
		return err
	}
	tx.AfterCommit(s.changedAutomations)
	return audit.Record(ctx, tx, who, act, a.ID, "home "+a.Home+" "+a.Name)
}

// changedAutomations has who follows the Log look which devices matter now.
func (s *Service) changedAutomations() {
	s.watched.Store(nil)
	s.nudge()
}

// EnableAutomation switches an automation on or off. Off is always possible, also of one that names what the home has not.
func (s *Service) EnableAutomation(ctx context.Context, who access.Actor, homeID, id string, on bool) (Automation, error) {
	if !on {
		return s.disable(ctx, who, homeID, id)
	}
	for range tries {
		a, err := s.LoadAutomation(ctx, who, homeID, id)
		if err != nil {
			return Automation{}, err
		}
		d := AutomationDraft{Name: a.Name, Enabled: on, Trigger: a.Trigger, Devices: a.Devices, Condition: a.Condition, Actions: a.Actions}
		a, err = s.keepAutomation(ctx, who, homeID, id, a.Version, d)
		if !errors.Is(err, errMoved) { // else somebody changed it meanwhile, and that is what is switched on
			return a, err
		}
	}
	return Automation{}, fault.Stale("automation", id)
}

func (s *Service) disable(ctx context.Context, who access.Actor, homeID, id string) (Automation, error) {
	if err := who.Check(access.WriteHome); err != nil {
		return Automation{}, err
	}
	err := s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := home.Revision(ctx, tx, who, homeID); err != nil {
			return err
		}
		if _, err := loadAutomation(ctx, tx, homeID, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, "UPDATE scene_automation SET enabled = 0, version = version + 1, changed_at = ? WHERE id = ?", time.Now().UnixMilli(), id)
		if err != nil {
			return fmt.Errorf("switching automation %s off: %w", id, err)
		}
		tx.AfterCommit(s.changedAutomations)
		return audit.Record(ctx, tx, who, "automation.set", id, "home "+homeID+" off")
	})
	if err != nil {
		return Automation{}, err
	}
	return s.LoadAutomation(ctx, who, homeID, id)
}

// RemoveAutomation takes an automation away, with its traces.
func (s *Service) RemoveAutomation(ctx context.Context, who access.Actor, homeID, id string) error {
	if err := who.Check(access.WriteHome); err != nil {
		return err
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := home.Revision(ctx, tx, who, homeID); err != nil {
			return err
		}
		if _, err := loadAutomation(ctx, tx, homeID, id); err != nil {
			return err
		}
		if err := dropAutomation(ctx, tx, id); err != nil {
			return err
		}
		tx.AfterCommit(s.changedAutomations)
		return audit.Record(ctx, tx, who, "automation.remove", id, "home "+homeID)
	})
}

// Automations returns the automations of a home of who's organisation in the order they were made, with what they cannot do.
func (s *Service) Automations(ctx context.Context, who access.Actor, homeID string) ([]Automation, error) {
	var all []Automation
	err := s.within(ctx, who, homeID, func(v *store.View, of models, scenes map[string]*Scene) (err error) {
		if all, err = queryAutomations(ctx, v, "WHERE home = ? ORDER BY id LIMIT ?", homeID, MaxAutomations); err != nil {
			return err
		}
		for i := range all {
			all[i].Broken = flaws(all[i].Actions, of, scenes)
		}
		return nil
	})
	return all, err
}

// LoadAutomation returns an automation of a home of who's organisation.
func (s *Service) LoadAutomation(ctx context.Context, who access.Actor, homeID, id string) (Automation, error) {
	all, err := s.Automations(ctx, who, homeID)
	return oneOf(all, err, "automation", id, func(a *Automation) string { return a.ID })
}

// AutomationRevision gives the version of an automation as q sees it.
func AutomationRevision(ctx context.Context, q store.Querier, who access.Actor, homeID, id string) (int64, error) {
	a, err := loadAutomation(ctx, q, homeID, id)
	if err != nil || !who.Sees(a.Organisation) {
		return 0, fault.NotFound("automation", id)
	}
	return a.Version, nil
}
