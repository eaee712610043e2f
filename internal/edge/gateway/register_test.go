package gateway_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/mqtt"
	"lampworks/triple"
)

// A plant is a house whose maker lets devices register.
type plant struct {
	*house
	strong access.Actor // the maker with a fresh second factor
	secret string       // of the product
	url    string
}

func newPlant(t *testing.T, lights int) *plant {
	t.Helper()
	h := newHouse(t, lights, nil, gateway.Limits{Takeovers: 1000})
	p := &plant{house: h, strong: h.Maker}
	p.strong.Session, p.strong.Strong, p.strong.Proved = "s", true, time.Now()
	on := true
	if _, err := h.Products.Set(t.Context(), h.Maker, h.Product.ID, product.Change{Registration: &on}); err != nil {
		t.Fatal(err)
	}
	p.secret = registrationSecret(t, h, p.strong)
	s := httptest.NewServer(http.HandlerFunc(h.ServeRegistration))
	t.Cleanup(s.Close)
	p.url = s.URL + gateway.RegisterPath
	return p
}

func registrationSecret(t *testing.T, h *house, strong access.Actor) string {
	t.Helper()
	secret, err := h.Products.Secret(t.Context(), strong, h.Product.ID, false, "a test")
	if err != nil {
		t.Fatal(err)
	}
	return secret.Reveal()
}

func (p *plant) opens(t *testing.T, names ...string) {
	t.Helper()
	if _, err := p.Orders.OpenWindow(t.Context(), p.strong, p.Lights[0].Order, issuance.NewWindow{Names: names, For: time.Hour, Reason: "a test"}); err != nil {
		t.Fatal(err)
	}
}

// asks sends the form of a device, signed with a product's secret.
func (p *plant) asks(t *testing.T, name, secret string) (code int, handed string) {
	t.Helper()
	sign, err := alink.SignRegister("hmacsha256", secret, name, p.Product.ProductKey, "8Ygb7ULYh53B6OA")
	if err != nil {
		t.Fatal(err)
	}
	return p.sends(t, url.Values{"productKey": {p.Product.ProductKey}, "deviceName": {name}, "random": {"8Ygb7ULYh53B6OA"}, "sign": {sign}, "signMethod": {"HmacSha256"}})
}

func (p *plant) sends(t *testing.T, form url.Values) (code int, handed string) {
	t.Helper()
	r, err := http.PostForm(p.url, form) //nolint:noctx // ends with the test's server
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	var out struct {
		Code int
		Data struct{ ProductKey, DeviceName, DeviceSecret string }
	}
	if err != nil || json.Unmarshal(b, &out) != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%d %s, %v", r.StatusCode, b, err)
	}
	if out.Code == alink.CodeOK && (out.Data.ProductKey != p.Product.ProductKey || out.Data.DeviceName != form.Get("deviceName")) {
		t.Errorf("answered of another: %s", b)
	}
	return out.Code, out.Data.DeviceSecret
}

// signsIn is how a device with a secret signs in.
func (p *plant) signsIn(t *testing.T, d device.Device, secret string) error {
	t.Helper()
	a := p.credentials(t, d)
	id, err := alink.ParseClientID(a.ClientID)
	if err != nil {
		t.Fatal(err)
	}
	if a.Password, err = alink.Sign(id.SignMethod, secret, id, d.Name, p.Product.ProductKey); err != nil {
		t.Fatal(err)
	}
	c, err := mqtt.Dial(t.Context(), p.addr, a)
	if err == nil {
		c.Kill()
	}
	return err
}

// facts are the subjects and words of what the Log holds of a device beside its messages, behind a position.
func (p *plant) facts(t *testing.T, d device.Device, after uplink.Position) (all []string) {
	t.Helper()
	records, err := p.Log.Read(t.Context(), after, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		if r.Kind == uplink.Fact && r.Device == d.ID {
			f, err := device.DecodeRefusal(r.Body)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, r.Subject+" "+f.Why)
		}
	}
	return all
}

