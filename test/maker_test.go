package test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"
	"testing"
	"time"

	"lampworks/mqtt"
	triples "lampworks/triple"
)

// TestMakersWay plays the way of a maker through the API alone, from the sign-up to the end of the organisation, in both
// languages. Each refusal on the way is looked at.
func TestMakersWay(t *testing.T) {
	for _, lang := range []string{"zh-CN", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := newWay(t, lang)
			w.agree(t)
			w.verify(t)
			w.certify(t)
			w.develop(t)
			w.debug(t)
			w.publish(t)
			w.produce(t)
			w.burn(t)
			w.leak(t)
			w.suspend(t)
			w.obey(t)
			w.leave(t)
		})
	}
}

// A way is one maker with a platform of their own.
type way struct {
	s                                   *server
	admin, second, reviewer, certifier  *person
	maker                               *person
	organisation, module, terminal      string
	debugOrder, massOrder, massDownload string
	debugDevice, spareDevice            triples.Triple
	key                                 string // ProductKey of the terminal
	live                                *mqtt.Client
	rows                                []triples.Triple // of the mass production
}

const factorSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

// newWay starts an empty platform with its people, and a maker who has signed up.
func newWay(t *testing.T, lang string) *way {
	t.Helper()
	s, admin := operated(t, lang, "--deletion-hold", "100ms")
	w := &way{s: s, admin: admin}
	w.second, w.reviewer, w.certifier = w.employ(t, "second", "admin"), w.employ(t, "reviewer", "reviewer"), w.employ(t, "certifier", "certifier")
	w.signUp(t, lang)
	return w
}

// employ makes one of the operator's people, who can do nothing before the second factor is there.
func (w *way) employ(t *testing.T, login, role string) *person {
	t.Helper()
	p := &person{s: w.s, lang: w.admin.lang, login: login, password: "one of the operator's people"}
	id := w.admin.does(t, "POST", "/users", map[string]string{"login": login, "password": p.password}).id(t)
	w.admin.does(t, "PUT", "/users/"+id+"/role", map[string]string{"role": role})
	p.signIn(t)
	p.refused(t, 403, "second_factor", "GET", "/certificates", nil)
	p.enrol(t)
	return p
}

// signUp makes the maker's account with a code that came by mail, and its organisation.
func (w *way) signUp(t *testing.T, lang string) {
	t.Helper()
	const mail = "maker@example.com"
	w.maker = &person{s: w.s, lang: lang, login: "maker", password: "a lamp in every window"}
	w.maker.refused(t, 401, "unauthenticated", "GET", "/products", nil)
	id := w.maker.does(t, "POST", "/sign-up/codes", map[string]string{"contact": mail}).id(t)
	in := map[string]any{
		"id": id, "code": "000000", "login": w.maker.login, "password": w.maker.password,
		"organisation": map[string]any{"names": map[string]string{"zh-CN": "灯火科技", "en": "Denghuo"}, "kinds": []string{"chip_maker", "module_maker", "terminal_maker"}},
	}
	if code := w.s.mailed(t, mail); code != "000000" {
		if r := w.maker.ask(t, "POST", "/sign-up", in); r.status < 400 {
			t.Fatalf("a wrong code signs up: %s", r.body)
		}
		in["code"] = code
	}
	w.maker.takeSession(t, w.maker.does(t, "POST", "/sign-up", in))
	w.organisation = w.maker.does(t, "GET", "/session", nil).text(t, "actor/organisation")
	w.maker.refused(t, 404, "not_found", "GET", "/organisations/"+w.organisation[:len(w.organisation)-4]+"0000", nil)
	w.maker.refused(t, 403, "forbidden", "GET", "/users", nil)
}

