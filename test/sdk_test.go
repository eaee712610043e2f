package test

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// sdkReply is an Alink reply as the SDK hands it on.
type sdkReply struct {
	ID      string          `json:"id"`
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Params  json.RawMessage `json:"params"`
}

// sdk is a process of the official JavaScript SDK that plays a device.
type sdk struct {
	cmd    *exec.Cmd
	in     io.Closer
	events chan sdkEvent // closed at the end of the process
	seen   []sdkEvent
}

type sdkEvent struct {
	What string          `json:"what"`
	Data json.RawMessage `json:"data"`
}

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

func startSDK(t *testing.T, s *server, d triple) *sdk {
	t.Helper()
	arg, err := json.Marshal(map[string]string{
		"url": "mqtt://" + s.mqtt, "product_key": d.ProductKey, "device_name": d.DeviceName, "device_secret": d.DeviceSecret,
	})
	if err != nil {
		t.Fatal(err)
	}
	k := &sdk{cmd: exec.Command("node", "client.js", string(arg)), events: make(chan sdkEvent, 100)}
	k.cmd.Dir, k.cmd.Stderr = "sdk", os.Stderr
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
		defer close(k.events)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var e sdkEvent
			if json.Unmarshal(lines.Bytes(), &e) == nil {
				k.events <- e
			}
		}
	}()
	t.Cleanup(k.stop)
	return k
}

func (k *sdk) stop() {
	_ = k.in.Close()
	for range k.events {
	}
	_ = k.cmd.Wait()
}

// expect waits for an event, whichever others come before it, and decodes what it carries.
func (k *sdk) expect(t *testing.T, what string, out any) {
	t.Helper()
	for i, e := range k.seen {
		if e.What == what {
			k.seen = append(k.seen[:i:i], k.seen[i+1:]...)
			decode(t, e, out)
			return
		}
	}
	deadline := time.After(patience)
	for {
		select {
		case e, ok := <-k.events:
			if !ok {
				t.Fatalf("the SDK ended before %q", what)
			}
			if e.What == what {
				decode(t, e, out)
				return
			}
			k.seen = append(k.seen, e)
		case <-deadline:
			t.Fatalf("no %q of the SDK within %s; it said %s", what, patience, k.seen)
		}
	}
}

func decode(t *testing.T, e sdkEvent, out any) {
	t.Helper()
	if out == nil {
		return
	}
	if err := json.Unmarshal(e.Data, out); err != nil {
		t.Fatalf("%s carries %s: %v", e.What, e.Data, err)
	}
}

// TestOfficialSDK plays a light with Alibaba's own JavaScript SDK, unchanged but for the address.
func TestOfficialSDK(t *testing.T) {
	needSDK(t)
	s := shared(t)
	d := s.spare(t)
	k := startSDK(t, s, d)
	k.expect(t, "connect", nil)

	var r sdkReply
	k.expect(t, "post_reply", &r)
	if r.Code != 200 || !strings.Contains(r.ID, "|exp-topic|") {
		t.Errorf("post_reply is %+v, want code 200 and the SDK's own id", r)
	}
	k.expect(t, "refused_reply", &r)
	if want := "/params/brightness is 101, want an integer from 1 to 100 %"; r.Code != 460 || r.Message != want {
		t.Errorf("the refused post was answered %d %q\nwant 460 %q", r.Code, r.Message, want)
	}
	k.expect(t, "event_reply", &r)
	if r.Code != 200 {
		t.Errorf("event_reply is %+v, want code 200", r)
	}
	id := s.device(t, d.DeviceName).ID
	s.reported(t, id, "brightness", "80")

	wantEnd(t, s.command(t, id, set("brightness", 50)), "succeeded", "")
	k.expect(t, "set", &r)
	if got := string(r.Params); got != `{"brightness":50}` {
		t.Errorf("the set carried %s", got)
	}
	s.reported(t, id, "brightness", "50")

	wantEnd(t, s.command(t, id, newCommand{Kind: "service", Service: "identify", Params: map[string]any{}, WaitMS: 15_000}), "succeeded", "")
	k.expect(t, "service", nil)

	second := startSDK(t, s, d)
	second.expect(t, "connect", nil)
	k.expect(t, "close", nil)
	k.stop() // it would connect again, and take the session back
	eventually(t, "a session of the second one", func() (bool, any) {
		var c commandView
		_, err := s.try("POST", "/api/v1/devices/"+id+"/commands", set("powerstate", 1), &c)
		return err == nil && c.State == "succeeded", c
	})
	second.expect(t, "set", nil)
}