// TestRegister walks a device past everything that keeps it from registering, then lets it: once, for a secret that nobody was handed
// before. Its true owner, with the one that was burned, is noticed.
func TestRegister(t *testing.T) {
	p := newPlant(t, 3)
	d, other := p.Lights[0], p.Lights[1]
	if _, err := p.Orders.Grant(t.Context(), p.strong, d.Order, issuance.NewDownload{Reason: "the line burns them"}); err != nil {
		t.Fatal(err)
	}
	who, err := p.Devices.Identify(t.Context(), p.Product.ProductKey, d.Name)
	if err != nil {
		t.Fatal(err)
	}
	burned := who.Secret.Reveal()
	before := p.Log.Tail()
	expect := func(what string, want int, name, secret string) string {
		t.Helper()
		code, handed := p.asks(t, name, secret)
		if code != want || (handed != "") != (want == alink.CodeOK) {
			t.Errorf("%s: %d, handed %t, want %d", what, code, handed != "", want)
		}
		return handed
	}
	expect("no window", alink.CodeRegistrationOff, d.Name, p.secret)
	p.opens(t, d.Name)
	expect("a name that is not allowed", alink.CodeRegistrationOff, other.Name, p.secret)
	expect("a wrong signature", alink.CodeSign, d.Name, "0123456789abcdef")
	expect("an unknown name, wrong signature", alink.CodeSign, "000000000000", "0123456789abcdef")
	expect("an unknown name", alink.CodeUnknown, "000000000000", p.secret)
	handed := expect("allowed", alink.CodeOK, d.Name, p.secret)
	if handed == burned || len(handed) != 32 {
		t.Fatalf("handed %d characters, the burned one again: %t", len(handed), handed == burned)
	}
	expect("a second time", alink.CodeRegistered, d.Name, p.secret)
	if err := p.signsIn(t, d, handed); err != nil {
		t.Fatalf("with what it was handed: %v", err)
	}
	if err := p.signsIn(t, d, burned); err == nil {
		t.Error("the burned secret is in force beside the one that was handed out")
	}
	if err := p.signsIn(t, other, burned); err == nil {
		t.Error("a secret of another lets a device in")
	}
	const want = "device.clone device.refused device.refused device.refused device.registered"
	devicetest.Eventually(t, want, func() (bool, any) {
		var seen []string
		for _, f := range p.facts(t, d, before) {
			subject, _, _ := strings.Cut(f, " ")
			seen = append(seen, subject)
			if strings.Contains(f, handed) || strings.Contains(f, burned) || strings.Contains(f, p.secret) {
				t.Errorf("the Log shows a secret: %s", f)
			}
		}
		slices.Sort(seen) // what was signed wrong is told of apart from the answer
		got := strings.Join(seen, " ")
		return got == want, got
	})
	if err := p.Devices.ResetRegistration(t.Context(), p.Maker, d.ID, "a new chip"); err != nil {
		t.Fatal(err)
	}
	if err := p.signsIn(t, d, handed); err == nil {
		t.Error("after a reset the old secret is in force")
	}
	again := expect("after a reset", alink.CodeOK, d.Name, p.secret)
	if err := p.signsIn(t, d, again); again == handed || err != nil {
		t.Errorf("the second secret is the first: %t; %v", again == handed, err)
	}
	if err := p.Orders.CloseWindow(t.Context(), p.Maker, d.Order); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Products.Secret(t.Context(), p.strong, p.Product.ID, true, "it was seen"); err != nil {
		t.Fatal(err)
	}
	expect("with the product's old secret", alink.CodeSign, other.Name, p.secret)
	if _, err := p.Orders.OpenWindow(t.Context(), p.Maker, d.Order, issuance.NewWindow{For: time.Hour, Reason: "x"}); err == nil {
		t.Error("a window was opened without the second factor")
	}
	if _, err := p.Products.Secret(t.Context(), p.Maker, p.Product.ID, false, "x"); err == nil {
		t.Error("the product's secret was handed out without the second factor")
	}
	off := false
	if _, err := p.Products.Set(t.Context(), p.Maker, p.Product.ID, product.Change{Registration: &off}); err != nil {
		t.Fatal(err)
	}
	expect("switched off", alink.CodeRegistrationOff, other.Name, p.secret)
}

// TestRegisterTwice lets a device that has logged in with what was burned register: its secret is not replaced under it.
func TestRegisterTwice(t *testing.T) {
	p := newPlant(t, 1)
	p.dial(t, p.Lights[0])
	p.opens(t)
	if code, _ := p.asks(t, p.Lights[0].Name, p.secret); code != alink.CodeRegistered {
		t.Errorf("a device in use registers: %d", code)
	}
}

