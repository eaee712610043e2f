package mqtt

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRefusals is every class of malformed packet with the whole text it is refused with.
func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		v        Version
		in, want string
	}{
		// the stream
		{0, "c000", "mqtt: PINGREQ comes first, want CONNECT [MQTT-3.1.0-1]"},
		{0, "30", "mqtt: PUBLISH comes first, want CONNECT [MQTT-3.1.0-1]"},
		{V311, "00", "mqtt: packet type 0 is reserved [§2.2.1]"},
		{V311, "f000", "mqtt: packet type 15 is reserved [§2.2.1]"},
		{V5, "0f", "mqtt: packet type 0 is reserved [§2.1.2]"},
		{V311, "30 ffffffff 01", "mqtt: PUBLISH: Remaining Length has more than four bytes [§2.2.3]"},
		{V311, "30 ffffffff", "mqtt: PUBLISH: Remaining Length has more than four bytes [§2.2.3]"},
		{V5, "c0 8000", "mqtt: PINGREQ: Remaining Length takes more bytes than it needs [MQTT-1.5.5-1]"},
		{V311, "c0 8000", ""},
		{V311, "30 ffffff7f", "mqtt: PUBLISH of 268435460 bytes is announced, the limit is 1000 [§2.2.3]"},
		{V311, "30 e607", "mqtt: PUBLISH of 1001 bytes is announced, the limit is 1000 [§2.2.3]"},
		{V5, "30 e607", "mqtt: PUBLISH of 1001 bytes is announced, the limit is 1000 [MQTT-3.2.2-15]"},
		{V311, "30 e507", ""},
		{V311, "c0 0100", "mqtt: PINGREQ: bytes left over at the end: 1 [§2.2.3]"},
		{V311, "e0 0100", "mqtt: DISCONNECT: bytes left over at the end: 1 [§2.2.3]"},
		{V311, "40 03 0001 00", "mqtt: PUBACK: bytes left over at the end: 1 [§2.2.3]"},

		// reserved flags
		{0, "11", "mqtt: CONNECT: reserved flags are 1, want 0 [MQTT-2.2.2-2]"},
		{V311, "41", "mqtt: PUBACK: reserved flags are 1, want 0 [MQTT-2.2.2-2]"},
		{V5, "41", "mqtt: PUBACK: reserved flags are 1, want 0 [MQTT-2.1.3-1]"},
		{V311, "60", "mqtt: PUBREL: reserved flags are 0, want 2 [MQTT-3.6.1-1]"},
		{V311, "80", "mqtt: SUBSCRIBE: reserved flags are 0, want 2 [MQTT-3.8.1-1]"},
		{V311, "a3", "mqtt: UNSUBSCRIBE: reserved flags are 3, want 2 [MQTT-3.10.1-1]"},
		{V311, "e1", "mqtt: DISCONNECT: reserved flags are 1, want 0 [MQTT-3.14.1-1]"},
		{V5, "f1", "mqtt: AUTH: reserved flags are 1, want 0 [MQTT-3.15.1-1]"},

		// CONNECT
		{0, "10 00", "mqtt: CONNECT: protocol name is cut short [§2.2.3]"},
		{0, "10 06 0004'MQTT'", "mqtt: CONNECT: protocol level is cut short [§2.2.3]"},
		{0, "10 0c 0004'mqtt'04 02 0000 0000", "mqtt: CONNECT: protocol name is \"mqtt\", want \"MQTT\" [MQTT-3.1.2-1]"},
		{0, "10 0e 0006'MQIsdp'03 02 0000 0000", "mqtt: CONNECT: protocol level is 3, want 4 (MQTT 3.1.1) or 5 [MQTT-3.1.2-2]"},
		{0, "10 0c 0004'MQTT'03 02 0000 0000", "mqtt: CONNECT: protocol level is 3, want 4 (MQTT 3.1.1) or 5 [MQTT-3.1.2-2]"},
		{0, "10 0c 0004'MQTT'06 02 0000 0000", "mqtt: CONNECT: protocol level is 6, want 4 (MQTT 3.1.1) or 5 [MQTT-3.1.2-2]"},
		{0, "10 0c 0004'MQTT'04 03 0000 0000", "mqtt: CONNECT: reserved flag is 1, want 0 [MQTT-3.1.2-3]"},
		{0, "10 0c 0004'MQTT'04 0a 0000 0000", "mqtt: CONNECT: will QoS is 1 without a will [MQTT-3.1.2-13]"},
		{0, "10 0c 0004'MQTT'04 22 0000 0000", "mqtt: CONNECT: will retain is set without a will [MQTT-3.1.2-15]"},
		{0, "10 0c 0004'MQTT'04 1e 0000 0000", "mqtt: CONNECT: will QoS is 3, want 0, 1 or 2 [MQTT-3.1.2-14]"},
		{0, "10 0d 0004'MQTT'05 1e 0000 00 0000", "mqtt: CONNECT: will QoS is 3, want 0, 1 or 2 [MQTT-3.1.2-12]"},
		{0, "10 0c 0004'MQTT'04 42 0000 0000", "mqtt: CONNECT: has a password and no user name [MQTT-3.1.2-22]"},
		{0, "10 0f 0004'MQTT'05 42 0000 00 0000 0000", ""},
		{0, "10 0b 0004'MQTT'04 02 0000 00", "mqtt: CONNECT: client identifier is cut short [§2.2.3]"},
		{0, "10 0d 0004'MQTT'04 02 0000 0001 ff", "mqtt: CONNECT: client identifier is not UTF-8 at byte 0 [MQTT-1.5.3-1]"},
		{0, "10 12 0004'MQTT'04 06 0000 0000 0002'a+' 0000", "mqtt: CONNECT: will topic \"a+\" holds a wildcard [MQTT-4.7.1-1]"},
		{0, "10 10 0004'MQTT'04 06 0000 0000 0000 0000", "mqtt: CONNECT: will topic is empty [MQTT-4.7.3-1]"},
		{0, "10 10 0004'MQTT'04 06 0000 0000 0001'a' 00", "mqtt: CONNECT: will message is cut short [§2.2.3]"},
		{0, "10 0f 0004'MQTT'04 82 0000 0000 0001 00", "mqtt: CONNECT: user name holds U+0000 [MQTT-1.5.3-2]"},
		{0, "10 10 0004'MQTT'04 c2 0000 0000 0000 0001", "mqtt: CONNECT: password is cut short [§2.2.3]"},
		{0, "10 0d 0004'MQTT'04 02 0000 0000 00", "mqtt: CONNECT: bytes left over at the end: 1 [§2.2.3]"},
		{0, "10 8d00 0004'MQTT'05 02 0000 00 0000", "mqtt: CONNECT: Remaining Length takes more bytes than it needs [MQTT-1.5.5-1]"},
		{0, "10 8c00 0004'MQTT'04 02 0000 0000", ""},
		{0, "10 17 0004'MQTT'05 02 0000 0a 21000a 220000 21000a 00 0000", "mqtt: CONNECT: receive maximum is given twice [§2.2.2.2]"},
		{0, "10 10 0004'MQTT'05 02 0000 03 210000 0000", "mqtt: CONNECT: receive maximum is 0 [§2.2.2.2]"},
		{0, "10 0f 0004'MQTT'05 02 0000 02 1702 0000", "mqtt: CONNECT: request problem information is 2, want 0 or 1 [§2.2.2.2]"},
		{0, "10 10 0004'MQTT'05 02 0000 03 230001 0000", "mqtt: CONNECT: topic alias may not stand here [§2.2.2.2]"},
		{0, "10 11 0004'MQTT'05 02 0000 04 160001'x' 0000", "mqtt: CONNECT: authentication data without an authentication method [§3.1.2.11.10]"},
		{0, "10 18 0004'MQTT'05 06 0000 00 0000 05 1100000001 0001'a' 0000", "mqtt: CONNECT: session expiry interval may not stand in a will [§2.2.2.2]"},

		// CONNACK
		{V311, "20 02 02 00", "mqtt: CONNACK: reserved flags are 0x02, want 0 [§3.2.2.1]"},
		{V311, "20 02 01 05", "mqtt: CONNACK: session present is set beside code 0x05 [MQTT-3.2.2-4]"},
		{V311, "20 02 00 06", "mqtt: CONNACK: code 0x06 is not defined [§3.2.2.3]"},
		{V5, "20 03 00 01 00", "mqtt: CONNACK: code 0x01 is not defined [MQTT-3.2.2-8]"},
		{V5, "20 02 00 00", "mqtt: CONNACK: property length is cut short [§2.1.4]"},

		// PUBLISH
		{V311, "36", "mqtt: PUBLISH: QoS is 3, want 0, 1 or 2 [MQTT-3.3.1-4]"},
		{V311, "38", "mqtt: PUBLISH: DUP is set on QoS 0 [MQTT-3.3.1-2]"},
		{V311, "30 02 0000", "mqtt: PUBLISH: topic is empty [MQTT-4.7.3-1]"},
		{V311, "30 05 0003'a/+'", "mqtt: PUBLISH: topic \"a/+\" holds a wildcard [MQTT-3.3.2-2]"},
		{V311, "30 05 0003'a/#'", "mqtt: PUBLISH: topic \"a/#\" holds a wildcard [MQTT-3.3.2-2]"},
		{V311, "30 05 0003 610062", "mqtt: PUBLISH: topic holds U+0000 [MQTT-1.5.3-2]"},
		{V5, "30 06 0003 610062 00", "mqtt: PUBLISH: topic holds U+0000 [MQTT-1.5.4-2]"},
		{V311, "30 06 0004 61eda080", "mqtt: PUBLISH: topic is not UTF-8 at byte 1 [MQTT-1.5.3-1]"},
		{V311, "30 05 0003 61c0af", "mqtt: PUBLISH: topic is not UTF-8 at byte 1 [MQTT-1.5.3-1]"},
		{V5, "30 04 0001 ff 00", "mqtt: PUBLISH: topic is not UTF-8 at byte 0 [MQTT-1.5.4-1]"},
		{V311, "30 03 0002'a'", "mqtt: PUBLISH: topic is cut short [§2.2.3]"},
		{V311, "32 03 0001'a'", "mqtt: PUBLISH: packet identifier is cut short [§2.2.3]"},
		{V311, "32 05 0001'a' 0000", "mqtt: PUBLISH: packet identifier is 0 [MQTT-2.3.1-1]"},
		{V5, "32 06 0001'a' 0000 00", "mqtt: PUBLISH: packet identifier is 0 [MQTT-2.2.1-3]"},
		{V5, "30 03 0000 00", "mqtt: PUBLISH: topic is empty [MQTT-4.7.3-1]"},
		{V5, "30 06 0000 03 230001", ""},
		{V5, "30 06 0000 03 230000", "mqtt: PUBLISH: topic alias is 0 [§2.2.2.2]"},
		{V5, "30 05 0001'a' 02 05", "mqtt: PUBLISH: property list is cut short [§2.1.4]"},
		{V5, "30 05 0001'a' 01 05", "mqtt: PUBLISH: property 0x05 is not defined [§2.2.2.2]"},
		{V5, "30 05 0001'a' 01 ff", "mqtt: PUBLISH: property 0xff is not defined [§2.2.2.2]"},
		{V5, "30 05 0001'a' 8000", "mqtt: PUBLISH: property length takes more bytes than it needs [MQTT-1.5.5-1]"},
		{V5, "30 08 0001'a' ffffffff01", "mqtt: PUBLISH: property length has more than four bytes [§1.5.5]"},
		{V5, "30 08 0001'a' 04 080001'#'", "mqtt: PUBLISH: response topic \"#\" holds a wildcard [MQTT-3.3.2-14]"},
		{V5, "30 07 0001'a' 03 080000", "mqtt: PUBLISH: response topic is empty [MQTT-4.7.3-1]"},
		{V5, "30 06 0001'a' 02 0102", "mqtt: PUBLISH: payload format indicator is 2, want 0 or 1 [§2.2.2.2]"},
		{V5, "30 08 0001'a' 04 0b01 0b02", ""},
		{V5, "30 0b 0001'a' 07 260001'k'0002'v'", "mqtt: PUBLISH: user property is cut short [§2.1.4]"},

		// acknowledgements
		{V311, "40 02 0000", "mqtt: PUBACK: packet identifier is 0 [MQTT-2.3.1-1]"},
		{V311, "50 01 00", "mqtt: PUBREC: packet identifier is cut short [§2.2.3]"},
		{V5, "40 03 0001 01", "mqtt: PUBACK: code 0x01 is not defined [MQTT-3.4.2-1]"},
		{V5, "50 03 0001 92", "mqtt: PUBREC: code 0x92 is not defined [MQTT-3.5.2-1]"},
		{V5, "62 03 0001 10", "mqtt: PUBREL: code 0x10 is not defined [MQTT-3.6.2-1]"},
		{V5, "70 03 0001 10", "mqtt: PUBCOMP: code 0x10 is not defined [MQTT-3.7.2-1]"},
		{V5, "70 04 0001 92 00", ""},

		// SUBSCRIBE, UNSUBSCRIBE
		{V311, "82 02 0001", "mqtt: SUBSCRIBE: has no topic filter [MQTT-3.8.3-3]"},
		{V5, "82 03 0001 00", "mqtt: SUBSCRIBE: has no topic filter [MQTT-3.8.3-2]"},
		{V311, "a2 02 0001", "mqtt: UNSUBSCRIBE: has no topic filter [MQTT-3.10.3-2]"},
		{V311, "82 06 0000 0001'a' 00", "mqtt: SUBSCRIBE: packet identifier is 0 [MQTT-2.3.1-1]"},
		{V311, "82 05 0001 0000 00", "mqtt: SUBSCRIBE: topic filter \"\" is empty [MQTT-4.7.3-1]"},
		{V311, "82 07 0001 0002'a#' 00", "mqtt: SUBSCRIBE: topic filter \"a#\" has # that is not the whole last level [MQTT-4.7.1-2]"},
		{V311, "82 08 0001 0003'#/a' 00", "mqtt: SUBSCRIBE: topic filter \"#/a\" has # that is not the whole last level [MQTT-4.7.1-2]"},
		{V5, "82 09 0001 00 0003'#/a' 00", "mqtt: SUBSCRIBE: topic filter \"#/a\" has # that is not the whole last level [MQTT-4.7.1-1]"},
		{V311, "a2 06 0001 0002'a+'", "mqtt: UNSUBSCRIBE: topic filter \"a+\" has + that is not a whole level [MQTT-4.7.1-3]"},
		{V311, "82 07 0001 0002'+a' 00", "mqtt: SUBSCRIBE: topic filter \"+a\" has + that is not a whole level [MQTT-4.7.1-3]"},
		{V311, "82 06 0001 0001'a' 03", "mqtt: SUBSCRIBE: QoS is 3, want 0, 1 or 2 [MQTT-3-8.3-4]"},
		{V311, "82 06 0001 0001'a' 04", "mqtt: SUBSCRIBE: reserved options are 0x04, want 0 [MQTT-3-8.3-4]"},
		{V5, "82 07 0001 00 0001'a' 40", "mqtt: SUBSCRIBE: reserved options are 0x40, want 0 [MQTT-3.8.3-5]"},
		{V5, "82 07 0001 00 0001'a' 30", "mqtt: SUBSCRIBE: retain handling is 3, want 0, 1 or 2 [§3.8.3.1]"},
		{V5, "82 10 0001 00 000a'$share/n/f' 04", "mqtt: SUBSCRIBE: no local is set on the shared subscription \"$share/n/f\" [MQTT-3.8.3-4]"},
		{V5, "82 0e 0001 00 0008'$share/n' 00", "mqtt: SUBSCRIBE: \"$share/n\" is a shared subscription without share name and filter [MQTT-4.8.2-2]"},
		{V5, "82 09 0001 02 0b00 0001'a' 00", "mqtt: SUBSCRIBE: subscription identifier is 0 [§2.2.2.2]"},
		{V5, "82 0b 0001 04 0b01 0b02 0001'a' 00", "mqtt: SUBSCRIBE: subscription identifier is given twice [§2.2.2.2]"},
		{V311, "82 05 0001 0001'a'", "mqtt: SUBSCRIBE: subscription options is cut short [§2.2.3]"},

		// SUBACK, UNSUBACK, DISCONNECT, AUTH
		{V311, "90 02 0001", "mqtt: SUBACK: has no code [§3.9.3]"},
		{V311, "90 03 0001 03", "mqtt: SUBACK: code 0x03 is not defined [MQTT-3.9.3-2]"},
		{V5, "90 04 0001 00 03", "mqtt: SUBACK: code 0x03 is not defined [MQTT-3.9.3-2]"},
		{V311, "b0 03 0001 00", "mqtt: UNSUBACK: bytes left over at the end: 1 [§2.2.3]"},
		{V5, "b0 03 0001 00", "mqtt: UNSUBACK: has no code [§3.11.3]"},
		{V5, "b0 04 0001 00 01", "mqtt: UNSUBACK: code 0x01 is not defined [MQTT-3.11.3-2]"},
		{V5, "e0 01 01", "mqtt: DISCONNECT: code 0x01 is not defined [MQTT-3.14.2-1]"},
		{V5, "e0 01 04", ""},
		{V5, "f0 01 18", "mqtt: AUTH: property length is cut short [§2.1.4]"},
		{V5, "f0 02 01 00", "mqtt: AUTH: code 0x01 is not defined [MQTT-3.15.2-1]"},
	} {
		for _, size := range []int{0, 1, 3} {
			d := Decoder{Limit: 1000, Version: tt.v}
			_, err := decodeAll(&d, wire(tt.in), size)
			if got := textOf(err); got != tt.want {
				t.Errorf("%v %s in pieces of %d\n got %q\nwant %q", tt.v, tt.in, size, got, tt.want)
			}
		}
	}
}

