package mqtt

import (
	"encoding/binary"
	"iter"
)

// Properties is the property list of an MQTT 5 packet as it stands on the wire, without its length. A Decoder has
// checked it: known, allowed in its packet, none twice that may not be, values in range.
type Properties []byte

// A PropertyID is the identifier of a property, MQTT 5 §2.2.2.2.
type PropertyID uint8

// The properties of MQTT 5.
const (
	PayloadFormat          PropertyID = 0x01
	MessageExpiry          PropertyID = 0x02 // seconds
	ContentType            PropertyID = 0x03
	ResponseTopic          PropertyID = 0x08
	CorrelationData        PropertyID = 0x09
	SubscriptionID         PropertyID = 0x0b
	SessionExpiry          PropertyID = 0x11 // seconds
	AssignedClientID       PropertyID = 0x12
	ServerKeepAlive        PropertyID = 0x13 // seconds
	AuthMethod             PropertyID = 0x15
	AuthData               PropertyID = 0x16
	RequestProblemInfo     PropertyID = 0x17
	WillDelay              PropertyID = 0x18 // seconds
	RequestResponseInfo    PropertyID = 0x19
	ResponseInfo           PropertyID = 0x1a
	ServerReference        PropertyID = 0x1c
	ReasonString           PropertyID = 0x1f
	ReceiveMaximum         PropertyID = 0x21
	TopicAliasMaximum      PropertyID = 0x22
	TopicAlias             PropertyID = 0x23
	MaximumQoS             PropertyID = 0x24
	RetainAvailable        PropertyID = 0x25
	UserProperty           PropertyID = 0x26
	MaximumPacketSize      PropertyID = 0x27 // bytes
	WildcardAvailable      PropertyID = 0x28
	SubscriptionsAvailable PropertyID = 0x29 // subscription identifiers
	SharedAvailable        PropertyID = 0x2a
)

// A Property is one property. Its kind on the wire decides which fields are used.
type Property struct {
	ID    PropertyID
	Int   uint32 // byte, two and four byte integers, variable byte integers
	Value []byte // strings and binary data; the value of a user property
	Key   []byte // the name of a user property
}

// All yields the properties in their order; slices alias p.
func (p Properties) All() iter.Seq[Property] {
	return func(yield func(Property) bool) {
		for r := (body{b: p, v: V5}); len(r.b) > 0; {
			q := r.property()
			if r.err != nil || !yield(q) {
				return
			}
		}
	}
}

// Has reports whether id occurs.
func (p Properties) Has(id PropertyID) bool {
	_, ok := p.Find(id)
	return ok
}

// Find is the first property with this id.
func (p Properties) Find(id PropertyID) (Property, bool) {
	for q := range p.All() {
		if q.ID == id {
			return q, true
		}
	}
	return Property{}, false
}

// Append adds q to the list. It trusts q to be valid.
func (p Properties) Append(q Property) Properties {
	p = append(p, byte(q.ID))
	switch propertyRules[q.ID&63].kind {
	case oneByte:
		return append(p, byte(q.Int))
	case twoBytes:
		return binary.BigEndian.AppendUint16(p, uint16(q.Int))
	case fourBytes:
		return binary.BigEndian.AppendUint32(p, q.Int)
	case variable:
		return appendVariable(p, int(q.Int))
	case pair:
		return appendField(appendField(p, q.Key), q.Value)
	}
	return appendField(p, q.Value)
}

type kind uint8

const (
	oneByte kind = iota + 1 // 0 or 1, all of them
	twoBytes
	fourBytes
	variable
	text
	blob
	pair
)

// inWill stands for a will where a table is by packet type.
const inWill Type = 0

// propertyRules are the rows of MQTT 5 §2.2.2.2.
var propertyRules = [64]struct {
	name    string
	kind    kind
	in      uint16 // packet types as bits
	many    bool   // may occur more than once
	nonZero bool
}{
	PayloadFormat:          {name: "payload format indicator", kind: oneByte, in: in(PUBLISH, inWill)},
	MessageExpiry:          {name: "message expiry interval", kind: fourBytes, in: in(PUBLISH, inWill)},
	ContentType:            {name: "content type", kind: text, in: in(PUBLISH, inWill)},
	ResponseTopic:          {name: "response topic", kind: text, in: in(PUBLISH, inWill)},
	CorrelationData:        {name: "correlation data", kind: blob, in: in(PUBLISH, inWill)},
	SubscriptionID:         {name: "subscription identifier", kind: variable, in: in(PUBLISH, SUBSCRIBE), nonZero: true},
	SessionExpiry:          {name: "session expiry interval", kind: fourBytes, in: in(CONNECT, CONNACK, DISCONNECT)},
	AssignedClientID:       {name: "assigned client identifier", kind: text, in: in(CONNACK)},
	ServerKeepAlive:        {name: "server keep alive", kind: twoBytes, in: in(CONNACK)},
	AuthMethod:             {name: "authentication method", kind: text, in: in(CONNECT, CONNACK, AUTH)},
	AuthData:               {name: "authentication data", kind: blob, in: in(CONNECT, CONNACK, AUTH)},
	RequestProblemInfo:     {name: "request problem information", kind: oneByte, in: in(CONNECT)},
	WillDelay:              {name: "will delay interval", kind: fourBytes, in: in(inWill)},
	RequestResponseInfo:    {name: "request response information", kind: oneByte, in: in(CONNECT)},
	ResponseInfo:           {name: "response information", kind: text, in: in(CONNACK)},
	ServerReference:        {name: "server reference", kind: text, in: in(CONNACK, DISCONNECT)},
	ReasonString:           {name: "reason string", kind: text, in: in(CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH)},
	ReceiveMaximum:         {name: "receive maximum", kind: twoBytes, in: in(CONNECT, CONNACK), nonZero: true},
	TopicAliasMaximum:      {name: "topic alias maximum", kind: twoBytes, in: in(CONNECT, CONNACK)},
	TopicAlias:             {name: "topic alias", kind: twoBytes, in: in(PUBLISH), nonZero: true},
	MaximumQoS:             {name: "maximum QoS", kind: oneByte, in: in(CONNACK)},
	RetainAvailable:        {name: "retain available", kind: oneByte, in: in(CONNACK)},
	UserProperty:           {name: "user property", kind: pair, in: 1<<16 - 1, many: true},
	MaximumPacketSize:      {name: "maximum packet size", kind: fourBytes, in: in(CONNECT, CONNACK), nonZero: true},
	WildcardAvailable:      {name: "wildcard subscription available", kind: oneByte, in: in(CONNACK)},
	SubscriptionsAvailable: {name: "subscription identifiers available", kind: oneByte, in: in(CONNACK)},
	SharedAvailable:        {name: "shared subscription available", kind: oneByte, in: in(CONNACK)},
}

