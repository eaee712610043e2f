package wyoming

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type vectors struct {
	Refuse []struct {
		Bytes string `json:"bytes_hex"`
		Why   string `json:"why"`
	} `json:"wyoming_refuse"`
	Frames []struct {
		Bytes   string         `json:"bytes_hex"`
		Type    string         `json:"type"`
		Data    map[string]any `json:"data"`
		Payload string         `json:"payload_hex"`
		By      string         `json:"written_by"`
	} `json:"wyoming_frames"`
	Sessions []session `json:"wyoming_sessions"`
}

// A session is what one peer says, and what the other must.
type session struct {
	Role   string `json:"role"`
	Client []struct {
		Type string         `json:"type"`
		Data map[string]any `json:"data"`
	} `json:"client"`
	Server []string          `json:"server"`
	Within int               `json:"within_ms"`
	Info   json.RawMessage   `json:"info_must"`
	Data   map[string]string `json:"data_must"`
	Peer   []string          `json:"peer"`
	Sends  []string          `json:"sends"`
}

func known(t testing.TB) (v vectors) {
	t.Helper()
	b, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Refuse) < 7 || len(v.Frames) < 26 || len(v.Sessions) < 9 {
		t.Fatalf("the vectors have %d refusals, %d frames and %d sessions", len(v.Refuse), len(v.Frames), len(v.Sessions))
	}
	return v
}

func raw(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain are the data as values, as a peer sees them.
func (d Data) plain(t testing.TB) map[string]any {
	t.Helper()
	out := map[string]any{}
	for name, v := range d {
		var x any
		if err := json.Unmarshal(v, &x); err != nil {
			t.Fatal(err)
		}
		out[name] = x
	}
	return out
}

func TestFramesAreRead(t *testing.T) {
	for _, v := range known(t).Frames {
		r := NewReader(bytes.NewReader(raw(t, v.Bytes)), MaxServerPayload)
		e, err := r.Read()
		if err != nil {
			t.Errorf("%s: %v", v.Type, err)
			continue
		}
		if e.Type != v.Type || !reflect.DeepEqual(e.Data.plain(t), v.Data) || !bytes.Equal(e.Payload, raw(t, v.Payload)) {
			t.Errorf("read %s %v, want %s %v", e.Type, e.Data.plain(t), v.Type, v.Data)
		}
		if _, err := r.Read(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: something was left over: %v", v.Type, err)
		}
	}
}

// What is written has the reference's form: the same fields in the header, in its order, and the same data in a block.
func TestFramesAreWrittenAsTheReferenceDoes(t *testing.T) {
	names := func(b []byte) (out []string) {
		line, _, _ := bytes.Cut(b, []byte("\n"))
		d := json.NewDecoder(bytes.NewReader(line))
		for tok, err := d.Token(); err == nil; tok, err = d.Token() {
			out = append(out, fmt.Sprintf("%T", tok))
			if s, ok := tok.(string); ok {
				out[len(out)-1] = s
			}
		}
		return out
	}
	for _, v := range known(t).Frames {
		if !strings.HasPrefix(v.By, "reference") {
			continue
		}
		got, err := Append(nil, v.Type, v.Data, raw(t, v.Payload))
		if err != nil {
			t.Fatal(err)
		}
		if want := raw(t, v.Bytes); !reflect.DeepEqual(names(got), names(want)) {
			t.Errorf("%s: the header has %v, the reference's %v", v.Type, names(got), names(want))
		}
		e, err := NewReader(bytes.NewReader(got), MaxServerPayload).Read()
		if err != nil || e.Type != v.Type || !reflect.DeepEqual(e.Data.plain(t), v.Data) || !bytes.Equal(e.Payload, raw(t, v.Payload)) {
			t.Errorf("%s came back as %v %v (%v)", v.Type, e.Type, e.Data.plain(t), err)
		}
	}
}

func TestRefusals(t *testing.T) {
	long := func(n int) string { // a header of n bytes, its end included
		head, tail := `{"type":"ping","x":"`, "\"}\n"
		return head + strings.Repeat("a", n-len(head)-len(tail)) + tail
	}
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `,"f%d":1`, i)
		}
		return `{"type":"ping"` + b.String() + "}\n"
	}
	refused := []string{
		"\n", "[]\n", "7\n", "\"x\"\n", `{"type":""}` + "\n", `{"type":null}` + "\n", `{"type":"a"} {"type":"b"}` + "\n", `{"type":"a"` + "\n",
		`{"type":"a","payload_length":1.5}` + "\nxx", `{"type":"a","payload_length":1.0}` + "\nxx", `{"type":"a","payload_length":"1"}` + "\nxx",
		`{"type":"a","payload_length":1e0}` + "\nxx", `{"type":"a","data_length":-1}` + "\n", `{"type":"a","data_length":true}` + "\nx",
		`{"type":"a","data_length":2}` + "\n[]", `{"type":"a","data":[]}` + "\n", `{"type":"a","data":7}` + "\n",
		`{"type":"a","payload_length":2}` + "\nx", `{"type":"a","data_length":4}` + "\n{} x", "{\"type\":\"\xff\"}\n",
		fmt.Sprintf(`{"type":"a","data_length":%d}`+"\n", MaxData+1), fmt.Sprintf(`{"type":"a","payload_length":%d}`+"\n", MaxServerPayload+1),
		`{"type":"a","payload_length":99999999999999999999}` + "\n", long(MaxHeader + 1), many(MaxFields), "\xef\xbb\xbf{\"type\":\"a\"}\n",
	}
	for _, v := range known(t).Refuse {
		refused = append(refused, string(raw(t, v.Bytes)))
	}
	for _, in := range refused {
		if e, err := NewReader(strings.NewReader(in), MaxServerPayload).Read(); !errors.Is(err, ErrWire) {
			t.Errorf("%.80q was read as %+v (%v)", in, e, err)
		}
	}
	for _, in := range []string{
		long(MaxHeader), many(MaxFields - 1), `{"type":"a","data":null,"data_length":null,"payload_length":0}` + "\n", `{"type":"a","data_length":2}` + "\n{}",
	} {
		if _, err := NewReader(strings.NewReader(in), MaxServerPayload).Read(); err != nil {
			t.Errorf("%.80q: %v", in, err)
		}
	}
}

