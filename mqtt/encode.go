package mqtt

import "encoding/binary"

// AppendPublish appends a PUBLISH without properties. id is written for qos 1 and 2 only. It trusts its arguments; what
// cannot be written at all (a topic over 65,535 bytes, a packet over 268,435,455) appends nothing.
func AppendPublish(dst []byte, v Version, topic string, payload []byte, qos uint8, id uint16, dup, retain bool) []byte {
	n := publishBody(v, len(topic), len(payload), qos)
	if len(topic) > maxString || n > maxRemaining {
		return dst
	}
	dst = append(dst, publishFirst(qos, dup, retain))
	dst = appendVariable(dst, n)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(topic)))
	dst = append(dst, topic...)
	if qos > 0 {
		dst = binary.BigEndian.AppendUint16(dst, id)
	}
	if v == V5 {
		dst = append(dst, 0)
	}
	return append(dst, payload...)
}

// AppendPuback appends a PUBACK of success, which is the same in both versions.
func AppendPuback(dst []byte, id uint16) []byte {
	return append(dst, byte(PUBACK)<<4, 2, byte(id>>8), byte(id))
}

// AppendPacket appends p as version v has it (CONNECT: as p.Connect.Version). It trusts p to be valid; a packet that
// cannot be written at all (a string over 65,535 bytes, a packet over 268,435,455, a CONNECT without Connect) appends
// nothing.
func AppendPacket(dst []byte, p *Packet, v Version) []byte {
	if !p.writable() {
		return dst
	}
	start := len(dst)
	first := byte(p.Type)<<4 | reservedFlags(p.Type)
	if p.Type == PUBLISH {
		first = publishFirst(p.QoS, p.Dup, p.Retain)
	}
	dst = append(dst, first, 0, 0, 0, 0) // the longest header; what it does not need is closed below
	dst = p.appendBody(dst, v)
	remaining := len(dst) - start - 5
	if remaining > maxRemaining {
		return dst[:start]
	}
	head := headerSize(remaining)
	binary.PutUvarint(dst[start+1:start+5], uint64(remaining)) // the same seven bits a byte, lowest first
	copy(dst[start+head:], dst[start+5:])
	return dst[:start+head+remaining]
}

// writable reports whether every field has a length that the wire can say.
func (p *Packet) writable() bool {
	ok := len(p.Topic) <= maxString && (p.Type != CONNECT || p.Connect != nil)
	for i := range p.Filters {
		ok = ok && len(p.Filters[i].Topic) <= maxString
	}
	if c := p.Connect; c != nil {
		ok = ok && len(c.ClientID) <= maxString && len(c.Username) <= maxString && len(c.Password) <= maxString
		if w := c.Will; w != nil {
			ok = ok && len(w.Topic) <= maxString && len(w.Payload) <= maxString
		}
	}
	return ok
}

func (p *Packet) appendBody(dst []byte, v Version) []byte {
	switch p.Type {
	case CONNECT:
		return p.appendConnect(dst)
	case CONNACK:
		dst = append(dst, bit(p.SessionPresent, 1), p.Code)
		return p.appendProperties(dst, v)
	case PUBLISH:
		dst = appendField(dst, p.Topic)
		if p.QoS > 0 {
			dst = binary.BigEndian.AppendUint16(dst, p.ID)
		}
		return append(p.appendProperties(dst, v), p.Payload...)
	case PUBACK, PUBREC, PUBREL, PUBCOMP:
		return p.appendReason(binary.BigEndian.AppendUint16(dst, p.ID), v)
	case SUBSCRIBE, UNSUBSCRIBE:
		return p.appendFilters(dst, v)
	case SUBACK, UNSUBACK:
		dst = p.appendProperties(binary.BigEndian.AppendUint16(dst, p.ID), v)
		return append(dst, p.Codes...)
	case DISCONNECT, AUTH:
		return p.appendReason(dst, v)
	case PINGREQ, PINGRESP:
	}
	return dst
}

// appendReason appends what MQTT 5 lets out when it says nothing: success, and properties that are none.
func (p *Packet) appendReason(dst []byte, v Version) []byte {
	if v != V5 || p.Code == 0 && len(p.Properties) == 0 {
		return dst
	}
	dst = append(dst, p.Code)
	if len(p.Properties) > 0 || p.Type == AUTH {
		dst = p.appendProperties(dst, v)
	}
	return dst
}

func (p *Packet) appendFilters(dst []byte, v Version) []byte {
	dst = p.appendProperties(binary.BigEndian.AppendUint16(dst, p.ID), v)
	for i := range p.Filters {
		f := &p.Filters[i]
		dst = appendField(dst, f.Topic)
		if p.Type == SUBSCRIBE {
			dst = append(dst, f.QoS|bit(f.NoLocal, 4)|bit(f.RetainAsPublished, 8)|f.RetainHandling<<4)
		}
	}
	return dst
}

func (p *Packet) appendConnect(dst []byte) []byte {
	c := p.Connect
	flags := bit(c.Clean, flagClean) | bit(c.HasUsername, flagUsername) | bit(c.HasPassword, flagPassword)
	if w := c.Will; w != nil {
		flags |= flagWill | w.QoS*flagWillQoS | bit(w.Retain, flagWillRetain)
	}
	dst = append(dst, 0, 4, 'M', 'Q', 'T', 'T', byte(c.Version), flags, byte(c.KeepAlive>>8), byte(c.KeepAlive))
	dst = p.appendProperties(dst, c.Version)
	dst = appendField(dst, c.ClientID)
	if w := c.Will; w != nil {
		if c.Version == V5 {
			dst = append(appendVariable(dst, len(w.Properties)), w.Properties...)
		}
		dst = appendField(appendField(dst, w.Topic), w.Payload)
	}
	if c.HasUsername {
		dst = appendField(dst, c.Username)
	}
	if c.HasPassword {
		dst = appendField(dst, c.Password)
	}
	return dst
}

func (p *Packet) appendProperties(dst []byte, v Version) []byte {
	if v != V5 {
		return dst
	}
	return append(appendVariable(dst, len(p.Properties)), p.Properties...)
}

// publishBody is the Remaining Length of a PUBLISH without properties.
func publishBody(v Version, topic, payload int, qos uint8) int {
	n := 2 + topic + payload
	if qos > 0 {
		n += 2
	}
	if v == V5 {
		n++
	}
	return n
}

func publishFirst(qos uint8, dup, retain bool) byte {
	return byte(PUBLISH)<<4 | qos<<1 | bit(dup, 8) | bit(retain, 1)
}

func appendVariable(dst []byte, n int) []byte { return binary.AppendUvarint(dst, uint64(n)) }

func appendField(dst, b []byte) []byte {
	return append(binary.BigEndian.AppendUint16(dst, uint16(len(b))), b...)
}

func bit(set bool, value byte) byte {
	if set {
		return value
	}
	return 0
}
