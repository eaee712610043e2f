package mqtt

import (
	"bytes"
	"slices"
	"testing"

	paho5 "github.com/eclipse/paho.golang/packets"
	paho3 "github.com/eclipse/paho.mqtt.golang/packets"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestPaho3 holds the codec to another one: Eclipse Paho reads what we write, writes the same bytes, and we read them.
func TestPaho3(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPacket(t, V311)
		raw := AppendPacket(nil, want, V311)
		theirs, err := paho3.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("Paho reading %x: %v", raw, err)
		}
		var again bytes.Buffer
		if err := theirs.Write(&again); err != nil {
			t.Fatal(err)
		}
		if got := again.Bytes(); !bytes.Equal(raw, got) {
			t.Fatalf("%v: Paho writes\n got %x\nwant %x", want.Type, got, raw)
		}
		compare(t, want, raw, V311)
	})
}

// TestPaho5 is the same for MQTT 5. Paho writes codes and lengths that may be left out, and properties in an order of
// its own, so that the packets are compared and not their bytes.
func TestPaho5(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawPacket(t, V5)
		raw := AppendPacket(nil, want, V5)
		compare(t, want, raw, V5)
		if c := want.Connect; c != nil && c.Will != nil {
			c.Will.Properties = nil // Paho reads them and does not write them
			raw = AppendPacket(nil, want, V5)
		}
		if want.Type == DISCONNECT && len(raw) == 2 {
			t.Skip("Paho asks for the reason code that MQTT 5 §3.14.2.1 lets out")
		}
		theirs, err := paho5.ReadPacket(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("Paho reading %x: %v", raw, err)
		}
		var again bytes.Buffer
		if _, err := theirs.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		compare(t, want, again.Bytes(), V5)
	})
}

func compare(t *rapid.T, want *Packet, raw []byte, v Version) {
	t.Helper()
	d := Decoder{Version: v}
	got, err := decodeAll(&d, raw, 0)
	if err != nil || len(got) != 1 {
		t.Fatalf("%x: %d packets, %v", raw, len(got), err)
	}
	if diff := cmp.Diff(ordered(want), ordered(got[0])); diff != "" {
		t.Fatalf("%x (-want +got)\n%s", raw, diff)
	}
}

// ordered is a copy whose properties stand in the order of their identifiers.
func ordered(p *Packet) *Packet {
	q := clone(p)
	sorted := func(p Properties) (out Properties) {
		all := slices.Collect(p.All())
		slices.SortStableFunc(all, func(a, b Property) int { return int(a.ID) - int(b.ID) })
		for _, q := range all {
			out = out.Append(q)
		}
		return out
	}
	q.Properties = sorted(q.Properties)
	if q.Connect != nil && q.Connect.Will != nil {
		q.Connect.Will.Properties = sorted(q.Connect.Will.Properties)
	}
	return q
}

// drawPacket draws any valid packet of a version.
func drawPacket(t *rapid.T, v Version) *Packet {
	last := DISCONNECT
	if v == V5 {
		last = AUTH
	}
	p := &Packet{Type: Type(rapid.IntRange(int(CONNECT), int(last)).Draw(t, "type"))}
	if v == V5 && p.Type != PINGREQ && p.Type != PINGRESP {
		p.Properties = drawProperties(t, p.Type)
	}
	switch p.Type {
	case CONNECT:
		p.Connect = drawConnect(t, v)
	case CONNACK:
		p.Code = drawCode(t, v, CONNACK)
		p.SessionPresent = p.Code == 0 && rapid.Bool().Draw(t, "session present")
	case PUBLISH:
		p.QoS = rapid.Uint8Range(0, 2).Draw(t, "qos")
		p.Dup = p.QoS > 0 && rapid.Bool().Draw(t, "dup")
		p.Retain = rapid.Bool().Draw(t, "retain")
		p.Topic = drawTopic(t)
		p.Payload = rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")
		if p.QoS > 0 {
			p.ID = drawID(t)
		}
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		p.ID = drawID(t)
		if v == V5 {
			p.Code = drawCode(t, v, p.Type)
		}
	case SUBSCRIBE, UNSUBSCRIBE:
		p.ID = drawID(t)
		for range rapid.IntRange(1, 12).Draw(t, "filters") {
			f := Filter{Topic: []byte(rapid.SampledFrom([]string{"#", "+", "a/+/b", "客厅/#", "a//b", "/"}).Draw(t, "filter"))}
			if p.Type == SUBSCRIBE {
				f.QoS = rapid.Uint8Range(0, 2).Draw(t, "qos")
			}
			if p.Type == SUBSCRIBE && v == V5 {
				f.NoLocal, f.RetainAsPublished = rapid.Bool().Draw(t, "no local"), rapid.Bool().Draw(t, "as published")
				f.RetainHandling = rapid.Uint8Range(0, 2).Draw(t, "retain handling")
			}
			p.Filters = append(p.Filters, f)
		}
	case SUBACK, UNSUBACK:
		p.ID = drawID(t)
		for range rapid.IntRange(1, 12).Draw(t, "codes") {
			if p.Type == SUBACK || v == V5 {
				p.Codes = append(p.Codes, drawCode(t, v, p.Type))
			}
		}
	case DISCONNECT, AUTH:
		if v == V5 {
			p.Code = drawCode(t, v, p.Type)
		}
	case PINGREQ, PINGRESP:
	}
	return p
}