// TestRegisterForm sends what is no request: it is answered, and nothing is handed out.
func TestRegisterForm(t *testing.T) {
	p := newPlant(t, 1)
	p.opens(t)
	d := p.Lights[0]
	right := func() url.Values {
		return url.Values{"productKey": {p.Product.ProductKey}, "deviceName": {d.Name}, "random": {"1"}, "sign": {"00"}, "signMethod": {"hmacsha256"}}
	}
	for what, change := range map[string]func(url.Values){
		"a wildcard":     func(v url.Values) { v.Set("deviceName", "#") },
		"SQL":            func(v url.Values) { v.Set("productKey", "' OR 1=1 --") },
		"no name":        func(v url.Values) { v.Del("deviceName") },
		"no random":      func(v url.Values) { v.Del("random") },
		"a long random":  func(v url.Values) { v.Set("random", strings.Repeat("x", 129)) },
		"another method": func(v url.Values) { v.Set("signMethod", "none") },
		"two names":      func(v url.Values) { v.Add("deviceName", d.Name) },
	} {
		v := right()
		change(v)
		if code, _ := p.sends(t, v); code != alink.CodeParam {
			t.Errorf("%s: %d", what, code)
		}
	}
	v := right()
	v.Set("sign", strings.Repeat("x", 5000))
	if code, _ := p.sends(t, v); code != alink.CodeBadRequest {
		t.Errorf("a large body: %d", code)
	}
	r := httptest.NewRequest(http.MethodPost, gateway.RegisterPath, strings.NewReader(right().Encode()))
	r.RemoteAddr = "192.0.2.7:1234"
	w := httptest.NewRecorder()
	if p.ServeRegistration(w, r); w.Code != http.StatusForbidden {
		t.Errorf("without TLS from another machine: %d", w.Code)
	}
}

// TestRegisterOverMQTT gives a device its secret on /ext/register, behind the CONNACK, and ends the connection; it can do nothing else there.
func TestRegisterOverMQTT(t *testing.T) {
	p := newPlant(t, 2)
	p.opens(t)
	d := p.Lights[0]
	connect := func(secret, kind string) (chan mqtt.Message, *mqtt.Client, error) {
		t.Helper()
		sign, err := alink.SignRegister("hmacsha256", secret, d.Name, p.Product.ProductKey, "567345")
		if err != nil {
			t.Fatal(err)
		}
		came := make(chan mqtt.Message, 10)
		c, err := mqtt.Dial(t.Context(), p.addr, mqtt.ClientConfig{
			ClientID: p.Product.ProductKey + "." + d.Name + "|authType=" + kind + ",random=567345,signmethod=hmacsha256,securemode=2|",
			Username: d.Name + "&" + p.Product.ProductKey, Password: sign, Clean: true, KeepAlive: time.Minute,
			OnMessage: func(_ *mqtt.Client, m mqtt.Message) { came <- m },
		})
		return came, c, err
	}
	for _, tt := range []struct{ secret, kind string }{{"wrong", "register"}, {p.secret, "regnwl"}, {p.secret, "connwl"}} {
		if _, _, err := connect(tt.secret, tt.kind); err == nil {
			t.Errorf("%s was taken", tt.kind)
		}
	}
	came, c, err := connect(p.secret, "register")
	if err != nil {
		t.Fatal(err)
	}
	m := got(t, "secret", came)
	var data struct{ ProductKey, DeviceName, DeviceSecret string }
	if err := json.Unmarshal(m.Payload, &data); err != nil || m.Topic != "/ext/register" || data.DeviceName != d.Name || data.ProductKey != p.Product.ProductKey {
		t.Fatalf("on %s came %d bytes, %v", m.Topic, len(m.Payload), err)
	}
	select {
	case <-c.Done():
	case <-time.After(patience):
		t.Error("the connection stays")
	}
	if p.Live(d.ID) {
		t.Error("who registered has a session")
	}
	if err := p.signsIn(t, d, data.DeviceSecret); err != nil {
		t.Error(err)
	}
	if _, _, err := connect(p.secret, "register"); err == nil {
		t.Error("a second time it is let in")
	}
}

