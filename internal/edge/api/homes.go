package api

import (
	"context"
	"encoding/json"

	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/tsl"
)

type homeBrief struct {
	ID        string     `json:"id"`
	Names     home.Names `json:"names"`
	CreatedAt moment     `json:"created_at"`
}

type homeView struct {
	ID        string       `json:"id"`
	Names     home.Names   `json:"names"`
	CreatedAt moment       `json:"created_at"`
	Version   int64        `json:"version" doc:"Grows with every change of the home, its rooms, its devices and its scenes."`
	TimeZone  string       `json:"time_zone" doc:"IANA name; the platform's where the home has none of its own."`
	Location  *location    `json:"location,omitempty" doc:"Where somebody said it."`
	Rooms     []roomView   `json:"rooms" nullable:"false"`
	Devices   []deviceHere `json:"devices" nullable:"false"`
}

func (h homeView) revision() int64 { return h.Version }

type roomView struct {
	ID      string       `json:"id"`
	Names   home.Names   `json:"names"`
	Aliases home.Aliases `json:"aliases,omitempty"`
	Floor   home.Names   `json:"floor,omitempty" doc:"What the floor that it lies on is called, by language."`
}

// location is a point on the earth, in whole numbers: two programs never read it differently.
type location struct {
	Latitude  int64 `json:"latitude_e6" minimum:"-90000000" maximum:"90000000" doc:"Millionths of a degree north of the equator."`
	Longitude int64 `json:"longitude_e6" minimum:"-180000000" maximum:"180000000" doc:"Millionths of a degree east of Greenwich."`
}

// deviceHere is a device as it stands in a home, with what it can do and what it is doing.
type deviceHere struct {
	ID         string               `json:"id"`
	Room       string               `json:"room" doc:"Id; empty: in no room."`
	Names      home.Names           `json:"names"`
	Aliases    home.Aliases         `json:"aliases,omitempty"`
	Category   string               `json:"category"`
	Product    string               `json:"product"`
	ProductKey string               `json:"product_key"`
	DeviceName string               `json:"device_name"`
	Online     bool                 `json:"online"`
	Hidden     bool                 `json:"hidden" doc:"Nothing that is said reaches it."`
	Virtual    bool                 `json:"virtual" doc:"Played by this program."`
	Fault      string               `json:"fault,omitempty" doc:"How a virtual device misbehaves: none, silent, slow, wrong, duplicate, wrong-type, flapping."`
	Properties []propertyView       `json:"properties" nullable:"false"`
	State      map[string]valueView `json:"state" doc:"What it last reported."`
	Desired    map[string]valueView `json:"desired,omitempty"`
}

type propertyView struct {
	Identifier string     `json:"identifier"`
	Name       string     `json:"name" doc:"As the thing model gives it."`
	Names      tsl.Names  `json:"names,omitempty" doc:"By language, where known."`
	Type       string     `json:"type"`
	Unit       string     `json:"unit,omitempty"`
	Min        *float64   `json:"min,omitempty"`
	Max        *float64   `json:"max,omitempty"`
	Step       float64    `json:"step,omitempty"`
	Enum       []enumView `json:"enum,omitempty" nullable:"false"`
	Writable   bool       `json:"writable"`
}

type enumView struct {
	Value int64     `json:"value"`
	Name  string    `json:"name"`
	Names tsl.Names `json:"names,omitempty"`
}

type valueView struct {
	Value json.RawMessage `json:"value"`
	Time  moment          `json:"time" doc:"By the device where it said one, else of receipt."`
}

type homeInput struct {
	Home string `path:"home" maxLength:"64"`
}

type newHomeInput struct {
	Body struct {
		Names home.Names `json:"names"`
	}
}

type renameHomeInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Names home.Names `json:"names"`
	}
}

type placeHomeInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		TimeZone string    `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name, such as Asia/Shanghai; empty: the platform's."`
		Location *location `json:"location,omitempty" doc:"Needed for sunrise and sunset; left out, it is forgotten."`
	}
}

func (in *placeHomeInput) place() home.Place {
	p := home.Place{TimeZone: in.Body.TimeZone}
	if l := in.Body.Location; l != nil {
		p.Located, p.Latitude, p.Longitude = true, l.Latitude, l.Longitude
	}
	return p
}

type roomBody struct {
	Names   home.Names   `json:"names"`
	Aliases home.Aliases `json:"aliases,omitempty"`
	Floor   home.Names   `json:"floor,omitempty" doc:"What the floor (楼层) that it lies on is called, by language: 二楼, upstairs."`
}