func drawConnect(t *rapid.T, v Version) *Connect {
	c := &Connect{
		Version: v, Clean: rapid.Bool().Draw(t, "clean"), KeepAlive: rapid.Uint16().Draw(t, "keep alive"),
		ClientID:    []byte(rapid.StringMatching(`[a-z0-9]{1,40}`).Draw(t, "client id")),
		HasUsername: rapid.Bool().Draw(t, "has user name"),
	}
	if c.HasUsername {
		c.Username = []byte(rapid.StringMatching(`[a-z客厅]{0,20}`).Draw(t, "user name"))
	}
	if c.HasPassword = (v == V5 || c.HasUsername) && rapid.Bool().Draw(t, "has password"); c.HasPassword {
		c.Password = rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "password")
	}
	if rapid.Bool().Draw(t, "will") {
		c.Will = &Will{
			Topic: drawTopic(t), Payload: rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "will"),
			QoS: rapid.Uint8Range(0, 2).Draw(t, "will qos"), Retain: rapid.Bool().Draw(t, "will retain"),
		}
		if v == V5 {
			c.Will.Properties = drawProperties(t, inWill)
		}
	}
	return c
}

func drawID(t *rapid.T) uint16 { return rapid.Uint16Range(1, 65535).Draw(t, "id") }

func drawTopic(t *rapid.T) []byte {
	return []byte(rapid.StringMatching(`[a-z/客厅]{1,80}`).Draw(t, "topic"))
}

func drawCode(t *rapid.T, v Version, p Type) byte {
	codes := defined311[p]
	if v == V5 {
		codes = defined5[p]
	}
	return codes[rapid.IntRange(0, len(codes)-1).Draw(t, "code")]
}

// drawProperties draws a list of the properties that may stand in a place, each at most once.
func drawProperties(t *rapid.T, where Type) (p Properties) {
	for id, rule := range propertyRules {
		if rule.kind == 0 || rule.in&(1<<where) == 0 || !rapid.Bool().Draw(t, "has "+rule.name) {
			continue
		}
		q := Property{ID: PropertyID(id)}
		switch rule.kind {
		case oneByte:
			q.Int = rapid.Uint32Range(0, 1).Draw(t, rule.name)
		case twoBytes:
			q.Int = rapid.Uint32Range(1, 65535).Draw(t, rule.name)
		case fourBytes:
			q.Int = rapid.Uint32Range(1, 1<<32-1).Draw(t, rule.name)
		case variable:
			q.Int = rapid.Uint32Range(1, maxRemaining).Draw(t, rule.name)
		case text, blob, pair:
			q.Value = []byte(rapid.StringMatching(`[a-z]{1,20}`).Draw(t, rule.name))
			if rule.kind == pair {
				q.Key = []byte("key")
			}
		}
		if q.ID == AuthData && !p.Has(AuthMethod) {
			continue
		}
		p = p.Append(q)
	}
	return p
}
