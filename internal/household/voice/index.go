package voice

import (
	"container/list"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"golang.org/x/sync/singleflight"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/nlu"
	"lampworks/tsl"
)

// maxIndexed is how many devices the kept indexes may have together; the homes
// silent longest are forgotten.
const maxIndexed = 50_000

// spoken is a home made ready to be spoken to. It never changes.
type spoken struct {
	home    home.Home
	index   *nlu.Index
	devices map[string]*home.Device
	rooms   map[string]*home.Room
	scenes  map[string]*scene.Scene
	said    map[string]scene.Spoken                // by product
	called  map[*tsl.Property]map[string][]string  // what makers call their properties, by language
	valued  map[*tsl.EnumValue]map[string][]string // and the values of these

	categories map[string]string // by device; those that can be spoken to
	inOrder    []*scene.Scene
}

// indexes keeps homes that were made ready, until the home or one of its
// models changes.
type indexes struct {
	max  int
	once singleflight.Group

	mu     sync.Mutex // guards the rest
	byHome map[string]*list.Element
	recent *list.List // of *spoken, most recent first
	size   int
}

// ready gives the home of who, made ready. made says whether that was done just now.
func (s *Service) ready(ctx context.Context, who access.Actor, id string) (h *spoken, made bool, err error) {
	version, err := s.c.Homes.Version(ctx, who, id) // also finds out that the home is who's
	if err != nil {
		return nil, false, err
	}
	if h := s.indexes.find(id); h != nil && h.home.Version == version {
		same, err := s.sameModels(ctx, h)
		if err != nil || same {
			return h, false, err
		}
	}
	for range makesAgain {
		v, err, _ := s.indexes.once.Do(fmt.Sprintf("%s %d", id, version), func() (any, error) {
			h, err := s.make(context.WithoutCancel(ctx), who, id)
			if err == nil {
				s.indexes.keep(h)
			}
			return h, err
		})
		if err != nil {
			return nil, false, err
		}
		h = v.(*spoken)
		if same, err := s.sameModels(ctx, h); err != nil || same { // else somebody began to make it before a publication
			return h, true, err
		}
	}
	return h, true, nil
}

// makesAgain bounds how often a home is made anew for a sentence while its products publish.
const makesAgain = 3

// sameModels reports whether no product of the home has published since how it is spoken to.
func (s *Service) sameModels(ctx context.Context, h *spoken) (bool, error) {
	for product, said := range h.said {
		now, err := scene.SpokenOf(ctx, s.c.Products, product)
		if err != nil {
			return false, err
		}
		if now != said {
			return false, nil
		}
	}
	return true, nil
}

// callThings notes what makers call their properties and values, for replies.
func (h *spoken) callThings() {
	h.called, h.valued = make(map[*tsl.Property]map[string][]string), make(map[*tsl.EnumValue]map[string][]string)
	for _, said := range h.said {
		if said.Model == nil || said.Wording == nil {
			continue
		}
		for id, words := range said.Wording.Voice.Properties {
			p, ok := said.Model.Property(id)
			if !ok {
				continue
			}
			h.called[p] = words.Names
			for i := range p.Enum {
				h.valued[&p.Enum[i]] = words.Values[p.Enum[i].Value]
			}
		}
	}
}

// model is the thing model of a product of the home, nil if it has none.
func (h *spoken) model(product string) *tsl.Model { return h.said[product].Model }

// make loads and compiles a home.
func (s *Service) make(ctx context.Context, who access.Actor, id string) (*spoken, error) {
	h, plan, err := s.plan(ctx, who, id)
	if err != nil {
		return nil, err
	}
	if h.index, err = nlu.Compile(plan); err != nil {
		return nil, fmt.Errorf("making home %s ready to be spoken to: %w", id, err)
	}
	s.c.Logger.LogAttrs(ctx, slog.LevelDebug, "home compiled", slog.String("home", id), slog.Int64("version", h.home.Version), slog.Int("devices", len(plan.Devices)))
	return h, nil
}

