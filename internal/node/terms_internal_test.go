package node

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/verify"
)

// newTerms is a node with the rooms that say on which terms organisations use the platform, and one organisation.
func newTerms(t *testing.T) (n *Node, organisation string) {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	n = &Node{Store: storetest.Open(t), log: log}
	keys, err := keyring.Open(ctx, n.Store, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	n.Keys, n.Jobs = keys, job.New(n.Store, log)
	n.openLimits()
	n.Accounts = account.New(account.Config{Store: n.Store, Keys: keys, Changed: n.organisationSet, Logger: log})
	n.openTerms()
	if n.Verify, err = verify.New(verify.Config{Store: n.Store, Keys: keys, Changed: n.organisationChanged, Logger: log}); err != nil {
		t.Fatal(err)
	}
	organisation = "0197aaaa-0000-7000-8000-000000000001"
	err = n.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{"en":"x"}', '["terminal_maker"]', 1)`, organisation)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n, organisation
}

// TestGatesAskAgainAfterACommit changes, one after the other, everything that a gate's answer rests upon in other rooms.
func TestGatesAskAgainAfterACommit(t *testing.T) {
	n, organisation := newTerms(t)
	ctx := t.Context()
	admin := access.Actor{Kind: access.KindUser, ID: "root", User: "root", Roles: []access.Role{access.Admin}, Strong: true}
	owner := access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: organisation, Roles: []access.Role{access.Owner}}
	bar := entitlement.NewBar{
		Service: "certification", Kind: entitlement.Open, Kinds: []account.Kind{account.ChipMaker}, Qualifications: []string{"radio"}, Reason: "a test", Emergency: true,
	}
	if _, err := n.Entitlements.SetBar(ctx, admin, bar); err != nil {
		t.Fatal(err)
	}
	missing := func(ctx context.Context) int {
		if f := fault.Of(n.Entitlements.Gate(ctx, owner, access.ApplyCertification)); f != nil {
			return len(f.Open)
		}
		return 0
	}
	if got := missing(ctx); got != 2 {
		t.Fatalf("at first %d things are missing, want the kind and the qualification", got)
	}
	if err := n.Accounts.SetOrganisation(ctx, owner, organisation, account.Names{"en": "x"}, []account.Kind{account.ChipMaker}); err != nil {
		t.Fatal(err)
	}
	if got := missing(ctx); got != 1 {
		t.Errorf("with other kinds %d things are missing, want the qualification", got)
	}
	now := time.Now()
	_, err := n.Verify.Waive(ctx, admin, verify.Waiver{
		Organisation: organisation, Condition: "qualification.radio", Reason: "r", Wording: "w", Starts: now.Add(-time.Second), Ends: now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := missing(ctx); got != 0 {
		t.Errorf("with a waiver %d things are missing, want none", got)
	}
	_, err = n.Enforce.Impose(ctx, admin, enforce.NewMeasure{
		Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: organisation}, Kind: enforce.SuspendService, Service: "certification",
		Cause: "breach_of_agreement", Reason: "r", Evidence: []string{"e"}, Ends: now.Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := missing(ctx); got != 1 {
		t.Errorf("under a measure %d things are missing, want the standing", got)
	}
}
