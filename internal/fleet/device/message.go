package device

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/google/uuid"

	"lampworks/alink"
)

// A Message is the body of an uplink record of kind [uplink.Message]: what a device said on one of its topics, after the
// gateway checked it against the thing model. It carries its product, so that a consumer need not look the device up.
type Message struct {
	Product  string         // UUID of the product
	Template alink.Template // the topic, without names
	Arg      string         // event or service identifier, or the free part of a user topic; at most 255 bytes
	Payload  []byte         // the bytes as they came

	// Of messages of a session that outlives its connection:
	PacketID uint16 // of QoS 2, which is held until the device releases it; 0: none
	Epoch    uint64 // of the connection that one of QoS 2 came over; 0: of a record that did not say so yet
	WillOf   uint64 // epoch of the session whose will it is; 0: it is none
	Via      string // the gateway whose session it came through; empty: the device's own
}

// First byte of the body; a later form gets the next number and old records stay readable.
const (
	messageForm  = 1
	sessionsForm = 2 // with packet identifier and epoch
	carriedForm  = 3 // and the gateway it came through
)

// OfSession reports whether the body of a record of kind [uplink.Message] says something about the session of its device.
func OfSession(body []byte) bool {
	return len(body) > 0 && (body[0] == sessionsForm || body[0] == carriedForm)
}

// Append adds the encoded message to dst: form (1), product (16), template (1), length of Arg (1), Arg; of a session's, packet
// identifier (2; 0: it is a will) and epoch (8), and of a session of a gateway its id (16); payload.
func (m *Message) Append(dst []byte) ([]byte, error) {
	id, err := uuid.Parse(m.Product)
	if err != nil {
		return dst, fmt.Errorf("encoding a message of product %q: %w", m.Product, err)
	}
	if len(m.Arg) > 255 {
		return dst, fmt.Errorf("encoding a message: the topic argument has %d bytes, at most 255 are kept", len(m.Arg))
	}
	ofSession := m.PacketID != 0 || m.WillOf != 0
	form := byte(messageForm)
	var via uuid.UUID
	switch {
	case ofSession && m.Via != "":
		form = carriedForm
		if via, err = uuid.Parse(m.Via); err != nil {
			return dst, fmt.Errorf("encoding a message through gateway %q: %w", m.Via, err)
		}
	case ofSession:
		form = sessionsForm
	}
	dst = append(dst, form)
	dst = append(dst, id[:]...)
	dst = append(dst, byte(m.Template), byte(len(m.Arg)))
	dst = append(dst, m.Arg...)
	if ofSession {
		epoch := m.WillOf
		if m.PacketID != 0 {
			epoch = m.Epoch
		}
		dst = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint16(dst, m.PacketID), epoch)
	}
	if form == carriedForm {
		dst = append(dst, via[:]...)
	}
	return append(dst, m.Payload...), nil
}

func known(form byte) bool { return form == messageForm || form == sessionsForm || form == carriedForm }

var errMessage = errors.New("the record holds no device message of a known form")

// DecodeMessage reads the body of an uplink record. Payload aliases body.
func DecodeMessage(body []byte) (Message, error) {
	const head = 1 + 16 + 1 + 1
	if len(body) < head || !known(body[0]) {
		return Message{}, errMessage
	}
	n, more := int(body[18]), 0
	switch body[0] {
	case sessionsForm:
		more = 10
	case carriedForm:
		more = 26
	}
	if len(body) < head+n+more {
		return Message{}, errMessage
	}
	m := Message{Product: uuid.UUID(body[1:17]).String(), Template: alink.Template(body[17]), Arg: string(body[head : head+n]), Payload: body[head+n+more:]}
	if more > 0 {
		epoch := binary.BigEndian.Uint64(body[head+n+2:])
		if m.PacketID = binary.BigEndian.Uint16(body[head+n:]); m.PacketID != 0 {
			m.Epoch = epoch
		} else {
			m.WillOf = epoch
		}
	}
	if body[0] == carriedForm {
		m.Via = uuid.UUID(body[head+n+10 : head+n+26]).String()
	}
	return m, nil
}

