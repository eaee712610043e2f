package scene

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// Kind is what an action does.
type Kind string

// The kinds of actions.
const (
	Set      Kind = "set"      // properties of a device: Params
	Adjust   Kind = "adjust"   // a property of a device, by so much: Property and By
	Call     Kind = "call"     // a service of a device: Service and Params
	Wait     Kind = "wait"     // Seconds, before what follows
	Start    Kind = "scene"    // another scene: Scene
	Announce Kind = "announce" // on the speakers of the home: Text and Rooms
)

// Kinds lists the kinds.
func Kinds() []Kind { return []Kind{Set, Adjust, Call, Wait, Start, Announce} }

// An Action is one thing to do.
type Action struct {
	Kind     Kind            `json:"kind" enum:"set,adjust,call,wait,scene,announce"`
	Device   string          `json:"device,omitempty" maxLength:"64" doc:"Id, of set, adjust and call."`
	Params   json.RawMessage `json:"params,omitempty" doc:"Of set: property to value; of call: input of the service."`
	Property string          `json:"property,omitempty" maxLength:"64" doc:"Of adjust."`
	By       float64         `json:"by,omitempty" doc:"Of adjust: how much is added to what the device reports, within the limits of the model."`
	Service  string          `json:"service,omitempty" maxLength:"64" doc:"Of call."`
	Seconds  int             `json:"seconds,omitempty" minimum:"0" maximum:"300" doc:"Of wait."`
	Scene    string          `json:"scene,omitempty" maxLength:"64" doc:"Id, of scene."`
	Text     string          `json:"text,omitempty" maxLength:"800" doc:"Of announce: at most 200 characters."`
	Rooms    []string        `json:"rooms,omitempty" nullable:"false" maxItems:"100" doc:"Ids, of announce; left out: all."`
}

// models are the thing models of a home's devices, by device; nil of one whose product has none.
type models map[string]*tsl.Model

// modelsOf opens the thing models of a home's devices.
func (s *Service) modelsOf(ctx context.Context, h *home.Home) (models, error) {
	of := make(map[string]*tsl.Model)
	all := make(models, len(h.Devices))
	for i := range h.Devices {
		d := &h.Devices[i]
		if _, known := of[d.Product]; !known {
			m, err := s.c.Products.Model(ctx, d.Product)
			if err != nil && !fault.Is(err, fault.Missing) {
				return nil, fmt.Errorf("opening the thing model of product %s: %w", d.Product, err)
			}
			of[d.Product] = m
		}
		all[d.ID] = of[d.Product]
	}
	return all, nil
}

// checkActions holds actions against the devices of a home and their models.
func checkActions(where string, actions []Action, h *home.Home, of models) error {
	if len(actions) > MaxActions {
		return fault.Limit(where, strconv.Itoa(len(actions)), fmt.Sprintf("%d actions", MaxActions), 0)
	}
	waits := time.Duration(0)
	for i := range actions {
		a, at := &actions[i], where+"/"+strconv.Itoa(i)
		if err := a.check(at, of); err != nil {
			return err
		}
		if err := a.checkRooms(at, h); err != nil {
			return err
		}
		waits += time.Duration(a.Seconds) * time.Second
	}
	if waits > MaxWaits {
		return fault.Limit(where, waits.String(), MaxWaits.String()+" of waiting", 0)
	}
	return nil
}

func (a *Action) check(at string, of models) error {
	switch a.Kind {
	case Set, Adjust, Call:
		a.Text, a.Rooms = "", nil
		model, here := of[a.Device]
		if !here {
			return fault.Invalid(at+"/device", a.Device, "a device of the home", "bind it first, or leave the action out")
		}
		if model == nil {
			return fault.Conflict(at+"/device", "the product of this device has no thing model in force")
		}
		return a.fits(at, model)
	case Wait:
		*a = Action{Kind: a.Kind, Seconds: a.Seconds} // what is not of the kind is not kept
		if a.Seconds < 1 || a.Seconds > int(MaxWait/time.Second) {
			return fault.Invalid(at+"/seconds", strconv.Itoa(a.Seconds), fmt.Sprintf("an integer from 1 to %d", int(MaxWait/time.Second)), "use a timer for what comes later")
		}
		return nil
	case Start:
		*a = Action{Kind: a.Kind, Scene: a.Scene}
		if a.Scene == "" {
			return fault.Invalid(at+"/scene", "", "the id of a scene of the home", "name the scene that shall run")
		}
		return nil
	}
	if a.Kind == Announce {
		*a = Action{Kind: a.Kind, Text: strings.TrimSpace(a.Text), Rooms: a.Rooms}
		return CheckText(at+"/text", a.Text)
	}
	return fault.Unlisted(at+"/kind", string(a.Kind), Kinds(), "")
}

// startsKnown holds the scenes that actions start against those of the home, and the one, itself, that is being made.
func startsKnown(actions []Action, all map[string]*Scene, itself string) error {
	for i := range actions {
		if a := &actions[i]; a.Kind == Start && all[a.Scene] == nil && (itself == "" || a.Scene != itself) {
			return fault.NotFound("scene", a.Scene)
		}
	}
	return nil
}

