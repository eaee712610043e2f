package mqtt

// Bits of the connect flags, MQTT 3.1.1 §3.1.2.3.
const (
	flagReserved = 1 << iota
	flagClean
	flagWill
	flagWillQoS // two bits
	_
	flagWillRetain
	flagPassword
	flagUsername
)

// connect reads CONNECT. The first one of a Decoder without a version decides it, also when it is refused, so that the
// answer can be written in a form the client knows.
func (d *Decoder) connect(r *body, p *Packet, head int) {
	remaining := len(r.b)
	name := string(r.text("protocol name"))
	level := r.u8("protocol level")
	if r.err != nil {
		return
	}
	v, known := spoken(name, level)
	if d.Version == 0 {
		d.Version = v
	}
	r.v = v
	switch {
	case name != "MQTT" && name != "MQIsdp":
		r.fail(Malformed, "MQTT-3.1.2-1", "MQTT-3.1.2-1", "CONNECT: protocol name is %q, want \"MQTT\"", cut(name))
		return
	case !known:
		r.fail(BadVersion, "MQTT-3.1.2-2", "MQTT-3.1.2-2", "CONNECT: protocol level is %d, want 4 (MQTT 3.1.1) or 5", level)
		return
	case v == V5 && head != headerSize(remaining):
		r.err = overlong(CONNECT)
		return
	}
	c := &Connect{Version: v}
	flags := r.connectFlags(c)
	c.KeepAlive = r.u16("keep alive")
	if v == V5 {
		p.Properties = r.properties(CONNECT)
	}
	c.ClientID = r.text("client identifier")
	if flags&flagWill != 0 {
		c.Will = r.will(flags)
	}
	if c.HasUsername {
		c.Username = r.text("user name")
	}
	if c.HasPassword {
		c.Password = r.binary("password")
	}
	p.Connect = c
}

// spoken is the version that a protocol name and level ask for, and whether it is known here. Of the unknown ones it
// is the version whose CONNACK tells the client; bit 7 of the level marks a bridge and is left out.
func spoken(name string, level byte) (v Version, known bool) {
	if name == "MQTT" && (level == byte(V311) || level == byte(V5)) {
		return Version(level), true
	}
	if name == "MQTT" && level&0x7f >= byte(V5) {
		return V5, false
	}
	return V311, false
}

func (r *body) connectFlags(c *Connect) byte {
	flags := r.u8("connect flags")
	c.Clean = flags&flagClean != 0
	c.HasUsername = flags&flagUsername != 0
	c.HasPassword = flags&flagPassword != 0
	qos := flags / flagWillQoS & 3
	will := flags&flagWill != 0
	switch {
	case flags&flagReserved != 0:
		r.fail(Malformed, "MQTT-3.1.2-3", "MQTT-3.1.2-3", "CONNECT: reserved flag is 1, want 0")
	case !will && qos != 0:
		r.fail(Malformed, "MQTT-3.1.2-13", "MQTT-3.1.2-11", "CONNECT: will QoS is %d without a will", qos)
	case !will && flags&flagWillRetain != 0:
		r.fail(Malformed, "MQTT-3.1.2-15", "MQTT-3.1.2-13", "CONNECT: will retain is set without a will")
	case qos == 3:
		r.fail(Malformed, "MQTT-3.1.2-14", "MQTT-3.1.2-12", "CONNECT: will QoS is 3, want 0, 1 or 2")
	case r.v != V5 && c.HasPassword && !c.HasUsername:
		r.fail(Malformed, "MQTT-3.1.2-22", "", "CONNECT: has a password and no user name")
	}
	return flags
}

func (r *body) will(flags byte) *Will {
	w := &Will{QoS: flags / flagWillQoS & 3, Retain: flags&flagWillRetain != 0}
	if r.v == V5 {
		w.Properties = r.properties(inWill)
	}
	w.Topic = r.name("will topic", "MQTT-4.7.1-1", "MQTT-4.7.0-1")
	if len(w.Topic) == 0 {
		r.fail(BadTopicName, "MQTT-4.7.3-1", "MQTT-4.7.3-1", "CONNECT: will topic is empty")
	}
	w.Payload = r.binary("will message")
	return w
}