// agree publishes an agreement; nothing goes before it was accepted in a language that was read.
func (w *way) agree(t *testing.T) {
	id := w.admin.does(t, "POST", "/agreements", map[string]any{
		"precedence": 1, "subject": "organisation",
		"names":    map[string]string{"zh-CN": "平台服务协议", "en": "Platform agreement"},
		"prevails": map[string]string{"zh-CN": "本协议优先。", "en": "This one prevails."},
	}).id(t)
	text := func(body string) map[string]string { return map[string]string{"body": body} }
	publish := map[string]string{"state": "published"}
	state := "/agreements/" + id + "/versions/1/state"
	w.admin.refused(t, 404, "not_found", "PUT", state, publish)
	publish["digest"] = w.admin.does(t, "PUT", "/agreements/"+id+"/draft", map[string]any{"texts": map[string]any{"en": text("# Agreement")}}).text(t, "digest")
	w.admin.refused(t, 422, "invalid", "PUT", state, publish, "zh-CN")
	whole := w.admin.does(t, "PUT", "/agreements/"+id+"/draft", map[string]any{"texts": map[string]any{"zh-CN": text("# 协议\n\n双方同意。"), "en": text("# Agreement\n\nBoth agree.")}})
	w.admin.refused(t, 409, "stale", "PUT", state, publish)
	publish["digest"] = whole.text(t, "digest")
	w.admin.does(t, "PUT", state, publish)
	w.maker.refused(t, 403, "agreement", "GET", "/products", nil)
	due := w.maker.does(t, "GET", "/outstanding-agreements", nil)
	hash := due.text(t, "now/0/hashes/"+w.maker.lang)
	answer := map[string]any{"version": 1, "lang": w.maker.lang, "hash": strings.Repeat("0", 64)}
	if r := w.maker.ask(t, "POST", "/agreements/"+id+"/acceptances", answer); r.status < 400 {
		t.Fatalf("another text than the one in force was accepted: %s", r.body)
	}
	answer["hash"] = hash
	w.maker.does(t, "POST", "/agreements/"+id+"/acceptances", answer)
	w.maker.does(t, "GET", "/products", nil)
	if got := w.maker.does(t, "GET", "/acceptances", nil); got.text(t, "items/0/hash") != hash || got.text(t, "items/0/lang") != w.maker.lang {
		t.Errorf("the evidence is %s", got.body)
	}
}

var pdf = []byte("%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n")

// verify goes through a rejection to the verified organisation.
func (w *way) verify(t *testing.T) {
	at := "/organisations/" + w.organisation + "/verification"
	w.maker.does(t, "PUT", at+"/form", map[string]any{"form": "organisation", "values": map[string]string{
		"legal_name": "杭州灯火科技有限公司", "unified_social_credit_code": "91330100799655058B", "organisation_type": "enterprise", "founded_on": "2010-05-01",
		"registered_address": "杭州市西湖区灯火路 1 号", "legal_representative": "欧阳金丝雀", "contact_name": "欧阳金丝雀", "contact_phone": "13800138000", "brands": "灯火", "chips_used": "DH-1", "tuned_protocols": "mqtt",
	}})
	w.maker.refused(t, 409, "conflict", "POST", at+"/submissions", nil, "paper.business_licence")
	w.maker.refused(t, 422, "invalid", "POST", at+"/papers?slot=business_licence&number=1", []byte("<svg onload='x()'/>"))
	for _, paper := range []string{
		"slot=business_licence&number=91330100799655058B", "slot=authorisation_letter&valid_from=2020-01-01&valid_until=2099-12-31",
		"slot=trademark&number=7", "slot=protocol_statement",
	} {
		w.maker.does(t, "POST", at+"/papers?"+paper, pdf, "Content-Type", "application/pdf")
	}
	w.maker.does(t, "POST", at+"/submissions", nil)
	w.maker.refused(t, 403, "forbidden", "POST", at+"/decision", map[string]any{"submission": 1, "decision": "approve"})
	reject := map[string]any{"submission": 1, "decision": "reject", "reasons": []map[string]string{{"where": "paper.trademark", "code": "unreadable"}}}
	w.reviewer.does(t, "POST", at+"/decision", reject)
	if r := w.reviewer.ask(t, "POST", at+"/decision", map[string]any{"submission": 1, "decision": "approve"}); r.status != 409 {
		t.Fatalf("a submission was decided about twice: %d %s", r.status, r.body)
	}
	if got := w.maker.does(t, "GET", at, nil).text(t, "state"); got != "rejected" {
		t.Fatalf("the verification is %s, want rejected", got)
	}
	w.maker.does(t, "POST", at+"/submissions", nil)
	w.reviewer.does(t, "POST", at+"/decision", map[string]any{"submission": 2, "decision": "approve"})
	if got := w.maker.does(t, "GET", at, nil); got.text(t, "state") != "verified" || got.at(t, "level") != 2.0 {
		t.Fatalf("the verification is %s", got.body)
	}
}

