package gateway_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/listing"
)

type offered struct {
	ConfigID, Sign, SignMethod, URL, GetType string
	ConfigSize                               int
}

// holds checks that an offer leads to a document.
func (h *house) holds(t *testing.T, offer json.RawMessage, document string) {
	t.Helper()
	var o offered
	if err := json.Unmarshal(offer, &o); err != nil {
		t.Fatalf("%s: %v", offer, err)
	}
	sum := sha256.Sum256([]byte(document))
	file, err := h.configs.Open(t.Context(), strings.TrimPrefix(o.URL, "http://example.com/"))
	if err != nil || string(file) != document || o.ConfigSize != len(document) || o.Sign != hex.EncodeToString(sum[:]) || o.SignMethod != "Sha256" || o.GetType != "file" || len(o.ConfigID) != 32 {
		t.Errorf("%s leads to %s, %v; want %s", offer, file, err, document)
	}
}

// TestConfigGet: a device asks for its configuration and gets the newest, or is told that there is none.
func TestConfigGet(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	get := func(params string) reply {
		t.Helper()
		return l.asks(t, h.topic(d, "thing/config/get"), `{"id":"1","version":"1.0","params":`+params+`,"method":"thing.config.get"}`)
	}
	const params = `{"configScope":"product","getType":"file"}`
	if r := get(params); r.Code != 6710 || r.Message != "the product has no configuration" {
		t.Errorf("of nothing: %+v", r)
	}
	for _, document := range []string{`{"a":1}`, `{ "a" : "中" }`} {
		if _, err := h.configs.Upload(t.Context(), h.Maker, h.Product.ID, []byte(document), ""); err != nil {
			t.Fatal(err)
		}
		r := get(params)
		if r.Code != 200 {
			t.Fatalf("got %+v", r)
		}
		h.holds(t, r.Data, document)
	}
	for params, want := range map[string]string{
		`{"configScope":"device"}`: `/params/configScope is device, want "product"`,
		`{"getType":"content"}`:    `/params/getType is content, want "file"`,
	} {
		if r := get(params); r.Code != 460 || r.Message != want {
			t.Errorf("%s: %+v", params, r)
		}
	}
}

// TestConfigPush offers a configuration to the sessions of its product, once each, and counts who took it; also when its event
// is lost, and when the window of a device is full at first.
func TestConfigPush(t *testing.T) {
	h := newHouse(t, 4, nil, gateway.Limits{Inflight: 1})
	push := func(topic string) string { return h.topic(h.Lights[0], topic) }
	listens, _ := h.paho5(t, h.Lights[0], nil)
	listens.hears(t, push("thing/config/push"))
	deaf, _ := h.paho5(t, h.Lights[1], nil)
	raw, _ := h.paho5(t, h.Lights[2], nil)
	raw.hears(t, h.topic(h.Lights[2], "thing/#"))
	document := `{"a":1}`
	if _, err := h.configs.Upload(t.Context(), h.Maker, h.Product.ID, []byte(document), ""); err != nil {
		t.Fatal(err)
	}
	for round := range 2 {
		p, err := h.configs.Push(t.Context(), h.Maker, h.Product.ID, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range []*lamp5{listens, raw} {
			m := got(t, "configuration", l.came)
			var in struct {
				ID, Method string
				Params     json.RawMessage
			}
			topic := h.topic(h.Lights[2*i], "thing/config/push")
			if err := json.Unmarshal(m.Payload, &in); err != nil || m.Topic != topic || m.QoS != 1 || in.Method != "thing.config.push" || in.ID != fmt.Sprint(p.Seq) {
				t.Errorf("%s on %s with QoS %d, %v", m.Payload, m.Topic, m.QoS, err)
			}
			h.holds(t, in.Params, document)
			for range 2 { // the second does not count
				if _, err := l.Publish(t.Context(), &paho.Publish{Topic: topic + "_reply", QoS: 1, Payload: fmt.Appendf(nil, `{"id":"%d","code":%d,"data":{}}`, p.Seq, 200+i*round)}); err != nil {
					t.Fatal(err)
				}
			}
		}
		devicetest.Eventually(t, "the figures", func() (bool, any) {
			page, err := h.configs.History(t.Context(), h.Maker, h.Product.ID, listing.Ask{})
			return err == nil && page.Items[0].Sent == 2 && page.Items[0].Confirmed == int64(2-round), page.Items
		})
	}
	deaf.quiet(t)
	listens.quiet(t)
	raw.quiet(t)
}
