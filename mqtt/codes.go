package mqtt

import (
	"fmt"
	"strings"
)

// defined5 are the reason codes that MQTT 5 §2.4 defines for each type.
var defined5 = [16]string{
	CONNACK:    "\x00\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8c\x90\x95\x97\x99\x9a\x9b\x9c\x9d\x9f",
	PUBACK:     "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	PUBREC:     "\x00\x10\x80\x83\x87\x90\x91\x97\x99",
	PUBREL:     "\x00\x92",
	PUBCOMP:    "\x00\x92",
	SUBACK:     "\x00\x01\x02\x80\x83\x87\x8f\x91\x97\x9e\xa1\xa2",
	UNSUBACK:   "\x00\x11\x80\x83\x87\x8f\x91",
	DISCONNECT: "\x00\x04\x80\x81\x82\x83\x87\x89\x8b\x8d\x8e\x8f\x90\x93\x94\x95\x96\x97\x98\x99\x9a\x9b\x9c\x9d\x9e\x9f\xa0\xa1\xa2",
	AUTH:       "\x00\x18\x19",
}

// defined311 are the return codes of MQTT 3.1.1 §3.2.2.3 and §3.9.3.
var defined311 = [16]string{
	CONNACK: "\x00\x01\x02\x03\x04\x05",
	SUBACK:  "\x00\x01\x02\x80",
}

// codeClauses are the statements that bind each type to its codes, MQTT 5.
var codeClauses = [16]string{
	CONNACK: "MQTT-3.2.2-8", PUBACK: "MQTT-3.4.2-1", PUBREC: "MQTT-3.5.2-1", PUBREL: "MQTT-3.6.2-1", PUBCOMP: "MQTT-3.7.2-1",
	SUBACK: "MQTT-3.9.3-2", UNSUBACK: "MQTT-3.11.3-2", DISCONNECT: "MQTT-3.14.2-1", AUTH: "MQTT-3.15.2-1",
}

func codeDefined(v Version, t Type, code byte) bool {
	defined := defined311[t]
	if v == V5 {
		defined = defined5[t]
	}
	return strings.IndexByte(defined, code) >= 0
}

// returnCode is the CONNACK return code of MQTT 3.1.1 for a reason. What it cannot say is a refusal all the same.
func returnCode(r Reason) byte {
	switch r {
	case Success:
		return Accepted
	case BadVersion:
		return RefusedVersion
	case BadClientID:
		return RefusedClientID
	case BadLogin:
		return RefusedLogin
	case Unavailable, Busy, QuotaExceeded, ConnectRateExceeded, UseAnother, Moved, ShuttingDown:
		return RefusedServer
	}
	return RefusedAuthorised
}

// breach is a [ProtocolError] with the clause of version v.
func breach(v Version, code Reason, clause311, clause5, what string, args ...any) *ProtocolError {
	clause := clause311
	if v == V5 {
		clause = clause5
	}
	return &ProtocolError{What: fmt.Sprintf(what, args...), Clause: clause, Code: code}
}

func overlong(t Type) *ProtocolError {
	return breach(V5, Malformed, "", "MQTT-1.5.5-1", "%s: Remaining Length takes more bytes than it needs", t)
}

// cut shortens what an error quotes to 64 bytes.
func cut[T string | []byte](v T) string {
	if len(v) > 64 {
		return string(v[:64]) + "…"
	}
	return string(v)
}