// square is a PNG that an icon may be.
func square(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 256, 256))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func names(zh, en string) map[string]string { return map[string]string{"zh-CN": zh, "en": en} }

// move carries a product along its life.
func (w *way) move(t testing.TB, product string, acts ...string) {
	t.Helper()
	for _, act := range acts {
		w.maker.does(t, "PUT", "/products/"+product+"/state", map[string]string{"act": act})
	}
}

// certify makes a chip and a module on it. Nothing can be built on either before it is certified.
func (w *way) certify(t *testing.T) {
	chip := w.maker.does(t, "POST", "/products", map[string]any{"kind": "chip", "names": names("灯火芯片", "Denghuo chip"), "protocols": []string{"mqtt"}}).id(t)
	module := map[string]any{"kind": "module", "names": names("灯火模组", "Denghuo module"), "built_on": chip}
	w.notCertified(t, module)
	w.offer(t, chip)
	w.module = w.maker.does(t, "POST", "/products", module).id(t)
	terminal := map[string]any{"category": "colour_light", "names": names("灯火台灯", "Denghuo lamp"), "built_on": w.module}
	w.notCertified(t, terminal)
	w.offer(t, w.module)
	made := w.maker.does(t, "POST", "/products", terminal)
	w.terminal, w.key = made.id(t), made.text(t, "product_key")
}

// notCertified expects that a product is refused for what it is built on.
func (w *way) notCertified(t *testing.T, product map[string]any) {
	t.Helper()
	if r := w.maker.ask(t, "POST", "/products", product); r.status != 409 {
		t.Fatalf("a product was built on what is not certified: %d %s", r.status, r.body)
	}
}

// offer brings a chip or module to its publication, with its certificate.
func (w *way) offer(t *testing.T, product string) {
	t.Helper()
	state := "/products/" + product + "/state"
	w.maker.does(t, "PUT", "/products/"+product+"/icon", square(t))
	w.move(t, product, "develop", "debug", "certify")
	w.maker.refused(t, 409, "conflict", "PUT", state, map[string]string{"act": "publish"}, "certif")
	w.pass(t, product)
	w.move(t, product, "publish")
}

// pass applies for a certification and has it recorded, which the maker may not.
func (w *way) pass(t *testing.T, product string) {
	t.Helper()
	one := "/certifications/" + w.maker.does(t, "POST", "/products/"+product+"/certifications", map[string]any{"covers": map[string]any{"protocols": []string{"mqtt"}}}).id(t)
	result := map[string]any{"result": "pass", "report": "LAB-" + product[len(product)-6:], "valid_from": time.Now().Add(-time.Hour), "valid_until": time.Now().AddDate(1, 0, 0)}
	w.maker.refused(t, 403, "forbidden", "PUT", one+"/result", result)
	w.certifier.does(t, "PUT", one+"/laboratory", map[string]any{})
	if r := w.certifier.ask(t, "PUT", one+"/result", result); r.status < 400 {
		t.Fatalf("a result without evidence was recorded: %s", r.body)
	}
	w.certifier.does(t, "POST", one+"/evidence", pdf)
	w.certifier.does(t, "PUT", one+"/result", result)
}

// develop brings the terminal as far as a first device needs.
func (w *way) develop(t *testing.T) {
	w.move(t, w.terminal, "develop", "debug")
	steps := w.maker.does(t, "GET", "/products/"+w.terminal+"/steps", nil)
	if !bytes.Contains(steps.body, []byte("icon")) {
		t.Errorf("the steps do not name the icon: %s", steps.body)
	}
}

// issued waits for an order.
func (w *way) issued(t testing.TB, order string) {
	t.Helper()
	eventually(t, "order "+order+" issued", func() (bool, any) {
		state := w.maker.does(t, "GET", "/orders/"+order, nil).text(t, "state")
		return state == "issued", state
	})
}

