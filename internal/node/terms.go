package node

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/once"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/verify"
)

// openTerms builds the rooms that say on which terms people and organisations use the platform.
func (n *Node) openTerms() {
	n.Agreements = agreement.New(agreement.Config{Store: n.Store, Keys: n.Keys, Minor: n.Accounts.Minor, Send: n.Accounts.SendToGuardian, Export: n.Takeout.Collect, Logger: n.log})
	n.Notices = notice.New(notice.Config{
		Store: n.Store, Logger: n.log,
		Services: func(ctx context.Context, q store.Querier, organisation string) ([]string, error) {
			return n.Entitlements.Allowed(ctx, q, organisation)
		},
	})
	n.Entitlements = entitlement.New(entitlement.Config{
		Store: n.Store, Agreements: n.Agreements, Notices: n.Notices, Limits: n.Quota, Logger: n.log,
		Level: func(ctx context.Context, q store.Querier, organisation string) (int, error) {
			return n.Verify.Level(ctx, q, organisation)
		},
		Qualified: func(ctx context.Context, q store.Querier, organisation, qualification string) (bool, error) {
			return n.Verify.Qualified(ctx, q, organisation, qualification)
		},
	})
}

// massProduction is the service that triples for a factory belong to.
const massProduction = "mass_production"

// mayIssue refuses triples for a product that is not so far, and for an organisation without the service.
func (n *Node) mayIssue(ctx context.Context, q store.Querier, organisation, product string, mass bool) error {
	if err := n.Products.Ready(ctx, q, product, mass); err != nil || !mass {
		return err
	}
	return n.Entitlements.Require(ctx, q, organisation, massProduction)
}

// enforceVerification ends what an organisation may do whose papers were false, or that let a demand lapse.
func (n *Node) enforceVerification(ctx context.Context, c verify.Consequence) error {
	cause := enforce.Cause("breach_of_agreement")
	if c.Kind == verify.FalsePapers {
		cause = "false_papers"
	}
	_, err := n.Enforce.Impose(ctx, access.System("verification", ""), enforce.NewMeasure{
		Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: c.Organisation}, Kind: enforce.Terminate, Cause: cause, Reason: c.Reason,
		Evidence: []string{c.ID},
	})
	return err
}

// forgetUser makes every room that knows something of a person forget it.
func (n *Node) forgetUser(ctx context.Context, tx *store.Tx, user string) error {
	for _, room := range []eraser{n.Agreements, n.Notices} {
		for more := true; more; {
			var err error
			if more, err = room.Erase(ctx, tx, "user", user, 1000); err != nil {
				return err
			}
		}
	}
	if err := n.Jobs.Forget(ctx, tx, user); err != nil {
		return err
	}
	return once.Forget(ctx, tx, user)
}
