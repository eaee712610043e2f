package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/internal/edge/api"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/history/dayfile"
	"lampworks/internal/fleet/session"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/household/resident"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob/blobtest"
	"lampworks/internal/infra/bus/inproc"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/once"
	"lampworks/internal/infra/outbound"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/factory"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/internal/partner/takeout"
	"lampworks/internal/partner/verify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// password is everybody's here, and must never be seen again once it was typed in.
const password = "planted canary of a passphrase 7"

// world is the rooms as a node builds them, and the API in front of them.
type world struct {
	made     map[string]string                         // see cases
	noted    func(method, path, body string, a answer) // hears of every call; nil: nobody
	limits   *quota.Service
	measures *enforce.Service
	takeout  *takeout.Service
	jobs     *job.Runner
	keys     *keyring.Keyring
	ears     *ear // hear "打开客厅的灯" in everything

	forgetters []forgetter // of a person who is deleted
	t          *testing.T
	url        string
	logs       *logs
	store      *store.Store
	log        uplink.Log
	bus        *inproc.Bus

	accounts  *account.Service
	outbox    *outbox.Outbox
	mail      string // directory of what was sent
	certify   *certify.Service
	devices   *device.Service
	configs   *config.Service
	commands  *command.Commands
	pairing   *pairing.Service
	timelines *timeline.Service
	virtual   *virtual.Fleet

	operator string              // token of a session
	owner    string              // of organisation a
	roles    map[string]string   // of organisation a, by role
	codes    map[string][]string // recovery codes not used yet, by login
	stranger string              // owner of organisation b
	a, b     string              // ids of the organisations
	shutFor  atomic.Value        // access.Act that a gate refuses
}

// forgetter is a room that forgets a person, as a node calls it.
type forgetter func(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error)

func (w *world) forget(ctx context.Context, tx *store.Tx, user string) error {
	for _, erase := range w.forgetters {
		if _, err := erase(ctx, tx, "user", user, 1000); err != nil {
			return err
		}
	}
	if err := w.jobs.Forget(ctx, tx, user); err != nil {
		return err
	}
	return once.Forget(ctx, tx, user)
}

// shut is a gate that a test shuts for an act.
func (w *world) shut(_ context.Context, _ access.Actor, act access.Act) error {
	if shut, _ := w.shutFor.Load().(access.Act); shut != "" && shut == act {
		return fault.Forbidden(string(act), "an open gate")
	}
	return nil
}

type gateway struct{}

func (gateway) Sessions() int { return 3 }
func (gateway) Session(string) (session.Live, bool) {
	return session.Live{Protocol: "MQTT 5", KeepAlive: time.Minute, Filters: []session.Filter{{Text: "/sys/+/+/#", QoS: 1, ID: 7}}}, true
}
func (gateway) Counts() map[string]int64 { return map[string]int64{"messages_total": 7} }