// TestVirtualRegisters has the virtual device ask for a secret, over HTTP and over MQTT, and sign in with what it was handed.
func TestVirtualRegisters(t *testing.T) {
	p := newPlant(t, 3)
	line, err := virtual.ParseLine(p.addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(i int, secret string, http *http.Client) (triple.Triple, error) {
		t.Helper()
		mac, err := triple.ParseMAC(p.Lights[i].Name)
		if err != nil {
			t.Fatal(err)
		}
		r := virtual.Registration{
			ProductKey: p.Product.ProductKey, Of: triple.Triple{ProductID: 7, MAC: mac}, Line: line, Addr: p.addr, HTTP: http, URL: strings.TrimSuffix(p.url, gateway.RegisterPath) + "/",
			Sign: func(name, random string) (string, error) {
				return alink.SignRegister("hmacsha256", secret, name, p.Product.ProductKey, random)
			},
		}
		return r.Ask(t.Context())
	}
	var refused *virtual.NotRegistered
	if _, err := ask(0, p.secret, http.DefaultClient); !errors.As(err, &refused) || refused.Code != alink.CodeRegistrationOff || refused.Message == "" {
		t.Errorf("without a window: %v", err)
	}
	p.opens(t)
	for i, client := range []*http.Client{http.DefaultClient, nil} {
		got, err := ask(i, p.secret, client)
		if err != nil {
			t.Fatal(err)
		}
		if got.ProductID != 7 || got.MAC.String() != p.Lights[i].Name {
			t.Errorf("it is %s now", got)
		}
		if err := p.signsIn(t, p.Lights[i], got.Secret.Reveal()); err != nil {
			t.Error(err)
		}
		if _, err := ask(i, p.secret, client); err == nil {
			t.Error("it registered twice")
		}
	}
	const wrong = "0123456789abcdef"
	if _, err := ask(2, wrong, http.DefaultClient); !errors.As(err, &refused) || refused.Code != alink.CodeSign {
		t.Errorf("with a wrong secret: %v", err)
	}
	var mqttRefused *mqtt.Refused
	if _, err := ask(2, wrong, nil); !errors.As(err, &mqttRefused) {
		t.Errorf("with a wrong secret over MQTT: %v", err)
	}
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	p.url = s.URL
	if _, err := ask(2, p.secret, http.DefaultClient); err == nil || !strings.Contains(err.Error(), "registers no devices (HTTP 404)") {
		t.Errorf("at another server: %v", err)
	}
}

// TestRegisterChildren has a gateway ask for the secrets of sub-devices: it gets those that the maker lets register, each once, and none of
// another organisation.
func TestRegisterChildren(t *testing.T) {
	p := newPlant(t, 3)
	u := p.hub(t, p.hubProduct(t))
	d, other := p.Lights[0], p.Lights[1]
	both := `[` + u.fellow(p.Product, d) + `,` + u.fellow(p.Product, other) + `]`
	u.fails(t, alink.SubRegister, both, alink.CodeRegistrationOff)
	p.opens(t, d.Name)
	var handed []struct{ ProductKey, DeviceName, DeviceSecret string }
	if err := json.Unmarshal([]byte(u.does(t, alink.SubRegister, both)), &handed); err != nil || len(handed) != 1 || handed[0].DeviceName != d.Name {
		t.Fatalf("handed %d, %v; want that of %s", len(handed), err, d.Name)
	}
	u.fails(t, alink.SubRegister, `[`+u.fellow(p.Product, d)+`]`, alink.CodeRegistered)
	u.fails(t, alink.SubRegister, `[{"productKey":"nothing","deviceName":"x"}]`, alink.CodeUnknown)
	signed := signedWith(t, p.Product.ProductKey, d.Name, handed[0].DeviceSecret)
	u.does(t, alink.TopoAdd, `[`+signed+`]`)
	u.does(t, alink.CombineLogin, signed)
	if !p.Live(d.ID) {
		t.Error("the child is not live with what it was handed")
	}
}

// TestRegisterTries knocks for one name until it is too much; of others' tries it knows nothing.
func TestRegisterTries(t *testing.T) {
	g := newGuarded(t, 2)
	h := g.house
	strong := h.Maker
	strong.Session, strong.Strong, strong.Proved = "s", true, time.Now()
	on := true
	if _, err := h.Products.Set(t.Context(), h.Maker, h.Product.ID, product.Change{Registration: &on}); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(h.ServeRegistration))
	t.Cleanup(s.Close)
	p := &plant{house: h, strong: strong, url: s.URL + gateway.RegisterPath}
	p.secret = registrationSecret(t, h, strong)
	for range 12 { // who does not know the secret of the product learns nothing, and keeps nobody out
		for _, name := range []string{h.Lights[0].Name, "000000000000"} {
			if code, _ := p.asks(t, name, "wrong"); code != alink.CodeSign {
				t.Errorf("%s, signed wrong: %d", name, code)
			}
		}
	}
	for i := range 12 {
		want := alink.CodeRegistrationOff
		if i >= 10 {
			want = alink.CodeTooMany
		}
		if code, _ := p.asks(t, h.Lights[0].Name, p.secret); code != want {
			t.Errorf("attempt %d: %d, want %d", i+1, code, want)
		}
	}
	if code, _ := p.asks(t, h.Lights[1].Name, p.secret); code != alink.CodeRegistrationOff {
		t.Errorf("another device: %d", code)
	}
}

