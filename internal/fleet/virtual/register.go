package virtual

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
	"lampworks/triple"
)

const (
	registerWithin = 15 * time.Second
	maxHanded      = 64 << 10 // bytes of an answer
)

// A Registration is how a device asks for a secret of its own (动态注册): signed with the secret of its product.
type Registration struct {
	ProductKey string
	Of         triple.Triple                             // ProductID and MAC of the device
	Sign       func(name, random string) (string, error) // with the ProductSecret (产品密钥), as alink.SignRegister does with hmacsha256
	Line       *Line                                     // the gateway, to ask over MQTT; used if HTTP is nil
	Addr       string                                    // of the gateway, for errors
	HTTP       *http.Client                              // to ask over HTTP
	URL        string                                    // of the server's HTTP, "https://host:port"
}

// NotRegistered is a refusal of a registration.
type NotRegistered struct {
	Code    int // of alink
	Message string
}

func (n *NotRegistered) Error() string {
	return fmt.Sprintf("not registered, code %d: %s", n.Code, n.Message)
}

// handed is what comes of a registration that was granted.
type handed struct{ ProductKey, DeviceName, DeviceSecret string }

// Ask registers the device and gives the triple that it was handed. A device is handed one once: who loses it needs a reset by
// its maker. Errors: *NotRegistered, over MQTT *mqtt.Refused, and those of the network.
func (r *Registration) Ask(ctx context.Context) (triple.Triple, error) {
	ctx, cancel := context.WithTimeout(ctx, registerWithin)
	defer cancel()
	random, name := rand.Text(), r.Of.MAC.String()
	sign, err := r.Sign(name, random)
	if err != nil {
		return triple.Triple{}, err
	}
	ask := r.askGateway
	if r.HTTP != nil {
		ask = r.askHTTP
	}
	got, err := ask(ctx, name, random, sign)
	if err != nil {
		return triple.Triple{}, err
	}
	if got.ProductKey != r.ProductKey || got.DeviceName != name {
		return triple.Triple{}, fmt.Errorf("the server answered for %q of %q", got.DeviceName, got.ProductKey)
	}
	out := r.Of
	if out.Secret, err = triple.ParseSecret(got.DeviceSecret); err != nil {
		return triple.Triple{}, errors.New("the server handed over a secret of an unknown form")
	}
	return out, nil
}

func (r *Registration) askHTTP(ctx context.Context, name, random, sign string) (*handed, error) {
	form := url.Values{"productKey": {r.ProductKey}, "deviceName": {name}, "random": {random}, "sign": {sign}, "signMethod": {"hmacsha256"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(r.URL, "/")+"/auth/register/device", strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := r.HTTP.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var a struct {
		Code    int
		Message string
		Data    handed
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxHanded)).Decode(&a); err != nil || a.Code == 0 {
		return nil, fmt.Errorf("what answers at %s registers no devices (HTTP %d)", r.URL, resp.StatusCode)
	}
	if a.Code != alink.CodeOK {
		return nil, &NotRegistered{a.Code, a.Message}
	}
	return &a.Data, nil
}

// askGateway connects in order to register: the secret comes on /ext/register, and the connection ends.
func (r *Registration) askGateway(ctx context.Context, name, random, sign string) (*handed, error) {
	came := make(chan handed, 1)
	c, err := mqtt.Dial(ctx, r.Addr, mqtt.ClientConfig{
		ClientID: r.ProductKey + "." + name + "|authType=register,random=" + random + ",signmethod=hmacsha256,securemode=2|",
		Username: name + "&" + r.ProductKey, Password: sign, Clean: true, KeepAlive: time.Minute, Dial: r.Line.Dial,
		OnMessage: func(_ *mqtt.Client, m mqtt.Message) {
			var h handed
			if m.Topic == "/ext/register" && json.Unmarshal(m.Payload, &h) == nil {
				select {
				case came <- h:
				default:
				}
			}
		},
	})
	if err != nil {
		return nil, err
	}
	defer c.Kill()
	select {
	case h := <-came:
		return &h, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.Done():
	}
	select {
	case h := <-came:
		return &h, nil
	default:
		return nil, errors.New("the connection ended before a secret came: if the device was registered, its maker has to reset that")
	}
}