// TestRoundTrip holds each form of each packet: what it means, and that it is written as it came.
func TestRoundTrip(t *testing.T) {
	for _, tt := range []struct {
		v    Version
		in   string
		want Packet
	}{
		{V311, "10 0e 0004'MQTT'04 02 003c 0002'id'", Packet{Type: CONNECT, Connect: &Connect{Version: V311, Clean: true, KeepAlive: 60, ClientID: []byte("id")}}},
		{
			V311, "10 1e 0004'MQTT'04 f4 ffff 0002'id' 0003'a/b' 0002'go' 0002'me' 0001 00",
			Packet{Type: CONNECT, Connect: &Connect{
				Version: V311, KeepAlive: 65535, ClientID: []byte("id"),
				HasUsername: true, HasPassword: true, Username: []byte("me"), Password: []byte{0},
				Will: &Will{Topic: []byte("a/b"), Payload: []byte("go"), QoS: 2, Retain: true},
			}},
		},
		{V311, "10 0e 0004'MQTT'04 82 0000 0000 0000", Packet{Type: CONNECT, Connect: &Connect{Version: V311, Clean: true, HasUsername: true}}},
		{
			V5, "10 1e 0004'MQTT'05 06 0000 05 1100000e10 0001'c' 05 1800000001 0001'w' 0000",
			Packet{Type: CONNECT, Properties: wire("1100000e10"), Connect: &Connect{
				Version: V5, Clean: true, ClientID: []byte("c"),
				Will: &Will{Topic: []byte("w"), Properties: wire("1800000001")},
			}},
		},
		{V311, "20 02 01 00", Packet{Type: CONNACK, SessionPresent: true}},
		{V311, "20 02 00 05", Packet{Type: CONNACK, Code: 5}},
		{V5, "20 06 00 00 03 210014", Packet{Type: CONNACK, Properties: wire("210014")}},
		{V311, "30 05 0003'a/b'", Packet{Type: PUBLISH, Topic: []byte("a/b")}},
		{V311, "31 08 0006'客厅'", Packet{Type: PUBLISH, Retain: true, Topic: []byte("客厅")}},
		{V311, "3a 07 0001'a' 000a 0102", Packet{Type: PUBLISH, Dup: true, QoS: 1, ID: 10, Topic: []byte("a"), Payload: []byte{1, 2}}},
		{V311, "34 05 0001'a' ffff", Packet{Type: PUBLISH, QoS: 2, ID: 65535, Topic: []byte("a")}},
		{V5, "32 0a 0001'a' 0001 03 230007 ff", Packet{Type: PUBLISH, QoS: 1, ID: 1, Topic: []byte("a"), Payload: []byte{0xff}, Properties: wire("230007")}},
		{V311, "40 02 0001", Packet{Type: PUBACK, ID: 1}},
		{V5, "40 02 0001", Packet{Type: PUBACK, ID: 1}},
		{V5, "40 03 0001 10", Packet{Type: PUBACK, ID: 1, Code: 0x10}},
		{V5, "40 08 0001 10 04 1f0001'x'", Packet{Type: PUBACK, ID: 1, Code: 0x10, Properties: wire("1f0001'x'")}},
		{V311, "50 02 0001", Packet{Type: PUBREC, ID: 1}},
		{V311, "62 02 0001", Packet{Type: PUBREL, ID: 1}},
		{V311, "70 02 0001", Packet{Type: PUBCOMP, ID: 1}},
		{V311, "82 0a 0001 0001'+' 01 0001'#' 02", Packet{Type: SUBSCRIBE, ID: 1, Filters: []Filter{{Topic: []byte("+"), QoS: 1}, {Topic: []byte("#"), QoS: 2}}}},
		{V5, "82 09 0001 02 0b01 0001'a' 2d", Packet{Type: SUBSCRIBE, ID: 1, Properties: wire("0b01"), Filters: []Filter{{Topic: []byte("a"), QoS: 1, NoLocal: true, RetainAsPublished: true, RetainHandling: 2}}}},
		{V311, "90 05 0001 00 01 80", Packet{Type: SUBACK, ID: 1, Codes: []byte{0, 1, 0x80}}},
		{V5, "90 04 0001 00 a2", Packet{Type: SUBACK, ID: 1, Codes: []byte{0xa2}}},
		{V311, "a2 09 0001 0005'a/+/#'", Packet{Type: UNSUBSCRIBE, ID: 1, Filters: []Filter{{Topic: []byte("a/+/#")}}}},
		{V311, "b0 02 0001", Packet{Type: UNSUBACK, ID: 1}},
		{V5, "b0 04 0001 00 11", Packet{Type: UNSUBACK, ID: 1, Codes: []byte{0x11}}},
		{V311, "c0 00", Packet{Type: PINGREQ}},
		{V311, "d0 00", Packet{Type: PINGRESP}},
		{V311, "e0 00", Packet{Type: DISCONNECT}},
		{V5, "e0 00", Packet{Type: DISCONNECT}},
		{V5, "e0 01 8e", Packet{Type: DISCONNECT, Code: 0x8e}},
		{V5, "e0 07 00 05 1100000001", Packet{Type: DISCONNECT, Properties: wire("1100000001")}},
		{V5, "f0 00", Packet{Type: AUTH}},
		{V5, "f0 06 18 04 150001'x'", Packet{Type: AUTH, Code: 0x18, Properties: wire("150001'x'")}},
	} {
		raw := wire(tt.in)
		for size := range len(raw) + 1 {
			d := Decoder{Version: tt.v}
			got, err := decodeAll(&d, raw, size)
			if err != nil || len(got) != 1 {
				t.Errorf("%v %s in pieces of %d: %d packets, %v", tt.v, tt.in, size, len(got), err)
				break
			}
			if diff := cmp.Diff(clone(&tt.want), got[0]); diff != "" {
				t.Errorf("%v %s in pieces of %d (-want +got)\n%s", tt.v, tt.in, size, diff)
			}
			if d.rest != nil {
				t.Errorf("%v %s in pieces of %d: a buffer is held between packets", tt.v, tt.in, size)
			}
		}
		before := []byte("before")
		if got := AppendPacket(before, &tt.want, tt.v); string(got) != "before"+string(raw) {
			t.Errorf("%v %s: encoded as %x", tt.v, tt.in, got[len(before):])
		}
	}
}