// Limits hold where all that was announced is there, too.
func TestLimitsOfBlocks(t *testing.T) {
	data := func(n int) string {
		return fmt.Sprintf(`{"type":"a","data_length":%d}`+"\n{%s}", n, strings.Repeat(" ", n-2))
	}
	payload := func(n int) string {
		return fmt.Sprintf(`{"type":"a","payload_length":%d}`+"\n%s", n, strings.Repeat("x", n))
	}
	for _, in := range []string{data(MaxData), payload(MaxServerPayload)} {
		if _, err := NewReader(strings.NewReader(in), MaxServerPayload).Read(); err != nil {
			t.Errorf("%.40q: %v", in, err)
		}
	}
	for _, in := range []string{data(MaxData + 1), payload(MaxServerPayload + 1)} {
		if _, err := NewReader(strings.NewReader(in), MaxServerPayload).Read(); !errors.Is(err, ErrWire) {
			t.Errorf("%.40q was read (%v)", in, err)
		}
	}
}

// A length is no reason to take memory.
func TestMemoryFollowsWhatArrived(t *testing.T) {
	in := fmt.Sprintf(`{"type":"audio-chunk","payload_length":%d}`+"\nxx", MaxClientPayload)
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := NewReader(strings.NewReader(in), MaxClientPayload).Read(); !errors.Is(err, ErrWire) {
				b.Fatal(err)
			}
		}
	})
	if got := r.AllocedBytesPerOp(); got > 64<<10 {
		t.Errorf("reading 2 bytes of 16 MiB announced took %d bytes", got)
	}
}

func TestFieldsOfTheWrongTypeAreTold(t *testing.T) {
	d, err := object([]byte(`{"text":7,"rate":1.5,"context":[],"TEXT":"x","none":null}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.text("text"); !errors.Is(err, errField) {
		t.Errorf("a number was taken for a text: %v", err)
	}
	if _, err := d.number("rate"); !errors.Is(err, errField) {
		t.Errorf("a fraction was taken for an integer: %v", err)
	}
	if _, err := d.object("context"); err == nil {
		t.Error("a list was taken for an object")
	}
	if s, err := d.text("none"); s != "" || err != nil {
		t.Errorf("null is %q, %v", s, err)
	}
}

// Whatever is read can be written and is then read as the same.
func FuzzReader(f *testing.F) {
	v := known(f)
	for _, x := range v.Frames {
		f.Add(raw(f, x.Bytes))
	}
	for _, x := range v.Refuse {
		f.Add(raw(f, x.Bytes))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		r := NewReader(bytes.NewReader(in), 1<<10)
		for {
			e, err := r.Read()
			if err != nil {
				return
			}
			if e.Type == "" || len(e.Payload) > 1<<10 || len(e.Data) > 2*MaxFields {
				t.Fatalf("read %q with %d bytes and %d fields", e.Type, len(e.Payload), len(e.Data))
			}
			if len(e.Data) > MaxFields {
				continue // two objects of many fields laid over each other are not one that is read
			}
			b, err := Append(nil, e.Type, e.Data, e.Payload)
			if err != nil {
				t.Fatal(err)
			}
			again, err := NewReader(bytes.NewReader(b), 1<<10).Read()
			if len(b) > MaxHeader && errors.Is(err, ErrWire) {
				continue // escapes may be longer than what they stand for
			}
			if err != nil || again.Type != e.Type || !bytes.Equal(again.Payload, e.Payload) || len(again.Data) != len(e.Data) {
				t.Fatalf("%+v came back as %+v (%v)", e, again, err)
			}
		}
	})
}
