package test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	paho3 "github.com/eclipse/paho.mqtt.golang"

	"lampworks/alink"
)

// TestRegistration gives a secret to devices that ask with that of their product: to the SDK, which asks over HTTPS, and to Paho's
// clients, over MQTT. Each logs in with it.
func TestRegistration(t *testing.T) {
	t.Parallel()
	flags := certify(t, t.TempDir(), 1)
	w := newWorkshop(t, 3, 0, append(flags, "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0")...)
	secret := w.registers(t)
	for i, tt := range []struct {
		name string
		ask  func(*testing.T, triple) (answer []byte)
		play starter
	}{
		{"Paho 3.1.1", func(t *testing.T, d triple) []byte { return w.register3(t, d, secret) }, clients[0].start},
		{"Paho 5", func(t *testing.T, d triple) []byte { return w.register5(t, d, secret) }, clients[1].start},
		{"JavaScript SDK", func(t *testing.T, d triple) []byte {
			needSDK(t)
			k := startSDK(t, "mqtts://"+w.mqtts, w.light.triples[0], nil, "NODE_EXTRA_CA_CERTS="+flags[1]) // registered by then; the method needs no device
			var a alinkReply
			in := map[string]string{"productKey": d.ProductKey, "productSecret": secret, "deviceName": d.DeviceName, "registerURL": w.https + "/auth/register/device"}
			if err := json.Unmarshal(k.do(t, "register", in), &a); err != nil || a.Code != alink.CodeOK {
				t.Fatalf("answered was %+v, %v", a, err)
			}
			return a.Data
		}, clients[2].start},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data := tt.ask(t, triple{ProductKey: w.light.key, DeviceName: w.light.triples[i].DeviceName})
			var said struct{ ProductKey, DeviceName, DeviceSecret string }
			if err := json.Unmarshal(data, &said); err != nil || said.DeviceName != w.light.triples[i].DeviceName || len(said.DeviceSecret) != 32 {
				t.Fatalf("given was %s, %v", data, err)
			}
			given := triple{said.ProductKey, said.DeviceName, said.DeviceSecret}
			w.light.triples[i] = given
			a := &actor{workshop: w, client: tt.play(t, w.server, given), triple: given, id: w.device(t, given.DeviceName).ID}
			playReport(t, a)
		})
	}
}

// registering is how a device connects that asks for its secret.
func registering(t *testing.T, d triple, secret string) (clientID, user, password string) {
	t.Helper()
	sign, err := alink.SignRegister("hmacsha256", secret, d.DeviceName, d.ProductKey, "4711")
	if err != nil {
		t.Fatal(err)
	}
	return d.ProductKey + "." + d.DeviceName + "|authType=register,random=4711,signmethod=hmacsha256,securemode=2|", d.DeviceName + "&" + d.ProductKey, sign
}

// registered is what came on the topic of secrets.
func registered(t *testing.T, came <-chan message) []byte {
	t.Helper()
	select {
	case m := <-came:
		if m.topic != alink.Registered.String() {
			t.Fatalf("%s came on %s", m.payload, m.topic)
		}
		return []byte(m.payload)
	case <-time.After(patience):
		t.Fatalf("no secret came within %s", patience)
	}
	return nil
}

func (w *workshop) register3(t *testing.T, d triple, secret string) []byte {
	t.Helper()
	came := make(chan message, 1)
	id, user, password := registering(t, d, secret)
	c := paho3.NewClient(paho3.NewClientOptions().AddBroker("ssl://" + w.mqtts).SetClientID(id).SetUsername(user).SetPassword(password).
		SetTLSConfig(&tls.Config{InsecureSkipVerify: true}).SetAutoReconnect(false).SetConnectTimeout(patience).
		SetDefaultPublishHandler(func(_ paho3.Client, m paho3.Message) { came <- message{m.Topic(), string(m.Payload())} }))
	done(t, "connect", c.Connect())
	defer c.Disconnect(0)
	return registered(t, came)
}

func (w *workshop) register5(t *testing.T, d triple, secret string) []byte {
	t.Helper()
	nc, err := tls.Dial("tcp", w.mqtts, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	came := make(chan message, 1)
	c := paho.NewClient(paho.ClientConfig{Conn: nc, PacketTimeout: patience, OnPublishReceived: []func(paho.PublishReceived) (bool, error){
		func(r paho.PublishReceived) (bool, error) {
			came <- message{r.Packet.Topic, string(r.Packet.Payload)}
			return true, nil
		},
	}})
	id, user, password := registering(t, d, secret)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := c.Connect(ctx, &paho.Connect{ClientID: id, CleanStart: true, KeepAlive: 60, UsernameFlag: true, Username: user, PasswordFlag: true, Password: []byte(password)}); err != nil {
		t.Fatal(err)
	}
	return registered(t, came)
}
