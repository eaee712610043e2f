// Package outbox hands messages for people to the world outside: mail and text messages.
//
// It owns the table outbox_message and promises:
//   - a message is a row of the act's own transaction: it leaves if the act was committed, and only then;
//   - while the table takes no note of what was handed over, as on a full disk, nothing is handed over twice;
//   - it is handed over at least once, or ends as dead after a bounded number of tries or when it is of no use any more,
//     and operators see the dead ones;
//   - the messages of one recipient in an hour are bounded, and more are refused to whoever causes them; what strangers ask
//     for, what others write and notices have shares of their own, so that nobody uses up what the recipient asks for;
//   - what is about the same thing is sent to one recipient once a day;
//   - a slow or dead server of one kind delays neither the acts nor the messages of the other kind;
//   - a room forgets recipients of its own messages only: somebody else may have the same address elsewhere;
//   - the text of a message, which may hold a code, is gone from the table when the message has ended, and stands in no log.
//
// What hands a message over is a [Sender] from outside: outbound's.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// The kinds of messages.
const (
	Mail = "mail"
	SMS  = "sms"
)

// Bounds.
const (
	MaxBody    = 16 << 10 // bytes
	maxTries   = 8        // then a message is dead
	firstWait  = 5 * time.Second
	longestTry = time.Hour // between two tries
	sendWithin = 30 * time.Second
	keepEnded  = 30 * 24 * time.Hour
	longest    = 24 * time.Hour // a message without an end of its own is of no use after that
	atOnce     = 8              // messages of one kind being handed over
)

// A Share is a part of what one recipient may get in an hour. Whoever uses up one takes nothing of another.
type Share string

// The shares.
const (
	Own       Share = ""          // what the recipient asks for, or is told of what they did
	Strangers Share = "strangers" // codes asked for by who may be anybody
	Others    Share = "others"    // what somebody else writes to them, as an invitation
	Binding   Share = "binding"   // notices that nobody may decline, as of a measure: other notices take nothing of them
	notices   Share = "notices"   // the other messages that say what they are about
)

// perHour is how many messages of a share one recipient gets in an hour.
func (s Share) perHour() int {
	switch s {
	case Others:
		return 4
	case notices:
		return 5
	case Binding:
		return 60
	}
	return 10
}

// A Message is one text for one person.
type Message struct {
	Room         string // that sends it, and alone forgets its recipient
	Kind         string // Mail or SMS
	To           string // address or number (E.164)
	Subject      string // of a mail
	Body         string
	Organisation string        // on whose account, for limits; may be empty
	User         string        // the person it is for, for limits; empty where that is not known
	Device       string        // that causes it, for limits; empty: none does
	About        string        // of a notice: the same is not sent to one recipient twice in 24 hours; empty: it is none
	Share        Share         // that it takes of; a notice that is not binding takes of the notices
	Useful       time.Duration // how long it is of use; 0 is a day
}

// A Sender hands a message over. A permanent refusal wraps [ErrRefused].
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// A Limit refuses, within the transaction, one more message: a quota of the organisation.
type Limit func(ctx context.Context, tx *store.Tx, m Message) error

// Outbox takes messages and has them handed over. It is safe for concurrent use.
type Outbox struct {
	store   *store.Store
	log     *slog.Logger
	senders map[string]Sender
	limit   Limit
	now     func() time.Time
	wake    map[string]chan struct{}
}

// New gives an outbox with a sender for each kind. The limit may be nil. Run hands over.
func New(s *store.Store, senders map[string]Sender, limit Limit, log *slog.Logger) *Outbox {
	o := &Outbox{store: s, log: log, senders: senders, limit: limit, now: time.Now, wake: make(map[string]chan struct{})}
	for kind := range senders {
		o.wake[kind] = make(chan struct{}, 1)
	}
	return o
}

// Put takes m within the transaction of the act that causes it. What is beyond a limit is a fault.
func (o *Outbox) Put(ctx context.Context, tx *store.Tx, m Message) error {
	if err := o.check(m); err != nil {
		return err
	}
	now := o.now()
	if m.About != "" {
		if m.Share != Binding {
			m.Share = notices
		}
		if told, err := o.told(ctx, tx, m, now); err != nil || told {
			return err
		}
	}
	if err := o.room(ctx, tx, m, now); err != nil {
		return err
	}
	if o.limit != nil {
		if err := o.limit(ctx, tx, m); err != nil {
			return err
		}
	}
	useful := m.Useful
	if useful <= 0 {
		useful = longest
	}
	_, err := tx.Exec(ctx, insertSQL, uuid.Must(uuid.NewV7()).String(), m.Kind, m.To, m.Subject, m.Body, m.Organisation, m.About, string(m.Share), m.Room,
		now.UnixMilli(), now.Add(useful).UnixMilli(), now.UnixMilli())
	if err != nil {
		return fmt.Errorf("putting a message into the outbox: %w", err)
	}
	tx.AfterCommit(func() { o.look(m.Kind) })
	return nil
}

// room refuses what is beyond the share of a message in this hour.
func (o *Outbox) room(ctx context.Context, tx *store.Tx, m Message, now time.Time) error {
	var lately int // what a clock that ran ahead has made does not count until it is caught up
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM outbox_message WHERE recipient = ? AND share = ? AND made_at > ? AND made_at <= ?",
		m.To, string(m.Share), now.Add(-time.Hour).UnixMilli(), now.Add(time.Minute).UnixMilli()).Scan(&lately)
	if err != nil {
		return fmt.Errorf("counting the messages of a recipient: %w", err)
	}
	if most := m.Share.perHour(); lately >= most {
		f := fault.Limit("messages to this recipient", fmt.Sprint(lately), fmt.Sprintf("%d in an hour", most), time.Hour)
		f.Fix = "wait an hour"
		return f
	}
	return nil
}

// told says whether a recipient got a notice about the same in the last 24 hours.
func (o *Outbox) told(ctx context.Context, tx *store.Tx, m Message, now time.Time) (bool, error) {
	var n int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM outbox_message WHERE recipient = ? AND about = ? AND about <> '' AND made_at > ?",
		m.To, m.About, now.Add(-24*time.Hour).UnixMilli()).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("looking for the same notice: %w", err)
	}
	return n > 0, nil
}

func (o *Outbox) check(m Message) error {
	switch {
	case m.Room == "":
		return errors.New("putting a message that is of no room into the outbox")
	case o.senders[m.Kind] == nil:
		return fault.Unsupported("kind of message", m.Kind, "what the operator has configured")
	case m.To == "" || len(m.To) > 254:
		return fault.Invalid("/to", "a recipient of another length", "1 to 254 bytes", "")
	case m.Body == "" || len(m.Body) > MaxBody:
		return fault.TooLarge("the text of a message", int64(len(m.Body)), MaxBody)
	}
	return nil
}

// Takes says whether messages of a kind can be handed over here.
func (o *Outbox) Takes(kind string) bool { return o.senders[kind] != nil }

// look makes the relay of a kind look for work now.
func (o *Outbox) look(kind string) {
	select {
	case o.wake[kind] <- struct{}{}:
	default:
	}
}
