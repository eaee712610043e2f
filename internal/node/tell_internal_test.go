package node

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/notice"
)

// What happens to a measure, its appeal and a deletion is told in words of each language, by mail, and never as a bare code.
func TestMeasuresAreToldInWords(t *testing.T) {
	ctx := t.Context()
	n := newTribunal(t)
	var told []notice.Letter
	n.Notices = notice.New(notice.Config{Store: n.Store, Copy: func(_ context.Context, _ *store.Tx, l notice.Letter) error {
		told = append(told, l)
		return nil
	}})
	operator := access.System("test", "")
	impose := func(kind enforce.Kind, due time.Time) enforce.Measure {
		t.Helper()
		m, err := n.Enforce.Impose(ctx, operator, enforce.NewMeasure{
			Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: "o"}, Kind: kind, Cause: "unsafe_product", Reason: "It burns.", Evidence: []string{"e"},
			Due: due,
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	warning, order := impose(enforce.Warn, time.Time{}), impose(enforce.OrderDeletion, time.Now().Add(48*time.Hour))
	quiet := []string{"appealed", "appeal withdrawn"} // what owners did themselves stays in the inbox
	kinds := append(quiet, "imposed", "started", "lifted", "ended", "announced", "called_back", "erasing", "done",
		"appeal upheld", "appeal lifted", "appeal changed")
	for _, kind := range kinds {
		told = nil
		if err := n.tellMeasure(ctx, enforce.Event{Measure: warning.ID, Organisation: "o", Kind: kind, Note: "So it is."}); err != nil {
			t.Fatal(err)
		}
		if wanted := !slices.Contains(quiet, kind); wanted != (len(told) == 1 && told[0].Always) {
			t.Errorf("%s is sent as %+v", kind, told)
		}
	}
	told = nil
	if err := n.tellMeasure(ctx, enforce.Event{Measure: order.ID, Organisation: "o", Kind: "started"}); err != nil || len(told) != 1 {
		t.Fatalf("%+v, %v", told, err)
	}
	for lang, words := range map[string][]string{"en": {"the organisation o", "It burns."}, "zh-CN": {"组织 o", "责令限期删除", order.ID}} {
		text := told[0].Texts[lang]
		for _, want := range words {
			if all := text.Title + text.Body; !strings.Contains(all, want) || strings.Contains(all, "order_deletion") {
				t.Errorf("%s: %q does not say %s", lang, all, want)
			}
		}
	}
}

// newTribunal is a node with what measures need, and the organisation o.
func newTribunal(t *testing.T) *Node {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	n := &Node{Store: storetest.Open(t), log: log}
	keys, err := keyring.Open(t.Context(), n.Store, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	n.Accounts = account.New(account.Config{CheapHashes: true, Store: n.Store, Keys: keys, Logger: log})
	n.Entitlements = entitlement.New(entitlement.Config{Store: n.Store, Logger: log})
	n.openLimits()
	err = n.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO organisation (id, names, kinds, created_at) VALUES ('o', '{"en":"x"}', '[]', 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
