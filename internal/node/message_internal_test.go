package node

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/quota"
)

// Text messages and mails take of the limits of the person, the device and the organisation; the first that is used up refuses.
func TestMessagesAreLimited(t *testing.T) {
	s := storetest.Open(t)
	ctx := t.Context()
	put := func(m outbox.Message) error {
		return s.Write(ctx, func(tx *store.Tx) error { return limitMessage(ctx, tx, m) })
	}
	for _, tt := range []struct {
		name  string
		m     outbox.Message
		limit quota.Limit
	}{
		{"text messages of a device", outbox.Message{Kind: outbox.SMS, To: "+8613800000001", Device: "d", Organisation: "o"}, quota.DeviceTexts},
		{"text messages to a person", outbox.Message{Kind: outbox.SMS, To: "+8613800000002", User: "u", Organisation: "o"}, quota.UserTexts},
		{"text messages to a number", outbox.Message{Kind: outbox.SMS, To: "+8613800000003"}, quota.UserTexts},
		{"mails to a person", outbox.Message{Kind: outbox.Mail, To: "a@example.com", User: "v"}, quota.UserMails},
	} {
		most := int(tt.limit.Spec().Default)
		for range most {
			if err := put(tt.m); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		if err := put(tt.m); !fault.Is(err, fault.OverLimit) || fault.Of(err).Where != tt.limit.String() {
			t.Errorf("%s: number %d: %v", tt.name, most+1, err)
		}
	}
	var named int
	err := s.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT COUNT(*) FROM quota_used WHERE subject LIKE '%138000%' OR subject LIKE '%example%'").Scan(&named)
	})
	if err != nil || named != 0 {
		t.Errorf("%d recipients are named: %v", named, err)
	}
}

// Who uses up what strangers ask for, or what others write, takes nothing of what the person asks for, and nothing of each other.
func TestSharesOfMessagesAreApart(t *testing.T) {
	for _, kind := range []string{outbox.Mail, outbox.SMS} {
		shares := []outbox.Share{outbox.Own, outbox.Strangers, outbox.Others}
		for _, first := range shares {
			s := storetest.Open(t)
			fill := func(share outbox.Share) (n int) {
				m := outbox.Message{Kind: kind, To: "a", User: "u", Share: share}
				for ; n < 1000; n++ {
					err := s.Write(t.Context(), func(tx *store.Tx) error { return limitMessage(t.Context(), tx, m) })
					if fault.Is(err, fault.OverLimit) {
						return n
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				return n
			}
			fill(first)
			for _, share := range shares {
				if n := fill(share); share != first && (n == 0 || n == 1000) {
					t.Errorf("%s: %q has %d messages after %q was used up", kind, share, n, first)
				}
			}
		}
	}
}

// TestFloodByTextMessage: a thousand strangers ask for codes of one number, and the limit of what strangers ask for is used up.
// The holder is sent one from where they signed in before.
func TestFloodByTextMessage(t *testing.T) {
	s := storetest.Open(t)
	ctx := t.Context()
	senders := map[string]outbox.Sender{outbox.SMS: nobodyReads{}}
	a := account.New(account.Config{CheapHashes: true, Store: s, Outbox: outbox.New(s, senders, limitMessage, slog.New(slog.DiscardHandler)), Logger: slog.New(slog.DiscardHandler)})
	const number, home = "+8613800000000", "192.0.2.1:1"
	err := s.Write(ctx, func(tx *store.Tx) error {
		for _, statement := range []string{
			"INSERT INTO account_contact (kind, address, user_id, verified_at) VALUES ('sms', '" + number + "', 'u', 1)",
			"INSERT INTO account_place (user_id, place, seen_at) VALUES ('u', '192.0.2.1', 1)",
		} {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	sent := func() (n int) {
		err := s.Read(ctx, func(v *store.View) error {
			return v.QueryRow(ctx, "SELECT COUNT(*) FROM outbox_message WHERE recipient = ?", number).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range int(quota.StrangerTexts.Spec().Default) { // the share of strangers is used up already
		err := s.Write(ctx, func(tx *store.Tx) error {
			return quota.Take(ctx, tx, quota.User("u", ""), quota.StrangerTexts, 1)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 1000 {
		if asked, err := a.AskReset(ctx, number, fmt.Sprintf("203.0.%d.%d:1", n/250, n%250), "en"); err != nil || asked.ID == "" {
			t.Fatalf("request %d: %+v, %v", n, asked, err)
		}
	}
	if sent() != 0 {
		t.Errorf("%d messages beyond the limit of strangers", sent())
	}
	if _, err := a.AskReset(ctx, number, home, "en"); err != nil || sent() != 1 {
		t.Errorf("from a known place: %d messages, %v", sent(), err)
	}
}

type nobodyReads struct{}

func (nobodyReads) Send(context.Context, outbox.Message) error { return nil }
