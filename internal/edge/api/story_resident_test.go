package api_test

import (
	"fmt"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
)

// announces says a bind token as a device that is connected does.
func (w *world) announces(device, token, more string) {
	w.t.Helper()
	if err := w.pairing.Announce(w.t.Context(), device, 1, fmt.Appendf(nil, `{"token":%q%s}`, token, more)); err != nil {
		w.t.Fatal(err)
	}
}

// TestAHouseholdFromTheFirstCodeToTheLastDevice: two people sign up, one makes a home and has the other in it as a child, a
// lamp of a maker is bound by its token, both speak to it, the maker sees its command and nothing of them, and then the home is
// handed on and the lamp unbound.
func TestAHouseholdFromTheFirstCodeToTheLastDevice(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	w.want(w.call(w.owner, "DELETE", "/api/v1/homes/"+m.home+"/devices/"+m.device, ""), 204)
	mei, _ := w.settle("mei")
	bo, boID := w.settle("bo")
	home := "/api/v1/homes/" + w.want(w.call(mei, "POST", "/api/v1/resident/homes", `{"names":{"zh-CN":"家"}}`), 201).id()
	room := w.want(w.call(mei, "POST", home+"/rooms", `{"names":{"zh-CN":"客厅"}}`), 201).id()
	w.invited(mei, strings.TrimPrefix(home, "/api/v1/homes/"), bo, access.Child)

	const token = "0123456789abcdef0123456789abcdef"
	claim := func(who, token string) answer {
		return w.call(who, "POST", home+"/devices/claim", fmt.Sprintf(`{"token":%q,"room":%q,"names":{"zh-CN":"吊灯"}}`, token, room))
	}
	w.want(claim(mei, token), 404) // announced by nobody
	w.announces(m.device, token, "")
	w.want(claim(bo, token), 403)
	w.want(claim(w.owner, token), 404)
	a := w.want(claim(mei, token), 202)
	if a.text("state") != "bound" || a.text("device") != m.device {
		t.Errorf("claimed: %s", a.body)
	}
	w.want(claim(mei, token), 404)
	w.want(w.call(mei, "GET", home+"/claims/"+a.id(), ""), 200)

	seen := w.want(w.call(bo, "GET", home, ""), 200)
	if seen.text("devices/0/id") != m.device || seen.text("devices/0/category") != "light" {
		t.Errorf("the child sees %s", seen.body)
	}
	w.presence(m, true)
	w.eventually("the home sees the lamp online", func() bool {
		return w.want(w.call(mei, "GET", home, ""), 200).get("devices/0/online") == true
	})
	for _, who := range []string{mei, bo} {
		if said := w.want(w.call(who, "POST", home+"/sentences", `{"text":"打开客厅的吊灯","later":false}`), 200); !strings.Contains(string(said.body), m.device) {
			t.Errorf("said: %s", said.body)
		}
	}
	commands := w.want(w.call(w.owner, "GET", "/api/v1/devices/"+m.device+"/commands", ""), 200)
	if commands.text("items/0/origin") != "voice" {
		t.Errorf("the maker sees %s", commands.body)
	}
	for _, secret := range []string{"mei@", "bo@", "吊灯", boID} {
		if strings.Contains(string(commands.body), secret) {
			t.Errorf("the maker sees %q: %s", secret, commands.body)
		}
	}
	w.want(w.call(w.owner, "GET", home, ""), 404)
	w.want(w.call(mei, "GET", "/api/v1/devices/"+m.device, ""), 403)

	for range 3 { // two were wrong before
		w.want(claim(mei, "ffffffffffffffffffffffffffffffff"), 404)
	}
	w.want(claim(mei, token), 429)

	w.want(w.call(mei, "POST", home+"/transfer", fmt.Sprintf(`{"resident":%q}`, boID)), 204)
	w.want(w.call(mei, "POST", home+"/invitations", `{"role":"guest"}`), 403)
	w.want(w.call(bo, "DELETE", home+"/devices/"+m.device, ""), 204)
	if said := w.want(w.call(bo, "POST", home+"/sentences", `{"text":"打开客厅的吊灯"}`), 200); said.text("outcome") == "act" {
		t.Errorf("a lamp that was unbound: %s", said.body)
	}
	meiID := w.want(w.call(mei, "GET", "/api/v1/resident", ""), 200).id()
	w.want(w.call(bo, "DELETE", home+"/members/"+meiID, ""), 204)
	w.want(w.call(mei, "GET", home, ""), 404)
	w.want(w.call(mei, "POST", home+"/sentences", `{"text":"开灯"}`), 404)
}