// logs collects everything that is logged.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// newWorld builds the rooms and serves them.
func newWorld(t *testing.T) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, ears: &ear{text: "打开客厅的灯"}, logs: new(logs), roles: make(map[string]string), codes: make(map[string][]string)}
	log := slog.New(slog.NewJSONHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	w.store = storetest.Open(t)
	keys := must(keyring.Open(t.Context(), w.store, filepath.Join(dir, "root.key")))(t)
	_ = must(keys.Signer(t.Context(), w.store, audit.Purpose))(t)
	w.keys = keys
	w.log = must(uplinksqlite.Open(t.Context(), filepath.Join(dir, "uplink.db"), uplinksqlite.Options{Logger: log}))(t)
	series := must(dayfile.Open(filepath.Join(dir, "history")))(t)
	t.Cleanup(func() {
		if err := series.Close(); err != nil {
			t.Error(err)
		}
	})
	w.bus = inproc.New()
	w.outbox = outbox.New(w.store, must(outbound.Senders(outbound.Config{Dir: filepath.Join(dir, "outbound")}))(t), nil, log)
	w.mail = filepath.Join(dir, "outbound")
	w.accounts = account.New(account.Config{CheapHashes: true, Store: w.store, Keys: keys, Outbox: w.outbox, Forget: w.forget, Logger: log})
	jobs := job.New(w.store, log).Recorded(func(ctx context.Context, tx *store.Tx, who access.Actor, id string) error {
		return audit.Record(ctx, tx, who, "job.cancel", id, "")
	})
	products := product.New(w.store, keys, log)
	blobs := blobtest.Open(t)
	verifications := must(verify.New(verify.Config{Store: w.store, Keys: keys, Blobs: blobs, Logger: log}))(t)
	w.certify = certify.New(certify.Config{Store: w.store, Blobs: blobs, Changed: products.Certified, Logger: log})
	w.devices = device.New(w.store, products, keys, w.bus, log)
	products.With(product.Parts{Certify: w.certify, Blobs: blobs, Kinds: account.KindsOf, Devices: w.devices.InUse})
	orders := issuance.New(issuance.Config{
		Store: w.store, Products: products, Keys: keys, Jobs: jobs, Issued: w.devices.Register, Revoked: w.devices.Revoked, Logger: log,
	})
	shadows := shadow.New(w.store, products, log)
	w.configs = config.New(w.store, products, w.keys, w.bus)
	w.commands = command.New(w.store, products, shadows, w.bus, log)
	points := history.New(series, w.devices, products, 0, log)
	homes := home.New(w.store)
	w.commands.LendBy(homes.Lends)
	w.pairing = pairing.New(pairing.Config{Store: w.store, Homes: homes, Products: products, Epoch: func(string) (uint64, bool) { return 1, true }, Logger: log})
	residents := resident.New(resident.Config{Store: w.store, Outbox: w.outbox, Forget: func(ctx context.Context, tx *store.Tx, id string) error {
		if err := homes.Depart(ctx, tx, id); err != nil {
			return err
		}
		_, err := w.pairing.Erase(ctx, tx, "user", id, 1000)
		return err
	}, Logger: log})
	scenes := scene.New(scene.Config{Store: w.store, Homes: homes, Products: products, Shadows: shadows, Commands: w.commands, Bus: w.bus, Logger: log})
	w.limits = quota.New(quota.Config{Store: w.store, Logger: log})
	w.measures = enforce.New(enforce.Config{Store: w.store, Bus: w.bus, Jobs: jobs, Logger: log, Owner: func(ctx context.Context, of enforce.Subject) (string, error) {
		if of.Kind == enforce.KindOrganisation {
			return of.ID, nil
		}
		return products.Owner(ctx, of.ID)
	}})
	w.virtual = virtual.NewFleet(log)
	w.takeout = takeout.New(takeout.Config{Store: w.store, Blobs: blobs, Jobs: jobs, Logger: log})
	agreements := agreement.New(agreement.Config{Store: w.store, Keys: keys, Blobs: blobs, Minor: w.accounts.Minor, Send: w.accounts.SendToGuardian, Export: w.takeout.Collect, Logger: log})
	notices := notice.New(notice.Config{Store: w.store, Logger: log})
	entitlements := entitlement.New(entitlement.Config{Store: w.store, Agreements: agreements, Notices: notices, Logger: log})
	w.forgetters = []forgetter{agreements.Erase, notices.Erase}
	w.jobs = jobs
	w.timelines = timeline.New(w.store, w.commands, w.bus, log)
	voices := voice.New(voice.Config{Homes: homes, Scenes: scenes, Products: products, Shadows: shadows, Commands: w.commands, Facts: w.log, Store: w.store, InboxKey: []byte("a key of a test"), Logger: log})
	homes.OnChanged(func(ctx context.Context, tx *store.Tx, id string) error {
		return errors.Join(scenes.Moved(ctx, tx, id), voices.Moved(ctx, tx, id))
	})
	handler := api.New(api.Config{
		Agreements: agreements, Notices: notices, Entitlements: entitlements, Gates: []api.Gate{w.measures.Gate, agreements.Gate, entitlements.Gate, w.shut},
		Accounts: w.accounts, Verify: verifications, Outbox: w.outbox, Products: products, Certify: w.certify, Orders: orders, Factory: factory.New(w.store, orders, products, jobs), Jobs: jobs, Devices: w.devices, Shadows: shadows, Configs: w.configs, Timelines: w.timelines, Commands: w.commands,
		History: points, Virtual: w.virtual, Residents: residents, Pairing: w.pairing, Homes: homes, Scenes: scenes, Gateway: gateway{}, Sessions: session.New(w.store, log), Quota: w.limits, Enforce: w.measures, Takeout: w.takeout, Store: w.store, Log: w.log, Bus: w.bus, Logger: log,
		Voice: voices,
		Hears: w.ears, Console: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the console") }),
	})
	server := httptest.NewServer(handler)
	w.url = server.URL
	w.run(jobs.Run, scenes.Run, verifications.Run, w.outbox.Run, w.commands.Run, follower(w.commands.Follow, w.log), follower(w.devices.Follow, w.log), follower(shadows.Follow, w.log), follower(scenes.Follow, w.log), follower(points.Follow, w.log), follower(w.timelines.Follow, w.log), voices.Run, follower(voices.Follow, w.log))
	t.Cleanup(func() { // runs before that of run: the server ends first
		server.CloseClientConnections()
		server.Close()
	})
	return w
}

