package test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"lampworks/alink"
)

func needSDK(t *testing.T) {
	t.Helper()
	for _, p := range []string{"node", "npm"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("skip: no %s; install the packages nodejs and npm to test with the official JavaScript SDK", p)
		}
	}
	if _, err := os.Stat("sdk/node_modules/alibabacloud-iot-device-sdk/package.json"); err == nil {
		return
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error")
	npm.Dir = "sdk"
	if out, err := npm.CombinedOutput(); err != nil {
		t.Skipf("skip: the official JavaScript SDK cannot be installed: %v\n%s", err, out)
	}
}

// sdk is a process of the official JavaScript SDK that plays a device.
type sdk struct {
	inbox
	cmd       *exec.Cmd
	in        io.WriteCloser
	connected chan struct{}
	done      chan sdkLine
	ended     chan struct{}
	n         int
	last      heard // as a message; what the method for its topic gets follows
	used      map[sdkUse]bool
	stop      sync.Once
}

// sdkLine is what the process prints.
type sdkLine struct {
	What  string          `json:"what"`
	N     int             `json:"n"`
	Topic string          `json:"topic"`
	Data  json.RawMessage `json:"data"`
}

// sdkUse is a method of the SDK and a topic that it served.
type sdkUse struct {
	method string
	of     alink.Template
}

// sdkListeners are the methods that the SDK hands messages to, by topic.
var sdkListeners = map[alink.Template]string{
	alink.PropertySet: "onProps", alink.ConfigPush: "onConfig", alink.ShadowGet: "onShadow", alink.ServiceInvoke: "onService", alink.RRPCRequest: "onService",
}

func startSDK(t *testing.T, at string, d triple, child []triple, environment ...string) *sdk {
	t.Helper()
	kind := "device"
	if child != nil {
		kind = "gateway"
	}
	config := names3(d)
	config["brokerUrl"] = at
	arg, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	k := &sdk{
		inbox: newInbox(d, child), cmd: exec.Command("node", "client.js", kind, string(arg)), connected: make(chan struct{}, 100),
		done: make(chan sdkLine, 100), ended: make(chan struct{}), used: make(map[sdkUse]bool),
	}
	k.cmd.Dir, k.cmd.Stderr = "sdk", os.Stderr
	k.cmd.Env = append(os.Environ(), environment...)
	if k.in, err = k.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := k.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := k.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(k.ended)
		lines := bufio.NewScanner(out)
		for lines.Buffer(nil, 1<<20); lines.Scan(); {
			var line sdkLine
			if json.Unmarshal(lines.Bytes(), &line) == nil {
				k.read(line)
			}
		}
	}()
	t.Cleanup(k.leaves)
	k.back(t)
	k.do(t, "onService", "identify")
	return k
}

// read takes in a line of the process.
func (k *sdk) read(line sdkLine) {
	switch line.What {
	case "connect":
		k.connected <- struct{}{}
	case "close":
		k.gone <- struct{}{}
	case "done":
		k.done <- line
	case "message":
		if k.last = k.whose(line.Topic); sdkListeners[k.last.of] == "" && json.Unmarshal(line.Data, &k.last.data) == nil { // base64
			k.came <- k.last
		}
	case sdkListeners[k.last.of]: // of the message before it
		k.last.data = line.Data
		k.came <- k.last
	}
}

// do calls a method and returns what its callback was given.
func (k *sdk) do(t *testing.T, method string, args ...any) json.RawMessage {
	t.Helper()
	k.n++
	if args == nil {
		args = []any{}
	}
	line, err := json.Marshal(map[string]any{"n": k.n, "as": k.speaks.DeviceName, "do": method, "args": args})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.in.Write(append(line, '\n')); err != nil {
		t.Fatalf("telling the SDK %s: %v", line, err)
	}
	for deadline := time.After(patience); ; {
		select {
		case done := <-k.done:
			if done.N == k.n {
				return done.Data
			}
		case <-k.ended:
			t.Fatalf("the SDK ended before %s", line)
		case <-deadline:
			t.Fatalf("the SDK called nobody back within %s after %s", patience, line)
		}
	}
}

func (k *sdk) hears(t *testing.T, of alink.Template, arg string) {
	t.Helper()
	if sdkListeners[of] == "" {
		k.do(t, "subscribe", k.at(of, arg))
	}
}

func (k *sdk) says(t *testing.T, of alink.Template, arg string, payload []byte) {
	t.Helper()
	if answers(of) == 0 {
		k.used[sdkUse{"publish", of}] = true
	}
	k.do(t, "publish", k.at(of, arg), base64.StdEncoding.EncodeToString(payload), 1)
}

