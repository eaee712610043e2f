package node

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
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
	"lampworks/internal/partner/product"
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
	n.Accounts = account.New(account.Config{CheapHashes: true, Store: n.Store, Keys: keys, Changed: n.organisationSet, Logger: log})
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

// TestTriplesNeedTheServicesOfTheProtocols bars, one after the other, the service that each protocol belongs to: neither
// triples nor a publication pass for a product that speaks it, and for no other product is anything refused.
func TestTriplesNeedTheServicesOfTheProtocols(t *testing.T) {
	n, organisation := newTerms(t)
	ctx := t.Context()
	admin := access.Actor{Kind: access.KindUser, ID: "root", User: "root", Roles: []access.Role{access.Admin}, Strong: true}
	owner := access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: organisation, Roles: []access.Role{access.Owner}}
	n.Products = product.New(n.Store, n.Keys, n.log)
	protocols, err := product.Protocols()
	if err != nil {
		t.Fatal(err)
	}
	made := make(map[string]string) // product by protocol
	for _, p := range protocols {
		lamp, err := n.Products.Create(ctx, owner, product.NewProduct{Category: "light", Names: product.Names{"en": "x"}, Protocols: []string{p.Name}})
		if err != nil {
			t.Fatal(err)
		}
		made[p.Name] = lamp.ID
	}
	refused := func(protocol string) (got string) {
		err := n.Store.Read(ctx, func(v *store.View) error {
			if f := fault.Of(n.mayIssue(ctx, v, owner, organisation, made[protocol], false)); f != nil {
				got = f.Where + ": " + f.Fix
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, p := range protocols {
		if p.Service == "" {
			continue
		}
		if _, err := n.Entitlements.SetBar(ctx, admin, entitlement.NewBar{Service: p.Service, Kind: entitlement.ByApplication, Emergency: true, Reason: "a test"}); err != nil {
			t.Fatal(err)
		}
		for _, other := range protocols {
			want := ""
			if other.Service == p.Service {
				want = "service " + p.Service + ": POST /api/v1/service-applications"
			}
			if got := refused(other.Name); got != want {
				t.Errorf("with a bar before %s triples for %s are refused by %q, want %q", p.Service, other.Name, got, want)
			}
		}
		if _, err := n.Entitlements.SetBar(ctx, admin, entitlement.NewBar{Service: p.Service, Kind: entitlement.Open, Reason: "a test"}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServicesSayWhatAsksForThem holds what the list of services says of steps to the protocols, and to mass production.
func TestServicesSayWhatAsksForThem(t *testing.T) {
	all, err := entitlement.Services()
	if err != nil {
		t.Fatal(err)
	}
	protocols, err := product.Protocols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		want := ""
		switch {
		case slices.ContainsFunc(protocols, func(p product.Protocol) bool { return p.Service == s.Name }):
			want = "order publish"
		case s.Name == massProduction:
			want = "mass_order"
		}
		if got := strings.Trim(fmt.Sprint(s.Steps), "[]"); got != want {
			t.Errorf("%s is asked for at %q, want %q", s.Name, got, want)
		}
	}
	for _, p := range protocols {
		if p.Service != "" && !slices.ContainsFunc(all, func(s entitlement.Named) bool { return s.Name == p.Service }) {
			t.Errorf("%s belongs to the service %s, which there is none of", p.Name, p.Service)
		}
	}
}