func follower(follow func(context.Context, uplink.Log) error, log uplink.Log) func(context.Context) error {
	return func(ctx context.Context) error { return follow(ctx, log) }
}

// run does the rooms' work until the test ends, then closes what they stand on.
func (w *world) run(work ...func(context.Context) error) {
	ctx, stop := context.WithCancel(context.WithoutCancel(w.t.Context()))
	var wg sync.WaitGroup
	for _, do := range work {
		wg.Go(func() {
			if err := do(ctx); err != nil && ctx.Err() == nil {
				w.t.Error(err)
			}
		})
	}
	w.t.Cleanup(func() {
		stop()
		wg.Wait()
		if err := w.log.Close(); err != nil {
			w.t.Error(err)
		}
		if err := w.bus.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// people makes an operator and two organisations with their owners.
func (w *world) people() {
	w.t.Helper()
	code, _, err := w.accounts.SetupCode(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.operator = w.cookie("POST", "/api/v1/setup", fmt.Sprintf(`{"code":%q,"login":"operator","password":%q}`, code.Reveal(), password))
	w.enrol("operator", w.operator)
	w.a, w.owner = w.organisation("anna")
	w.enrol("anna", w.owner)
	w.b, w.stranger = w.organisation("boris")
	w.enrol("boris", w.stranger)
	w.roles["owner"] = w.owner
}

// staff makes a member of every other role in organisation a.
func (w *world) staff() {
	w.t.Helper()
	w.want(w.call(w.operator, "POST", "/api/v1/limits/overrides", `{"subject":{"kind":"platform"},"limit":"requests_per_second","purpose":"set","value":1000000,"reason":"a test is quick"}`), 201)
	w.want(w.call(w.operator, "POST", "/api/v1/limits/overrides", `{"subject":{"kind":"platform"},"limit":"token_requests_per_second","purpose":"set","value":1000000,"reason":"a test is quick"}`), 201)
	w.roles["owner"] = w.owner
	for role, session := range w.members(w.a, "") {
		w.roles[role] = session
	}
}

// members makes a member of every role but the owner's in an organisation; their logins begin with prefix.
func (w *world) members(organisation, prefix string) map[string]string {
	w.t.Helper()
	sessions := make(map[string]string)
	for _, role := range []string{"engineer", "factory", "market", "support", "query"} {
		login := prefix + role
		w.user(login)
		w.want(w.call(w.operator, "POST", "/api/v1/organisations/"+organisation+"/members", fmt.Sprintf(`{"login":%q,"role":%q}`, login, role)), 201)
		sessions[role] = w.signIn(login)
		if role == "factory" { // who may see secrets
			w.enrol(login, sessions[role])
		}
	}
	return sessions
}

func (w *world) organisation(owner string) (id, session string) {
	user := w.user(owner)
	res := w.want(w.call(w.operator, "POST", "/api/v1/organisations", fmt.Sprintf(`{"names":{"en":"Works of %s"},"kinds":["terminal_maker"],"owner":%q}`, owner, user)), 201)
	return res.id(), w.signIn(owner)
}

func (w *world) user(login string) (id string) {
	return w.want(w.call(w.operator, "POST", "/api/v1/users", fmt.Sprintf(`{"login":%q,"password":%q}`, login, password)), 201).id()
}

func (w *world) signIn(login string) string {
	w.t.Helper()
	return w.cookie("POST", "/api/v1/session", w.credentials(login))
}

// credentials are what a person signs in with; a recovery code is used up where there is a second factor.
func (w *world) credentials(login string) string {
	in := fmt.Sprintf(`{"login":%q,"password":%q`, login, password)
	if left := w.codes[login]; len(left) > 0 {
		in += fmt.Sprintf(`,"code":%q`, left[0])
		w.codes[login] = left[1:]
	}
	return in + "}"
}

// enrol gives whoever holds a session a second factor: from here on the session is strong, and the next one wants a code.
func (w *world) enrol(login, session string) {
	w.t.Helper()
	secret := w.want(w.call(session, "POST", "/api/v1/factor", ""), 200).text("secret")
	code := must(account.TOTP(secret, time.Now()))(w.t)
	given := w.want(w.call(session, "PUT", "/api/v1/factor", fmt.Sprintf(`{"code":%q}`, code.Reveal())), 200).get("recovery_codes")
	for _, c := range given.([]any) {
		w.codes[login] = append(w.codes[login], c.(string))
	}
}

// cookie is the session that an answer sets.
func (w *world) cookie(method, path, body string) string {
	w.t.Helper()
	return w.cookieAs("", method, path, body)
}

func (w *world) cookieAs(token, method, path, body string) string {
	w.t.Helper()
	res := w.want(w.call(token, method, path, body), 200)
	for _, c := range (&http.Response{Header: res.header}).Cookies() {
		if c.Name == "lw_session" {
			return c.Value
		}
	}
	w.t.Fatalf("%s %s sets no cookie", method, path)
	return ""
}

// answer is a response that was read to its end.
type answer struct {
	t      testing.TB
	name   string
	status int
	header http.Header
	body   []byte
}

// call sends a request as whoever holds token (empty: nobody). Headers come in pairs.
func (w *world) call(token, method, path, body string, headers ...string) answer {
	w.t.Helper()
	req := must(http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body)))(w.t)
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res := must(http.DefaultClient.Do(req))(w.t)
	defer res.Body.Close()
	b := must(io.ReadAll(res.Body))(w.t)
	a := answer{w.t, method + " " + path, res.StatusCode, res.Header, b}
	if w.noted != nil {
		w.noted(method, path, body, a)
	}
	return a
}

func (w *world) want(a answer, status int) answer {
	w.t.Helper()
	if a.status != status {
		w.t.Fatalf("%s: %d %s, want %d", a.name, a.status, a.body, status)
	}
	return a
}

// get is a field of a JSON answer, by its path: "items/0/id".
func (a answer) get(path string) any {
	a.t.Helper()
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		a.t.Fatalf("%s: %d %q: %v", a.name, a.status, a.body, err)
	}
	for _, step := range strings.Split(path, "/") {
		switch in := v.(type) {
		case map[string]any:
			v = in[step]
		case []any:
			var i int
			if _, err := fmt.Sscan(step, &i); err != nil || i >= len(in) {
				return nil
			}
			v = in[i]
		default:
			return nil
		}
	}
	return v
}

func (a answer) text(path string) string {
	a.t.Helper()
	s, _ := a.get(path).(string)
	return s
}

func (a answer) id() string {
	a.t.Helper()
	return a.text("id")
}

// maker is what organisation a has made: one of each object that a route may name.
type maker struct {
	product, order, job, paper, device, deviceName, home, room, scene, run, timer, automation, command, token, session, download, list, log string
	member                                                                                                                                  string            // id of a user in the organisation
	agreed                                                                                                                                  map[string]string // objects of agreements, notices and services, by what routes call them
	certified                                                                                                                               certified
}

// manufacture makes the objects as the owner of organisation a.
func (w *world) manufacture() maker {
	w.t.Helper()
	var m maker
	as := func(method, path, body string, status int) answer {
		return w.want(w.call(w.owner, method, path, body), status)
	}
	m.product = as("POST", "/api/v1/products", `{"category":"light","names":{"zh-CN":"星火灯","en":"Spark"}}`, 201).id()
	o := as("POST", "/api/v1/products/"+m.product+"/orders", `{"quantity":3,"purpose":"debug"}`, 201)
	m.order, m.job = o.id(), o.text("job")
	w.eventually("the order is issued", func() bool {
		return as("GET", "/api/v1/orders/"+m.order, "", 200).text("state") == "issued"
	})
	d := as("GET", "/api/v1/devices?order="+m.order, "", 200)
	m.device, m.deviceName = d.text("items/0/id"), d.text("items/0/device_name")
	m.list = w.want(w.call(w.owner, "POST", "/api/v1/mac-lists?name=own", "78da07c11ca8\n", "Content-Type", "text/csv"), 201).id()
	m.log = w.want(w.call(w.owner, "POST", "/api/v1/orders/"+m.order+"/burn-logs", "mac\n", "Content-Type", "text/csv"), 201).id()
	m.download = as("POST", "/api/v1/orders/"+m.order+"/downloads", `{"reason":"for tests"}`, 201).id()
	m.home = as("POST", "/api/v1/homes", `{"names":{"zh-CN":"家"}}`, 201).id()
	m.room = as("POST", "/api/v1/homes/"+m.home+"/rooms", `{"names":{"zh-CN":"客厅"}}`, 201).id()
	as("POST", "/api/v1/homes/"+m.home+"/devices", fmt.Sprintf(`{"device":%q,"room":%q,"names":{"zh-CN":"灯"}}`, m.device, m.room), 204)
	m.scene = as("POST", "/api/v1/homes/"+m.home+"/scenes", fmt.Sprintf(`{"names":{"zh-CN":"观影"},"actions":[{"kind":"set","device":%q,"params":{"powerstate":1}}]}`, m.device), 201).id()
	m.run = as("POST", "/api/v1/homes/"+m.home+"/scenes/"+m.scene+"/runs", `{}`, 201).id()
	m.timer = as("POST", "/api/v1/homes/"+m.home+"/timers", `{"label":"煮蛋","seconds":86400}`, 201).id()
	m.automation = as("POST", "/api/v1/homes/"+m.home+"/automations", `{"name":"天黑","disabled":true,"trigger":{"kind":"time","at":"19:00"},"actions":[]}`, 201).id()
	m.command = as("POST", "/api/v1/devices/"+m.device+"/commands", `{"kind":"property_set","params":{"powerstate":1},"deadline_ms":600000}`, 201).id()
	m.paper = w.want(w.call(w.owner, "POST", "/api/v1/organisations/"+w.a+"/verification/papers?slot=other", "%PDF-1.7\n", "Content-Type", "application/pdf"), 201).id()
	m.token = as("POST", "/api/v1/tokens", `{"name":"for tests"}`, 201).id()
	m.session = as("GET", "/api/v1/sessions", "", 200).text("items/0/id")
	m.member = as("GET", "/api/v1/organisations/"+w.a+"/members", "", 200).text("items/1/user") // of the staff, if there is one
	m.agreed = w.agree()
	m.agreed["sentence"] = w.unread(m.home)
	as("PUT", "/api/v1/products/"+m.product+"/draft", fmt.Sprintf(`{"document":%s}`, w.document(m.product)), 200)
	m.certified = w.certificates(m.product)
	return m
}

// unread is a sentence in the inbox, that nobody understood in a home.
func (w *world) unread(home string) string {
	w.t.Helper()
	at := "/api/v1/homes/" + home
	w.want(w.call(w.owner, "PUT", at+"/voice-privacy", `{"keep_text":true,"share_unrecognised":true}`), 200)
	w.want(w.call(w.owner, "POST", at+"/sentences", `{"text":"今天晚上吃什么好呢"}`), 200)
	return w.want(w.call(w.owner, "GET", "/api/v1/voice/inbox", ""), 200).text("items/0/id")
}

// document is the thing model in force.
func (w *world) document(product string) string {
	b, err := json.Marshal(w.want(w.call(w.owner, "GET", "/api/v1/products/"+product+"/versions/1", ""), 200).get("document"))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(b)
}

// eventually waits for what happens beside the request.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if is() {
			return
		}
	}
	w.t.Fatalf("it did not happen that %s", what)
}

// post is a device's report, as the gateway appends it after its check.
func (w *world) post(m maker, params string, at time.Time) {
	w.t.Helper()
	w.say(m, alink.PropertyPost, `{"id":"1","version":"1.0","params":`+params+`,"method":"thing.event.property.post"}`, at)
}

// say is a message of a device, as the gateway appends it after its check.
func (w *world) say(m maker, topic alink.Template, payload string, at time.Time) {
	w.t.Helper()
	d := must(w.devices.Load(w.t.Context(), access.System("test", w.a), m.device))(w.t)
	said := device.Message{Product: d.Product, Template: topic, Payload: []byte(payload)}
	body := must(said.Append(nil))(w.t)
	done := make(chan error, 1)
	err := w.log.Append(w.t.Context(), uplink.Record{At: at, Kind: uplink.Message, Device: m.device, Subject: topic.String(), Body: body},
		func(_ uplink.Position, err error) { done <- err })
	if err == nil {
		err = <-done
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s\n got %s\nwant %s", name, got, want)
	}
}
