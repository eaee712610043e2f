package node

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/once"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/verify"
)

// openTerms builds the rooms that say on which terms people and organisations use the platform.
func (n *Node) openTerms() {
	n.Agreements = agreement.New(agreement.Config{
		Store: n.Store, Keys: n.Keys, Blobs: n.Blobs, Minor: n.Accounts.Minor, Owns: n.Accounts.Owns, Send: n.Accounts.SendToGuardian, Tell: n.tellPerson,
		Export: n.Takeout.Collect, Kinds: n.kindsOf, Announce: n.announceAgreement, Logger: n.log,
	})
	n.Jobs.Handle(agreementJob, access.ManageAgreements, n.tellAgreement)
	n.Notices = notice.New(notice.Config{
		Store: n.Store, Logger: n.log, Copy: n.mailNotice,
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
		Qualifications: func() []string { return n.Verify.Catalogue().QualificationNames() },
		Kinds:          n.kindsOf,
	})
}

// tellPerson writes a message to one person, whatever they act for.
func (n *Node) tellPerson(ctx context.Context, tx *store.Tx, user, kind string, data map[string]string) error {
	return n.Notices.SendTo(ctx, tx, "", user, kind, data)
}

// kindsOf is what an organisation is in the trade.
func (n *Node) kindsOf(ctx context.Context, q store.Querier, organisation string) ([]account.Kind, error) {
	return n.Verify.Kinds(ctx, q, organisation)
}

// organisationChanged makes the gates ask again what holds for an organisation.
func (n *Node) organisationChanged(organisation string) {
	n.Entitlements.Forget(organisation)
	n.Agreements.Forget(organisation)
}

// organisationSet has an organisation checked again that has other names or kinds.
func (n *Node) organisationSet(ctx context.Context, tx *store.Tx, organisation string) error {
	tx.AfterCommit(func() { n.organisationChanged(organisation) })
	return n.Verify.Reprofiled(ctx, tx, organisation)
}

// massProduction is the service that triples for a factory belong to.
const massProduction = "mass_production"

// mayIssue refuses triples for a product that is not so far, and for an organisation without the services that its devices
// need to reach the platform. Devices that are in the field are not asked.
func (n *Node) mayIssue(ctx context.Context, q store.Querier, who access.Actor, organisation, product string, mass bool) error {
	if err := n.Products.Ready(ctx, q, who, product, mass); err != nil {
		return err
	}
	services, err := n.Products.Services(ctx, q, product)
	if err != nil {
		return err
	}
	if mass {
		services = append(services, massProduction)
	}
	for _, service := range services {
		if err := n.Entitlements.Require(ctx, q, organisation, service); err != nil {
			return err
		}
	}
	return nil
}

// enforceVerification ends what an organisation may do whose papers were false, or that let a demand lapse, and gives it back when
// the papers turn out to be true.
func (n *Node) enforceVerification(ctx context.Context, c verify.Consequence) error {
	who := access.System("verification", "")
	cause := enforce.Cause("breach_of_agreement")
	switch c.Kind {
	case verify.TruePapers:
		return n.liftVerification(ctx, who, c)
	case verify.FalsePapers:
		cause = falsePapers
	}
	_, err := n.Enforce.Impose(ctx, who, enforce.NewMeasure{
		Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: c.Organisation}, Kind: enforce.Terminate, Cause: cause, Reason: c.Reason,
		Evidence: []string{c.ID},
	})
	return err
}

const falsePapers enforce.Cause = "false_papers"

// liftVerification lifts what was imposed by the program, and by nobody, because of false papers.
func (n *Node) liftVerification(ctx context.Context, who access.Actor, c verify.Consequence) error {
	page, err := n.Enforce.Measures(ctx, who, listing.Ask{Limit: listing.MaxLimit, Filters: map[string]string{"organisation": c.Organisation, "kind": string(enforce.Terminate)}})
	if err != nil {
		return err
	}
	for i := range page.Items {
		m := &page.Items[i]
		if m.By != "" || m.Cause != falsePapers || m.State != enforce.InForce {
			continue
		}
		apart := store.Alongside(ctx, func(context.Context, *store.Tx) error { return nil }) // it is carried out when all are lifted
		if _, err := n.Enforce.Lift(apart, who, m.ID, c.Reason); err != nil && !fault.Is(err, fault.Clash) {
			return err
		}
	}
	return n.Store.Write(ctx, func(*store.Tx) error { return nil })
}

// mailNotice hands a message that is important on to people's mail.
func (n *Node) mailNotice(ctx context.Context, tx *store.Tx, l notice.Letter) error {
	of := account.Notice{
		Organisation: l.Organisation, User: l.User, About: l.About, Always: l.Always, Titles: make(map[string]string), Bodies: make(map[string]string),
	}
	for lang, text := range l.Texts {
		of.Titles[lang], of.Bodies[lang] = text.Title, text.Body
	}
	return n.Accounts.Notify(ctx, tx, of)
}

// forgetResident makes the rooms forget a resident who leaves.
func (n *Node) forgetResident(ctx context.Context, tx *store.Tx, resident string) error {
	if err := n.Homes.Depart(ctx, tx, resident); err != nil {
		return err
	}
	for _, room := range []eraser{n.Quota, n.Voice, n.Pairing} {
		for more := true; more; {
			var err error
			if more, err = room.Erase(ctx, tx, "user", resident, 1000); err != nil {
				return err
			}
		}
	}
	return once.Forget(ctx, tx, resident)
}

// forgetUser makes every room that knows something of a person forget it.
func (n *Node) forgetUser(ctx context.Context, tx *store.Tx, user string) error {
	for _, room := range []eraser{n.Agreements, n.Notices, n.Quota, n.Voice} {
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
