package command_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A room is the room under test, running, with devices to command.
type room struct {
	*devicetest.Works
	shadows  *shadow.Service
	commands *command.Commands
	follow   func() // stops it
}

func newRoom(t *testing.T, lights int) *room {
	t.Helper()
	r := &room{Works: devicetest.New(t, lights)}
	r.shadows = shadow.New(r.Store, r.Products, r.Quiet)
	r.start(t)
	return r
}

// start begins a run of the program.
func (r *room) start(t *testing.T) {
	t.Helper()
	r.commands = command.New(r.Store, r.Products, r.shadows, r.Bus, r.Quiet)
	run := devicetest.Run(t, r.commands.Run)
	follow := devicetest.Run(t, func(ctx context.Context) error { return r.commands.Follow(ctx, r.Log) })
	r.follow = func() { run(); follow() }
}

func (r *room) submit(t *testing.T, req command.Request) command.Command {
	t.Helper()
	cs, err := r.commands.Submit(t.Context(), r.Maker, req)
	if err != nil {
		t.Fatal(err)
	}
	return cs[0]
}

func set(d device.Device, params string, deadline time.Duration) command.Request {
	return command.Request{Device: d.ID, Kind: command.PropertySet, Params: json.RawMessage(params), Deadline: deadline, Origin: "test"}
}

func identify(d device.Device, deadline time.Duration) command.Request {
	return command.Request{Device: d.ID, Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Deadline: deadline}
}

// take gives the device what waits, as the gateway does.
func (r *room) take(t *testing.T, d device.Device) []command.Command {
	t.Helper()
	cs, err := r.commands.Take(t.Context(), d.ID, 1, 100, nil)
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

// end waits for the end of a command.
func (r *room) end(t *testing.T, c command.Command) command.Command {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	cs, err := r.commands.Wait(ctx, c.ID)
	if err != nil {
		t.Fatalf("%v; it is %+v", err, cs)
	}
	return cs[0]
}

func (r *room) followed(t *testing.T) {
	t.Helper()
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		at := r.Log.Cursors()["command.completion"]
		return at == r.Log.Tail(), at
	})
}

