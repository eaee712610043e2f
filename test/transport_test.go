package test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"github.com/pquerna/otp/totp"

	"lampworks/mqtt"
)

// certify writes a certificate with a number, and its key, as the program is given them.
func certify(t *testing.T, dir string, serial int64) (flags []string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "lamps.example"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(60 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	hidden, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []struct {
		flag, kind string
		der        []byte
	}{{"--tls-cert", "CERTIFICATE", der}, {"--tls-key", "PRIVATE KEY", hidden}} {
		path := filepath.Join(dir, f.flag[2:]+".pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			t.Fatal(err)
		}
		flags = append(flags, f.flag, path)
	}
	return flags
}

// seen notes the number of the certificate that a client is shown.
func seen(serial *int64) *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(s tls.ConnectionState) error {
		*serial = s.PeerCertificates[0].SerialNumber.Int64()
		return nil
	}}
}

// TestCertificateUnderSessions replaces the certificate under devices on MQTT and on WebSocket, and under people: who is there
// stays, who comes is shown the new one. One that is broken changes nothing.
func TestCertificateUnderSessions(t *testing.T) {
	dir := t.TempDir()
	flags := certify(t, dir, 1)
	s := own(t, "demo", append(flags, "--no-open", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0")...)
	connect := func(at string, serial int64) paho.Client {
		t.Helper()
		var shown int64
		id, user, password := sign(t, s.spare(t), plain)
		client := paho.NewClient(paho.NewClientOptions().AddBroker(at).SetClientID(id).SetUsername(user).SetPassword(password).
			SetAutoReconnect(false).SetConnectTimeout(patience).SetTLSConfig(seen(&shown)))
		done(t, "connect to "+at, client.Connect())
		t.Cleanup(func() { client.Disconnect(0) })
		if shown != serial {
			t.Errorf("%s shows certificate %d, want %d", at, shown, serial)
		}
		return client
	}
	everywhere := func(serial int64) (all []paho.Client) {
		t.Helper()
		for _, at := range []string{"ssl://" + s.mqtts, "wss" + strings.TrimPrefix(s.https, "https") + "/mqtt"} {
			all = append(all, connect(at, serial))
		}
		var shown int64
		people := http.Client{Transport: &http.Transport{TLSClientConfig: seen(&shown), DisableKeepAlives: true}}
		res, err := people.Get(s.https + "/healthz")
		if err != nil || res.Body.Close() != nil || res.StatusCode != 200 || shown != serial {
			t.Errorf("people are shown certificate %d, want %d: %v", shown, serial, err)
		}
		return all
	}
	reload := func(says ...string) {
		t.Helper()
		if err := s.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		s.log.line(t, says...)
	}
	there := everywhere(1)
	certify(t, dir, 2)
	reload("certificate in use", "serial=2", "not_after=")
	there = append(there, everywhere(2)...)
	if err := os.WriteFile(flags[1], []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	reload("the new certificate cannot be used", "serial=2", flags[1])
	there = append(there, everywhere(2)...)
	for _, client := range there {
		o := client.OptionsReader()
		name, key, _ := strings.Cut(o.Username(), "&")
		done(t, "publish", client.Publish(triple{ProductKey: key, DeviceName: name}.topic("thing/event/property/post"), 1, false, propertyPost(1, "brightness", 5)))
	}
}

// TestWebSocketKnowsNobody: the token of whoever may do everything lets no device in.
func TestWebSocketKnowsNobody(t *testing.T) {
	s := shared(t)
	d := s.spare(t)
	at := "ws" + strings.TrimPrefix(s.http, "http") + "/mqtt"
	id, user, password := sign(t, d, plain)
	for _, given := range []string{"", password[1:] + "x", password} {
		o := paho.NewClientOptions().AddBroker(at).SetClientID(id).SetUsername(user).SetPassword(given).SetAutoReconnect(false).SetConnectTimeout(patience).
			SetHTTPHeaders(http.Header{"Authorization": {"Bearer " + s.token}, "Cookie": {"lw_session=" + s.token}, "Origin": {s.http}})
		client := paho.NewClient(o)
		token := client.Connect()
		token.WaitTimeout(patience)
		if in, want := token.Error() == nil, given == password; in != want {
			t.Errorf("with the password %q it was let in: %v, %v", given, in, token.Error())
		}
		client.Disconnect(0)
	}
	s.log.line(t, "device refused", "wrong signature")
}

// TestBehindProxies: a proxy that is named says where people and devices are, and whether they came over TLS; one that is not
// says nothing.
func TestBehindProxies(t *testing.T) {
	boot := filepath.Join(t.TempDir(), "operator.json")
	if err := os.WriteFile(boot, []byte(`{"login":"chief","password":"a long enough word","totp_secret":"JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		flags   []string
		address string
		secure  bool
	}{
		{"named", []string{"--trusted-proxies", "127.0.0.1,10.0.0.0/8", "--proxy-protocol-from", "127.0.0.0/8"}, "203.0.113.5", true},
		{"not named", []string{"--trusted-proxies", "192.0.2.1"}, "127.0.0.1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := own(t, "serve", append(tt.flags, "--bootstrap", boot)...)
			ask := func(method, path, body, token string) *http.Response {
				req, err := http.NewRequestWithContext(t.Context(), method, s.http+path, strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				req.Header = http.Header{"Content-Type": {"application/json"}, "X-Forwarded-For": {"6.6.6.6, 203.0.113.5, 10.1.1.1"}, "X-Forwarded-Proto": {"https"}}
				if token != "" {
					req.Header.Set("Authorization", "Bearer "+token)
				}
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { res.Body.Close() })
				return res
			}
			code, err := totp.GenerateCode("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", time.Now())
			if err != nil {
				t.Fatal(err)
			}
			in := ask("POST", "/api/v1/session", `{"login":"chief","password":"a long enough word","code":"`+code+`"}`, "")
			at := slices.IndexFunc(in.Cookies(), func(c *http.Cookie) bool { return c.Name == "lw_session" })
			if at < 0 || in.Cookies()[at].Secure != tt.secure {
				t.Fatalf("%s, cookies %v, want one that is secure: %v", in.Status, in.Cookies(), tt.secure)
			}
			var list struct {
				Items []struct {
					Address string `json:"address"`
				} `json:"items"`
			}
			if err := json.NewDecoder(ask("GET", "/api/v1/sessions", "", in.Cookies()[at].Value).Body).Decode(&list); err != nil || len(list.Items) != 1 || list.Items[0].Address != tt.address {
				t.Errorf("sessions %+v, %v, want one from %s", list, err, tt.address)
			}
			if !tt.secure {
				return
			}
			nc := raw(t, s.mqtt) // without the header that is wanted
			if _, err := nc.Write([]byte("\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00")); err != nil {
				t.Fatal(err)
			}
			hungUp(t, nc)
			s.log.line(t, "connection turned away", "reason=proxy_header")
			nc = raw(t, s.mqtt)
			const from = "\xcb\x00\x71\x09\x7f\x00\x00\x01\x12\x67\x07\x5b" // 203.0.113.9:4711
			if _, err := nc.Write([]byte("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + from)); err != nil {
				t.Fatal(err)
			}
			hello := mqtt.AppendPacket(nil, &mqtt.Packet{Type: mqtt.CONNECT, Connect: &mqtt.Connect{
				Version: mqtt.V311, Clean: true, ClientID: []byte("a.b" + plain), HasUsername: true, Username: []byte("b&a"), HasPassword: true, Password: []byte("x"),
			}}, mqtt.V311)
			if _, err := nc.Write(hello); err != nil {
				t.Fatal(err)
			}
			hungUp(t, nc)
			s.log.line(t, "device refused", "address=203.0.113.9:4711", "plain TCP from another machine")
		})
	}
}