func (k *sdk) asks(t *testing.T, of alink.Template, arg string, params any) (a alinkReply) {
	t.Helper()
	var method string
	args := []any{params}
	switch of {
	case alink.PropertyPost:
		method = "postProps"
	case alink.EventPost:
		method, args = "postEvent", []any{arg, params}
	case alink.TagUpdate:
		method = "postTags"
	case alink.TagDelete:
		method = "deleteTags"
		var keys []string
		for _, tag := range params.([]tag) {
			keys = append(keys, tag.Key)
		}
		args = []any{keys}
	case alink.ConfigGet:
		method, args = "getConfig", nil
	case alink.TopoAdd:
		method, args = "addTopo", []any{sdkTriples(params.([]triple))}
	case alink.TopoGet:
		method, args = "getTopo", nil
	case alink.TopoDelete:
		method = "removeTopo"
	case alink.CombineLogin:
		method, args = "login", []any{names3(params.([]triple)[0])}
	case alink.CombineLogout:
		method = "logout"
	case alink.SubRegister:
		method = "regiestSubDevice"
	default:
		return k.byHand(t, k, of, arg, params)
	}
	k.used[sdkUse{method, of}] = true
	if err := json.Unmarshal(k.do(t, method, args...), &a); err != nil {
		t.Fatal(err)
	}
	return a
}

// names3 is a triple as the SDK has it.
func names3(d triple) map[string]string {
	return map[string]string{"productKey": d.ProductKey, "deviceName": d.DeviceName, "deviceSecret": d.DeviceSecret}
}

func sdkTriples(ds []triple) (all []map[string]string) {
	for _, d := range ds {
		all = append(all, names3(d))
	}
	return all
}

func (k *sdk) shadow(t *testing.T, method string, state any) {
	t.Helper()
	name := map[string]string{"get": "getShadow", "update": "postShadow", "delete": "deleteShadow"}[method]
	k.used[sdkUse{name, alink.ShadowUpdate}] = true
	if state == nil {
		k.do(t, name)
		return
	}
	k.do(t, name, state)
}

func (k *sdk) replies(t *testing.T, of alink.Template, to heard, code int, data any) {
	t.Helper()
	kind := map[alink.Template]string{alink.ServiceInvoke: "async", alink.RRPCRequest: "sync"}[of]
	if kind == "" {
		k.repliesByHand(t, k, of, to, code, data)
		return
	}
	k.do(t, "reply", "identify", map[string]any{"id": to.request(t).ID, "code": code, "data": data}, kind)
}

func (k *sdk) next(t *testing.T, of alink.Template) heard {
	t.Helper()
	method := sdkListeners[of]
	if method == "" {
		method = "subscribe"
	}
	if answers(of) == 0 {
		k.used[sdkUse{method, of}] = true
	}
	return k.inbox.next(t, of)
}

// back waits: the SDK connects again by itself.
func (k *sdk) back(t *testing.T) {
	t.Helper()
	select {
	case <-k.connected:
	case <-k.ended:
		t.Fatal("the SDK ended before it connected")
	case <-time.After(patience):
		t.Fatalf("the SDK did not connect within %s", patience)
	}
	for {
		select {
		case <-k.gone: // of attempts in vain
		default:
			return
		}
	}
}

func (k *sdk) leaves() {
	k.stop.Do(func() {
		_ = k.in.Close()
		<-k.ended
		_ = k.cmd.Wait()
	})
}

// TestOfficialSDK comes by every door: the SDK signs the same at each.
func TestOfficialSDK(t *testing.T) {
	needSDK(t)
	t.Parallel()
	flags := certify(t, t.TempDir(), 1)
	w := newWorkshop(t, 4, 0, append(flags, "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0")...)
	for i, at := range []string{
		"mqtt://" + w.mqtt, "mqtts://" + w.mqtts, "ws" + strings.TrimPrefix(w.http, "http") + "/mqtt", "wss" + strings.TrimPrefix(w.https, "https") + "/mqtt",
	} {
		t.Run(at[:strings.IndexByte(at, ':')], func(t *testing.T) {
			t.Parallel()
			d := w.light.triples[i]
			k := startSDK(t, at, d, nil, "NODE_EXTRA_CA_CERTS="+flags[1])
			if r := k.asks(t, alink.PropertyPost, "", map[string]any{"brightness": 80}); r.Code != alink.CodeOK || !strings.Contains(r.ID, "|exp-topic|") {
				t.Errorf("the report was answered %+v, want code 200 and the SDK's own id", r)
			}
			w.reported(t, w.device(t, d.DeviceName).ID, "brightness", "80")
		})
	}
}

// answers is the topic that a topic answers, and nothing else.
func answers(of alink.Template) alink.Template {
	for _, asked := range alink.Templates() {
		if asked.Reply() == of && of != alink.ShadowGet && of != alink.OTAUpgrade {
			return asked
		}
	}
	return 0
}
