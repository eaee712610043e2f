package outbound

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"

	"github.com/wneessen/go-mail"

	"lampworks/internal/infra/outbox"
)

// mailer sends mail by SMTP, one connection a message: messages are few, and a connection that was kept may be dead.
type mailer struct {
	host    string
	from    string
	options []mail.Option
}

// newMail reads the URL of an SMTP server. Its errors do not repeat it: it may hold a password.
func newMail(text, from string) (*mailer, error) {
	const want = "want smtp://user:password@host:587 or smtps://user:password@host:465"
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("--smtp-url: " + want)
	}
	if from == "" {
		return nil, errors.New("--smtp-url needs --smtp-from: the address that mail comes from")
	}
	if err := mail.NewMsg().From(from); err != nil {
		return nil, errors.New("--smtp-from: want an address, or \"Name <address>\"")
	}
	m := &mailer{host: u.Hostname(), from: from}
	port, policy := 587, mail.TLSMandatory
	if u.Scheme == "smtps" {
		port = 465
		m.options = append(m.options, mail.WithSSL())
	}
	if u.Query().Get("tls") == "none" || local(m.host) {
		policy = mail.TLSOpportunistic
	}
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, errors.New("--smtp-url: " + want)
		}
	}
	m.options = append(m.options, mail.WithPort(port), mail.WithTLSPolicy(policy), mail.WithTimeout(dialWithin))
	if password, has := u.User.Password(); has {
		m.options = append(m.options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(u.User.Username()), mail.WithPassword(password))
	}
	return m, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send implements outbox.Sender.
func (s *mailer) Send(ctx context.Context, m outbox.Message) error {
	msg := mail.NewMsg()
	if err := msg.From(s.from); err != nil {
		return errors.New("the sender of mail is no address")
	}
	if err := msg.To(m.To); err != nil {
		return fmt.Errorf("%w: the recipient is no address", outbox.ErrRefused)
	}
	msg.Subject(m.Subject)
	msg.SetDate()
	msg.SetMessageID()
	msg.SetBodyString(mail.TypeTextPlain, m.Body)
	c, err := mail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("preparing to send by %s: the settings do not fit", s.host)
	}
	return s.explain(c.DialAndSendWithContext(ctx, msg))
}

// explain says what kind of refusal it was, without the words of the server, which may repeat anything.
func (s *mailer) explain(err error) error {
	if err == nil {
		return nil
	}
	if sent, ok := errors.AsType[*mail.SendError](err); ok {
		if sent.IsTemp() {
			return fmt.Errorf("the mail server %s refuses for now (code %d)", s.host, sent.ErrorCode())
		}
		if code := sent.ErrorCode(); code >= 500 {
			return fmt.Errorf("%w: the mail server %s refuses (code %d)", outbox.ErrRefused, s.host, code)
		}
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return fmt.Errorf("the mail server %s does not answer in time", s.host)
	}
	return fmt.Errorf("the mail server %s cannot be reached, or does not take our sign-in", s.host)
}
