package gateway_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/virtual"
	"lampworks/triple"
)

// TestVirtualHub plays a gateway with more children than one login takes: all come online, and do what they are told.
func TestVirtualHub(t *testing.T) {
	u := newHub(t, 60)
	u.c.Kill()
	triples := func(key string, d device.Device) triple.Triple {
		who, err := u.Devices.Identify(t.Context(), key, d.Name)
		if err != nil {
			t.Fatal(err)
		}
		return triple.Triple{MAC: who.MAC(), Secret: who.Secret}
	}
	model, err := u.Products.Model(t.Context(), u.Product.ID)
	if err != nil {
		t.Fatal(err)
	}
	c := virtual.Config{Addr: u.addr, ProductKey: u.product.ProductKey, Triple: triples(u.product.ProductKey, u.d), Model: model, QoS: 1}
	for _, d := range u.Lights {
		c.Children = append(c.Children, virtual.Config{ProductKey: u.Product.ProductKey, Triple: triples(u.Product.ProductKey, d), Model: model})
	}
	ready := make(chan struct{}, 10)
	c.OnState = func(err error) {
		if err == nil {
			ready <- struct{}{}
		}
	}
	v := virtual.New(c)
	stop := devicetest.Run(t, func(ctx context.Context) error { return v.Run(ctx) })
	got(t, "connection", ready)
	for _, d := range u.Lights {
		if !u.Live(d.ID) {
			t.Fatalf("%s is not there", d.Name)
		}
	}
	set := u.orders(t, u.Lights[59], command.Request{Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":7}`), Deadline: time.Minute})
	if got := u.ended(t, set); !strings.HasPrefix(got, "succeeded") {
		t.Errorf("a child's command %s", got)
	}
	permit := u.orders(t, u.d, command.Request{Kind: command.PermitJoin, Params: json.RawMessage(`{"time":60}`), Deadline: time.Minute})
	if got := u.ended(t, permit); got != "succeeded" {
		t.Errorf("letting others join %s", got)
	}
	stop()
	u.presence(t, u.Lights[0], false, "its gateway is gone")
}
