package mqtt

import (
	"fmt"
	"strings"
)

// Reason codes of MQTT 5 §2.4 that a [ProtocolError] carries.
const (
	codeMalformed   byte = 0x81
	codeProtocol    byte = 0x82
	codeVersion     byte = 0x84
	codeClientID    byte = 0x85
	codeTopicFilter byte = 0x8f
	codeTopicName   byte = 0x90
	codeTooLarge    byte = 0x95
	codeQuota       byte = 0x97
	codeQoS         byte = 0x9b
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

// returnCode is the CONNACK return code of MQTT 3.1.1 for a code of either version; 0 where 3.1.1 closes unanswered.
func returnCode(code byte) byte {
	switch code {
	case codeVersion:
		return RefusedVersion
	case codeClientID:
		return RefusedClientID
	case 0x86: // bad user name or password
		return RefusedLogin
	case 0x87, 0x8a: // not authorised, banned
		return RefusedAuthorised
	case 0x88, 0x89, codeQuota, 0x9f: // server unavailable, busy, quota, connection rate
		return RefusedServer
	}
	if code <= RefusedAuthorised {
		return code
	}
	return 0
}

// breach is a [ProtocolError] with the clause of version v.
func breach(v Version, code byte, clause311, clause5, what string, args ...any) *ProtocolError {
	clause := clause311
	if v == V5 {
		clause = clause5
	}
	return &ProtocolError{What: fmt.Sprintf(what, args...), Clause: clause, Code: code}
}

func overlong(t Type) *ProtocolError {
	return breach(V5, codeMalformed, "", "MQTT-1.5.5-1", "%s: Remaining Length takes more bytes than it needs", t)
}

// cut shortens what an error quotes to 64 bytes.
func cut[T string | []byte](v T) string {
	if len(v) > 64 {
		return string(v[:64]) + "…"
	}
	return string(v)
}
