package demo

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/node"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

const (
	stageFile  = "demo.json"
	sparesFile = "spare-devices.jsonl"
	login      = "demo"
)

// stage is what a demo must know of itself to go on after a restart.
type stage struct {
	Password     string  `json:"password,omitempty"` // only while the stage is being built
	Token        string  `json:"token,omitempty"`    // only of a stage that is built
	Organisation string  `json:"organisation"`
	Home         string  `json:"home"`
	Devices      []actor `json:"devices"`
}

// actor is one virtual device.
type actor struct {
	ID         string                     `json:"id"`
	Product    string                     `json:"product"`
	ProductKey string                     `json:"product_key"`
	ProductID  triple.ProductID           `json:"product_id"`
	Name       string                     `json:"name"`
	State      map[string]json.RawMessage `json:"state,omitempty"`
}

// part is a device of the home as the programme names it.
type part struct {
	category string
	room     int
	zh, en   string
	aliases  []string // further English names
	state    map[string]json.RawMessage
}

var rooms = []struct{ zh, en string }{{"客厅", "living room"}, {"卧室", "bedroom"}, {"厨房", "kitchen"}}

// cast is the demo home of DESIGN section 7 of the outside contract: stable, because scripts and docs name it.
var cast = []part{
	{category: "colour_light", room: 0, zh: "灯", en: "lamp", aliases: []string{"light"}, state: raw(`"powerstate":0,"brightness":80,"colorTemperature":3000`)},
	{category: "curtain", room: 0, zh: "窗帘", en: "curtain", state: raw(`"position":0`)},
	{category: "air_conditioner", room: 0, zh: "空调", en: "air conditioner", state: raw(`"powerstate":0,"targetTemperature":26`)},
	{category: "light", room: 1, zh: "台灯", en: "desk lamp", state: raw(`"powerstate":0,"brightness":60`)},
	{category: "curtain", room: 1, zh: "窗帘", en: "curtain", state: raw(`"position":100`)},
	{category: "light", room: 2, zh: "灯", en: "lamp", aliases: []string{"light"}, state: raw(`"powerstate":0,"brightness":100`)},
	{category: "kettle", room: 2, zh: "水壶", en: "kettle", state: raw(`"powerstate":0`)},
}

func raw(members string) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+members+"}"), &m); err != nil {
		panic(err) // a constant of this file
	}
	return m
}

// setUp finds the stage of an earlier run, or builds it, going on where a run that was killed ended.
func setUp(ctx context.Context, n *node.Node, dir string, spares int) (*stage, error) {
	s, err := readStage(dir)
	if err != nil {
		return nil, err
	}
	who, err := s.build(ctx, n, dir)
	if err != nil {
		return nil, err
	}
	return s, s.writeSpares(ctx, n, who, filepath.Join(dir, sparesFile), spares)
}

// readStage reads what an earlier run wrote; nothing written is an empty stage.
func readStage(dir string) (*stage, error) {
	s := new(stage)
	path := filepath.Join(dir, stageFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return s, nil
}

// save writes the stage, whole or not at all, for its owner's eyes only.
func (s *stage) save(dir string) error {
	b, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encoding %s: %w", stageFile, err)
	}
	return replace(filepath.Join(dir, stageFile), b)
}

// replace makes b the content of a file: a crash leaves the old content or the new.
func replace(path string, b []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, b, 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}

// build makes what is missing of the demo: each step looks for what is there first, so that a run may be killed anywhere.
// The password is written before there is a user who has it, and forgotten with the last step, the token. It returns who
// the demo acts as.
func (s *stage) build(ctx context.Context, n *node.Node, dir string) (access.Actor, error) {
	if s.Token != "" {
		who, err := n.Accounts.Authenticate(ctx, s.Token, "demo")
		if err != nil {
			return who, fmt.Errorf("signing in with the token of %s: %w", stageFile, err)
		}
		return who, nil
	}
	if s.Password == "" {
		s.Password = rand.Text()
		if err := s.save(dir); err != nil {
			return access.Actor{}, err
		}
	}
	who, err := s.founder(ctx, n)
	if err != nil {
		return who, err
	}
	s.Organisation = who.Organisation
	if err := s.furnish(ctx, n, who); err != nil {
		return who, err
	}
	_, token, err := n.Accounts.MakeToken(ctx, who, account.NewToken{Name: "demo"})
	if err != nil {
		return who, fmt.Errorf("making the token: %w", err)
	}
	s.Token, s.Password = token.Reveal(), ""
	return who, s.save(dir)
}

// founder finds or makes the demo's person and organisation, and signs in.
func (s *stage) founder(ctx context.Context, n *node.Node) (access.Actor, error) {
	password := account.NewPassword(s.Password)
	_, err := n.Accounts.AddUser(ctx, operator(), account.NewUser{Login: login, Password: password})
	known := fault.Is(err, fault.Clash)
	if err != nil && !known {
		return access.Actor{}, fmt.Errorf("making the user: %w", err)
	}
	session, err := n.Accounts.Login(ctx, login, password, "demo")
	if known && fault.Is(err, fault.NoActor) {
		return access.Actor{}, fmt.Errorf("there is a user %s whose %s is lost; name another --data: %w", login, stageFile, err)
	}
	if err != nil {
		return access.Actor{}, fmt.Errorf("signing in: %w", err)
	}
	if session.Actor.Organisation == "" {
		_, err := n.Accounts.CreateOrganisation(ctx, operator(), account.NewOrganisation{
			Names: account.Names{"zh-CN": "星火照明", "en": "Spark Lighting"}, Kinds: []account.Kind{account.TerminalMaker}, Owner: session.Actor.User,
		})
		if err != nil {
			return access.Actor{}, fmt.Errorf("making the organisation: %w", err)
		}
		if session, err = n.Accounts.Login(ctx, login, password, "demo"); err != nil {
			return access.Actor{}, fmt.Errorf("signing in: %w", err)
		}
	}
	return n.Accounts.Authenticate(ctx, session.Token.Reveal(), "demo")
}

