package gateway_test

import (
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/issuance"
	"lampworks/mqtt"
)

// A device logs in with any secret that was handed out, and from then on with that one only; a revoked one opens nothing.
func TestGenerations(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	owner := h.Maker
	owner.Session, owner.Proved = "s", time.Now()
	owner.Roles = []access.Role{access.Owner}
	order := h.Lights[0].Order
	grant := func() issuance.Download {
		t.Helper()
		d, err := h.Orders.Grant(t.Context(), owner, order, issuance.NewDownload{Reason: "a test"})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	grant()
	first := h.credentials(t, h.Lights[0])
	second := grant()
	newer := h.credentials(t, h.Lights[0])
	if first.Password == newer.Password {
		t.Fatal("two downloads share a secret")
	}
	admitted := func(c mqtt.ClientConfig) bool {
		t.Helper()
		client, err := mqtt.Dial(t.Context(), h.addr, c)
		if err != nil {
			return false
		}
		client.Kill()
		<-client.Done()
		return true
	}
	for i, tt := range []struct {
		with mqtt.ClientConfig
		want bool
	}{{first, true}, {newer, false}, {first, true}} {
		if got := admitted(tt.with); got != tt.want {
			t.Errorf("login %d: %v, want %v", i, got, tt.want)
		}
	}
	// The other light has the second; when that is revoked its session ends, and the first light's goes on.
	stays, err := mqtt.Dial(t.Context(), h.addr, first)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stays.Kill)
	ends := h.dial(t, h.Lights[1])
	if err := h.Orders.RevokeDownload(t.Context(), owner, second.ID, "found on a bus"); err != nil {
		t.Fatal(err)
	}
	<-ends.Done()
	select {
	case <-stays.Done():
		t.Error("the session with another secret ended, too")
	default:
	}
	// One device: its session ends, and nothing opens until the next download.
	if err := h.Devices.Revoke(t.Context(), owner, h.Lights[0].ID, "sold"); err != nil {
		t.Fatal(err)
	}
	<-stays.Done()
	if err := h.Devices.Revoke(t.Context(), owner, h.Lights[0].ID, "sold"); !fault.Is(err, fault.Clash) {
		t.Errorf("it is revoked once more: %v", err)
	}
	if admitted(first) || admitted(newer) {
		t.Error("a revoked secret opens")
	}
	grant()
	if !admitted(h.credentials(t, h.Lights[0])) {
		t.Error("the next download does not open")
	}
	devicetest.Eventually(t, "no session is left", func() (bool, any) { return h.Sessions() == 0, h.Sessions() })
}

// The end of a right reaches live sessions also if every event is lost.
func TestRevocationWithoutEvents(t *testing.T) {
	h := newHouse(t, 1, nil, gateway.Limits{})
	c := h.dial(t, h.Lights[0])
	if err := h.Bus.Close(); err != nil {
		t.Fatal(err)
	}
	if err := h.Orders.RevokeOrder(t.Context(), h.Maker, h.Lights[0].Order, "a test"); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
}
