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
	Token        string  `json:"token"`
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

// setUp finds the stage of an earlier run or builds it.
func setUp(ctx context.Context, n *node.Node, dir string, spare int) (*stage, error) {
	path := filepath.Join(dir, stageFile)
	b, err := os.ReadFile(path)
	if err == nil {
		s := new(stage)
		if err := json.Unmarshal(b, s); err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		return s, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	s, err := build(ctx, n, dir, spare)
	if err != nil {
		return nil, err
	}
	if b, err = json.Marshal(s); err != nil {
		return nil, fmt.Errorf("encoding %s: %w", path, err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return nil, fmt.Errorf("writing %s: %w", path, err)
	}
	return s, nil
}

func build(ctx context.Context, n *node.Node, dir string, spare int) (*stage, error) {
	who, s, err := founder(ctx, n)
	if err != nil {
		return nil, err
	}
	h, err := n.Homes.Create(ctx, who, home.Names{"zh-CN": "小满的家", "en": "Xiaoman's home"})
	if err != nil {
		return nil, fmt.Errorf("making the home: %w", err)
	}
	s.Home = h.ID
	roomIDs := make([]string, len(rooms))
	for i, r := range rooms {
		room, err := n.Homes.AddRoom(ctx, who, h.ID, home.Label{Names: home.Names{"zh-CN": r.zh, "en": r.en}})
		if err != nil {
			return nil, fmt.Errorf("making room %s: %w", r.en, err)
		}
		roomIDs[i] = room.ID
	}
	makers := make(map[string]product.Product)
	for _, p := range cast {
		if err := s.add(ctx, n, who, p, roomIDs[p.room], makers); err != nil {
			return nil, fmt.Errorf("adding the %s of %s: %w", p.en, rooms[p.room].en, err)
		}
	}
	return s, writeSpares(ctx, n, who, makers["light"], filepath.Join(dir, sparesFile), spare)
}

// founder makes the demo's person, organisation and token.
func founder(ctx context.Context, n *node.Node) (access.Actor, *stage, error) {
	password := account.NewPassword(rand.Text())
	u, err := n.Accounts.AddUser(ctx, operator(), account.NewUser{Login: login, Password: password})
	if err != nil {
		return access.Actor{}, nil, fmt.Errorf("making the user: %w", err)
	}
	org, err := n.Accounts.CreateOrganisation(ctx, operator(), account.NewOrganisation{
		Names: account.Names{"zh-CN": "星火照明", "en": "Spark Lighting"}, Kinds: []account.Kind{account.TerminalMaker}, Owner: u.ID,
	})
	if err != nil {
		return access.Actor{}, nil, fmt.Errorf("making the organisation: %w", err)
	}
	session, err := n.Accounts.Login(ctx, login, password, "demo")
	if err != nil {
		return access.Actor{}, nil, fmt.Errorf("signing in: %w", err)
	}
	who, err := n.Accounts.Authenticate(ctx, session.Token.Reveal(), "demo")
	if err != nil {
		return access.Actor{}, nil, fmt.Errorf("signing in: %w", err)
	}
	_, token, err := n.Accounts.MakeToken(ctx, who, account.NewToken{Name: "demo"})
	if err != nil {
		return access.Actor{}, nil, fmt.Errorf("making the token: %w", err)
	}
	return who, &stage{Token: token.Reveal(), Organisation: org.ID}, nil
}

// add makes one device of the home: its product if there is none yet, its triple, its place.
func (s *stage) add(ctx context.Context, n *node.Node, who access.Actor, p part, room string, makers map[string]product.Product) error {
	made, ok := makers[p.category]
	if !ok {
		c, err := product.FindCategory(p.category)
		if err != nil {
			return err
		}
		if made, err = n.Products.Create(ctx, who, product.NewProduct{Category: p.category, Names: c.Names}); err != nil {
			return fmt.Errorf("making the product: %w", err)
		}
		makers[p.category] = made
	}
	ds, err := issue(ctx, n, who, made, 1)
	if err != nil {
		return err
	}
	d := ds[0]
	label := home.Label{Names: home.Names{"zh-CN": p.zh, "en": p.en}, Aliases: home.Aliases{"en": p.aliases}}
	if _, err := n.Homes.Bind(ctx, who, s.Home, room, d.ID, label); err != nil {
		return fmt.Errorf("binding: %w", err)
	}
	s.Devices = append(s.Devices, actor{ID: d.ID, Product: made.ID, ProductKey: made.ProductKey, ProductID: made.ProductID, Name: d.Name, State: p.state})
	return nil
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
	ds, _, err := n.Devices.List(ctx, who, device.Filter{Order: order.ID, Limit: count})
	if err != nil || len(ds) != count {
		return nil, errors.Join(fmt.Errorf("listing order %s: %d of %d devices", order.ID, len(ds), count), err)
	}
	return ds, nil
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
			Model: model, State: a.State, Fault: fault, Log: log,
		})
	}
	return nil
}

// spare is an unused triple, as the devices file has it.
type spare struct {
	ProductKey   string           `json:"product_key"`
	DeviceName   string           `json:"device_name"`
	DeviceSecret string           `json:"device_secret"`
	ProductID    triple.ProductID `json:"product_id"`
	MAC          string           `json:"mac"`
}

// writeSpares writes unused triples of a product, one JSON object a line, for its owner's eyes only.
func writeSpares(ctx context.Context, n *node.Node, who access.Actor, p product.Product, path string, count int) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the devices file: %w", err)
	}
	out := json.NewEncoder(f)
	for left := count; left > 0; {
		k := min(left, 500)
		ds, err := issue(ctx, n, who, p, k)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		for _, d := range ds {
			id, err := n.Devices.Identify(ctx, p.ProductKey, d.Name)
			if err != nil {
				return errors.Join(err, f.Close())
			}
			err = out.Encode(spare{p.ProductKey, d.Name, id.Secret.Reveal(), p.ProductID, d.Name})
			if err != nil {
				return errors.Join(fmt.Errorf("writing the devices file: %w", err), f.Close())
			}
		}
		left -= k
	}
	return f.Close()
}
