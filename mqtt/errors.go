package mqtt

import (
	"errors"
	"strconv"
)

// Errors of Session and Client that are nobody's breach of the standard.
var (
	ErrWindow       = errors.New("mqtt: as many messages as the window allows wait for their acknowledgement")
	ErrTooLarge     = errors.New("mqtt: the message is larger than the client takes, or than what may wait for it")
	ErrOut          = errors.New("mqtt: as much output as the limit allows waits for a peer that does not read")
	ErrClosed       = errors.New("mqtt: connection is closed")
	ErrNotConnected = errors.New("mqtt: CONNECT has not been accepted yet")
)

// A ProtocolError is a breach of the standard by the peer; the connection must be closed.
type ProtocolError struct {
	What   string // packet, value and rule: `PUBLISH: topic "a/+" holds a wildcard`
	Clause string // normative statement of the version that is spoken, "MQTT-3.3.2-2"; section, "§2.2.3", where none is numbered
	Code   Reason // what a DISCONNECT of MQTT 5 says; for a 3.1.1 client it is told by closing
}

// Error is What and, in brackets, Clause.
func (e *ProtocolError) Error() string {
	if e.Clause == "" {
		return "mqtt: " + e.What
	}
	return "mqtt: " + e.What + " [" + e.Clause + "]"
}

// A Refused is a CONNECT that was answered with a code other than 0.
type Refused struct {
	Code byte   // of CONNACK: 1..5 in MQTT 3.1.1, a [Reason] in MQTT 5
	Text string // what the server says about it; MQTT 5
}

// Error names the code, its meaning, and what the server says about it.
func (e *Refused) Error() string {
	s := "mqtt: connection refused with code " + strconv.Itoa(int(e.Code)) + ": " + refusal(e.Code)
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// A Failed is what a server of MQTT 5 says that it did not do, or why it closes the connection.
type Failed struct {
	Type   Type // of the packet that says so: PUBACK, PUBREC, DISCONNECT
	Reason Reason
	Text   string // for people, may be empty
}

// Error names the packet, the reason and what the server says about it.
func (e *Failed) Error() string {
	s := "mqtt: " + e.Type.String() + ": " + e.Reason.String()
	if e.Text != "" {
		s += ": " + e.Text
	}
	return s
}

// Return codes of CONNACK, MQTT 3.1.1 §3.2.2.3.
const (
	Accepted          byte = 0
	RefusedVersion    byte = 1
	RefusedClientID   byte = 2
	RefusedServer     byte = 3 // the server is unavailable
	RefusedLogin      byte = 4 // bad user name or password
	RefusedAuthorised byte = 5 // not authorised
)

// SubackFailure is the return code of a filter that was not granted, MQTT 3.1.1 §3.9.3.
const SubackFailure byte = 0x80

func refusal(code byte) string {
	switch code {
	case RefusedVersion:
		return "unacceptable protocol version"
	case RefusedClientID:
		return "identifier rejected"
	case RefusedServer:
		return "server unavailable"
	case RefusedLogin:
		return "bad user name or password"
	case RefusedAuthorised:
		return "not authorised"
	}
	if Reason(code).Failed() {
		return Reason(code).String()
	}
	return "a code unknown to MQTT 3.1.1"
}

func itoa(n int) string { return strconv.Itoa(n) }
