// Package mqtt owns the MQTT wire: packets of 3.1.1 and 5, a decoder that is pushed bytes, the server's side of one
// connection (Session) and a small client (Client). It knows no devices, no topics by name and opens nothing but what
// Dial is told to.
//
// It promises:
//   - no input panics, and none allocates by a length that was only announced: a Decoder holds what arrived of one
//     unfinished packet, at most its Limit, and nothing while it waits for the first byte of the next;
//   - what breaks the standard is refused with a [ProtocolError] that names the value, the rule and its clause;
//   - a packet that was decoded and encoded again has the same bytes (trailing defaults of MQTT 5 may be left out, a
//     Remaining Length is written in as few bytes as it needs);
//   - a Session does no I/O, starts no goroutine, holds no buffer while idle, and its PUBACKs leave in the order in
//     which the PUBLISHes came;
//   - decoding a PUBLISH, answering it and encoding one allocate nothing.
//
// Sessions speak 3.1.1 and 5 with QoS 0, 1 and 2. What must outlive a connection (subscriptions, identifiers of QoS 2
// that were not released, messages on their way) a handler gives back to the next one: [Welcome.Held], [Outgoing.Dup].
// Enhanced authentication is refused as the standard asks.
package mqtt

// A Version is a protocol level as CONNECT carries it.
type Version uint8

// The levels that are spoken here.
const (
	V311 Version = 4
	V5   Version = 5
)

// String names the version as people do.
func (v Version) String() string {
	switch v {
	case V311:
		return "MQTT 3.1.1"
	case V5:
		return "MQTT 5"
	case 0:
		return "MQTT of unknown version"
	}
	return "MQTT level " + itoa(int(v))
}

// A Type is the kind of a packet: the upper half of its first byte.
type Type uint8

// The packet types of MQTT 3.1.1 §2.2.1 and MQTT 5 §2.1.2.
const (
	CONNECT Type = iota + 1
	CONNACK
	PUBLISH
	PUBACK
	PUBREC
	PUBREL
	PUBCOMP
	SUBSCRIBE
	SUBACK
	UNSUBSCRIBE
	UNSUBACK
	PINGREQ
	PINGRESP
	DISCONNECT
	AUTH // MQTT 5 only
)

var typeNames = [16]string{
	"reserved type 0", "CONNECT", "CONNACK", "PUBLISH", "PUBACK", "PUBREC", "PUBREL", "PUBCOMP",
	"SUBSCRIBE", "SUBACK", "UNSUBSCRIBE", "UNSUBACK", "PINGREQ", "PINGRESP", "DISCONNECT", "AUTH",
}

// String is the name in the standard, as "PUBLISH".
func (t Type) String() string { return typeNames[t&15] }

// A Packet is one packet of any type; fields that its type lacks are zero.
// Slices of a decoded packet alias the input and are valid until the callback returns.
type Packet struct {
	Type           Type
	Dup, Retain    bool // PUBLISH
	QoS            uint8
	SessionPresent bool   // CONNACK
	Code           byte   // CONNACK: return code; v5 acknowledgements, DISCONNECT, AUTH: reason code
	ID             uint16 // Packet Identifier, 1..65535 where the type has one
	Topic, Payload []byte // PUBLISH
	Connect        *Connect
	Filters        []Filter   // SUBSCRIBE, UNSUBSCRIBE
	Codes          []byte     // SUBACK; UNSUBACK of MQTT 5
	Properties     Properties // MQTT 5; those of a will are in Connect.Will
}

// A Connect is what CONNECT says. Slices alias the input as those of its Packet.
type Connect struct {
	Version                  Version
	Clean                    bool   // Clean Session of 3.1.1, Clean Start of MQTT 5
	HasUsername, HasPassword bool   // an empty user name is not a missing one
	KeepAlive                uint16 // seconds; 0: the client wants no watching
	ClientID                 []byte // may be empty, if Clean or MQTT 5
	Username, Password       []byte
	Will                     *Will // nil: none
}

// A Will is the message a client leaves to be published when it goes without DISCONNECT.
type Will struct {
	Topic, Payload []byte
	QoS            uint8 // 0..2
	Retain         bool
	Properties     Properties // MQTT 5
}

// A Filter is one topic filter of SUBSCRIBE or UNSUBSCRIBE.
type Filter struct {
	Topic             []byte
	QoS               uint8 // SUBSCRIBE: the most the client wants, 0..2
	NoLocal           bool  // MQTT 5, as the next two
	RetainAsPublished bool
	RetainHandling    uint8 // 0..2
}
