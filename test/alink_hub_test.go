package test

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"lampworks/alink"
)

// hubActs is what a gateway does, the first of whose children has a secret and the second asks for one.
var hubActs = []act{
	{"topology", playTopology},
	{"login", playLogin},
	{"traffic of a child", playChild},
	{"logout", playLogout},
	{"batches of logins", playBatchLogin},
	{"removed", playRemoved},
	{"attached by the maker", playAttached},
	{"joining", playJoining},
	{"registration", playRegistration},
}

// signed is what a gateway sends of a device, with the signature that the device's secret makes.
func signed(t *testing.T, d triple) map[string]string {
	t.Helper()
	id := alink.ClientID{Bare: d.ProductKey + "&" + d.DeviceName, Timestamp: strconv.FormatInt(time.Now().UnixMilli(), 10)}
	sign, err := alink.Sign("hmacsha256", d.DeviceSecret, id, d.DeviceName, d.ProductKey)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"productKey": d.ProductKey, "deviceName": d.DeviceName, "clientId": id.Bare, "timestamp": id.Timestamp, "signMethod": "hmacsha256", "sign": sign, "cleanSession": "true",
	}
}

// signedAll is what a request about devices carries: a list, or the one that logs in.
func signedAll(t *testing.T, of alink.Template, ds []triple) any {
	t.Helper()
	var all []map[string]string
	for _, d := range ds {
		all = append(all, signed(t, d))
	}
	if of == alink.CombineLogin {
		return all[0]
	}
	return all
}

// nameOf is a device without its secret.
func nameOf(d triple) map[string]string {
	return map[string]string{"productKey": d.ProductKey, "deviceName": d.DeviceName}
}

// carries waits until the platform shows what the gateway carries: name and whether it is online.
func (a *actor) carries(t *testing.T, want string) {
	t.Helper()
	a.shows(t, a.path("/children"), want, "device_name", "online")
}

func playTopology(t *testing.T, a *actor) {
	a.hears(t, alink.TopoChange, "")
	a.hears(t, alink.TopoAddNotify, "")
	a.does(t, alink.TopoAdd, "", a.child[:1])
	if data := a.does(t, alink.TopoGet, "", map[string]any{}); !strings.Contains(string(data), a.child[0].DeviceName) {
		t.Errorf("the topology is %s", data)
	}
	a.carries(t, a.child[0].DeviceName+" false")
	wrong := a.child[0]
	wrong.DeviceSecret = strings.Repeat("0", 32)
	if r := a.asks(t, alink.CombineLogin, "", []triple{wrong}); r.Code == alink.CodeOK {
		t.Errorf("a login with a wrong signature was answered %+v", r)
	}
}

func playLogin(t *testing.T, a *actor) {
	a.does(t, alink.CombineLogin, "", a.child[:1])
	a.carries(t, a.child[0].DeviceName+" true")
}

// playChild has the child report and be commanded, over the connection of the gateway.
func playChild(t *testing.T, a *actor) {
	own := *a
	own.triple, own.id = a.child[0], a.device(t, a.child[0].DeviceName).ID
	a.as(a.child[0])
	defer a.as(a.triple)
	playReport(t, &own)
	playSet(t, &own)
	playTags(t, &own)
}

func playLogout(t *testing.T, a *actor) {
	a.does(t, alink.CombineLogout, "", nameOf(a.child[0]))
	a.carries(t, a.child[0].DeviceName+" false")
}

func playBatchLogin(t *testing.T, a *actor) {
	a.does(t, alink.BatchLogin, "", map[string]any{"deviceList": []any{signed(t, a.child[0])}})
	a.carries(t, a.child[0].DeviceName+" true")
	a.does(t, alink.BatchLogout, "", []any{nameOf(a.child[0])})
	a.carries(t, a.child[0].DeviceName+" false")
}

func playRemoved(t *testing.T, a *actor) {
	a.does(t, alink.TopoDelete, "", []any{nameOf(a.child[0])})
	a.carries(t, "")
	a.does(t, alink.TopoAdd, "", a.child[:1])
	a.carries(t, a.child[0].DeviceName+" false")
	a.does(t, alink.SubUnregister, "", []any{nameOf(a.child[0])})
	a.carries(t, "")
}

func playAttached(t *testing.T, a *actor) {
	at := a.path("/children/" + a.device(t, a.child[0].DeviceName).ID)
	a.call(t, "PUT", at, nil, nil)
	h := a.next(t, alink.TopoAddNotify)
	if !strings.Contains(string(h.data), a.child[0].DeviceName) {
		t.Errorf("told was %s", h)
	}
	a.replies(t, alink.TopoAddNotify, h, 200, map[string]any{})
	a.call(t, "DELETE", at, nil, nil)
	for status := -1; status != 1; { // gone, behind those of what came before
		var change struct{ Status int }
		h := a.next(t, alink.TopoChange)
		if err := json.Unmarshal(h.request(t).Params, &change); err != nil {
			t.Fatalf("told was %s, %v", h, err)
		}
		status = change.Status
	}
	a.carries(t, "")
}

func playJoining(t *testing.T, a *actor) {
	a.hears(t, alink.GatewayPermit, "")
	c := a.orders(t, "/permit-join", map[string]any{"seconds": 60})
	h := a.next(t, alink.GatewayPermit)
	if string(h.request(t).Params) != `{"time":60}` {
		t.Errorf("the permission came as %s", h)
	}
	a.replies(t, alink.GatewayPermit, h, 200, map[string]any{})
	if got := a.ended(t, c); got != "succeeded" {
		t.Errorf("the command ended as %s", got)
	}
	a.does(t, alink.ListFound, "", []any{nameOf(a.child[0])})
}

// registers lets lights that have no secret ask for one.
func (w *workshop) registers(t *testing.T) (secret string) {
	t.Helper()
	w.maker.does(t, "PATCH", "/products/"+w.light.product, map[string]any{"registration": true})
	w.maker.does(t, "POST", "/orders/"+w.light.order+"/registration-window", map[string]any{"minutes": 60, "reason": "the line burns no secrets"})
	return w.maker.does(t, "POST", "/products/"+w.light.product+"/secret", map[string]any{"reason": "the firmware has it"}).text(t, "product_secret")
}

// playRegistration has a child registered, and carried with the secret that it was given.
func playRegistration(t *testing.T, a *actor) {
	data := a.does(t, alink.SubRegister, "", []any{nameOf(a.child[1])})
	var all []struct{ ProductKey, DeviceName, DeviceSecret string }
	if err := json.Unmarshal(data, &all); err != nil || len(all) != 1 {
		t.Fatalf("answered was %s, %v", data, err)
	}
	given := []triple{{all[0].ProductKey, all[0].DeviceName, all[0].DeviceSecret}}
	a.does(t, alink.TopoAdd, "", given)
	a.does(t, alink.CombineLogin, "", given)
	a.carries(t, given[0].DeviceName+" true")
}