func in(types ...Type) (bits uint16) {
	for _, t := range types {
		bits |= 1 << t
	}
	return bits
}

// properties reads a property list with its length and checks it for where it stands: a packet type or inWill.
func (r *body) properties(where Type) Properties {
	n := r.variable("property length")
	if n > len(r.b) {
		r.short("property list")
	}
	if r.err != nil {
		return nil
	}
	list := r.b[:n:n]
	rest := body{b: list, t: r.t, v: r.v}
	for seen := uint64(0); len(rest.b) > 0; {
		q := rest.property()
		rest.allowed(where, q, seen)
		seen |= 1 << q.ID
		if len(rest.b) == 0 && seen&(1<<AuthData) != 0 && seen&(1<<AuthMethod) == 0 {
			rest.fail(ProtocolBroken, "", "§3.1.2.11.10", "%s: authentication data without an authentication method", r.t)
		}
	}
	if rest.err != nil {
		r.err, r.b = rest.err, nil
		return nil
	}
	r.b = r.b[n:]
	return list
}

// allowed checks one property against its row.
func (r *body) allowed(where Type, q Property, seen uint64) {
	if r.err != nil {
		return
	}
	rule := &propertyRules[q.ID]
	many := rule.many || q.ID == SubscriptionID && where == PUBLISH // one for each subscription that matched
	switch {
	case rule.in&(1<<where) == 0 && where == inWill:
		r.fail(Malformed, "", "§2.2.2.2", "%s: %s may not stand in a will", r.t, rule.name)
	case rule.in&(1<<where) == 0:
		r.fail(Malformed, "", "§2.2.2.2", "%s: %s may not stand here", r.t, rule.name)
	case seen&(1<<q.ID) != 0 && !many:
		r.fail(ProtocolBroken, "", "§2.2.2.2", "%s: %s is given twice", r.t, rule.name)
	case rule.kind == oneByte && q.Int > 1:
		r.fail(ProtocolBroken, "", "§2.2.2.2", "%s: %s is %d, want 0 or 1", r.t, rule.name, q.Int)
	case rule.nonZero && q.Int == 0:
		r.fail(ProtocolBroken, "", "§2.2.2.2", "%s: %s is 0", r.t, rule.name)
	case q.ID == ResponseTopic && len(q.Value) == 0:
		r.fail(BadTopicName, "", "MQTT-4.7.3-1", "%s: response topic is empty", r.t)
	case q.ID == ResponseTopic && wild(q.Value):
		r.fail(BadTopicName, "", "MQTT-3.3.2-14", "%s: response topic %q holds a wildcard", r.t, cut(q.Value))
	}
}

// property reads one property.
func (r *body) property() (q Property) {
	id := r.u8("property")
	if int(id) >= len(propertyRules) || propertyRules[id].kind == 0 {
		r.fail(Malformed, "", "§2.2.2.2", "%s: property %#02x is not defined", r.t, id)
		return q
	}
	q.ID = PropertyID(id)
	name := propertyRules[id].name
	switch propertyRules[id].kind {
	case oneByte:
		q.Int = uint32(r.u8(name))
	case twoBytes:
		q.Int = uint32(r.u16(name))
	case fourBytes:
		q.Int = uint32(r.u16(name)) << 16
		q.Int |= uint32(r.u16(name))
	case variable:
		q.Int = uint32(r.variable(name))
	case text:
		q.Value = r.text(name)
	case blob:
		q.Value = r.binary(name)
	case pair:
		q.Key, q.Value = r.text(name), r.text(name)
	}
	return q
}

// variable reads a variable byte integer of MQTT 5 §1.5.5.
func (r *body) variable(field string) int {
	v := 0
	for i := range 4 {
		c := r.u8(field)
		v |= int(c&0x7f) << (7 * i)
		if c < 0x80 {
			if i > 0 && c == 0 {
				r.fail(Malformed, "", "MQTT-1.5.5-1", "%s: %s takes more bytes than it needs", r.t, field)
			}
			return v
		}
	}
	r.fail(Malformed, "", "§1.5.5", "%s: %s has more than four bytes", r.t, field)
	return 0
}
