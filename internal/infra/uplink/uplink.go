// Package uplink is the Log: the one durable, ordered record of what came up.
//
// It owns the interface [Log] and promises, through each adapter and the suite in uplinktest:
//   - done is called only after the record is on disk, in the order of Append;
//   - positions grow by one from 1, and none is ever used twice, whatever was trimmed and however often it was restarted;
//   - a reader by position sees every record that is kept, once, in order;
//   - what is trimmed before a consumer read it is an alarm that names the lost positions.
package uplink

import (
	"context"
	"errors"
	"time"
)

// A Position is the place of a record in the Log. The first is 1; 0 stands before it.
type Position uint64

// A Kind says what a record is about.
type Kind uint8

// The kinds.
const (
	Message  Kind = 1 // a message of a device
	Presence Kind = 2 // a device came or went
	Fact     Kind = 3 // something a room noted for others: voice, pairing, notice
	Session  Kind = 4 // what a device subscribed to, released, left behind
)

// A Record is one entry of the Log.
type Record struct {
	Pos     Position  // given by the Log; ignored by Append
	At      time.Time // UTC, kept to the millisecond
	Kind    Kind
	Device  string // id of the device, empty if none
	Subject string // name of the topic's template or of the fact, with its argument
	Body    []byte
}

// Size is what a record counts against limits in bytes: its parts and a little for the rest.
func (r *Record) Size() int { return len(r.Device) + len(r.Subject) + len(r.Body) + 24 }

// Errors of a Log.
var (
	ErrClosed   = errors.New("the log is closed")
	ErrTooLarge = errors.New("the record is larger than the log takes")
	ErrAhead    = errors.New("the position is beyond the end of the log, so it belongs to another log")
)

// A Log is a durable list of records, appended at the tail and trimmed at the head.
// All methods may be called by any goroutine.
type Log interface {
	// Append queues r and returns. It blocks while the bounded queue is full, until
	// ctx ends. The log copies r.Body; the caller may use its buffer again. If
	// Append returns nil, done is called exactly once: with the position after the
	// fsync that holds the record, or with the error that lost it. Calls of done come in
	// the order of Append, on a goroutine of the log, and must not block. done may be nil.
	Append(ctx context.Context, r Record, done func(Position, error)) error

	// Read gives up to limit records after the position, oldest first, and none at
	// the end. The records and their bodies are shared: they are not to be changed.
	// The first may be later than after+1 if what stood between was trimmed.
	Read(ctx context.Context, after Position, limit int) ([]Record, error)

	// Wait returns nil as soon as Tail is beyond after. It is woken, it does not poll.
	Wait(ctx context.Context, after Position) error

	// Tail is the position of the newest durable record, 0 if there never was one.
	Tail() Position

	// Head is the position of the oldest record kept; Tail+1 if none is.
	Head() Position

	// Note tells how far a consumer has committed, for the lag and the alarm. It is
	// written down now and then: a consumer's own cursor is the truth.
	Note(consumer string, pos Position)

	// Cursors gives what was noted.
	Cursors() map[string]Position

	// Close writes what is queued, answers every Append and frees the log.
	Close() error
}
