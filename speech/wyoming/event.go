// Package wyoming speaks the Wyoming protocol of the open voice assistants: events over TCP, each a line of JSON, with
// data and sound behind it. It is a client of recognisers and voices, and a server that has sentences understood.
//
// It owns the wire format and promises:
//   - no length is believed: each is held to a limit before anything is read, and memory grows with what has arrived only;
//   - what cannot be read ends the connection, and nothing is done of it;
//   - every wait for a peer has an end, and a peer that hangs, breaks off or answers nonsense is told apart ([speech.ErrSilent] and its like);
//   - when a call returns, or Serve, nothing that it started still runs;
//   - neither sound nor words are in an error or a log.
//
// It knows no home and no account: who may speak to what is decided by whoever listens.
package wyoming

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// Version is that of the reference library whose events these are. Peers do not look at it.
const Version = "1.9.0"

// Types of events that are read or written here. Others are ignored.
const (
	Describe = "describe"
	Info     = "info"

	AudioStart = "audio-start"
	AudioChunk = "audio-chunk"
	AudioStop  = "audio-stop"

	Transcribe      = "transcribe"
	Transcript      = "transcript"
	TranscriptStart = "transcript-start"
	TranscriptChunk = "transcript-chunk"
	TranscriptStop  = "transcript-stop"

	Synthesize = "synthesize"

	Recognize     = "recognize"
	Intent        = "intent"
	IntentsStart  = "intents-start"
	IntentsStop   = "intents-stop"
	NotRecognized = "not-recognized"

	Handled    = "handled"
	NotHandled = "not-handled"

	Ping  = "ping"
	Pong  = "pong"
	Error = "error"
)

// An Event is one message, in either direction.
type Event struct {
	Type    string
	Data    Data
	Payload []byte
}

// Data are the fields of an event, as JSON. A field that is null is absent.
type Data map[string]json.RawMessage

var errField = errors.New("a field of the wrong type")

// text is the string of that name, "" when there is none.
func (d Data) text(name string) (string, error) {
	return field[string](d, name)
}

// number is the integer of that name, 0 when there is none.
func (d Data) number(name string) (int, error) {
	n, err := field[int32](d, name)
	return int(n), err
}

// object are the fields of the object of that name.
func (d Data) object(name string) (Data, error) {
	v := d[name]
	if absent(v) {
		return nil, nil
	}
	o, err := object(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", errField, strconv.Quote(name))
	}
	return o, nil
}

func field[T any](d Data, name string) (out T, err error) {
	v := d[name]
	if absent(v) {
		return out, nil
	}
	if err := json.Unmarshal(v, &out); err != nil {
		return out, fmt.Errorf("%w: %s", errField, strconv.Quote(name))
	}
	return out, nil
}

func absent(v json.RawMessage) bool { return len(v) == 0 || string(v) == "null" }