// download takes the workbook of an order, with the second factor and a reason.
func (w *way) download(t testing.TB, order string) (id string, rows []triples.Triple) {
	t.Helper()
	made := w.maker.does(t, "POST", "/orders/"+order+"/downloads", map[string]string{"reason": "the line starts on Monday"})
	id = made.id(t)
	whole := w.maker.does(t, "GET", "/downloads/"+id+"/file", nil, "Range", "bytes=0-999")
	rest := w.maker.does(t, "GET", "/downloads/"+id+"/file", nil, "Range", "bytes=1000-")
	file := append(whole.body, rest.body...)
	_, err := triples.ReadWorkbook(bytes.NewReader(file), int64(len(file)), func(row triples.Triple) error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		t.Fatalf("reading the workbook of %d bytes: %v", len(file), err)
	}
	if r := w.maker.ask(t, "GET", "/downloads/"+id+"/file", nil); r.status < 400 {
		t.Errorf("a download that was taken to its end is given again: %d", r.status)
	}
	return id, rows
}

func (w *way) device(row triples.Triple) triple {
	return triple{ProductKey: w.key, DeviceName: row.MAC.String(), DeviceSecret: row.Secret.Reveal()}
}

// debug issues triples at once, which show themselves to a second factor only, and brings a device online.
func (w *way) debug(t *testing.T) {
	w.maker.refused(t, 429, "limit", "POST", "/products/"+w.terminal+"/orders", map[string]any{"quantity": 1_000_000, "purpose": "debug"})
	w.debugOrder = w.maker.does(t, "POST", "/products/"+w.terminal+"/orders", map[string]any{"quantity": 3, "purpose": "debug"}).id(t)
	w.issued(t, w.debugOrder)
	w.maker.refused(t, 403, "second_factor", "POST", "/orders/"+w.debugOrder+"/downloads", map[string]string{"reason": "to try"})
	w.maker.enrol(t)
	_, rows := w.download(t, w.debugOrder)
	if len(rows) != 3 {
		t.Fatalf("the workbook has %d triples, want 3", len(rows))
	}
	w.debugDevice, w.spareDevice = rows[0], rows[1]
	w.live = dial(t, w.s.mqtt, credentials(t, w.device(rows[0]), plain))
	wrong := w.device(rows[1])
	wrong.DeviceSecret = strings.Repeat("0", 32)
	refusedWith(t, w.s.mqtt, credentials(t, wrong, plain), 4)
	w.online(t, rows[0], true)
}

func (w *way) online(t testing.TB, row triples.Triple, want bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("online %t of %s", want, row.MAC), func() (bool, any) {
		got := w.maker.does(t, "GET", "/devices?name="+row.MAC.String(), nil)
		return got.at(t, "items/0/online") == want, string(got.body)
	})
}

// publish hands in what families and the law ask for; each lack is named before.
func (w *way) publish(t *testing.T) {
	state := "/products/" + w.terminal + "/state"
	mass := map[string]any{"quantity": 20, "purpose": "mass", "factory": map[string]string{"name": "一号工厂"}}
	if r := w.maker.ask(t, "POST", "/products/"+w.terminal+"/orders", mass); r.status != 409 {
		t.Fatalf("mass production before publication: %d %s", r.status, r.body)
	}
	w.maker.does(t, "PUT", "/products/"+w.terminal+"/icon", square(t))
	w.move(t, w.terminal, "certify")
	w.maker.refused(t, 409, "conflict", "PUT", state, map[string]string{"act": "publish"}, `"where":"care"`)
	w.maker.does(t, "PATCH", "/products/"+w.terminal, map[string]any{"care": map[string]any{
		"warranty_months": 24, "warranty": names("两年质保", "Two years"), "phone": "+8657100000000", "email": "care@example.com", "address": "杭州市西湖区灯火路 1 号",
	}})
	w.papers(t)
	w.pass(t, w.terminal)
	w.enter(t, state)
	w.move(t, w.terminal, "publish", "produce")
	w.maker.refused(t, 409, "conflict", "PUT", state, map[string]string{"act": "reopen"})
}