// furnish finds or makes the home, its rooms and its devices.
func (s *stage) furnish(ctx context.Context, n *node.Node, who access.Actor) error {
	homes, _, err := n.Homes.List(ctx, who, home.Page{Limit: 1})
	if err != nil {
		return fmt.Errorf("looking for the home: %w", err)
	}
	if len(homes) == 0 {
		h, err := n.Homes.Create(ctx, who, home.Names{"zh-CN": "小满的家", "en": "Xiaoman's home"})
		if err != nil {
			return fmt.Errorf("making the home: %w", err)
		}
		homes = []home.Home{h}
	}
	h, err := n.Homes.Load(ctx, who, homes[0].ID)
	if err != nil {
		return fmt.Errorf("reading the home: %w", err)
	}
	s.Home, s.Devices = h.ID, nil
	for i, r := range rooms {
		if i < len(h.Rooms) { // rooms are in the order they were added
			continue
		}
		room, err := n.Homes.AddRoom(ctx, who, h.ID, home.Label{Names: home.Names{"zh-CN": r.zh, "en": r.en}}, nil)
		if err != nil {
			return fmt.Errorf("making room %s: %w", r.en, err)
		}
		h.Rooms = append(h.Rooms, room)
	}
	for _, p := range cast {
		if err := s.add(ctx, n, who, p, &h); err != nil {
			return fmt.Errorf("adding the %s of %s: %w", p.en, rooms[p.room].en, err)
		}
	}
	return nil
}

// add finds or makes one device of the home: its product, its triple, its place.
func (s *stage) add(ctx context.Context, n *node.Node, who access.Actor, p part, h *home.Home) error {
	made, err := maker(ctx, n, who, p.category)
	if err != nil {
		return err
	}
	room := h.Rooms[p.room].ID
	a := actor{Product: made.ID, ProductKey: made.ProductKey, ProductID: made.ProductID, State: p.state}
	for _, d := range h.Devices {
		if d.Room == room && d.Names["en"] == p.en {
			a.ID, a.Name = d.ID, d.DeviceName
		}
	}
	if a.ID == "" {
		ds, err := issue(ctx, n, who, made, 1)
		if err != nil {
			return err
		}
		a.ID, a.Name = ds[0].ID, ds[0].Name
		label := home.Label{Names: home.Names{"zh-CN": p.zh, "en": p.en}, Aliases: home.Aliases{"en": p.aliases}}
		if _, err := n.Homes.Bind(ctx, who, s.Home, room, a.ID, label); err != nil {
			return fmt.Errorf("binding: %w", err)
		}
	}
	s.Devices = append(s.Devices, a)
	return nil
}

// maker finds or makes the demo's product of a category.
func maker(ctx context.Context, n *node.Node, who access.Actor, category string) (product.Product, error) {
	made, err := n.Products.List(ctx, who, listing.Ask{Filters: map[string]string{product.ByCategory: category}, Limit: 1})
	if err != nil {
		return product.Product{}, fmt.Errorf("looking for the product: %w", err)
	}
	if len(made.Items) > 0 {
		return made.Items[0], nil
	}
	c, err := product.FindCategory(category)
	if err != nil {
		return product.Product{}, err
	}
	p, err := n.Products.Create(ctx, who, product.NewProduct{Category: category, Names: c.Names})
	if err != nil {
		return p, fmt.Errorf("making the product: %w", err)
	}
	return p, nil
}

// issue makes n triples of a product and returns their devices.
func issue(ctx context.Context, n *node.Node, who access.Actor, p product.Product, count int) ([]device.Device, error) {
	order, err := n.Orders.Request(ctx, who, issuance.NewOrder{Product: p.ID, Quantity: count, Purpose: issuance.Debug})
	if err != nil {
		return nil, fmt.Errorf("ordering %d triples: %w", count, err)
	}
	if order, err = n.Orders.Wait(ctx, who, order.ID); err != nil {
		return nil, fmt.Errorf("waiting for order %s: %w", order.ID, err)
	}
	ds, err := n.Devices.List(ctx, who, listing.Ask{Filters: map[string]string{device.ByOrder: order.ID}, Limit: count})
	if err != nil || len(ds.Items) != count {
		return nil, errors.Join(fmt.Errorf("listing order %s: %d of %d devices", order.ID, len(ds.Items), count), err)
	}
	return ds.Items, nil
}

// startDevices plays every device of the home.
func (s *stage) startDevices(ctx context.Context, n *node.Node, fault virtual.Fault, log *slog.Logger) error {
	for _, a := range s.Devices {
		id, err := n.Devices.Identify(ctx, a.ProductKey, a.Name)
		if err != nil {
			return err
		}
		model, err := n.Products.Model(ctx, a.Product)
		if err != nil {
			return err
		}
		mac, err := triple.ParseMAC(a.Name)
		if err != nil {
			return err
		}
		n.Virtual.Start(ctx, a.ID, virtual.Config{
			Addr: n.Addresses().MQTT, ProductKey: a.ProductKey, Triple: triple.Triple{ProductID: a.ProductID, MAC: mac, Secret: id.Secret},
			Model: model, State: a.State, Fault: fault, QoS: 1, Log: log,
		})
	}
	return nil
}
