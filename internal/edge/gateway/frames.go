package gateway

import (
	"encoding/binary"
	"math"
)

// WebSocket frames (RFC 6455 §5.2), as far as devices use them: binary messages of a client, in as many frames as it likes.
// https://www.rfc-editor.org/rfc/rfc6455#section-5.2
const (
	frameMore   = 0x0
	frameText   = 0x1
	frameBinary = 0x2
	frameClose  = 0x8
	framePing   = 0x9
	framePong   = 0xa

	frameFin     = 0x80
	frameMasked  = 0x80
	frameHead    = 14  // the longest: two bytes, eight of length, four of the mask
	frameControl = 125 // the most bytes of a control frame, §5.5

	closeNormal   = 1000
	closeProtocol = 1002
	closeData     = 1003
	closeTooBig   = 1009
)

// A frameError is what a client did against the protocol, and the code it is told.
type frameError struct {
	code uint16
	what string
}

func (e *frameError) Error() string { return "WebSocket: " + e.what }

// frames takes the frames off what a client sends. It is push-driven and holds no payload but that of an unfinished control
// frame; nothing is allocated by a length that was announced.
type frames struct {
	most    int64 // bytes of a message
	message int64 // bytes of the one under way, with those announced
	left    int64 // bytes of the frame under way
	head    [frameHead]byte
	have    uint8  // bytes of head
	at      uint8  // byte of the mask that is next
	inside  bool   // head is whole, and its payload comes
	open    bool   // a message is under way
	control []byte // what came of a control frame
}

// strip leaves the payload of messages in b, from its beginning, and returns how many bytes that is. control is called with
// every whole control frame.
func (f *frames) strip(b []byte, control func(kind byte, payload []byte) error) (n int, err error) {
	for at := 0; at < len(b); {
		if !f.inside {
			took, err := f.header(b[at:])
			if at += took; err != nil {
				return n, err
			}
		}
		if !f.inside {
			break
		}
		part := b[at : at+int(min(f.left, int64(len(b)-at)))]
		at, f.left = at+len(part), f.left-int64(len(part))
		f.unmask(part)
		if f.head[0]&0x8 != 0 {
			err = f.controls(part, control)
		} else {
			n += copy(b[n:], part)
		}
		if f.left > 0 {
			break
		}
		if f.have, f.inside = 0, false; err != nil {
			return n, err
		}
	}
	return n, nil
}

// header takes what b has of a frame's head, and refuses it as early as it can.
func (f *frames) header(b []byte) (took int, err error) {
	for took < len(b) {
		f.head[f.have] = b[took]
		f.have, took = f.have+1, took+1
		switch {
		case f.have == 2:
			if err := f.check(); err != nil {
				return took, err
			}
		case f.have > 2 && f.have == f.size():
			return took, f.begin()
		}
	}
	return took, nil
}

// size is how long the head is that the first two bytes begin.
func (f *frames) size() uint8 {
	switch f.head[1] & 0x7f {
	case 126:
		return 2 + 2 + 4
	case 127:
		return 2 + 8 + 4
	}
	return 2 + 4
}

// check holds the first two bytes to the rules.
func (f *frames) check() error {
	kind, fin := f.head[0]&0xf, f.head[0]&frameFin != 0
	switch {
	case f.head[0]&0x70 != 0:
		return &frameError{closeProtocol, "a reserved bit, without an extension that uses it"}
	case f.head[1]&frameMasked == 0:
		return &frameError{closeProtocol, "a frame without a mask"}
	case kind == frameText:
		return &frameError{closeData, "a text frame, want binary ones"}
	case kind == frameBinary && f.open:
		return &frameError{closeProtocol, "a message within another"}
	case kind == frameMore && !f.open:
		return &frameError{closeProtocol, "the continuation of no message"}
	case kind == frameClose || kind == framePing || kind == framePong:
		if !fin || f.head[1]&0x7f > frameControl {
			return &frameError{closeProtocol, "a control frame that is parted, or of more than 125 bytes"}
		}
	case kind != frameBinary && kind != frameMore:
		return &frameError{closeProtocol, "a frame of an unknown kind"}
	}
	return nil
}

// begin starts the payload of a frame whose head is whole.
func (f *frames) begin() error {
	switch f.left = int64(f.head[1] & 0x7f); f.left {
	case 126:
		f.left = int64(binary.BigEndian.Uint16(f.head[2:]))
	case 127:
		f.left = int64(min(binary.BigEndian.Uint64(f.head[2:]), math.MaxInt64))
	}
	f.at, f.inside = 0, true
	if f.head[0]&0x8 != 0 {
		return nil
	}
	if f.left > f.most-f.message {
		return &frameError{closeTooBig, "a message that is too large"}
	}
	f.message += f.left
	if f.open = f.head[0]&frameFin == 0; !f.open {
		f.message = 0
	}
	return nil
}

func (f *frames) unmask(b []byte) {
	mask := f.head[f.have-4 : f.have]
	for i := range b {
		b[i] ^= mask[f.at&3]
		f.at++
	}
}

// controls keeps part of a control frame, and hands the whole one on.
func (f *frames) controls(part []byte, whole func(kind byte, payload []byte) error) error {
	if f.left > 0 {
		f.control = append(f.control, part...)
		return nil
	}
	if f.control != nil {
		part, f.control = append(f.control, part...), nil
	}
	return whole(f.head[0]&0xf, part)
}

// appendFrame adds the head of a server's frame, which has no mask.
func appendFrame(dst []byte, kind byte, size int) []byte {
	dst = append(dst, frameFin|kind)
	switch {
	case size <= frameControl:
		return append(dst, byte(size))
	case size < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(size))
	}
	return binary.BigEndian.AppendUint64(append(dst, 127), uint64(size))
}
