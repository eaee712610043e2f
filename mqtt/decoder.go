package mqtt

import "sync"

const (
	defaultMaxPacket = 256 << 10 // bytes
	maxConnect       = 16 << 10  // bytes of a CONNECT, its will included: nobody knows yet who sends it
	maxRemaining     = 1<<28 - 1 // largest Remaining Length, four bytes of seven bits: MQTT 3.1.1 §2.2.3, MQTT 5 §1.5.5
	maxString        = 1<<16 - 1 // longest string or binary field, its length has two bytes: MQTT 3.1.1 §1.5.3, MQTT 5 §1.5.4
	maxFilters       = 1024      // most filters of one SUBSCRIBE or UNSUBSCRIBE: each costs eight times its shortest form
)

// packets keeps the Packets that decoders hand to their callbacks, for the next Push of any of them.
var packets = sync.Pool{New: func() any { return new(Packet) }}

// A Decoder cuts a stream of bytes into packets and checks them. The zero value, given a Limit, expects a client's
// CONNECT first and takes its version; a client sets Version to what it speaks. One goroutine at a time.
type Decoder struct {
	Limit   int // largest packet, bytes with its fixed header; 0: 262,144
	Version Version

	rest *chunk // what arrived of an unfinished packet; nil: nothing
	err  error
}

// Push takes the next bytes of the stream and calls do with every packet that is whole, in order. What remains of an
// unfinished packet is copied. The first error, of the decoder (a [*ProtocolError]) or of do, ends the stream: every
// later Push returns it. do must not call Push.
func (d *Decoder) Push(b []byte, do func(*Packet) error) error {
	if d.err != nil {
		return d.err
	}
	p := packets.Get().(*Packet)
	if d.err = d.push(b, p, do); d.err != nil {
		d.rest.release()
		d.rest = nil
	}
	p.reset()
	packets.Put(p)
	return d.err
}

// Buffered is how many bytes of an unfinished packet are held.
func (d *Decoder) Buffered() int { return len(d.rest.bytes()) }

func (d *Decoder) push(b []byte, p *Packet, do func(*Packet) error) error {
	for d.rest != nil {
		n, head, err := d.frame(d.rest.b)
		if err != nil {
			return err
		}
		missing := n - len(d.rest.b)
		if n == 0 {
			missing = 1 // the header goes on
		}
		if n == 0 || missing > 0 {
			take := min(missing, len(b))
			if take == 0 {
				return nil
			}
			d.rest = d.rest.appended(b[:take])
			b = b[take:]
			continue
		}
		if err := d.hand(d.rest.b, head, p, do); err != nil {
			return err
		}
		d.rest.release()
		d.rest = nil
	}
	for len(b) > 0 {
		n, head, err := d.frame(b)
		if err != nil {
			return err
		}
		if n == 0 || n > len(b) {
			d.rest = d.rest.appended(b)
			return nil
		}
		if err := d.hand(b[:n:n], head, p, do); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// hand decodes one whole packet and gives it to do.
func (d *Decoder) hand(raw []byte, head int, p *Packet, do func(*Packet) error) error {
	p.reset()
	if err := d.decode(p, raw, head); err != nil {
		return err
	}
	return do(p)
}

// frame reads the fixed header at the start of b, which is not empty: the length of the packet with its header (0 when
// the header is unfinished) and of the header. What is wrong is told by the first byte that shows it.
func (d *Decoder) frame(b []byte) (n, head int, err error) {
	if err := d.first(b[0]); err != nil {
		return 0, 0, err
	}
	remaining := 0
	for i := 1; ; i++ {
		if i == 5 {
			return 0, 0, breach(d.Version, Malformed, "§2.2.3", "§1.5.5", "%s: Remaining Length has more than four bytes", Type(b[0]>>4))
		}
		if i == len(b) {
			return 0, 0, nil
		}
		remaining |= int(b[i]&0x7f) << (7 * (i - 1))
		if b[i] < 0x80 {
			head = i + 1
			break
		}
	}
	if d.Version == V5 && head != headerSize(remaining) {
		return 0, 0, overlong(Type(b[0] >> 4))
	}
	if limit := d.limit(Type(b[0] >> 4)); head+remaining > limit {
		return 0, 0, breach(d.Version, TooLarge, "§2.2.3", "MQTT-3.2.2-15", "%s of %d bytes is announced, the limit is %d",
			Type(b[0]>>4), head+remaining, limit)
	}
	return head + remaining, head, nil
}

func (d *Decoder) limit(of Type) int {
	limit := defaultMaxPacket
	if d.Limit > 0 {
		limit = d.Limit
	}
	if of == CONNECT {
		return min(limit, maxConnect)
	}
	return limit
}

// first checks the first byte of a packet.
func (d *Decoder) first(b byte) error {
	t, flags := Type(b>>4), b&15
	if d.Version == 0 && t != CONNECT {
		return breach(0, ProtocolBroken, "MQTT-3.1.0-1", "", "%s comes first, want CONNECT", t)
	}
	switch t {
	case 0:
		return breach(d.Version, Malformed, "§2.2.1", "§2.1.2", "packet type 0 is reserved")
	case AUTH:
		if d.Version != V5 {
			return breach(d.Version, Malformed, "§2.2.1", "§2.1.2", "packet type 15 is reserved")
		}
	case PUBLISH:
		switch qos := flags >> 1 & 3; {
		case qos == 3:
			return breach(d.Version, Malformed, "MQTT-3.3.1-4", "MQTT-3.3.1-4", "PUBLISH: QoS is 3, want 0, 1 or 2")
		case qos == 0 && flags&8 != 0:
			return breach(d.Version, Malformed, "MQTT-3.3.1-2", "MQTT-3.3.1-2", "PUBLISH: DUP is set on QoS 0")
		}
		return nil
	}
	if want := reservedFlags(t); flags != want {
		clause := [16]string{PUBREL: "MQTT-3.6.1-1", SUBSCRIBE: "MQTT-3.8.1-1", UNSUBSCRIBE: "MQTT-3.10.1-1", DISCONNECT: "MQTT-3.14.1-1", AUTH: "MQTT-3.15.1-1"}[t]
		if clause == "" {
			return breach(d.Version, Malformed, "MQTT-2.2.2-2", "MQTT-2.1.3-1", "%s: reserved flags are %d, want %d", t, flags, want)
		}
		return breach(d.Version, Malformed, clause, clause, "%s: reserved flags are %d, want %d", t, flags, want)
	}
	return nil
}

// reservedFlags is the lower half of the first byte of every type but PUBLISH.
func reservedFlags(t Type) byte {
	if t == PUBREL || t == SUBSCRIBE || t == UNSUBSCRIBE {
		return 2
	}
	return 0
}

// headerSize is the size of a fixed header with this Remaining Length in its shortest form.
func headerSize(remaining int) int {
	switch {
	case remaining < 1<<7:
		return 2
	case remaining < 1<<14:
		return 3
	case remaining < 1<<21:
		return 4
	}
	return 5
}

// reset forgets everything but the memory of a short filter list, so that a pooled packet pins no input.
func (p *Packet) reset() {
	filters := p.Filters
	*p = Packet{}
	if cap(filters) <= 8 {
		clear(filters)
		p.Filters = filters[:0]
	}
}