// fits holds what an action sends against the model of its device.
func (a *Action) fits(at string, model *tsl.Model) error {
	if len(a.Params) > MaxParams {
		return fault.TooLarge(at+"/params", int64(len(a.Params)), MaxParams)
	}
	var v *tsl.Violation
	switch a.Kind {
	case Set:
		v = model.CheckSet(a.Params, nil)
	case Call:
		if len(a.Params) == 0 {
			a.Params = json.RawMessage("{}")
		}
		v = model.CheckInput(a.Service, a.Params)
	case Adjust:
		p, ok := model.Property(a.Property)
		numeric := ok && (p.Type == tsl.Int || p.Type == tsl.Float || p.Type == tsl.Double)
		if !numeric || !p.Writable {
			return fault.Invalid(at+"/property", a.Property, "a number of the thing model that can be set", "name another property, or set it to a value")
		}
		if a.By == 0 {
			return fault.Invalid(at+"/by", "0", "how much is added", "send a number, below 0 to lower it")
		}
	}
	if v == nil {
		return nil
	}
	placed := *v
	placed.Where = at + v.Where
	return &placed
}

// flaws finds what of actions cannot be carried out as things are.
func flaws(actions []Action, of models, scenes map[string]*Scene) []Flaw {
	var found []Flaw
	for i := range actions {
		a := actions[i]
		switch model, here := of[a.Device]; {
		case a.Kind == Wait || a.Kind == Announce:
		case a.Kind == Start && scenes[a.Scene] == nil:
			found = append(found, Flaw{i, NoScene})
		case a.Kind == Start:
		case !here:
			found = append(found, Flaw{i, Gone})
		case model == nil || a.fits("", model) != nil:
			found = append(found, Flaw{i, NotInModel})
		}
	}
	return found
}

// devicesOf are the devices that actions name, each once.
func devicesOf(actions []Action) []string {
	var all []string
	seen := make(map[string]bool)
	for i := range actions {
		if d := actions[i].Device; d != "" && !seen[d] {
			seen[d] = true
			all = append(all, d)
		}
	}
	return all
}

// checkCircle refuses a scene that would run itself, or too deep. all has the scene as it shall be.
func checkCircle(id string, all map[string]*Scene) error {
	if _, err := walk(id, all, nil); err != nil {
		return err
	}
	for _, other := range slices.Sorted(maps.Keys(all)) {
		if other == id || !leads(other, id, all, make(map[string]bool)) {
			continue
		}
		if _, err := walk(other, all, nil); err != nil {
			f := fault.Conflict("/actions", fmt.Sprintf("the scene %q, which runs this one, would be too large: %s", nameOf(all[other].Label), err))
			f.Fix = "leave actions out, here or there"
			return f
		}
	}
	return nil
}

// leads says whether a scene runs another, itself or by those that it runs.
func leads(from, to string, all map[string]*Scene, seen map[string]bool) bool {
	if from == to {
		return true
	}
	sc := all[from]
	if sc == nil || seen[from] {
		return false
	}
	seen[from] = true
	return slices.ContainsFunc(sc.Actions, func(a Action) bool { return a.Kind == Start && leads(a.Scene, to, all, seen) })
}

// checkSize holds what a timer or an automation does, with the scenes that it runs, against the limit of a run.
func checkSize(actions []Action, all map[string]*Scene) error {
	steps := 0
	for i := range actions {
		n := 1
		if a := &actions[i]; a.Kind == Start {
			var err error
			if n, err = walk(a.Scene, all, nil); err != nil {
				return err
			}
		}
		if steps += n; steps > MaxSteps {
			return tooManySteps()
		}
	}
	return nil
}

func tooManySteps() error {
	return fault.Limit("steps", "more", fmt.Sprintf("%d steps with those of the scenes that it runs", MaxSteps), 0)
}

// walk counts the steps of a scene with those that it runs.
func walk(id string, all map[string]*Scene, path []string) (steps int, err error) {
	for _, before := range path {
		if before == id {
			return 0, circle(all[id])
		}
	}
	if len(path) > MaxDepth {
		return 0, fault.Limit("depth", strconv.Itoa(len(path)), fmt.Sprintf("%d scenes that run scenes", MaxDepth), 0)
	}
	sc := all[id]
	if sc == nil {
		return 1, nil // a step that says so
	}
	for i := range sc.Actions {
		n := 1
		if a := &sc.Actions[i]; a.Kind == Start {
			if n, err = walk(a.Scene, all, append(path, id)); err != nil {
				return 0, err
			}
		}
		if steps += n; steps > MaxSteps {
			return 0, tooManySteps()
		}
	}
	return steps, nil
}

func circle(sc *Scene) error {
	f := fault.Conflict("/actions", fmt.Sprintf("the scene %q would run itself", sc.Names.In(home.Chinese)))
	f.Fix = "leave out the action that leads back to it"
	return f
}

func encode[T any](v []T) (string, error) {
	if v == nil {
		return "[]", nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func decodeLabel(names, aliases, phrases string, sc *Scene) error {
	return errors.Join(json.Unmarshal([]byte(names), &sc.Names), json.Unmarshal([]byte(aliases), &sc.Aliases), json.Unmarshal([]byte(phrases), &sc.Phrases))
}
