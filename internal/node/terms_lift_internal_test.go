package node

import (
	"testing"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/verify"
)

// Papers that turn out to be true end what false ones brought, and nothing that a person imposed.
func TestTruePapersEndWhatFalseOnesBrought(t *testing.T) {
	n := newTribunal(t)
	ctx := t.Context()
	judge := access.Actor{Kind: access.KindUser, ID: "j", User: "j", Roles: []access.Role{access.Admin}, Strong: true}
	if err := n.enforceVerification(ctx, verify.Consequence{ID: "1", Organisation: "o", Kind: verify.FalsePapers, Reason: "forged"}); err != nil {
		t.Fatal(err)
	}
	_, err := n.Enforce.Impose(ctx, judge, enforce.NewMeasure{
		Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: "o"}, Kind: enforce.Terminate, Cause: falsePapers, Reason: "so I say", Evidence: []string{"e"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time nothing is left to lift
		if err := n.enforceVerification(ctx, verify.Consequence{ID: "2", Organisation: "o", Kind: verify.TruePapers, Reason: "they are true"}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := n.Enforce.Measures(ctx, judge, listing.Ask{Filters: map[string]string{"organisation": "o"}})
	if err != nil || len(page.Items) != 2 {
		t.Fatalf("%+v, %v", page.Items, err)
	}
	for _, m := range page.Items {
		if byProgram := m.By == ""; byProgram != (m.State == enforce.Lifted) {
			t.Errorf("of %q the measure is %s", m.By, m.State)
		}
	}
}