// TestEnds plays what can happen to a set of brightness to 50, and to a call of identify, before its deadline.
func TestEnds(t *testing.T) {
	const confirmedOtherwise = "confirmed, but the device reports another value"
	var plays []*play
	for _, tt := range []struct{ steps, want, note string }{
		{"", "expired offline", ""},
		{"take", "failed unconfirmed", ""},
		{"take ack", "failed unconfirmed", ""},
		{"take answer", "succeeded ", ""},
		{"take ack answer", "succeeded ", ""},
		{"take report=50 answer", "succeeded ", ""},
		{"take report=50.0 answer", "succeeded ", ""},
		{"take answer=5000", "failed refused", "5000 no"},
		{"take answer=5000 answer", "failed refused", "5000 no"},
		{"take answer answer=5000", "succeeded ", ""},
		{"take report=40", "failed unconfirmed", "the device reports another value"},
		{"take report=50", "failed unconfirmed", ""}, // a report is no answer
		{"take report=40 answer", "failed wrong", confirmedOtherwise},
		{"take report=40 answer report=50", "succeeded ", ""},
		{"take report=40 report=50 answer", "succeeded ", ""},
		{"take report=40 answer other", "failed wrong", confirmedOtherwise},
		{"report=40 take answer", "succeeded ", ""}, // what it said before says nothing
		{"answer", "expired offline", ""},           // to nothing
		{"take foreign", "failed unconfirmed", ""},
		{"take stranger", "failed unconfirmed", ""},
		{"take service-answer", "failed unconfirmed", ""},
		{"take batch=40 answer", "failed wrong", confirmedOtherwise},
		{"take batch=40 answer batch=50", "succeeded ", ""}, // the newest of the batch is what counts
		{"take old-batch=40 answer", "succeeded ", ""},      // it was so before the command
		{"take history=40 answer", "succeeded ", ""},
		{"fetch", "failed unconfirmed", ""},
		{"fetch report=50", "succeeded ", ""}, // there is no answer to wait for
		{"fetch batch=50", "succeeded ", ""},
		{"report=50 fetch", "failed unconfirmed", ""}, // it was so before
		{"fetch report=40", "failed unconfirmed", "the device reports another value"},
		{"fetch report=40 report=50", "succeeded ", ""},
		{"fetch answer", "succeeded ", ""},
		{"fetch restart report=50", "succeeded ", ""},
		{"fetch return", "expired offline", ""},
		{"fetch return take answer", "succeeded ", ""},
		{"fetch-other take answer", "succeeded ", ""}, // what it did not ask for waits
		{"take restart answer", "succeeded ", ""},
		{"take report=40 restart answer", "failed wrong", confirmedOtherwise},
		{"take report=40 answer restart other", "failed wrong", confirmedOtherwise},
		{"take report=40 answer restart report=50", "succeeded ", ""},
		{"take report=40 answer restart", "failed wrong", confirmedOtherwise},
		{"take return", "expired offline", ""},
		{"take return take answer", "succeeded ", ""},
		{"cancel", "cancelled withdrawn", ""},
		{"cancel take answer", "cancelled withdrawn", ""},
		{"take cancel answer", "succeeded ", ""},
		{"identify take answer", "succeeded ", ""},
		{"identify take made-up", "succeeded ", ""}, // the official JavaScript SDK's id
		{"identify take set-answer", "failed unconfirmed", ""},
		{"identify take other-service", "failed unconfirmed", ""},
		{"identify take answer=5000", "failed refused", "5000 no"},
		{"get take values=50", "succeeded ", ""},
		{"get take restart values=50", "succeeded ", ""},
		{"get take values=101", "failed wrong", "/data/brightness is 101, want an integer from 1 to 100 %"},
		{"get take answer=5000", "failed refused", "5000 no"},
		{"get take report=50", "failed unconfirmed", ""},
		{"get values=50", "expired offline", ""},
		{"raw take bytes", "succeeded ", ""},
		{"raw take restart bytes", "succeeded ", ""},
		{"raw bytes take", "failed unconfirmed", ""}, // they answered nothing
		{"raw take answer", "failed unconfirmed", ""},
		{"message take ack", "failed unconfirmed", ""}, // an acknowledgement of something else
		{"message take delivered", "succeeded ", ""},
		{"message take delivered=0", "succeeded ", "sent at QoS 0: nobody knows whether it arrived"},
		{"message delivered", "expired offline", ""},
		{"message take bytes", "failed unconfirmed", ""},
		{"call take rrpc", "succeeded ", ""},
		{"call take rrpc=5000", "failed refused", "5000 no"},
		{"call take rrpc rrpc=5000", "succeeded ", ""},
		{"call take restart rrpc", "succeeded ", ""},
		{"call take answer", "failed unconfirmed", ""}, // on the topic of other calls
		{"call take other-rrpc", "failed unconfirmed", ""},
		{"call rrpc", "expired offline", ""},
		{"ext take ext-rrpc", "succeeded ", ""},
		{"ext take rrpc", "failed unconfirmed", ""},
		{"ext take delivered=x", "failed unconfirmed", ""},
	} {
		plays = append(plays, &play{t: t, steps: strings.Fields(tt.steps), want: tt.want, note: tt.note})
	}
	together := newRoom(t, len(plays)+1)
	for i, p := range plays {
		p.room, p.d = together, together.Lights[i]
		if slices.Contains(p.steps, "restart") {
			p.room = newRoom(t, 1)
			p.d = p.Lights[0]
		}
		p.begin()
	}
	for _, p := range plays {
		t.Run(strings.Join(p.steps, " "), func(t *testing.T) {
			got := p.end(t, p.c)
			if text := fmt.Sprintf("%s %s", got.State, got.Reason); text != p.want || got.Note != p.note {
				t.Errorf("ended as %q, note %q\n   want %q, note %q", text, got.Note, p.want, p.note)
			}
			if again := p.take(t, p.d); len(again) != 0 {
				t.Errorf("after its end it is given to the device: %+v", again)
			}
		})
	}
}

// A play is one command and what happens to it.
type play struct {
	*room
	t          *testing.T
	d          device.Device
	c          command.Command
	steps      []string
	want, note string // how it ends
}