// A resident who is deleted is named in no table any more.
func TestDeletedResidentIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.people()
	const name = "ximena"
	session, id := w.settle(name)
	home := "/api/v1/homes/" + w.want(w.call(session, "POST", "/api/v1/resident/homes", `{"names":{"en":"Nest of one"}}`), 201).id()
	w.want(w.call(session, "POST", home+"/invitations", `{"role":"guest"}`), 201)
	w.want(w.call(session, "POST", home+"/devices/claim", `{"token":"00000000000000000000000000000001","names":{"en":"x"}}`), 404)
	before := w.sixDigits("ximena@home.example")
	w.want(w.call("", "POST", "/api/v1/resident/codes", `{"contact":"ximena@home.example"}`), 204)
	if found := w.find(name, "Nest of one"); len(found) < 3 {
		t.Fatalf("the test looks in the wrong place: %q", found)
	}
	w.want(w.call(session, "POST", "/api/v1/resident/deletion", fmt.Sprintf(`{"code":%q}`, w.sixDigits("ximena@home.example", before))), 204)
	w.want(w.call(session, "GET", "/api/v1/resident", ""), 401)
	if found := w.find(name, "Nest of one", id); len(found) > 0 {
		t.Errorf("the resident is still named: %q", found)
	}
}

// TestALiveViewOfResidentsTellsOfTheirCommands: how a command ended that was asked for in the home, and of no other; and nobody
// of another home watches.
func TestALiveViewOfResidentsTellsOfTheirCommands(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	w.want(w.call(w.owner, "DELETE", "/api/v1/homes/"+m.home+"/devices/"+m.device, ""), 204)
	mei, _ := w.settle("mei")
	lu, _ := w.settle("lu")
	id := w.want(w.call(mei, "POST", "/api/v1/resident/homes", `{"names":{"zh-CN":"家"}}`), 201).id()
	const token = "0123456789abcdef0123456789abcdef"
	w.announces(m.device, token, "")
	w.want(w.call(mei, "POST", "/api/v1/homes/"+id+"/devices/claim", fmt.Sprintf(`{"token":%q,"names":{"zh-CN":"吊灯"}}`, token)), 202)
	w.presence(m, true)
	w.eventually("the home sees the lamp online", func() bool {
		return w.want(w.call(mei, "GET", "/api/v1/homes/"+id, ""), 200).get("devices/0/online") == true
	})
	if s := w.watch(lu, id, 0); s.status != 404 {
		t.Errorf("a resident of another home watches: %d", s.status)
	}
	s := w.watch(mei, id, 0)
	s.next("ping")
	w.want(w.call(w.owner, "DELETE", "/api/v1/commands/"+m.command, ""), 200) // the maker's own
	w.want(w.call(mei, "POST", "/api/v1/homes/"+id+"/sentences", `{"text":"打开吊灯","later":true}`), 200)
	asked := w.want(w.call(w.owner, "GET", "/api/v1/devices/"+m.device+"/commands", ""), 200).text("items/0/id")
	if asked == m.command {
		t.Fatal("the sentence asked for nothing")
	}
	w.want(w.call(w.owner, "DELETE", "/api/v1/commands/"+asked, ""), 200)
	if e := s.next("command"); e.data["id"] != asked || e.data["state"] != "cancelled" {
		t.Errorf("the first command that the home is told of is %v, want %s", e.data, asked)
	}
}

// TestResidentsSeeTheIconsOfTheirDevices, as long as those stand in a home of theirs, and no others.
func TestResidentsSeeTheIconsOfTheirDevices(t *testing.T) {
	w := newWorld(t)
	w.people()
	m := w.manufacture()
	w.want(w.call(w.owner, "DELETE", "/api/v1/homes/"+m.home+"/devices/"+m.device, ""), 204)
	at := "/api/v1/products/" + m.product
	icon := "/api/v1/icons/" + w.want(w.call(w.owner, "PUT", at+"/icon", string(square(t, 256)), "Content-Type", "application/octet-stream"), 200).text("icon")
	mei, _ := w.settle("mei")
	lu, _ := w.settle("lu")
	home := "/api/v1/homes/" + w.want(w.call(mei, "POST", "/api/v1/resident/homes", `{"names":{"zh-CN":"家"}}`), 201).id()
	w.want(w.call(lu, "POST", "/api/v1/resident/homes", `{"names":{"zh-CN":"家"}}`), 201)
	w.want(w.call(mei, "GET", icon, ""), 404)
	const token = "0123456789abcdef0123456789abcdef"
	w.announces(m.device, token, "")
	w.want(w.call(mei, "POST", home+"/devices/claim", fmt.Sprintf(`{"token":%q,"names":{"zh-CN":"吊灯"}}`, token)), 202)
	label := w.want(w.call(mei, "GET", home+"/devices/"+m.device+"/label", ""), 200)
	if got := "/api/v1/icons/" + label.text("icon"); got != icon {
		t.Errorf("the label tells of %s, want %s", got, icon)
	}
	w.want(w.call(mei, "GET", icon, ""), 200)
	w.want(w.call(w.stranger, "GET", icon, ""), 200)
	w.want(w.call(lu, "GET", icon, ""), 404)
	w.want(w.call(mei, "GET", "/api/v1/icons/", ""), 404)
	w.want(w.call("", "GET", icon, ""), 401)
	w.want(w.call(mei, "DELETE", home+"/devices/"+m.device, ""), 204)
	w.want(w.call(mei, "GET", icon, ""), 404)
}
