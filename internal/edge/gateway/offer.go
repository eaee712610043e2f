package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"

	"lampworks/alink"
	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/mqtt"
)

// codeNoData answers a device that asks for a configuration where there is none, as Alibaba Cloud does.
const codeNoData = 6710

// askConfig tells the device where the configuration of its product is.
func (c *conn) askConfig(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	wants := struct{ ConfigScope, GetType string }{"product", "file"}
	if len(req.Params) > 0 {
		if err := json.Unmarshal(req.Params, &wants); err != nil {
			return told{}, &refusal{alink.CodeBadRequest, `/params is not understood, want an object such as {"configScope":"product","getType":"file"}`}, nil
		}
	}
	switch {
	case wants.ConfigScope != "product":
		return told{}, &refusal{alink.CodeParam, "/params/configScope is " + fault.Cut(wants.ConfigScope) + `, want "product"`}, nil
	case wants.GetType != "file":
		return told{}, &refusal{alink.CodeParam, "/params/getType is " + fault.Cut(wants.GetType) + `, want "file"`}, nil
	case c.g.c.Configs == nil:
		return told{}, &refusal{codeNoData, "the product has no configuration"}, nil
	}
	v, err := c.g.c.Configs.Current(ctx, c.of.Value().product)
	if fault.Is(err, fault.Missing) {
		return told{}, &refusal{codeNoData, "the product has no configuration"}, nil
	}
	if err != nil {
		return told{}, nil, err
	}
	data, err := c.g.offerOf(ctx, &v)
	return told{data: data}, nil, err
}

// offerOf is where a configuration is and how a device knows that it has all of it.
func (g *Gateway) offerOf(ctx context.Context, v *config.Version) ([]byte, error) {
	link, err := g.c.Configs.Link(ctx, v)
	if err != nil {
		return nil, fmt.Errorf("linking to configuration %s: %w", v.ID, err)
	}
	return json.Marshal(struct {
		ConfigID   string `json:"configId"`
		ConfigSize int    `json:"configSize"`
		Sign       string `json:"sign"`
		SignMethod string `json:"signMethod"`
		URL        string `json:"url"`
		GetType    string `json:"getType"`
	}{v.ID, v.Size, v.SHA256, "Sha256", g.c.FileURL(link), "file"})
}

// offers is which sessions were offered a configuration, or are to be once there is room, and how many took it.
type offers struct {
	last  int64         // newest push that was seen; used by the goroutine that follows them only
	asked chan struct{} // has room for one: there may be a push

	mu    sync.Mutex
	given map[*conn]int64       // push, until the device answers
	owed  map[*conn]config.Push // no room for it yet
	took  map[int64]int64       // push → devices that answered since it was last written down
}

func (o *offers) init() {
	o.asked = make(chan struct{}, 1)
	o.given, o.owed, o.took = make(map[*conn]int64), make(map[*conn]config.Push), make(map[int64]int64)
}

// forget is told that a session is over.
func (o *offers) forget(c *conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.given, c)
	delete(o.owed, c)
}

// answered is told that a device has answered an offer. An answer to none, or a second one, does not count.
func (o *offers) answered(c *conn, r *alink.Reply) {
	seq, err := strconv.ParseInt(string(r.ID), 10, 64)
	if err != nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if given, ok := o.given[c]; ok && given == seq {
		delete(o.given, c)
		if r.Code == alink.CodeOK {
			o.took[seq]++
		}
	}
}

// followPushes offers what was pushed since it was last asked to the sessions that are live, tries again where there was no
// room, and writes down who took it.
func (g *Gateway) followPushes(ctx context.Context) {
	if g.c.Configs == nil {
		return
	}
	o := &g.offers
	list, newest, err := g.c.Configs.Pushes(ctx, o.last)
	if err != nil {
		g.missed(ctx, "asking for pushed configurations failed", err)
		return
	}
	o.last = newest
	o.mu.Lock()
	took, owed := o.took, o.owed
	o.took, o.owed = make(map[int64]int64), make(map[*conn]config.Push)
	o.mu.Unlock()
	for _, p := range list {
		for _, c := range g.sessions.all() {
			if c.of.Value().product == p.Product {
				owed[c] = p
			}
		}
	}
	sent := g.offer(ctx, owed)
	for seq := range sent {
		took[seq] += 0
	}
	for seq, confirmed := range took {
		if err := g.c.Configs.Took(ctx, seq, sent[seq], confirmed); err != nil {
			g.missed(ctx, "counting who took a configuration failed", err)
		}
	}
}

// offer sends offers to sessions, and counts them by push. One without room is tried again at the next round.
func (g *Gateway) offer(ctx context.Context, to map[*conn]config.Push) (sent map[int64]int64) {
	sent = make(map[int64]int64)
	offers := make(map[string][]byte) // by product
	for c, p := range to {
		data, ok := offers[p.Product]
		if !ok {
			v, err := g.c.Configs.Current(ctx, p.Product)
			if err == nil {
				data, err = g.offerOf(ctx, &v)
			}
			if err != nil {
				g.missed(ctx, "offering a configuration failed", err)
			}
			offers[p.Product] = data
		}
		if data == nil {
			continue
		}
		switch err := c.takeOffer(p.Seq, data); {
		case err == nil:
			sent[p.Seq]++
		case errors.Is(err, mqtt.ErrWindow) || errors.Is(err, mqtt.ErrOut):
			g.offers.mu.Lock()
			g.offers.owed[c] = p
			g.offers.mu.Unlock()
		default:
			g.c.Logger.LogAttrs(ctx, slog.LevelDebug, "a configuration was not offered", slog.String("device", c.device), slog.Any("error", err))
		}
	}
	return sent
}

// errDeaf says that a device does not listen to a topic.
var errDeaf = errors.New("the device does not listen to the topic")

// takeOffer sends an offer to the device, if it listens.
func (c *conn) takeOffer(seq int64, data []byte) error {
	payload := alink.AppendRequest(nil, strconv.FormatInt(seq, 10), alink.ConfigPush.Method(""), data)
	c.g.offers.mu.Lock()
	c.g.offers.given[c] = seq // before it can answer
	c.g.offers.mu.Unlock()
	if err := c.notify(alink.ConfigPush, payload); err != nil {
		c.g.offers.forget(c)
		return err
	}
	if c.gone.Load() {
		c.g.offers.forget(c)
	}
	return nil
}

// notify sends something that is no command, if the device listens, with the quality of service it subscribed with.
func (c *conn) notify(t alink.Template, payload []byte) error {
	f := c.filters.Load()
	if c.isGone() || f == nil || !f.has(t, "") {
		return errDeaf
	}
	m := mqtt.Outgoing{Topic: t.Topic(c.of.Value().key, c.name, ""), Payload: payload, QoS: f.qos(t, "")}
	if c.s.Version() == mqtt.V5 {
		m.Properties = f.identifiers(nil, t, "")
	}
	if _, err := c.s.Send(&m); err != nil {
		return err
	}
	c.show(device.DownSubject, m.Topic, payload, "")
	return nil
}
