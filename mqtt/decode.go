package mqtt

import (
	"bytes"
	"unicode/utf8"
)

// decode reads one whole packet whose fixed header, head bytes long, has been checked.
func (d *Decoder) decode(p *Packet, raw []byte, head int) error {
	p.Type = Type(raw[0] >> 4)
	r := body{b: raw[head:], t: p.Type, v: d.Version}
	switch p.Type {
	case PUBLISH:
		flags := raw[0] & 15
		p.Dup, p.QoS, p.Retain = flags&8 != 0, flags>>1&3, flags&1 != 0
		r.publish(p)
	case CONNECT:
		d.connect(&r, p, head)
	case CONNACK:
		r.connack(p)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		r.ack(p)
	case SUBSCRIBE:
		r.subscribe(p)
	case UNSUBSCRIBE:
		r.unsubscribe(p)
	case SUBACK, UNSUBACK:
		r.codes(p)
	case DISCONNECT:
		r.disconnect(p)
	case AUTH:
		r.auth(p)
	case PINGREQ, PINGRESP: // nothing but the header
	}
	if r.err == nil && len(r.b) > 0 {
		r.fail(Malformed, "§2.2.3", "§2.1.4", "%s: bytes left over at the end: %d", r.t, len(r.b))
	}
	if r.err != nil {
		return r.err
	}
	return nil
}

// A body reads what stands after the fixed header. After the first error every read gives zero.
type body struct {
	b   []byte
	t   Type
	v   Version
	err *ProtocolError
}

func (r *body) fail(code Reason, clause311, clause5, what string, args ...any) {
	if r.err == nil {
		r.err = breach(r.v, code, clause311, clause5, what, args...)
		r.b = nil
	}
}

func (r *body) short(field string) {
	r.fail(Malformed, "§2.2.3", "§2.1.4", "%s: %s is cut short", r.t, field)
}

