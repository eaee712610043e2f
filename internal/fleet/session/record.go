package session

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/google/uuid"

	"lampworks/alink"
)

// Subjects of the records of kind [uplink.Session]: what happened to the session of a device.
const (
	beganSubject    = "session.began"
	filtersSubject  = "session.filters"
	releasedSubject = "session.released"
	endedSubject    = "session.ended"
	droppedSubject  = "session.will_dropped"
)

// A Filter is one subscription.
type Filter struct {
	Text string
	QoS  uint8
	ID   uint32 // subscription identifier of MQTT 5; 0: none
}

// A Will is what a device wants said when it goes without goodbye: a message on one of its own topics (遗嘱).
type Will struct {
	Product  string // UUID
	Template alink.Template
	Arg      string // at most 255 bytes
	Delay    time.Duration
	Payload  []byte
}

// Began says that a connection has the session of its device.
type Began struct {
	Epoch uint64
	Clean bool          // what an earlier connection left is forgotten
	Lasts time.Duration // how long the session stays after this connection; 0: it ends with it
	Will  *Will
}

// Ended says that a connection is over.
type Ended struct {
	Epoch uint64
	Will  bool // the device went without goodbye, or wants its will said all the same
	Lasts time.Duration
}

type filters struct {
	epoch uint64
	list  []Filter
}

type released struct {
	epoch uint64
	id    uint16
}

const form = 1 // first byte of every body; a later form gets the next number and old records stay readable

var errForm = errors.New("the record holds nothing of a session of a known form")

const (
	flagClean = 1 << iota
	flagWill
)

func (b *Began) append(dst []byte) ([]byte, error) {
	flags := byte(0)
	if b.Clean {
		flags |= flagClean
	}
	if b.Will != nil {
		flags |= flagWill
	}
	dst = header(dst, b.Epoch, flags, b.Lasts)
	if b.Will == nil {
		return dst, nil
	}
	return b.Will.append(dst)
}

// header is what began and ended have in common: form, epoch (8), flags, seconds (4).
func header(dst []byte, epoch uint64, flags byte, lasts time.Duration) []byte {
	dst = binary.BigEndian.AppendUint64(append(dst, form), epoch)
	return binary.BigEndian.AppendUint32(append(dst, flags), uint32(lasts/time.Second))
}

func readHeader(b []byte) (epoch uint64, flags byte, lasts time.Duration, rest []byte, err error) {
	if len(b) < 14 || b[0] != form {
		return 0, 0, 0, nil, errForm
	}
	return binary.BigEndian.Uint64(b[1:]), b[9], time.Duration(binary.BigEndian.Uint32(b[10:])) * time.Second, b[14:], nil
}

func readBegan(b []byte) (Began, error) {
	epoch, flags, lasts, rest, err := readHeader(b)
	if err != nil {
		return Began{}, err
	}
	out := Began{Epoch: epoch, Clean: flags&flagClean != 0, Lasts: lasts}
	if flags&flagWill != 0 {
		w, err := readWill(rest)
		out.Will = &w
		return out, err
	}
	return out, nil
}

// append adds product (16), topic template (1), length of the argument (1), argument, delay in seconds (4), payload.
func (w *Will) append(dst []byte) ([]byte, error) {
	id, err := uuid.Parse(w.Product)
	if err != nil || len(w.Arg) > 255 {
		return dst, errors.New("a will needs a product, and an argument of at most 255 bytes")
	}
	dst = append(append(dst, id[:]...), byte(w.Template), byte(len(w.Arg)))
	dst = binary.BigEndian.AppendUint32(append(dst, w.Arg...), uint32(w.Delay/time.Second))
	return append(dst, w.Payload...), nil
}

// readWill reads what append wrote. The payload aliases b.
func readWill(b []byte) (Will, error) {
	if len(b) < 18 || len(b) < 22+int(b[17]) {
		return Will{}, errForm
	}
	n := 18 + int(b[17])
	return Will{
		Product: uuid.UUID(b[:16]).String(), Template: alink.Template(b[16]), Arg: string(b[18:n]),
		Delay: time.Duration(binary.BigEndian.Uint32(b[n:])) * time.Second, Payload: b[n+4:],
	}, nil
}

func (e *Ended) append(dst []byte) []byte {
	flags := byte(0)
	if e.Will {
		flags |= flagWill
	}
	return header(dst, e.Epoch, flags, e.Lasts)
}

func readEnded(b []byte) (Ended, error) {
	epoch, flags, lasts, rest, err := readHeader(b)
	if err == nil && len(rest) > 0 {
		err = errForm
	}
	return Ended{Epoch: epoch, Will: flags&flagWill != 0, Lasts: lasts}, err
}

func (f *filters) append(dst []byte) []byte {
	return appendFilters(binary.BigEndian.AppendUint64(append(dst, form), f.epoch), f.list)
}

func readFilters(b []byte) (f filters, err error) {
	if len(b) < 9 || b[0] != form {
		return filters{}, errForm
	}
	f.epoch = binary.BigEndian.Uint64(b[1:])
	f.list, err = parseFilters(b[9:])
	return f, err
}

// appendFilters adds each filter: length (2) and bytes of its text, QoS (1), identifier (4).
func appendFilters(dst []byte, list []Filter) []byte {
	for _, f := range list {
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.Text)))
		dst = append(append(dst, f.Text...), f.QoS)
		dst = binary.BigEndian.AppendUint32(dst, f.ID)
	}
	return dst
}

func parseFilters(b []byte) (list []Filter, err error) {
	for len(b) > 0 {
		if len(b) < 7 || len(b) < 7+int(binary.BigEndian.Uint16(b)) {
			return nil, errForm
		}
		n := 2 + int(binary.BigEndian.Uint16(b))
		list = append(list, Filter{Text: string(b[2:n]), QoS: b[n], ID: binary.BigEndian.Uint32(b[n+1:])})
		b = b[n+5:]
	}
	return list, nil
}

// dropped says that a will is not going to be said: form, epoch (8).
func readDropped(b []byte) (epoch uint64, err error) {
	if len(b) != 9 || b[0] != form {
		return 0, errForm
	}
	return binary.BigEndian.Uint64(b[1:]), nil
}

func (r *released) append(dst []byte) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint64(append(dst, form), r.epoch), r.id)
}

func readReleased(b []byte) (released, error) {
	if len(b) != 11 || b[0] != form {
		return released{}, errForm
	}
	return released{epoch: binary.BigEndian.Uint64(b[1:]), id: binary.BigEndian.Uint16(b[9:])}, nil
}
