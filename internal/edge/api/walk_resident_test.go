package api_test

import (
	"fmt"

	"lampworks/internal/infra/access"
)

// residents walks past what residents do, in a home of theirs.
func (y *walk) residents() {
	anna, _ := y.settle("anna.resident")
	ben, benID := y.settle("ben.resident")
	y.does(anna, "PUT", "resident", `{"name":"Anna","lang":"en"}`)
	y.reads(anna, "resident", "resident/sessions")
	home := y.does(anna, "POST", "resident/homes", `{"names":{"zh-CN":"家","en":"home"}}`).id()
	path := "homes/" + home
	y.does(anna, "DELETE", path+"/invitations/"+y.does(anna, "POST", path+"/invitations", `{"role":"guest"}`).id(), "")
	y.does(anna, "POST", path+"/invitations", `{"role":"child"}`)
	y.invited(anna, home, ben, access.Child)
	y.reads(anna, "resident/homes", path+"/members", path+"/invitations")
	y.does(anna, "PUT", path+"/members/"+benID, `{"role":"adult"}`)
	y.announces(y.device.device, "0123456789abcdef0123456789abcdef", "")
	bound := y.does(anna, "POST", path+"/devices/claim", `{"token":"0123456789abcdef0123456789abcdef","names":{"en":"lamp"}}`).id()
	y.reads(anna, path+"/claims/"+bound)
	room := y.does(anna, "POST", path+"/rooms", `{"names":{"en":"hall"}}`).id()
	y.does(anna, "PUT", path+"/speakers/hall", fmt.Sprintf(`{"room":%q}`, room))
	y.does(anna, "PUT", path+"/favourites", fmt.Sprintf(`{"devices":[%q]}`, y.device.device))
	y.does(anna, "PUT", path+"/devices/"+y.device.device+"/visibility", `{"hidden":true}`)
	y.reads(anna, path+"/speakers", path+"/favourites", path+"/name-warnings")
	y.does(anna, "DELETE", path+"/speakers/hall", "")
	y.does(anna, "POST", path+"/transfer", fmt.Sprintf(`{"resident":%q}`, benID))
	annaID := y.does(anna, "GET", "resident", "").id()
	y.does(ben, "DELETE", path+"/members/"+annaID, "")
	y.does(ben, "DELETE", "resident/sessions", "")
	y.does(ben, "DELETE", "resident/sessions/"+y.does(ben, "GET", "resident/sessions", "").text("items/0/id"), "")
	const moved, before = "anna@elsewhere.example", "anna.resident@home.example"
	used := y.sixDigits(before)
	y.does("", "POST", "resident/codes", fmt.Sprintf(`{"contact":%q}`, before))
	present := y.sixDigits(before, used)
	y.does("", "POST", "resident/codes", fmt.Sprintf(`{"contact":%q}`, moved))
	first := y.sixDigits(moved)
	y.does(anna, "PUT", "resident/contact", fmt.Sprintf(`{"contact":%q,"code":%q,"present_code":%q}`, moved, first, present))
	y.does("", "POST", "resident/codes", fmt.Sprintf(`{"contact":%q}`, moved))
	y.does(anna, "POST", "resident/deletion", fmt.Sprintf(`{"code":%q}`, y.sixDigits(moved, first)))
}