// RefusalFact is the subject of the uplink records of kind [uplink.Fact] that hold a [Refusal].
const RefusalFact = "device.refused"

// CloneFact is the subject of the records of kind [uplink.Fact] that say that two devices may have one triple: two places take its
// session from each other, or one signs with a secret that another has taken the place of; their body is a [Refusal] without topic.
const CloneFact = "device.clone"

// RegisteredFact is the subject of the records of kind [uplink.Fact] that say that a device was handed a secret; their body is a [Refusal]
// without topic.
const RegisteredFact = "device.registered"

// A Refusal is a message of a device that was acknowledged and not taken, where the device could not be told why.
type Refusal struct {
	Topic   string // at most 65,535 bytes
	Why     string
	Payload []byte // the bytes as they came
}

const refusalForm = 1

// Append adds the encoded refusal to dst: form (1), length (2) and bytes of Topic, length (2) and bytes of Why, payload.
func (r *Refusal) Append(dst []byte) []byte {
	dst = append(dst, refusalForm)
	for _, text := range []string{r.Topic, r.Why} {
		text = text[:min(len(text), math.MaxUint16)]
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(text)))
		dst = append(dst, text...)
	}
	return append(dst, r.Payload...)
}

// DecodeRefusal reads the body of an uplink record. Payload aliases body.
func DecodeRefusal(body []byte) (Refusal, error) {
	var r Refusal
	if len(body) == 0 || body[0] != refusalForm {
		return r, errRefusal
	}
	body = body[1:]
	for _, text := range []*string{&r.Topic, &r.Why} {
		if len(body) < 2 || len(body)-2 < int(binary.BigEndian.Uint16(body)) {
			return Refusal{}, errRefusal
		}
		n := int(binary.BigEndian.Uint16(body))
		*text, body = string(body[2:2+n]), body[2+n:]
	}
	r.Payload = body
	return r, nil
}

var errRefusal = errors.New("the record holds no refusal of a known form")

// A Presence is the body of an uplink record of kind [uplink.Presence]: a session began or ended.
type Presence struct {
	Online  bool
	Epoch   uint64 // grows with every session of the device; a smaller one than the last seen is a late message
	Reason  string // why it ended, or "connected"
	Address string // remote address, host:port
	// Replaced: the session ended, and the device had another one by then. It is no word of the device having gone.
	Replaced bool
}

const presenceForm = 1

// Bits of the second byte.
const (
	presenceOnline   = 1
	presenceReplaced = 2
)

// Append adds the encoded presence to dst.
func (p *Presence) Append(dst []byte) []byte {
	dst = append(dst, presenceForm, 0)
	if p.Online {
		dst[len(dst)-1] = presenceOnline
	}
	if p.Replaced {
		dst[len(dst)-1] |= presenceReplaced
	}
	dst = binary.BigEndian.AppendUint64(dst, p.Epoch)
	reason := p.Reason[:min(len(p.Reason), 255)]
	dst = append(dst, byte(len(reason)))
	dst = append(dst, reason...)
	return append(dst, p.Address...)
}

// DecodePresence reads the body of an uplink record.
func DecodePresence(body []byte) (Presence, error) {
	const head = 2 + 8 + 1
	if len(body) < head || body[0] != presenceForm || len(body) < head+int(body[10]) {
		return Presence{}, errors.New("the record holds no presence of a known form")
	}
	n := int(body[10])
	return Presence{
		Online:   body[1]&presenceOnline != 0,
		Epoch:    binary.BigEndian.Uint64(body[2:10]),
		Reason:   string(body[head : head+n]),
		Address:  string(body[head+n:]),
		Replaced: body[1]&presenceReplaced != 0,
	}, nil
}