// plan loads a home, and makes of it what is compiled. A device whose product has no model cannot be spoken to and is left out.
func (s *Service) plan(ctx context.Context, who access.Actor, id string) (*spoken, nlu.Home, error) {
	loaded, err := s.c.Homes.Load(ctx, who, id)
	if err != nil {
		return nil, nlu.Home{}, err
	}
	h := &spoken{
		home: loaded, scenes: make(map[string]*scene.Scene),
		devices: make(map[string]*home.Device, len(loaded.Devices)), rooms: make(map[string]*home.Room, len(loaded.Rooms)),
	}
	for i := range loaded.Rooms {
		h.rooms[loaded.Rooms[i].ID] = &loaded.Rooms[i]
	}
	for i := range loaded.Devices {
		h.devices[loaded.Devices[i].ID] = &loaded.Devices[i]
	}
	plan, byProduct, err := scene.Plan(ctx, s.c.Products, &loaded)
	if err != nil {
		return nil, nlu.Home{}, err
	}
	h.said, h.categories = byProduct, make(map[string]string, len(plan.Devices))
	for i := range plan.Devices {
		h.categories[plan.Devices[i].ID] = plan.Devices[i].Category
	}
	h.callThings()
	plan.Scenes, err = s.scenes(ctx, who, h)
	return h, plan, err
}

// scenes are the scenes of a home as understanding takes them.
func (s *Service) scenes(ctx context.Context, who access.Actor, h *spoken) ([]nlu.Scene, error) {
	if s.c.Scenes == nil {
		return nil, nil
	}
	all, err := s.c.Scenes.List(ctx, who, h.home.ID)
	if err != nil {
		return nil, err
	}
	spoken := make([]nlu.Scene, len(all))
	for i := range all {
		h.scenes[all[i].ID] = &all[i]
		h.inOrder = append(h.inOrder, &all[i])
		spoken[i] = nlu.Scene{ID: all[i].ID, Names: all[i].All(), Phrases: all[i].Phrases}
	}
	return spoken, nil
}

func (x *indexes) find(id string) *spoken {
	x.mu.Lock()
	defer x.mu.Unlock()
	e, ok := x.byHome[id]
	if !ok {
		return nil
	}
	x.recent.MoveToFront(e)
	return e.Value.(*spoken)
}

func (x *indexes) keep(h *spoken) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byHome == nil {
		x.byHome, x.recent = make(map[string]*list.Element), list.New()
	}
	if e, ok := x.byHome[h.home.ID]; ok {
		x.drop(e)
	}
	x.byHome[h.home.ID] = x.recent.PushFront(h)
	x.size += weight(h)
	for x.size > x.max && x.recent.Len() > 1 {
		x.drop(x.recent.Back())
	}
}

func (x *indexes) drop(e *list.Element) {
	h := x.recent.Remove(e).(*spoken)
	delete(x.byHome, h.home.ID)
	x.size -= weight(h)
}

func weight(h *spoken) int { return 1 + len(h.home.Devices) }

// property is a property of a device of the home, nil if its model has none.
func (h *spoken) property(device, id string) *tsl.Property {
	d := h.devices[device]
	if d == nil || h.model(d.Product) == nil {
		return nil
	}
	p, _ := h.model(d.Product).Property(id)
	return p
}

// value reads a reported value as understanding takes it: bool, int64 (also the
// number of an enum), float64, or what the JSON says.
func (h *spoken) value(device, property string, v shadow.Value) (any, bool) {
	p := h.property(device, property)
	if p == nil || len(v.Value) == 0 {
		return nil, false
	}
	switch p.Type {
	case tsl.Bool:
		n, ok := number(v.Value)
		return n != 0, ok
	case tsl.Int, tsl.Enum:
		n, ok := number(v.Value)
		return int64(n), ok
	case tsl.Float, tsl.Double:
		return asAny(number(v.Value))
	}
	var decoded any
	err := json.Unmarshal(v.Value, &decoded)
	return decoded, err == nil
}

// shown reads a reported value as answers show it: an enum by its name in the model.
func (h *spoken) shown(device, property string, raw json.RawMessage) any {
	v, ok := h.value(device, property, shadow.Value{Value: raw})
	if !ok {
		return nil
	}
	if p := h.property(device, property); p.Type == tsl.Enum {
		for _, e := range p.Enum {
			if e.Value == v {
				return e.Name
			}
		}
	}
	return v
}

func asAny[T any](v T, ok bool) (any, bool) { return v, ok }

// number reads a JSON number.
func number(raw json.RawMessage) (float64, bool) {
	var n float64
	if err := json.Unmarshal(raw, &n); err != nil {
		return 0, false
	}
	return n, true
}
