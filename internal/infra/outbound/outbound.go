// Package outbound carries single messages to servers outside: mail by SMTP, text messages by a provider's HTTP interface,
// and, for development, either as files.
//
// It owns no table and promises:
//   - a sender ends with its context, so that a server that does not answer holds nobody longer than that;
//   - passwords and keys of the servers, and what they answer, stand in no error and no log; an error says which server and
//     what kind of refusal;
//   - mail leaves this machine over TLS only, unless the server is on this machine or the operator says otherwise;
//   - a text message goes to the address that the operator configured and to no loopback address, unless that is allowed.
//
// When to send, and again, is the outbox's.
package outbound

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"lampworks/internal/infra/outbox"
)

// Config says by which servers messages leave. What is empty is written to files in Dir.
type Config struct {
	Dir           string // of the file sender
	SMTP          string // smtp://user:password@host:587 (STARTTLS) or smtps://user:password@host:465
	From          string // sender of mail: an address, or "Name <address>"
	SMS           SMS
	AllowLoopback bool // a text message may go to this machine: development only
}

// Senders builds a sender for each kind of message.
func Senders(c Config) (map[string]outbox.Sender, error) {
	out := map[string]outbox.Sender{outbox.Mail: files{c.Dir}, outbox.SMS: files{c.Dir}}
	if c.SMTP != "" {
		m, err := newMail(c.SMTP, c.From)
		if err != nil {
			return nil, err
		}
		out[outbox.Mail] = m
	}
	if c.SMS.URL != "" {
		s, err := newSMS(c.SMS, c.AllowLoopback)
		if err != nil {
			return nil, err
		}
		out[outbox.SMS] = s
	}
	return out, nil
}

// files writes each message to a file of its own, for its owner's eyes only.
type files struct{ dir string }

// Send implements outbox.Sender.
func (f files) Send(_ context.Context, m outbox.Message) error {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("making the directory of messages: %w", err)
	}
	b, err := json.MarshalIndent(struct {
		At      time.Time `json:"at"`
		Kind    string    `json:"kind"`
		To      string    `json:"to"`
		Subject string    `json:"subject,omitempty"`
		Body    string    `json:"body"`
	}{time.Now().UTC(), m.Kind, m.To, m.Subject, m.Body}, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding a message: %w", err)
	}
	path := filepath.Join(f.dir, time.Now().UTC().Format("20060102T150405.000000000Z")+"-"+rand.Text()[:8]+".json")
	part := path + ".part"
	if err := os.WriteFile(part, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("writing a message: %w", err)
	}
	return nil
}