// TestFirstConnectDecides: a decoder without a version takes that of the first CONNECT.
func TestFirstConnectDecides(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Version
	}{
		{"10 0c 0004'MQTT'04 02 0000 0000", V311},
		{"10 0d 0004'MQTT'05 02 0000 00 0000", V5},
		{"10 0c 0004'MQTT'06 02 0000 0000", V5},     // refused in the newest form known
		{"10 0c 0004'MQTT'84 02 0000 0000", V311},   // a bridge that asks for 3.1.1
		{"10 0e 0006'MQIsdp'03 02 0000 0000", V311}, // 3.1: refused in a form it knows
	} {
		var d Decoder
		_, _ = decodeAll(&d, wire(tt.in), 0) // some are refused, all decide
		if d.Version != tt.want {
			t.Errorf("%s: %v, want %v", tt.in, d.Version, tt.want)
		}
	}
}

// TestErrorEndsTheStream: what failed once stays failed, whoever failed, and holds nothing.
func TestErrorEndsTheStream(t *testing.T) {
	half := Decoder{Version: V311, Limit: 100}
	if err := half.Push(wire("30 80"), nil); err != nil || half.Buffered() != 2 {
		t.Errorf("half a header: %v, %d bytes held, want 2", err, half.Buffered())
	}
	if err := half.Push(wire("7f"), nil); err == nil || half.Buffered() != 0 {
		t.Errorf("the header of a packet too large: %v, %d bytes held, want an error and 0", err, half.Buffered())
	}
	mine := errors.New("mine")
	d := Decoder{Version: V311}
	n := 0
	for range 2 {
		err := d.Push(wire("c000 c000 c0"), func(*Packet) error { n++; return mine })
		if err != mine || n != 1 || d.Buffered() != 0 {
			t.Errorf("Push: %v after %d packets with %d bytes held, want mine after 1 with 0", err, n, d.Buffered())
		}
	}
}

