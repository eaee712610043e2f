package test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
)

// A client is a client that others have made, which plays a device as it is told.
type client interface {
	// hears subscribes to a topic, or sees that the client does.
	hears(t *testing.T, of alink.Template, arg string)
	// says publishes; that the platform refuses it is no failure.
	says(t *testing.T, of alink.Template, arg string, payload []byte)
	// asks makes a request, by the client's own method if it has one, and waits for the reply.
	asks(t *testing.T, of alink.Template, arg string, params any) alinkReply
	// shadow makes a request of the classic shadow; its answer comes as another message.
	shadow(t *testing.T, method string, state any)
	// replies answers what the platform asked.
	replies(t *testing.T, of alink.Template, to heard, code int, data any)
	// next is the next message on a topic. Others wait.
	next(t *testing.T, of alink.Template) heard
	// as has it play a device behind its connection, or its own again.
	as(d triple)
	// lost waits for the end of the connection.
	lost(t *testing.T)
	// back connects after that end, with what it subscribed to.
	back(t *testing.T)
	// leaves ends the connection for good.
	leaves()
}

// A starter connects a client, to play a device and the one behind it, if there is one.
type starter func(t *testing.T, s *server, d triple, child ...triple) client

// alinkReply is an Alink reply.
type alinkReply struct {
	ID      string          `json:"id"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// heard is what came on a topic.
type heard struct {
	of   alink.Template
	arg  string
	name string // DeviceName of whose topic it is
	data []byte
}

// request is a message of the platform as a request.
func (h *heard) request(t *testing.T) (r struct {
	ID, Method string
	Params     json.RawMessage
},
) {
	t.Helper()
	if err := json.Unmarshal(h.data, &r); err != nil {
		t.Fatalf("%s carries %s: %v", h.of, h.data, err)
	}
	return r
}

// An inbox keeps what came until it is asked for.
type inbox struct {
	triple          // whose connection it is
	child  []triple // a device behind it, if there is one
	speaks triple   // who is played now, of these
	came   chan heard
	seen   []heard
	gone   chan struct{} // a word for each end of a connection
	ids    int
}

func newInbox(d triple, child []triple) inbox {
	return inbox{triple: d, child: child, speaks: d, came: make(chan heard, 1000), gone: make(chan struct{}, 100)}
}

// whose finds the device and the row of a topic. What is of nobody here would be an error of the platform.
func (in *inbox) whose(topic string) heard {
	for _, d := range append([]triple{in.triple}, in.child...) {
		if of, arg, ok := alink.Match([]byte(topic), d.ProductKey, d.DeviceName); ok {
			return heard{of: of, arg: string(arg), name: d.DeviceName}
		}
	}
	return heard{}
}

func (in *inbox) put(topic string, data []byte) {
	h := in.whose(topic)
	h.data = data
	in.came <- h
}

func (in *inbox) at(of alink.Template, arg string) string {
	return of.Topic(in.speaks.ProductKey, in.speaks.DeviceName, arg)
}

// as has the client play another device from here on.
func (in *inbox) as(d triple) { in.speaks = d }

func (in *inbox) next(t *testing.T, of alink.Template) heard {
	t.Helper()
	for i, h := range in.seen {
		if h.of == of && h.name == in.speaks.DeviceName {
			in.seen = append(in.seen[:i:i], in.seen[i+1:]...)
			return h
		}
	}
	for deadline := time.After(patience); ; {
		select {
		case h := <-in.came:
			if h.of == of && h.name == in.speaks.DeviceName {
				return h
			}
			in.seen = append(in.seen, h)
		case <-deadline:
			t.Fatalf("nothing came on %s within %s; there is %s", of, patience, in.seen)
		}
	}
}

func (h heard) String() string { return fmt.Sprintf("%s %s", h.of, h.data) }

func (in *inbox) lost(t *testing.T) {
	t.Helper()
	select {
	case <-in.gone:
	case <-time.After(patience):
		t.Fatalf("the connection did not end within %s", patience)
	}
}

// byHand makes a request of a client that knows topics and bytes alone.
func (in *inbox) byHand(t *testing.T, p client, of alink.Template, arg string, params any) (a alinkReply) {
	t.Helper()
	if ds, are := params.([]triple); are {
		params = signedAll(t, of, ds)
	}
	in.ids++
	id := fmt.Sprint("by hand ", in.ids)
	message, err := json.Marshal(map[string]any{"id": id, "version": "1.0", "params": params, "method": of.Method(arg)})
	if err != nil {
		t.Fatal(err)
	}
	p.hears(t, of.Reply(), arg)
	p.says(t, of, arg, message)
	for a.ID != id {
		h := p.next(t, of.Reply())
		if err := json.Unmarshal(h.data, &a); err != nil {
			t.Fatalf("%s carries %s: %v", h.of, h.data, err)
		}
	}
	return a
}

// repliesByHand answers on the topic of replies.
func (in *inbox) repliesByHand(t *testing.T, p client, of alink.Template, to heard, code int, data any) {
	t.Helper()
	reply, err := json.Marshal(map[string]any{"id": to.request(t).ID, "code": code, "data": data})
	if err != nil {
		t.Fatal(err)
	}
	p.says(t, of.Reply(), to.arg, reply)
}

// shadowMessage is what a device says on the topic of the classic shadow.
func shadowMessage(t *testing.T, method string, state any) []byte {
	t.Helper()
	in := map[string]any{"method": method}
	switch state := state.(type) {
	case []string: // keys to delete
		keys := make(map[string]string)
		for _, key := range state {
			keys[key] = "null"
		}
		in["state"] = map[string]any{"reported": keys}
	default:
		in["state"] = map[string]any{"reported": state}
	}
	if in["version"] = time.Now().UnixMilli(); state == nil {
		in = map[string]any{"method": method}
	}
	out, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A workshop is a platform with a maker, who has lights and gateways.
type workshop struct {
	*server
	configuring     sync.Mutex // a product has one configuration in force, for all who play its devices
	operator, maker *person
	light, hub      line
}

// A line is a product and what was made of it.
type line struct {
	product, key, order string
	triples             []triple
}

func newWorkshop(t *testing.T, lights, hubs int, flags ...string) *workshop {
	t.Helper()
	s, operator := operated(t, "en", flags...)
	maker := &person{s: s, lang: "en", login: "maker", password: "a lamp in every window"}
	operator.admits(t, maker)
	maker.signIn(t)
	maker.enrol(t)
	s.token = maker.session
	w := &workshop{server: s, operator: operator, maker: maker}
	w.light = w.makes(t, "light", lights, false)
	if hubs > 0 {
		w.hub = w.makes(t, "light", hubs, true)
	}
	return w
}

// makes makes a product and so many of it.
func (w *workshop) makes(t *testing.T, category string, quantity int, gateway bool) (l line) {
	t.Helper()
	made := w.maker.does(t, "POST", "/products", map[string]any{"category": category, "names": names("灯", "lamp"), "gateway": gateway})
	l.product, l.key = made.id(t), made.text(t, "product_key")
	l.order = w.maker.does(t, "POST", "/products/"+l.product+"/orders", map[string]any{"quantity": quantity, "purpose": "debug"}).id(t)
	by := &way{s: w.server, maker: w.maker, key: l.key}
	by.issued(t, l.order)
	_, rows := by.download(t, l.order)
	for _, row := range rows {
		l.triples = append(l.triples, by.device(row))
	}
	return l
}

// An actor is a device that a client plays, and what the platform says of it.
type actor struct {
	*workshop
	client
	triple
	child []triple   // behind it
	id    string     // the platform's
	whole *testing.T // for as long as the device is played
	start starter    // the same client once more
}

// does makes a request that must succeed.
func (a *actor) does(t *testing.T, of alink.Template, arg string, params any) json.RawMessage {
	t.Helper()
	r := a.asks(t, of, arg, params)
	if r.Code != alink.CodeOK {
		t.Fatalf("%s of %v was answered %d %s", of, params, r.Code, r.Message)
	}
	return r.Data
}

func (a *actor) path(tail string) string { return "/api/v1/devices/" + a.id + tail }

// orders gives the device a command, by its path in the API.
func (a *actor) orders(t *testing.T, tail string, in map[string]any) (c commandView) {
	t.Helper()
	a.call(t, "POST", a.path(tail), in, &c)
	return c
}

// calls gives the device a command whose caller is held until it has ended, and tells the end in a line.
func (a *actor) calls(t *testing.T, tail string, in map[string]any) <-chan string {
	t.Helper()
	end := make(chan string, 1)
	go func() {
		var c commandView
		if _, err := a.try("POST", a.path(tail), in, &c); err != nil {
			c.Note = err.Error()
		}
		end <- c.end()
	}()
	return end
}

// end is how a command ended, in a line.
func (c *commandView) end() string {
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", c.State, c.Reason, c.Note, c.Result)), " ")
}

// ended waits for the end of a command and tells it in a line.
func (a *actor) ended(t *testing.T, c commandView) string {
	t.Helper()
	eventually(t, "the end of the command", func() (bool, any) {
		a.call(t, "GET", "/api/v1/commands/"+c.ID, nil, &c)
		return c.EndedAt != nil, c
	})
	return c.end()
}

// shows waits until a list of the platform has want, whose items are told by their fields.
func (a *actor) shows(t *testing.T, path, want string, fields ...string) {
	t.Helper()
	eventually(t, path+" to show "+want, func() (bool, any) {
		var page struct{ Items []map[string]any }
		a.call(t, "GET", path, nil, &page)
		var all []string
		for _, item := range page.Items {
			var words []string
			for _, f := range fields {
				words = append(words, fmt.Sprint(item[f]))
			}
			all = append(all, strings.Join(words, " "))
		}
		got := strings.Join(all, ", ")
		return got == want, got
	})
}