// TestRegisterRevoked takes the secrets of devices out of force while a window is open: who knows the secret of the product does not undo it,
// until the maker resets the device.
func TestRegisterRevoked(t *testing.T) {
	p := newPlant(t, 3)
	p.opens(t)
	used, unused, fresh := p.Lights[0], p.Lights[1], p.Lights[2]
	p.dial(t, used)
	for _, d := range []device.Device{used, unused} {
		if err := p.Devices.Revoke(t.Context(), p.Maker, d.ID, "it was stolen"); err != nil {
			t.Fatal(err)
		}
		if code, _ := p.asks(t, d.Name, p.secret); code != alink.CodeRegistered {
			t.Errorf("a revoked device registers: %d", code)
		}
	}
	for _, d := range []device.Device{used, unused} {
		if err := p.Devices.ResetRegistration(t.Context(), p.Maker, d.ID, "it was found"); err != nil {
			t.Fatal(err)
		}
	}
	if w, err := p.Orders.Window(t.Context(), p.Maker, used.Order); err != nil || w.Registered != 0 {
		t.Errorf("of none that registered %d are counted, %v", w.Registered, err)
	}
	if err := p.Devices.Revoke(t.Context(), p.Maker, unused.ID, "it was stolen again"); err != nil {
		t.Fatal(err)
	}
	if code, _ := p.asks(t, unused.Name, p.secret); code != alink.CodeRegistered {
		t.Errorf("a device that was revoked after its reset registers: %d", code)
	}
	for _, d := range []device.Device{used, fresh} {
		if code, _ := p.asks(t, d.Name, p.secret); code != alink.CodeOK {
			t.Errorf("a device that may registers: %d", code)
		}
		if code, _ := p.asks(t, d.Name, p.secret); code != alink.CodeRegistered {
			t.Errorf("a second time: %d", code)
		}
	}
	if w, err := p.Orders.Window(t.Context(), p.Maker, used.Order); err != nil || w.Registered != 2 {
		t.Errorf("of two that registered %d are counted, %v", w.Registered, err)
	}
}

// TestWindowNames opens windows for names: one that is not of the order is refused, where nobody would notice that it never registers, and
// one that is given twice is one.
func TestWindowNames(t *testing.T) {
	p := newPlant(t, 3)
	d := p.Lights[0]
	opens := func(names ...string) (issuance.Window, error) {
		return p.Orders.OpenWindow(t.Context(), p.strong, d.Order, issuance.NewWindow{Names: names, For: time.Hour, Reason: "a test"})
	}
	elsewhere := p.IssueOf(t, p.Maker, p.Product.ID, 1)[0]
	for _, name := range []string{elsewhere.Name, "000000000000", "x"} {
		_, err := opens(d.Name, name)
		if f := fault.Of(err); f == nil || f.Code != fault.Malformed || f.Where != "/names/1" {
			t.Errorf("%s: %v, want it refused at /names/1", name, err)
		}
	}
	if w, err := opens(d.Name, p.Lights[1].Name, strings.ToUpper(d.Name)); err != nil || w.Names != 2 {
		t.Errorf("of two devices %d are allowed, %v", w.Names, err)
	}
	if code, _ := p.asks(t, d.Name, p.secret); code != alink.CodeOK {
		t.Errorf("who is allowed registers: %d", code)
	}
	if code, _ := p.asks(t, p.Lights[2].Name, p.secret); code != alink.CodeRegistrationOff {
		t.Errorf("who is not allowed registers: %d", code)
	}
}

// TestRegisterBeyondGenerations resets a device of an order that has as many generations in force as may be: the reason it is refused for is that.
func TestRegisterBeyondGenerations(t *testing.T) {
	p := newPlant(t, 1)
	d := p.Lights[0]
	for err, n := error(nil), 0; err == nil && n < 20; n++ {
		_, err = p.Orders.OpenWindow(t.Context(), p.strong, d.Order, issuance.NewWindow{For: time.Hour, Reason: "a test"})
	}
	if err := p.Devices.ResetRegistration(t.Context(), p.Maker, d.ID, "a new chip"); err != nil {
		t.Fatal(err)
	}
	before := p.Log.Tail()
	if code, _ := p.asks(t, d.Name, p.secret); code != alink.CodeRegistrationOff {
		t.Errorf("answered %d", code)
	}
	devicetest.Eventually(t, "the reason", func() (bool, any) {
		got := p.facts(t, d, before)
		return len(got) == 1 && strings.Contains(got[0], "16 generations of secrets of the order are in force"), got
	})
}