func (l roomBody) label() home.Label { return home.Label{Names: l.Names, Aliases: l.Aliases} }

type newRoomInput struct {
	Home string `path:"home" maxLength:"64"`
	Body roomBody
}

type roomInput struct {
	Home string `path:"home" maxLength:"64"`
	Room string `path:"room" maxLength:"64"`
}

type setRoomInput struct {
	Home string `path:"home" maxLength:"64"`
	Room string `path:"room" maxLength:"64"`
	Body roomBody
}

type bindInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Device  string       `json:"device" maxLength:"64"`
		Room    string       `json:"room,omitempty" maxLength:"64" doc:"Id; empty: in no room."`
		Names   home.Names   `json:"names"`
		Aliases home.Aliases `json:"aliases,omitempty"`
	}
}

type boundInput struct {
	Home   string `path:"home" maxLength:"64"`
	Device string `path:"device" maxLength:"64"`
}

type setBoundInput struct {
	Home   string `path:"home" maxLength:"64"`
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		Room    string       `json:"room,omitempty" maxLength:"64" doc:"Id; empty: in no room."`
		Names   home.Names   `json:"names"`
		Aliases home.Aliases `json:"aliases,omitempty"`
	}
}

func (a *API) homeRoutes() {
	list(a, "/api/v1/homes", access.ReadHome, ofCaller, "List homes", func(ctx context.Context, who access.Actor, in *PageInput) (page[homeBrief], error) {
		hs, more, err := a.Homes.List(ctx, who, home.Page{After: in.Cursor, Limit: min(in.Limit, home.MaxPage)})
		return pageOf(hs, more, func(h *home.Home) string { return h.ID }, briefOf), err
	})
	create(a, "/api/v1/homes", access.WriteHome, ofCaller, "Make a home", func(ctx context.Context, who access.Actor, in *newHomeInput) (homeBrief, error) {
		h, err := a.Homes.Create(ctx, who, in.Body.Names)
		return briefOf(&h), err
	})
	route(a, "GET", "/api/v1/homes/{home}", access.ReadHome, ofHome, "A home with its rooms, devices and their states", func(ctx context.Context, who access.Actor, in *homeInput) (homeView, error) {
		return a.home(ctx, who, in.Home)
	})
	seen := func(ctx context.Context, q store.Querier, who access.Actor, in *renameHomeInput) (int64, error) {
		return home.Revision(ctx, q, who, in.Home)
	}
	edit(a, "PATCH", "/api/v1/homes/{home}", access.WriteHome, ofHome, seen, "Rename a home", func(ctx context.Context, who access.Actor, in *renameHomeInput) (nothing, error) {
		return nothing{}, a.Homes.Rename(ctx, who, in.Home, in.Body.Names)
	})
	placed := func(ctx context.Context, q store.Querier, who access.Actor, in *placeHomeInput) (int64, error) {
		return home.Revision(ctx, q, who, in.Home)
	}
	edit(a, "PUT", "/api/v1/homes/{home}/place", access.WriteHome, ofHome, placed, "Say where a home lies: its time zone and location", func(ctx context.Context, who access.Actor, in *placeHomeInput) (nothing, error) {
		return nothing{}, a.Homes.SetPlace(ctx, who, in.Home, in.place())
	})
	route(a, "DELETE", "/api/v1/homes/{home}", access.WriteHome, ofHome, "Take a home away; its devices become free", func(ctx context.Context, who access.Actor, in *homeInput) (nothing, error) {
		return nothing{}, a.Homes.Remove(ctx, who, in.Home)
	})
	create(a, "/api/v1/homes/{home}/rooms", access.WriteHome, ofHome, "Add a room", func(ctx context.Context, who access.Actor, in *newRoomInput) (roomView, error) {
		r, err := a.Homes.AddRoom(ctx, who, in.Home, in.Body.label(), in.Body.Floor)
		return roomOf(&r), err
	})
	route(a, "PUT", "/api/v1/homes/{home}/rooms/{room}", access.WriteHome, ofHome, "Name a room anew", func(ctx context.Context, who access.Actor, in *setRoomInput) (nothing, error) {
		return nothing{}, a.Homes.SetRoom(ctx, who, in.Home, in.Room, in.Body.label(), in.Body.Floor)
	})
	route(a, "DELETE", "/api/v1/homes/{home}/rooms/{room}", access.WriteHome, ofHome, "Take an empty room away", func(ctx context.Context, who access.Actor, in *roomInput) (nothing, error) {
		return nothing{}, a.Homes.RemoveRoom(ctx, who, in.Home, in.Room)
	})
	create(a, "/api/v1/homes/{home}/devices", access.WriteHome, ofHome, "Bind a device (绑定)", func(ctx context.Context, who access.Actor, in *bindInput) (nothing, error) {
		_, err := a.Homes.Bind(ctx, who, in.Home, in.Body.Room, in.Body.Device, home.Label{Names: in.Body.Names, Aliases: in.Body.Aliases})
		return nothing{}, err
	})
	route(a, "PUT", "/api/v1/homes/{home}/devices/{device}", access.WriteHome, ofHome, "Name or place a bound device anew", func(ctx context.Context, who access.Actor, in *setBoundInput) (nothing, error) {
		return nothing{}, a.Homes.SetDevice(ctx, who, in.Home, in.Device, in.Body.Room, home.Label{Names: in.Body.Names, Aliases: in.Body.Aliases})
	})
	route(a, "DELETE", "/api/v1/homes/{home}/devices/{device}", access.WriteHome, ofHome, "Unbind a device (解绑)", func(ctx context.Context, who access.Actor, in *boundInput) (nothing, error) {
		return nothing{}, a.Homes.Unbind(ctx, who, in.Home, in.Device)
	})
}

