package mqtt

import "strings"

// A Reason is a reason code of MQTT 5 §2.4. Sessions use them for both versions: what 3.1.1 has a code for is told by
// that, all else by closing.
type Reason byte

// The reason codes that a server gives.
const (
	Success             Reason = 0x00
	WithWill            Reason = 0x04 // DISCONNECT of a client that wants its will published
	NobodyListens       Reason = 0x10
	NoSubscription      Reason = 0x11
	Unspecified         Reason = 0x80
	Malformed           Reason = 0x81
	ProtocolBroken      Reason = 0x82
	Unacceptable        Reason = 0x83 // implementation specific error
	BadVersion          Reason = 0x84
	BadClientID         Reason = 0x85
	BadLogin            Reason = 0x86
	NotAuthorised       Reason = 0x87
	Unavailable         Reason = 0x88
	Busy                Reason = 0x89
	Banned              Reason = 0x8a
	ShuttingDown        Reason = 0x8b
	BadMethod           Reason = 0x8c // of enhanced authentication
	KeepAliveTimeout    Reason = 0x8d
	TakenOver           Reason = 0x8e
	BadTopicFilter      Reason = 0x8f
	BadTopicName        Reason = 0x90
	IDInUse             Reason = 0x91
	IDNotFound          Reason = 0x92
	ReceiveMaxExceeded  Reason = 0x93
	BadTopicAlias       Reason = 0x94
	TooLarge            Reason = 0x95
	RateTooHigh         Reason = 0x96
	QuotaExceeded       Reason = 0x97
	Administrative      Reason = 0x98
	BadPayload          Reason = 0x99
	NoRetain            Reason = 0x9a
	NoQoS               Reason = 0x9b
	UseAnother          Reason = 0x9c // server
	Moved               Reason = 0x9d
	NoShared            Reason = 0x9e
	ConnectRateExceeded Reason = 0x9f
	MaxConnectTime      Reason = 0xa0
	NoSubscriptionIDs   Reason = 0xa1
	NoWildcards         Reason = 0xa2
	firstFailure        Reason = 0x80
)

var reasonNames = map[Reason]string{
	Success: "success", WithWill: "disconnect with will", NobodyListens: "no matching subscribers", NoSubscription: "no subscription existed",
	Unspecified: "unspecified error", Malformed: "malformed packet", ProtocolBroken: "protocol error", Unacceptable: "implementation specific error",
	BadVersion: "unsupported protocol version", BadClientID: "client identifier not valid", BadLogin: "bad user name or password",
	NotAuthorised: "not authorised", Unavailable: "server unavailable", Busy: "server busy", Banned: "banned", ShuttingDown: "server shutting down",
	BadMethod: "bad authentication method", KeepAliveTimeout: "keep alive timeout", TakenOver: "session taken over", BadTopicFilter: "topic filter invalid",
	BadTopicName: "topic name invalid", IDInUse: "packet identifier in use", IDNotFound: "packet identifier not found",
	ReceiveMaxExceeded: "receive maximum exceeded", BadTopicAlias: "topic alias invalid", TooLarge: "packet too large",
	RateTooHigh: "message rate too high", QuotaExceeded: "quota exceeded", Administrative: "administrative action", BadPayload: "payload format invalid",
	NoRetain: "retain not supported", NoQoS: "QoS not supported", UseAnother: "use another server", Moved: "server moved",
	NoShared: "shared subscriptions not supported", ConnectRateExceeded: "connection rate exceeded", MaxConnectTime: "maximum connect time",
	NoSubscriptionIDs: "subscription identifiers not supported", NoWildcards: "wildcard subscriptions not supported",
}

// String is the name of MQTT 5 §2.4 in lower case; of what has none, its number.
func (r Reason) String() string {
	if s, ok := reasonNames[r]; ok {
		return s
	}
	return "reason " + itoa(int(r))
}

// Failed reports whether r says that something was not done.
func (r Reason) Failed() bool { return r >= firstFailure }

// in gives r if packets of type t may carry it in MQTT 5, else the nearest that says no more than that something failed.
func (r Reason) in(t Type) byte {
	if strings.IndexByte(defined5[t], byte(r)) >= 0 {
		return byte(r)
	}
	if r.Failed() {
		return byte(Unspecified)
	}
	return byte(Success)
}