func (r *body) u8(field string) byte {
	if len(r.b) < 1 {
		r.short(field)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *body) u16(field string) uint16 {
	if len(r.b) < 2 {
		r.short(field)
		return 0
	}
	v := uint16(r.b[0])<<8 | uint16(r.b[1])
	r.b = r.b[2:]
	return v
}

// id reads a Packet Identifier.
func (r *body) id() uint16 {
	v := r.u16("packet identifier")
	if v == 0 {
		r.fail(Malformed, "MQTT-2.3.1-1", "MQTT-2.2.1-3", "%s: packet identifier is 0", r.t)
	}
	return v
}

// binary reads bytes with their length before them.
func (r *body) binary(field string) []byte {
	n := int(r.u16(field))
	if len(r.b) < n {
		r.short(field)
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// text reads a string: UTF-8 without U+0000.
func (r *body) text(field string) []byte {
	v := r.binary(field)
	if !utf8.Valid(v) {
		r.fail(Malformed, "MQTT-1.5.3-1", "MQTT-1.5.4-1", "%s: %s is not UTF-8 at byte %d", r.t, field, invalidAt(v))
	}
	if bytes.IndexByte(v, 0) >= 0 {
		r.fail(Malformed, "MQTT-1.5.3-2", "MQTT-1.5.4-2", "%s: %s holds U+0000", r.t, field)
	}
	return v
}

// name reads a topic name: a text without wildcards.
func (r *body) name(field, clause311, clause5 string) []byte {
	v := r.text(field)
	if r.err == nil && wild(v) {
		r.fail(BadTopicName, clause311, clause5, "%s: %s %q holds a wildcard", r.t, field, cut(v))
	}
	return v
}

// filter reads a topic filter.
func (r *body) filter() []byte {
	v := r.text("topic filter")
	if r.err != nil {
		return nil
	}
	if what, clause311, clause5 := filterFault(v); what != "" {
		r.fail(BadTopicFilter, clause311, clause5, "%s: topic filter %q %s", r.t, cut(v), what)
	}
	return v
}

func (r *body) publish(p *Packet) {
	p.Topic = r.name("topic", "MQTT-3.3.2-2", "MQTT-3.3.2-2")
	if p.QoS > 0 {
		p.ID = r.id()
	}
	if r.v == V5 {
		p.Properties = r.properties(PUBLISH)
	}
	if len(p.Topic) == 0 && r.err == nil && !p.Properties.Has(TopicAlias) {
		r.fail(BadTopicName, "MQTT-4.7.3-1", "MQTT-4.7.3-1", "PUBLISH: topic is empty")
	}
	p.Payload, r.b = r.b, nil
}

func (r *body) connack(p *Packet) {
	flags := r.u8("flags")
	if flags > 1 {
		r.fail(Malformed, "§3.2.2.1", "MQTT-3.2.2-1", "CONNACK: reserved flags are %#02x, want 0", flags&0xfe)
	}
	p.SessionPresent = flags == 1
	p.Code = r.code(CONNACK)
	if p.SessionPresent && p.Code != 0 {
		r.fail(ProtocolBroken, "MQTT-3.2.2-4", "MQTT-3.2.2-6", "CONNACK: session present is set beside code %#02x", p.Code)
	}
	if r.v == V5 {
		p.Properties = r.properties(CONNACK)
	}
}

// ack reads PUBACK, PUBREC, PUBREL and PUBCOMP. In MQTT 5 success without properties may be left out, properties
// without their length, too.
func (r *body) ack(p *Packet) {
	p.ID = r.id()
	if r.v == V5 && len(r.b) > 0 {
		p.Code = r.code(r.t)
		if len(r.b) > 0 {
			p.Properties = r.properties(r.t)
		}
	}
}

func (r *body) subscribe(p *Packet) {
	p.ID = r.id()
	if r.v == V5 {
		p.Properties = r.properties(SUBSCRIBE)
	}
	for len(r.b) > 0 && r.err == nil {
		f := Filter{Topic: r.filter()}
		o := r.u8("subscription options")
		f.QoS = o & 3
		if r.v == V5 {
			f.NoLocal, f.RetainAsPublished, f.RetainHandling = o&4 != 0, o&8 != 0, o>>4&3
			o &= 0xc0
		}
		switch {
		case f.QoS == 3:
			r.fail(Malformed, "MQTT-3-8.3-4", "§3.8.3.1", "SUBSCRIBE: QoS is 3, want 0, 1 or 2")
		case o&0xfc != 0:
			r.fail(Malformed, "MQTT-3-8.3-4", "MQTT-3.8.3-5", "SUBSCRIBE: reserved options are %#02x, want 0", o&0xfc)
		case f.RetainHandling == 3:
			r.fail(ProtocolBroken, "", "§3.8.3.1", "SUBSCRIBE: retain handling is 3, want 0, 1 or 2")
		case r.v == V5 && shared(f.Topic) && !shareNamed(f.Topic):
			r.fail(BadTopicFilter, "", "MQTT-4.8.2-2", "SUBSCRIBE: %q is a shared subscription without share name and filter", cut(f.Topic))
		case f.NoLocal && shared(f.Topic):
			r.fail(ProtocolBroken, "", "MQTT-3.8.3-4", "SUBSCRIBE: no local is set on the shared subscription %q", cut(f.Topic))
		}
		r.keep(p, f)
	}
	if len(p.Filters) == 0 {
		r.fail(ProtocolBroken, "MQTT-3.8.3-3", "MQTT-3.8.3-2", "SUBSCRIBE: has no topic filter")
	}
}

func (r *body) unsubscribe(p *Packet) {
	p.ID = r.id()
	if r.v == V5 {
		p.Properties = r.properties(UNSUBSCRIBE)
	}
	for len(r.b) > 0 && r.err == nil {
		r.keep(p, Filter{Topic: r.filter()})
	}
	if len(p.Filters) == 0 {
		r.fail(ProtocolBroken, "MQTT-3.10.3-2", "MQTT-3.10.3-2", "UNSUBSCRIBE: has no topic filter")
	}
}

// keep adds a filter within the limit.
func (r *body) keep(p *Packet, f Filter) {
	if len(p.Filters) == maxFilters {
		r.fail(QuotaExceeded, "§4.2", "§4.13.2", "%s: more topic filters than the limit of %d", r.t, maxFilters)
	}
	if r.err == nil {
		p.Filters = append(p.Filters, f)
	}
}

// codes reads SUBACK and UNSUBACK.
func (r *body) codes(p *Packet) {
	p.ID = r.id()
	if r.v != V5 && r.t == UNSUBACK {
		return
	}
	if r.v == V5 {
		p.Properties = r.properties(r.t)
	}
	if len(r.b) == 0 {
		clause := "§3.9.3"
		if r.t == UNSUBACK {
			clause = "§3.11.3"
		}
		r.fail(ProtocolBroken, clause, clause, "%s: has no code", r.t)
	}
	codes := r.b
	for len(r.b) > 0 {
		r.code(r.t)
	}
	if r.err == nil {
		p.Codes = codes
	}
}

func (r *body) disconnect(p *Packet) {
	if r.v != V5 || len(r.b) == 0 {
		return
	}
	p.Code = r.code(DISCONNECT)
	if len(r.b) > 0 {
		p.Properties = r.properties(DISCONNECT)
	}
}

func (r *body) auth(p *Packet) {
	if len(r.b) == 0 {
		return
	}
	p.Code = r.code(AUTH)
	p.Properties = r.properties(AUTH)
}

// code reads a reason code that is defined for a packet of type t.
func (r *body) code(t Type) byte {
	v := r.u8("reason code")
	if r.err == nil && !codeDefined(r.v, t, v) {
		clause311 := "MQTT-3.9.3-2"
		if t == CONNACK {
			clause311 = "§3.2.2.3"
		}
		r.fail(Malformed, clause311, codeClauses[t], "%s: code %#02x is not defined", t, v)
	}
	return v
}
