package wyoming

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"lampworks/speech"
)

// How long a peer is waited for, unless a test says otherwise.
const (
	connectWithin = 2 * time.Second
	infoWithin    = time.Second // a try; there are infoTries of them
	infoTries     = 3
	textWithin    = 10 * time.Second // from the end of the sound to the text
	soundWithin   = 3 * time.Second  // from the text to the first sound, and from one piece to the next
	spokenWithin  = 30 * time.Second // all of a text
	writeWithin   = 5 * time.Second
)

// waits are these times.
type waits struct{ connect, info, text, sound, spoken, write time.Duration }

func patience() waits {
	return waits{connectWithin, infoWithin, textWithin, soundWithin, spokenWithin, writeWithin}
}

// A server is a peer that is asked for something.
type server struct {
	address string
	what    string // "the recogniser" or "the voice"
	waits   waits
}

// A link is one connection to it, for one request. It ends with the context it was opened with.
type link struct {
	net.Conn
	server
	r    *Reader
	ctx  context.Context //nolint:containedctx // a link lives as long as the request that it is for
	stop func() bool
	out  []byte // reused
}

func (s server) open(ctx context.Context) (*link, error) {
	d := net.Dialer{Timeout: s.waits.connect}
	conn, err := d.DialContext(ctx, "tcp", s.address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("connecting to %s at %s: %w", s.what, s.address, ctx.Err())
		}
		return nil, fmt.Errorf("%w: connecting to %s at %s: %w; start it, or correct its address", speech.ErrUnavailable, s.what, s.address, err)
	}
	l := &link{Conn: conn, server: s, r: NewReader(conn, MaxClientPayload), ctx: ctx}
	l.stop = context.AfterFunc(ctx, func() { conn.Close() })
	return l, nil
}

func (l *link) close() {
	l.stop()
	l.Close()
}

// send writes one event.
func (l *link) send(kind string, data any, payload []byte) error {
	b, err := Append(l.out[:0], kind, data, payload)
	if err != nil {
		return err
	}
	l.out = b
	if err := l.SetWriteDeadline(time.Now().Add(l.waits.write)); err != nil {
		return l.why(err)
	}
	if _, err := l.Write(b); err != nil {
		return l.why(err)
	}
	return nil
}

// next reads an event that must be there by a time. An error that the peer tells is [speech.ErrFailed].
func (l *link) next(by time.Time) (Event, error) {
	if err := l.SetReadDeadline(by); err != nil {
		return Event{}, l.why(err)
	}
	return l.read()
}

func (l *link) read() (Event, error) {
	e, err := l.r.Read()
	if err != nil {
		return Event{}, l.why(err)
	}
	if e.Type == Error {
		text, _ := e.Data.text("text")
		return Event{}, fmt.Errorf("%s at %s: %w: it says %q", l.what, l.address, speech.ErrFailed, brief(text))
	}
	return e, nil
}

// brief is a text of a peer, as it may stand in an error.
func brief(s string) string {
	const most = 200
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.ToValidUTF8(s, "?")
}

// why says what an error of the connection means.
func (l *link) why(err error) error {
	switch {
	case l.ctx.Err() != nil:
		return fmt.Errorf("waiting for %s at %s: %w", l.what, l.address, l.ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s at %s: %w", l.what, l.address, speech.ErrSilent)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return fmt.Errorf("%s at %s: %w: it broke off without an answer", l.what, l.address, speech.ErrFailed)
	case errors.Is(err, ErrWire), errors.Is(err, errField):
		return l.garbled(err.Error())
	}
	return fmt.Errorf("%s at %s: %w: %w", l.what, l.address, speech.ErrFailed, err)
}

// garbled says what of an answer makes no sense.
func (l *link) garbled(what string) error {
	return fmt.Errorf("%s at %s: %w: %s", l.what, l.address, speech.ErrGarbled, what)
}