// TestAnnouncedLengthCostsNothing: 5,000 connections that announce large packets hold what they sent.
func TestAnnouncedLengthCostsNothing(t *testing.T) {
	d := Decoder{Version: V311}
	if err := d.Push(wire("30 f0ff0f 0001"), nil); err != nil {
		t.Fatal(err)
	}
	if got := cap(d.rest.b); d.Buffered() != 6 || got > 512 {
		t.Errorf("a packet of 262 kB is announced: %d bytes are held in %d, want 6 in 512", d.Buffered(), got)
	}
	piece := make([]byte, 100)
	for d.Buffered() < 200_000 {
		if err := d.Push(piece, nil); err != nil {
			t.Fatal(err)
		}
		if got := cap(d.rest.b); got > max(512, 4*d.Buffered()) {
			t.Fatalf("%d bytes are held in %d, want at most four times as many", d.Buffered(), got)
		}
	}
}

// TestFilterLimit: a packet of the shortest filters may not become eight times its size in memory.
func TestFilterLimit(t *testing.T) {
	for _, tt := range []struct {
		n    int
		want string
	}{
		{maxFilters, ""},
		{maxFilters + 1, "mqtt: SUBSCRIBE: more topic filters than the limit of 1024 [§4.2]"},
	} {
		d := Decoder{Version: V311}
		_, err := decodeAll(&d, packet(0x82, "0001"+strings.Repeat("00016100", tt.n)), 0)
		if got := textOf(err); got != tt.want {
			t.Errorf("%d filters\n got %q\nwant %q", tt.n, got, tt.want)
		}
	}
}

