package gateway_test

import (
	"strings"
	"testing"

	"github.com/eclipse/paho.golang/paho"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// TestBindToken: a device announces its bind token, who has it claims the device, nobody who watches sees it, and with the session it
// is worth nothing.
func TestBindToken(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{})
	homes := home.New(h.Store)
	nest, err := homes.Settle(t.Context(), access.Actor{Kind: access.KindResident, ID: "mei"}, home.Names{"en": "Nest"})
	if err != nil {
		t.Fatal(err)
	}
	mei, err := homes.Enter(t.Context(), access.Actor{Kind: access.KindResident, ID: "mei"}, nest.ID)
	if err != nil {
		t.Fatal(err)
	}
	claim := func(token string) error {
		_, err := h.pairing.Claim(t.Context(), mei, nest.ID, pairing.Want{Token: token, Label: home.Label{Names: home.Names{"en": "Lamp " + token[:4]}}})
		return err
	}
	const first, second = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
	seen := make(chan string, 16)
	defer h.Bus.Subscribe(device.AskedSubject+">", func(_ string, payload []byte) { seen <- string(payload) })()
	d := h.Lights[0]
	l, _ := h.paho5(t, d, nil)
	topic := h.topic(d, "thing/awss/enrollee/match")
	for _, tt := range []struct {
		params string
		code   int
		says   string
	}{
		{`{"token":"short"}`, 460, "/params/token is not shown, want 32 hex digits"},
		{`{"token":"` + first + `"}`, 200, "success"},
	} {
		if r := l.asks(t, topic, `{"id":"1","version":"1.0","params":`+tt.params+`}`); r.Code != tt.code || !strings.HasPrefix(r.Message, tt.says) {
			t.Errorf("announcing %s: %d %s", tt.params, r.Code, r.Message)
		}
	}
	if shown := got(t, "what is shown of it", seen); strings.Contains(shown, first) || !strings.Contains(shown, "token") {
		t.Errorf("those who watch see %s", shown)
	}
	if err := claim(first); err != nil {
		t.Errorf("claiming: %v", err)
	}
	other := h.Lights[1]
	l, _ = h.paho5(t, other, nil)
	if r := l.asks(t, h.topic(other, "thing/awss/enrollee/match"), `{"id":"2","version":"1.0","params":{"token":"`+second+`"}}`); r.Code != 200 {
		t.Fatalf("announcing: %d %s", r.Code, r.Message)
	}
	if err := l.Disconnect(&paho.Disconnect{}); err != nil {
		t.Fatal(err)
	}
	devicetest.Eventually(t, "the end of the session", func() (bool, any) {
		_, connected := h.Epoch(other.ID)
		return !connected, connected
	})
	if err := claim(second); !fault.Is(err, fault.Missing) {
		t.Errorf("claiming by the token of a session that is over: %v", err)
	}
}
