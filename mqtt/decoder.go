package mqtt

// A Decoder cuts a stream of bytes into packets and checks them. The zero value, given a Limit, expects a client's
// CONNECT first and takes its version; a client sets Version to what it speaks. One goroutine at a time.
type Decoder struct {
	Limit   int // largest packet, bytes with its fixed header; 0: 262,144
	Version Version
}

// Push takes the next bytes of the stream and calls do with every packet that is whole, in order. What remains of an
// unfinished packet is copied. The first error, of the decoder (a [*ProtocolError]) or of do, ends the stream: every
// later Push returns it. do must not call Push.
func (d *Decoder) Push(b []byte, do func(*Packet) error) error { return nil }

// Buffered is how many bytes of an unfinished packet are held.
func (d *Decoder) Buffered() int { return 0 }