func roomOf(r *home.Room) roomView { return roomView{r.ID, r.Names, r.Aliases, r.Floor} }

func briefOf(h *home.Home) homeBrief { return homeBrief{h.ID, h.Names, moment(h.CreatedAt)} }

// home gathers what the page of a home shows.
func (a *API) home(ctx context.Context, who access.Actor, id string) (homeView, error) {
	h, err := a.Homes.Load(ctx, who, id)
	if err != nil {
		return homeView{}, err
	}
	online, err := a.Homes.Online(ctx, who, id)
	if err != nil {
		return homeView{}, err
	}
	ids := make([]string, len(h.Devices))
	for i := range h.Devices {
		ids[i] = h.Devices[i].ID
	}
	states, err := a.Shadows.States(ctx, ids...)
	if err != nil {
		return homeView{}, err
	}
	v := homeView{
		ID: h.ID, Names: h.Names, CreatedAt: moment(h.CreatedAt), Version: h.Version, TimeZone: a.Homes.Zone(&h).String(),
		Rooms: make([]roomView, 0, len(h.Rooms)), Devices: make([]deviceHere, 0, len(h.Devices)),
	}
	if p := h.Place; p.Located {
		v.Location = &location{p.Latitude, p.Longitude}
	}
	for i := range h.Rooms {
		v.Rooms = append(v.Rooms, roomOf(&h.Rooms[i]))
	}
	for i := range h.Devices {
		d, err := a.deviceHere(ctx, &h.Devices[i], states[h.Devices[i].ID])
		if err != nil {
			return homeView{}, err
		}
		d.Online = online[d.ID]
		v.Devices = append(v.Devices, d)
	}
	return v, nil
}

func (a *API) deviceHere(ctx context.Context, d *home.Device, s shadow.State) (deviceHere, error) {
	p, err := a.Products.Load(ctx, access.System("home", ""), d.Product) // who has the home, which may have devices of any maker
	if err != nil {
		return deviceHere{}, err
	}
	model, err := a.Products.Model(ctx, d.Product)
	if err != nil {
		return deviceHere{}, err
	}
	v := deviceHere{
		ID: d.ID, Room: d.Room, Names: d.Names, Aliases: d.Aliases, Category: p.Category, Product: d.Product, ProductKey: p.ProductKey,
		DeviceName: d.DeviceName, Hidden: d.Hidden, Properties: propertiesOf(model), State: valuesOf(s.Reported), Desired: valuesOf(s.Desired),
	}
	if played := a.Virtual.Find(d.ID); played != nil {
		v.Virtual, v.Fault = true, string(played.Fault())
	}
	return v, nil
}

func propertiesOf(m *tsl.Model) []propertyView {
	out := make([]propertyView, 0, len(m.Properties()))
	for _, p := range m.Properties() {
		v := propertyView{Identifier: p.Identifier, Name: p.Name, Names: p.Names, Type: p.Type.String(), Unit: p.Unit, Step: p.Step, Writable: p.Writable}
		if p.HasRange {
			v.Min, v.Max = &p.Min, &p.Max
		}
		for _, e := range p.Enum {
			v.Enum = append(v.Enum, enumView{e.Value, e.Name, e.Names})
		}
		out = append(out, v)
	}
	return out
}

func valuesOf(m map[string]shadow.Value) map[string]valueView {
	out := make(map[string]valueView, len(m))
	for id, v := range m {
		out[id] = valueView{v.Value, moment(v.Time)}
	}
	return out
}