// enter raises a bar before the way in which the terminal's devices reach the platform. Neither new triples nor a publication
// pass it without a grant; devices that are in the field do.
func (w *way) enter(t *testing.T, state string) {
	t.Helper()
	const service = "device_access_wifi"
	w.admin.does(t, "POST", "/service-bars", map[string]any{"service": service, "kind": "application", "emergency": true, "reason": "we look at each who wants it"})
	debug := map[string]any{"quantity": 1, "purpose": "debug"}
	w.maker.refused(t, 403, "forbidden", "POST", "/products/"+w.terminal+"/orders", debug, `"where":"service `+service+`"`, "POST /api/v1/service-applications")
	w.maker.refused(t, 409, "conflict", "PUT", state, map[string]string{"act": "publish"}, `"where":"service"`, "POST /api/v1/service-applications")
	if w.live != nil {
		w.inTheField(t)
	}
	one := w.maker.does(t, "POST", "/service-applications", map[string]string{"service": service, "purpose": "lamps"}).id(t)
	w.reviewer.does(t, "PUT", "/service-applications/"+one+"/decision", map[string]string{"act": "grant"})
	w.issued(t, w.maker.does(t, "POST", "/products/"+w.terminal+"/orders", debug).id(t))
	w.admin.refused(t, 422, "unsupported", "POST", "/service-bars", map[string]any{"service": "ota", "kind": "application", "emergency": true, "reason": "r"}, `"got":"ota"`, "device_access_wifi")
}

// inTheField sees that devices that have their triples come and stay.
func (w *way) inTheField(t *testing.T) {
	t.Helper()
	another := dial(t, w.s.mqtt, credentials(t, w.device(w.spareDevice), plain))
	w.online(t, w.spareDevice, true)
	w.online(t, w.debugDevice, true)
	if err := another.Close(); err != nil {
		t.Error(err)
	}
}

// papers uploads the compliance papers of the category, which a reviewer looks at.
func (w *way) papers(t *testing.T) {
	kinds, _ := w.maker.does(t, "GET", "/categories/colour_light", nil).at(t, "papers").([]any)
	for i, kind := range kinds {
		at := fmt.Sprintf("/products/%s/papers?kind=%s&number=N%d&issuer=CQC&valid_from=2026-01-01&valid_until=2029-12-31", w.terminal, kind, i)
		paper := w.maker.does(t, "POST", at, pdf).id(t)
		w.maker.refused(t, 403, "forbidden", "PUT", "/papers/"+paper+"/review", map[string]string{"result": "approve"})
		w.reviewer.does(t, "PUT", "/papers/"+paper+"/review", map[string]string{"result": "approve"})
	}
}

// produce applies for triples, which a reviewer approves, and hands the workbook to the factory.
func (w *way) produce(t *testing.T) {
	orders := "/products/" + w.terminal + "/orders"
	mass := map[string]any{"quantity": 20, "purpose": "mass", "factory": map[string]string{"name": "一号工厂"}}
	refused := w.maker.does(t, "POST", orders, mass).id(t)
	w.maker.refused(t, 403, "forbidden", "POST", "/orders/"+refused+"/decision", map[string]string{"act": "approve"})
	w.reviewer.refused(t, 422, "invalid", "POST", "/orders/"+refused+"/decision", map[string]string{"act": "reject"})
	w.reviewer.does(t, "POST", "/orders/"+refused+"/decision", map[string]string{"act": "reject", "reason": "the factory is not known to us"})
	w.reviewer.refused(t, 409, "conflict", "POST", "/orders/"+refused+"/decision", map[string]string{"act": "approve"})
	w.massOrder = w.maker.does(t, "POST", orders, mass).id(t)
	if r := w.maker.ask(t, "POST", "/orders/"+w.massOrder+"/downloads", map[string]string{"reason": "too early"}); r.status != 409 {
		t.Fatalf("a download before the approval: %d %s", r.status, r.body)
	}
	w.reviewer.does(t, "POST", "/orders/"+w.massOrder+"/decision", map[string]string{"act": "approve"})
	w.issued(t, w.massOrder)
	w.massDownload, w.rows = w.download(t, w.massOrder)
	if len(w.rows) != 20 {
		t.Fatalf("the workbook has %d triples, want 20", len(w.rows))
	}
}
