package device

import (
	"encoding/json"
	"time"
)

// RefusedSubject, AskedSubject, DownSubject and SlowedSubject are Bus subjects, completed by the device's id, that show on a live page what
// the Log does not hold: messages that were refused, requests that were answered at once, what was sent down, and pauses of a device
// that is ahead of a limit, which stands for the topic. Their
// payload is a [Traffic] as JSON.
const (
	AskedSubject   = "device.asked."
	RefusedSubject = "device.refused."
	DownSubject    = "device.down."
	SlowedSubject  = "device.slowed."
)

// Traffic is one message as a live page shows it.
type Traffic struct {
	At      time.Time       `json:"at"`
	Topic   string          `json:"topic"`
	Payload json.RawMessage `json:"payload,omitempty"` // cut at some kilobytes
	Why     string          `json:"why,omitempty"`     // why it was refused
	Kept    bool            `json:"kept,omitempty"`    // the refusal is in the Log, too
}