// kinds are requests by the word that begins a play.
var kinds = map[string]command.Request{
	"identify": {Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`)},
	"get":      {Kind: command.PropertyGet, Params: json.RawMessage(`["brightness"]`)},
	"raw":      {Kind: command.Raw, Params: json.RawMessage(`{"base64":"AP8="}`)},
	"message":  {Kind: command.Message, Topic: "get", Params: json.RawMessage(`{"text":"hello","qos":1}`)},
	"call":     {Kind: command.Service, Service: "identify", Params: json.RawMessage(`{}`), Sync: true},
	"ext":      {Kind: command.Message, Topic: "ask/me", Params: json.RawMessage(`{"text":"hello"}`), Sync: true},
}

// online notes that a device has a session.
func (r *room) online(t *testing.T, d device.Device) {
	t.Helper()
	err := r.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `
			INSERT INTO device_presence (device, organisation, product, online, epoch, reason, address, changed_at, seen_at)
			VALUES (?, ?, ?, 1, 1, 'connected', '', 0, 0) ON CONFLICT (device) DO NOTHING`, d.ID, d.Organisation, d.Product)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (p *play) begin() {
	kind, steps := set(p.d, `{"brightness":50}`, time.Second), p.steps
	if len(steps) > 0 {
		if other := kinds[steps[0]]; other.Kind != "" {
			other.Device, other.Deadline = p.d.ID, time.Second
			kind, steps = other, steps[1:]
		}
	}
	if kind.Sync {
		p.online(p.t, p.d)
	}
	p.c = p.submit(p.t, kind)
	for _, step := range steps {
		p.step(step)
	}
}

func (p *play) step(s string) {
	t := p.t
	t.Helper()
	what, arg, _ := strings.Cut(s, "=")
	seq := strconv.FormatInt(p.c.Seq, 10)
	answer := func(d device.Device, topic alink.Template, service, id string, code string) {
		p.Says(t, d, topic, service, `{"id":"`+id+`","code":`+code+`,"message":"no","data":{}}`)
	}
	topic, service := alink.PropertySetReply, ""
	switch p.c.Kind {
	case command.Service:
		topic, service = alink.ServiceReply, "identify"
	case command.PropertyGet:
		topic = alink.PropertyGetReply
	}
	switch what {
	case "take":
		want := 1
		if c := p.load(); c.Ended() {
			want = 0
		}
		if cs := p.take(t, p.d); len(cs) != want {
			t.Fatalf("%d commands were given, want %d", len(cs), want)
		}
	case "fetch":
		if cs := p.fetch(t, p.d); len(cs) != 1 || cs[0].ID != p.c.ID || cs[0].State != command.Sent {
			t.Fatalf("fetched %+v", cs)
		}
		if cs := p.take(t, p.d); len(cs) != 0 {
			t.Fatalf("what was fetched is given again: %+v", cs)
		}
	case "fetch-other":
		if cs := p.fetch(t, p.d, "powerstate"); len(cs) != 0 {
			t.Fatalf("fetched %+v", cs)
		}
	case "return":
		if err := p.commands.Return(t.Context(), 1, []command.Command{p.c}); err != nil {
			t.Fatal(err)
		}
	case "ack":
		p.commands.Acknowledged(p.c.Seq)
		devicetest.Eventually(t, "the acknowledgement", func() (bool, any) {
			c := p.load()
			return c.State == command.Acknowledged && !c.AcknowledgedAt.IsZero(), c
		})
	case "answer":
		if arg == "" {
			arg = "200"
		}
		answer(p.d, topic, service, seq, arg)
	case "report":
		p.Posts(t, p.d, `"brightness":`+arg)
		time.Sleep(2 * time.Millisecond) // the Log keeps milliseconds: what comes next is later
	case "batch":
		p.Says(t, p.d, alink.BatchPost, "", fmt.Sprintf(`{"params":{"properties":{"brightness":[%s,{"value":7,"time":1700000000000}]}}}`, arg))
		time.Sleep(2 * time.Millisecond)
	case "old-batch":
		p.Says(t, p.d, alink.PackPost, "", fmt.Sprintf(`{"params":{"properties":{"brightness":{"value":%s,"time":1700000000000}}}}`, arg))
	case "history":
		p.Says(t, p.d, alink.HistoryPost, "", fmt.Sprintf(`{"params":[{"properties":[{"brightness":{"value":%s,"time":1700000000000}}]}]}`, arg))
	case "values":
		p.Says(t, p.d, alink.PropertyGetReply, "", `{"id":"`+seq+`","code":200,"data":{"brightness":`+arg+`}}`)
	case "bytes":
		p.Says(t, p.d, alink.RawDownReply, "", "\x00\x01")
	case "delivered":
		if arg != "x" {
			p.commands.Delivered(p.c.Seq, arg == "")
		}
		devicetest.Eventually(t, "the message to end", func() (bool, any) {
			c := p.load()
			return c.Ended() || c.State == command.Accepted || arg == "x", c
		})
	case "rrpc", "other-rrpc":
		if arg == "" {
			arg = "200"
		}
		call := p.c.Call
		if what == "other-rrpc" {
			call += "1"
		}
		p.Says(t, p.d, alink.RRPCResponse, call, `{"id":"7","code":`+arg+`,"message":"no","data":{}}`)
	case "ext-rrpc":
		p.Says(t, p.d, alink.ExtRRPC, p.c.Call+"/pk/dn/user/ask/me", "\x00\x01")
	case "other":
		p.Posts(t, p.d, `"powerstate":1`)
	case "foreign":
		answer(p.d, topic, service, seq+"1", "200")
	case "stranger":
		answer(p.Lights[len(p.Lights)-1], topic, service, seq, "200")
	case "service-answer":
		answer(p.d, alink.ServiceReply, "identify", seq, "200")
	case "set-answer":
		answer(p.d, alink.PropertySetReply, "", seq, "200")
	case "other-service":
		answer(p.d, alink.ServiceReply, "blink", seq, "200")
	case "made-up":
		answer(p.d, topic, service, "4711|exp-topic|", "200")
	case "cancel":
		_, err := p.commands.Cancel(t.Context(), p.Maker, p.c.ID)
		if left := p.load().State != command.Cancelled; left != fault.Is(err, fault.Clash) {
			t.Fatalf("cancelling: %v", err)
		}
	case "restart":
		p.followed(t)
		p.follow()
		p.start(t)
	default:
		t.Fatalf("unknown step %s", s)
	}
	if what != "restart" {
		p.followed(t)
	}
}

func (r *room) fetch(t *testing.T, d device.Device, names ...string) []command.Command {
	t.Helper()
	_, cs, err := r.commands.Fetch(t.Context(), d.ID, 1, names)
	if err != nil {
		t.Fatal(err)
	}
	return cs
}

func (p *play) load() command.Command {
	c, err := p.commands.Load(p.t.Context(), p.Maker, p.c.ID)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// TestRefused asks for what is not accepted. Nothing of it is left behind.
func TestRefused(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	good := set(d, `{"brightness":50}`, 0)
	for _, tt := range []struct {
		req  command.Request
		want string
	}{
		{set(d, `{"brightness":0}`, 0), "/params/brightness is 0, want an integer from 1 to 100 %"},
		{set(d, `{"loudness":1}`, 0), "/params/loudness is not in the thing model"},
		{set(d, `{}`, 0), "/params"},
		{set(d, `[]`, 0), "/params"},
		{set(d, `{"brightness":50}`, -time.Second), "/deadline"},
		{set(d, `{"brightness":50}`, command.MaxDeadline+1), "/deadline"},
		{set(d, `{"brightness":`+strings.Repeat(" ", command.MaxParams)+`50}`, 0), "/params"},
		{command.Request{Device: d.ID, Kind: command.Service, Service: "explode", Params: json.RawMessage(`{}`)}, "explode"},
		{command.Request{Device: d.ID, Kind: command.PropertyGet, Params: json.RawMessage(`["loudness"]`)}, "/params/0 is loudness, want a property of the thing model"},
		{command.Request{Device: d.ID, Kind: command.PropertyGet, Params: json.RawMessage(`[]`)}, "/params"},
		{command.Request{Device: d.ID, Kind: command.Raw, Params: json.RawMessage(`{"base64":"AP8"}`)}, "/params/base64"},
		{command.Request{Device: d.ID, Kind: command.Raw, Params: json.RawMessage(`{}`)}, "/params"},
		{command.Request{Device: d.ID, Kind: command.Message, Topic: "a/+", Params: json.RawMessage(`{"text":""}`)}, "/topic"},
		{command.Request{Device: d.ID, Kind: command.Message, Topic: "", Params: json.RawMessage(`{"text":""}`)}, "/topic"},
		{command.Request{Device: d.ID, Kind: command.Message, Topic: strings.Repeat("t", 129), Params: json.RawMessage(`{"text":""}`)}, "/topic"},
		{command.Request{Device: d.ID, Kind: command.Message, Topic: "a", Params: json.RawMessage(`{"text":"","qos":2}`)}, "/params/qos"},
		{command.Request{Device: d.ID, Kind: command.PropertySet, Sync: true, Params: json.RawMessage(`{"brightness":50}`)}, "/sync"},
		{command.Request{Device: d.ID, Kind: command.Service, Sync: true, Service: "identify", Params: json.RawMessage(`{}`), Deadline: command.MaxCall + 1}, "/deadline"},
		{command.Request{Device: d.ID, Kind: command.Service, Sync: true, Service: "identify", Params: json.RawMessage(`{}`)}, "offline"},
		{command.Request{Device: d.ID, Kind: "wish", Params: json.RawMessage(`{}`)}, "/kind"},
		{command.Request{Device: "nobody", Kind: command.PropertySet, Params: json.RawMessage(`{"brightness":50}`)}, "nobody"},
	} {
		cs, err := r.commands.Submit(t.Context(), r.Maker, good, tt.req)
		if err == nil || !strings.Contains(err.Error(), tt.want) || cs != nil {
			t.Errorf("%.60s: %d commands, %v; want it refused for %s", tt.req.Params, len(cs), err, tt.want)
		}
	}
	if _, err := r.commands.Submit(t.Context(), r.Stranger, good); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger's command: %v, want the device not found", err)
	}
	if list, _, err := r.commands.List(t.Context(), r.Maker, d.ID, 0, 0); len(list) != 0 || err != nil {
		t.Errorf("refused commands left %+v, %v", list, err)
	}
	if st, err := r.shadows.States(t.Context(), d.ID); len(st) != 0 || err != nil {
		t.Errorf("refused commands desire %+v, %v", st, err)
	}
}

// TestReplace sets properties of a device that is away: the newest set of each is what it gets.
func TestReplace(t *testing.T) {
	r := newRoom(t, 2)
	d := r.Lights[0]
	var all []command.Command
	for _, params := range []string{
		`{"brightness":10}`, `{"powerstate":1}`, `{"brightness":20,"colorTemperature":3000}`, `{"brightness":30}`, `{"powerstate":0}`,
	} {
		all = append(all, r.submit(t, set(d, params, time.Minute)))
	}
	call := r.submit(t, identify(d, time.Minute))
	r.submit(t, set(r.Lights[1], `{"brightness":99}`, time.Minute)) // another device's
	var got []string
	for _, c := range r.take(t, d) {
		got = append(got, string(c.Params)+c.Service)
	}
	want := []string{`{"brightness":20,"colorTemperature":3000}`, `{"brightness":30}`, `{"powerstate":0}`, `{}` + call.Service}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("the device gets (-got +want):\n%s", diff)
	}
	for _, i := range []int{0, 1} {
		if c := r.end(t, all[i]); c.State != command.Cancelled || c.Reason != command.Replaced {
			t.Errorf("%s ended as %s %s, want cancelled replaced", c.Params, c.State, c.Reason)
		}
	}
	st, err := r.shadows.States(t.Context(), d.ID)
	if err != nil {
		t.Fatal(err)
	}
	desired := make(map[string]string)
	for id, v := range st[d.ID].Desired {
		desired[id] = string(v.Value)
	}
	if diff := cmp.Diff(desired, map[string]string{"brightness": "30", "powerstate": "0", "colorTemperature": "3000"}); diff != "" {
		t.Errorf("desired are (-got +want):\n%s", diff)
	}
}

// TestMaxCalls opens as many synchronous calls as a device may have, each with an id that nobody can guess.
func TestMaxCalls(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	r.online(t, d)
	call := kinds["call"]
	call.Device = d.ID
	ids := make(map[string]bool)
	for range command.MaxCalls {
		c := r.submit(t, call)
		if n, err := strconv.ParseUint(c.Call, 10, 64); err != nil || n < 1<<40 || c.DeadlineAt.Sub(c.CreatedAt) != command.MaxCall {
			t.Errorf("the call has the id %q, %v, and %s", c.Call, err, c.DeadlineAt.Sub(c.CreatedAt))
		}
		ids[c.Call] = true
	}
	if len(ids) != command.MaxCalls {
		t.Errorf("%d calls have %d ids", command.MaxCalls, len(ids))
	}
	_, err := r.commands.Submit(t.Context(), r.Maker, call)
	if !fault.Is(err, fault.OverLimit) {
		t.Errorf("one too many: %v", err)
	}
	r.submit(t, identify(d, time.Minute)) // others are not held up
	took := r.take(t, d)
	answered := took[0]
	r.Says(t, d, alink.RRPCResponse, answered.Call, `{"code":200,"data":{"a":1}}`)
	if c := r.end(t, answered); string(c.Result) != `{"a":1}` {
		t.Errorf("the call ended as %+v", c)
	}
	r.submit(t, call)
}

// TestFetch: sets of which everything was fetched are not sent, in whatever number; others are.
func TestFetch(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	both := r.submit(t, set(d, `{"brightness":10,"powerstate":1}`, time.Minute))
	r.submit(t, identify(d, time.Minute))
	last := r.submit(t, set(d, `{"brightness":20}`, time.Minute))
	desired, cs, err := r.commands.Fetch(t.Context(), d.ID, 1, []string{"brightness", "nothing"})
	if err != nil || len(desired) != 1 || string(desired[0].Value) != "20" || desired[0].Version != 2 || len(cs) != 1 || cs[0].ID != last.ID {
		t.Errorf("of brightness: %+v, %+v, %v", desired, cs, err)
	}
	if again, _, err := r.commands.Resume(t.Context(), command.Resumption{Device: d.ID, Epoch: 2}, 10, func(*command.Command) bool { return true }); err != nil || len(again) != 0 {
		t.Errorf("what was fetched goes again: %+v, %v", again, err)
	}
	desired, cs, err = r.commands.Fetch(t.Context(), d.ID, 2, nil)
	if err != nil || len(desired) != 2 || len(cs) != 1 || cs[0].ID != both.ID {
		t.Errorf("of all: %+v, %+v, %v", desired, cs, err)
	}
	if left := r.take(t, d); len(left) != 1 || left[0].Kind != command.Service {
		t.Errorf("left are %+v", left)
	}
}

// TestMaxWaiting fills the queue of a device that is away.
func TestMaxWaiting(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	for range command.MaxWaiting {
		r.submit(t, identify(d, time.Minute))
	}
	var f *fault.Fault
	_, err := r.commands.Submit(t.Context(), r.Maker, identify(d, time.Minute))
	if !errors.As(err, &f) || f.Code != fault.OverLimit {
		t.Errorf("one more: %v, want it refused", err)
	}
	first, err := r.commands.Take(t.Context(), d.ID, 1, 3, nil)
	if err != nil || len(first) != 3 || first[0].Seq >= first[1].Seq || first[1].Seq >= first[2].Seq {
		t.Errorf("the first three are %+v, %v", first, err)
	}
	r.submit(t, identify(d, time.Minute))
	list, more, err := r.commands.List(t.Context(), r.Maker, d.ID, 0, 40)
	if err != nil || len(list) != 40 || !more || list[0].Seq < list[1].Seq {
		t.Errorf("a page has %d, more %v, %v", len(list), more, err)
	}
	next, _, err := r.commands.List(t.Context(), r.Maker, d.ID, list[39].Seq, 40)
	if err != nil || next[0].Seq != list[39].Seq-1 {
		t.Errorf("the next page begins with %d after %d, %v", next[0].Seq, list[39].Seq, err)
	}
}

// TestTakeOnce lets many take at once: each command is given to one.
func TestTakeOnce(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	const n = 20
	for range n {
		r.submit(t, identify(d, time.Minute))
	}
	given := make(chan int64, 10*n)
	done := make(chan error)
	for range 8 {
		go func() {
			for range 4 {
				cs, err := r.commands.Take(context.Background(), d.ID, 1, 2, nil)
				for _, c := range cs {
					given <- c.Seq
				}
				if err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	close(given)
	seen := make(map[int64]int)
	for seq := range given {
		if seen[seq]++; seen[seq] > 1 {
			t.Errorf("command %d was given %d times", seq, seen[seq])
		}
	}
	if len(seen) != n {
		t.Errorf("%d commands were given, want %d", len(seen), n)
	}
}

// TestDue asks for what events may have missed.
func TestDue(t *testing.T) {
	r := newRoom(t, 2)
	a, b := r.Lights[0], r.Lights[1]
	heard := make(chan string, 10)
	defer r.Bus.Subscribe(command.DueSubject+">", func(subject string, _ []byte) { heard <- subject })()
	one := r.submit(t, set(a, `{"brightness":1}`, time.Minute))
	two := r.submit(t, set(b, `{"brightness":2}`, time.Minute))
	for _, d := range []device.Device{a, b} {
		if got := <-heard; got != command.DueSubject+d.ID {
			t.Errorf("the event is %s", got)
		}
	}
	devices, newest, err := r.commands.Due(t.Context(), 0)
	if diff := cmp.Diff(devices, []string{a.ID, b.ID}); diff != "" || newest != two.Seq || err != nil {
		t.Errorf("due are (-got +want):\n%s, newest %d, %v", diff, newest, err)
	}
	if devices, newest, err = r.commands.Due(t.Context(), one.Seq); len(devices) != 1 || newest != two.Seq || err != nil {
		t.Errorf("due after the first are %v, newest %d, %v", devices, newest, err)
	}
	r.take(t, b)
	if devices, newest, err = r.commands.Due(t.Context(), one.Seq); len(devices) != 0 || newest != two.Seq || err != nil {
		t.Errorf("due after all were taken are %v, newest %d, %v", devices, newest, err)
	}
}

// TestWait gives up when its context does, and says how far it got.
func TestWait(t *testing.T) {
	r := newRoom(t, 2)
	open := r.submit(t, set(r.Lights[0], `{"brightness":1}`, time.Minute))
	gone := r.submit(t, set(r.Lights[1], `{"brightness":2}`, time.Minute))
	if _, err := r.commands.Cancel(t.Context(), r.Maker, gone.ID); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	cs, err := r.commands.Wait(ctx, open.ID, gone.ID)
	if !errors.Is(err, context.DeadlineExceeded) || len(cs) != 2 || cs[0].Ended() || cs[1].State != command.Cancelled {
		t.Errorf("waited for %+v, %v", cs, err)
	}
	if cs, err := r.commands.Wait(t.Context()); cs != nil || err != nil {
		t.Errorf("waiting for nothing gave %v, %v", cs, err)
	}
	if _, err := r.commands.Load(t.Context(), r.Stranger, open.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger's Load: %v, want not found", err)
	}
	if _, err := r.commands.Cancel(t.Context(), r.Stranger, open.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger's Cancel: %v, want not found", err)
	}
}

// TestPipelined sends two sets before the first is answered. The report of the second does not speak against the first.
func TestPipelined(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	one := r.submit(t, set(d, `{"brightness":50}`, time.Second))
	r.take(t, d)
	two := r.submit(t, set(d, `{"brightness":80}`, time.Second))
	r.take(t, d)
	r.Posts(t, d, `"brightness":50`)
	r.Posts(t, d, `"brightness":80`)
	for _, c := range []command.Command{one, two} {
		r.Says(t, d, alink.PropertySetReply, "", fmt.Sprintf(`{"id":"%d","code":200,"data":{}}`, c.Seq))
	}
	for _, c := range []command.Command{one, two} {
		if got := r.end(t, c); got.State != command.Succeeded {
			t.Errorf("%s ended as %s %s, want succeeded", c.Params, got.State, got.Reason)
		}
	}
}
