package account

import (
	"fmt"
	"strings"
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// What is important reaches the owners by mail, in their language, once a day, unless they declined what may be declined.
func TestNotify(t *testing.T) {
	v := newVillage(t)
	ctx := t.Context()
	bob := v.user(t, "bob")
	v.user(t, "eve")
	for login, role := range map[string]access.Role{"bob": access.Owner, "eve": access.Engineer} {
		if _, err := v.AddMember(ctx, v.operator, v.org.ID, login, role); err != nil {
			t.Fatal(err)
		}
	}
	eve := v.login(t, "eve").Actor.User
	err := v.store.Write(ctx, func(tx *store.Tx) error {
		for user, address := range map[string]string{v.owner.User: "ann@example.com", bob.ID: "bob@example.com", eve: "eve@example.com"} {
			if err := v.giveContact(ctx, tx, user, Contact{Kind: outbox.Mail, Address: address}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.SetPreferences(ctx, v.again(t, v.login(t, "bob")), Preferences{Lang: "zh-CN"}); err != nil {
		t.Fatal(err)
	}
	notify := func(about string, always bool) {
		t.Helper()
		err := v.store.Write(ctx, func(tx *store.Tx) error {
			return v.Notify(ctx, tx, Notice{
				Organisation: v.org.ID, About: about, Always: always,
				Titles: map[string]string{"en": "A title", "zh-CN": "标题"}, Bodies: map[string]string{"en": "body " + about, "zh-CN": "正文 " + about},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	sent := func(address string) (n int) {
		t.Helper()
		err := v.store.Read(ctx, func(q *store.View) error {
			return q.QueryRow(ctx, "SELECT COUNT(*) FROM outbox_message WHERE recipient = ?", address).Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 3 {
		notify("limit", false)
	}
	notify("measure", true)
	if got, want := fmt.Sprint(sent("ann@example.com"), sent("bob@example.com"), sent("eve@example.com")), "2 1 0"; got != want {
		t.Errorf("owner, owner who declined, engineer got\n got %s\nwant %s", got, want)
	}
	if got := v.letter(t, "bob@example.com", 1); !strings.HasPrefix(got, "正文 measure") || strings.Contains(got, "body") {
		t.Errorf("bob reads %q", got)
	}
	if got := v.letter(t, "ann@example.com", 1); !strings.Contains(got, "正文 limit") || !strings.Contains(got, "body limit") || !strings.Contains(got, "mail_notices") {
		t.Errorf("ann, who has no language, reads %q", got)
	}
	for i := range 20 {
		notify(fmt.Sprint("more ", i), false) // beyond what one gets in an hour: the act goes on
		notify(fmt.Sprint("measure ", i), true)
	}
	if got := sent("ann@example.com"); got != 5+1+20 {
		t.Errorf("ann got %d notices in an hour, want 5 of those that can be declined and 21 that cannot", got)
	}
	if err := v.SetPreferences(ctx, v.owner, Preferences{Lang: "fr"}); text(err) != "/lang is fr, want zh-CN, en, or empty for both" {
		t.Errorf("another language: %v", err)
	}
}
