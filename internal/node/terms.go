package node

import (
	"context"

	"lampworks/internal/infra/store"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/notice"
)

// openTerms builds the rooms that say on which terms people and organisations use the platform.
func (n *Node) openTerms() {
	n.Agreements = agreement.New(agreement.Config{Store: n.Store, Keys: n.Keys, Minor: n.Accounts.Minor, Send: n.Accounts.SendToGuardian, Logger: n.log})
	n.Notices = notice.New(notice.Config{
		Store: n.Store, Logger: n.log,
		Services: func(ctx context.Context, q store.Querier, organisation string) ([]string, error) {
			return n.Entitlements.Allowed(ctx, q, organisation)
		},
	})
	n.Entitlements = entitlement.New(entitlement.Config{Store: n.Store, Agreements: n.Agreements, Notices: n.Notices, Logger: n.log})
}
