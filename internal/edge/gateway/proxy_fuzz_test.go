package gateway

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"
	"testing/iotest"
)

// again writes what was understood of a header.
func (a announcement) again() []byte {
	b := []byte(proxySignature)
	if !a.from.IsValid() {
		return append(b, proxyLocal, 0, 0, 0)
	}
	family, size := byte(proxyTCP4), 4
	if a.from.Addr().Is6() {
		family, size = proxyTCP6, 16
	}
	body := append(a.from.Addr().AsSlice(), make([]byte, size)...)
	body = binary.BigEndian.AppendUint16(body, a.from.Port())
	body = append(body, 0, 0)
	if a.over {
		body = append(body, proxySSL, 0, 5, proxyClientSSL, 0, 0, 0, 0)
	}
	b = append(b, proxyPass, family)
	return append(binary.BigEndian.AppendUint16(b, uint16(len(body))), body...)
}

// FuzzProxy reads a header off a stream. Byte by byte it is the same; it takes no byte of what follows, and none beyond
// the largest header; what was understood, written again, is understood alike.
func FuzzProxy(f *testing.F) {
	f.Add([]byte(proxySignature + "\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x07\x5b\x10"))
	f.Add([]byte(proxySignature + "\x21\x11\x00\x14\xc0\x00\x02\x01\xc0\x00\x02\x02\x12\x67\x07\x5b\x20\x00\x05\x01\x00\x00\x00\x00"))
	f.Add(append([]byte(proxySignature+"\x21\x21\x00\x24"), make([]byte, 40)...))
	f.Add([]byte(proxySignature + "\x20\x00\x00\x00\x10\x0c"))
	f.Add([]byte(proxySignature + "\x21\x11\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		whole := bytes.NewReader(b)
		a, err := readProxy(whole, make([]byte, proxyMost))
		crumbs, err2 := readProxy(iotest.OneByteReader(bytes.NewReader(b)), make([]byte, proxyMost))
		if a != crumbs || (err == nil) != (err2 == nil) {
			t.Fatalf("in one piece %v %v, byte by byte %v %v", a, err, crumbs, err2)
		}
		took := len(b) - whole.Len()
		if took > proxyMost {
			t.Fatalf("it took %d bytes", took)
		}
		if err != nil {
			return
		}
		if n := proxyFixed + int(binary.BigEndian.Uint16(b[14:])); took != n {
			t.Fatalf("it took %d bytes of a header of %d", took, n)
		}
		back, err := readProxy(bytes.NewReader(a.again()), make([]byte, proxyMost))
		if err != nil || back != a {
			t.Fatalf("understood as %v, written again as %v %v", a, back, err)
		}
		_, _ = io.Copy(io.Discard, whole)
	})
}
