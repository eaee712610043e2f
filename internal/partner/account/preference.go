package account

import (
	"context"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// Preferences are how a person wants to be written to.
type Preferences struct {
	Lang        string // zh-CN, en; empty: both
	MailNotices bool   // false: only notices that nobody may decline
}

// Preferences gives those of who.
func (s *Service) Preferences(ctx context.Context, who access.Actor) (p Preferences, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		var wants int
		err := v.QueryRow(ctx, "SELECT lang, mail_notices FROM account_user WHERE id = ?", who.User).Scan(&p.Lang, &wants)
		p.MailNotices = wants != 0
		return err
	})
	if err != nil {
		return p, fmt.Errorf("reading the preferences of user %s: %w", who.User, err)
	}
	return p, nil
}

// SetPreferences replaces those of who.
func (s *Service) SetPreferences(ctx context.Context, who access.Actor, p Preferences) error {
	if err := ownSession(who, "user.preferences"); err != nil {
		return err
	}
	if p.Lang != "" && p.Lang != "zh-CN" && p.Lang != "en" {
		return fault.Invalid("/lang", p.Lang, "zh-CN, en, or empty for both", "")
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE account_user SET lang = ?, mail_notices = ? WHERE id = ?", p.Lang, flag(p.MailNotices), who.User); err != nil {
			return fmt.Errorf("setting the preferences of user %s: %w", who.User, err)
		}
		return audit.RecordPerson(ctx, tx, who, "user.preferences", who.User, fmt.Sprintf("lang %q, notices by mail: %t", p.Lang, p.MailNotices))
	})
}

// A Notice is something that an organisation's owners, or one person, are to know by mail.
type Notice struct {
	Organisation string // empty: the user, of whatever organisation
	User         string // empty: the owners
	About        string // the same is not sent to one person twice a day
	Always       bool   // nobody may decline it
	Titles       map[string]string
	Bodies       map[string]string
}

// maxOwners is how many owners of one organisation are written to.
const maxOwners = 50

// Notify writes a notice to verified mail addresses, in each one's language, within the transaction of what it tells. Who has
// none, declined, or got too much already finds it in the inbox.
func (s *Service) Notify(ctx context.Context, tx *store.Tx, n Notice) error {
	if s.outbox == nil || !s.outbox.Takes(outbox.Mail) || n.Organisation+n.User == "" {
		return nil
	}
	readers, err := readersOf(ctx, tx, &n)
	if err != nil {
		return err
	}
	share := outbox.Own
	if n.Always {
		share = outbox.Binding
	}
	for _, r := range readers {
		subject, body := n.texts(r.lang)
		err := s.outbox.Put(ctx, tx, outbox.Message{
			Room: room, Kind: outbox.Mail, To: r.address, Subject: subject, Body: body, Organisation: n.Organisation, User: r.user, About: n.About, Share: share,
		})
		if err != nil && !fault.Is(err, fault.OverLimit) && !fault.Is(err, fault.TooBig) {
			return err
		}
	}
	return nil
}

// reader is somebody who is written to.
type reader struct{ user, address, lang string }

func readersOf(ctx context.Context, tx *store.Tx, n *Notice) (all []reader, err error) {
	query := `
		SELECT u.id, c.address, u.lang
		FROM account_user u
		JOIN account_contact c ON c.user_id = u.id AND c.kind = 'mail'
		WHERE u.state = 'active' AND (u.mail_notices = 1 OR ? = 1)`
	args := []any{flag(n.Always)}
	if n.User != "" {
		query, args = query+" AND u.id = ?", append(args, n.User)
	}
	if n.Organisation != "" {
		query, args = query+" AND u.id IN (SELECT m.user_id FROM member m WHERE m.organisation = ? AND (m.role = 'owner' OR ? <> ''))", append(args, n.Organisation, n.User)
	}
	rows, err := tx.Query(ctx, query+" ORDER BY u.id LIMIT ?", append(args, maxOwners)...)
	if err != nil {
		return nil, fmt.Errorf("finding whom to write to in organisation %s: %w", n.Organisation, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r reader
		if err := rows.Scan(&r.user, &r.address, &r.lang); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// texts are subject and body in a language, or in both.
func (n *Notice) texts(lang string) (subject, body string) {
	foot := map[string]string{
		"en":    "This message is in your Lampworks inbox, too.",
		"zh-CN": "这条消息也在您的 Lampworks 收件箱中。",
	}
	if !n.Always {
		foot["en"] += " To get such mail no longer: PUT /api/v1/session/user/preferences with mail_notices false."
		foot["zh-CN"] += "不想再收到此类邮件：以 mail_notices 为 false 调用 PUT /api/v1/session/user/preferences。"
	}
	one := func(lang string) string { return n.Bodies[lang] + "\n\n" + foot[lang] + "\n" }
	if lang != "" {
		return n.Titles[lang], one(lang)
	}
	return n.Titles["zh-CN"] + " / " + n.Titles["en"], one("zh-CN") + "\n--\n\n" + one("en")
}