// TestWhatCannotBeWritten: lengths that the wire cannot say append nothing.
func TestWhatCannotBeWritten(t *testing.T) {
	long := make([]byte, maxString+1)
	for _, p := range []Packet{
		{Type: CONNECT},
		{Type: PUBLISH, Topic: long},
		{Type: SUBSCRIBE, Filters: []Filter{{Topic: long}}},
		{Type: CONNECT, Connect: &Connect{Version: V311, ClientID: long}},
		{Type: CONNECT, Connect: &Connect{Version: V311, Will: &Will{Payload: long}}},
	} {
		if got := AppendPacket([]byte("x"), &p, V311); string(got) != "x" {
			t.Errorf("%v: %d bytes were appended, want none", p.Type, len(got)-1)
		}
	}
	if got := AppendPublish([]byte("x"), V311, string(long), nil, 0, 0, false, false); string(got) != "x" {
		t.Errorf("AppendPublish: %d bytes were appended, want none", len(got)-1)
	}
}

func TestValidTopicAndFilter(t *testing.T) {
	for _, tt := range []struct {
		in            string
		topic, filter bool
	}{
		{"a", true, true},
		{"/", true, true},
		{"客厅/灯", true, true},
		{"$share/n/f", true, true},
		{"", false, false},
		{"+", false, true},
		{"a/+/b", false, true},
		{"#", false, true},
		{"a/#", false, true},
		{"a/#/b", false, false},
		{"a+", false, false},
		{"+a/b", false, false},
		{"a\x00", false, false},
		{"\xff", false, false},
		{strings.Repeat("a", maxString), true, true},
		{strings.Repeat("a", maxString+1), false, false},
	} {
		if topic, filter := ValidTopic(tt.in), ValidFilter(tt.in); topic != tt.topic || filter != tt.filter {
			t.Errorf("%q: topic %v, filter %v, want %v, %v", cut(tt.in), topic, filter, tt.topic, tt.filter)
		}
	}
}

func TestPropertiesAppend(t *testing.T) {
	all := []Property{
		{ID: PayloadFormat, Int: 1},
		{ID: MessageExpiry, Int: 1 << 31},
		{ID: ContentType, Value: []byte("json")},
		{ID: CorrelationData, Value: []byte{0, 1}},
		{ID: SubscriptionID, Int: 268435455},
		{ID: TopicAlias, Int: 65535},
		{ID: UserProperty, Key: []byte("k"), Value: []byte("v")},
	}
	var p Properties
	for _, q := range all {
		p = p.Append(q)
	}
	var got []Property
	for q := range p.All() {
		got = append(got, q)
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("properties (-want +got)\n%s", diff)
	}
	d := Decoder{Version: V5}
	if err := d.Push(AppendPacket(nil, &Packet{Type: PUBLISH, Topic: []byte("t"), Properties: p}, V5), func(*Packet) error { return nil }); err != nil {
		t.Error(err)
	}
	if q, ok := p.Find(TopicAlias); !ok || q.Int != 65535 || p.Has(ReasonString) {
		t.Errorf("Find(TopicAlias) = %v, %v; Has(ReasonString) = %v", q, ok, p.Has(ReasonString))
	}
}
