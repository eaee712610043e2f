package issuance

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
)

// A Limit is what an organisation may order for mass production.
type Limit struct {
	Order int // triples of one order
	Open  int // triples of all its orders that are not ended
}

// Limits are what a level of verification allows, by the level.
func Limits() []Limit {
	return []Limit{
		{Order: 0, Open: 0},
		{Order: 1_000, Open: 5_000},
		{Order: 100_000, Open: 500_000},
		{Order: MaxQuantity, Open: 4 * MaxQuantity},
	}
}

// allowed refuses an order that its product or its organisation does not allow, and takes what it needs of their limits: in
// the transaction of the act, so that no two orders get the last triple.
func (s *Service) allowed(ctx context.Context, tx *store.Tx, who access.Actor, o *Order) error {
	if o.Purpose == Debug && s.c.May != nil {
		if err := s.c.May(ctx, tx, who, o.Organisation, o.Product, false); err != nil {
			return err
		}
	}
	if o.Purpose == Mass {
		if strings.TrimSpace(o.Factory.Name) == "" {
			return fault.Invalid("/factory/name", "", "the name of the factory that burns the triples", "name it, or order for debugging")
		}
		if err := s.massProduction(ctx, tx, who, o); err != nil {
			return err
		}
	}
	if err := quota.Take(ctx, tx, quota.Organisation(o.Organisation), quota.OpenOrders, 1); err != nil {
		return err
	}
	return quota.Take(ctx, tx, o.subject(), o.limit(), int64(o.Quantity))
}

// stands refuses what hands triples out while a measure against the order, its product or its organisation refuses that.
func (o *Order) stands(ctx context.Context, q store.Querier) error {
	return enforce.Require(ctx, q, enforce.Chain{Batch: o.ID, Product: o.Product, Organisation: o.Organisation}, enforce.Order)
}

// subject is whose limit the triples of an order count for, and limit which one.
func (o *Order) subject() quota.Subject {
	if o.Purpose == Debug {
		return quota.Product(o.Product, o.Organisation)
	}
	return quota.Organisation(o.Organisation)
}

func (o *Order) limit() quota.Limit {
	if o.Purpose == Debug {
		return quota.DebugTriples
	}
	return quota.Triples
}

// giveLimits gives back what an order that has ended does not need any more: its place, and its triples if it was not issued.
func giveLimits(ctx context.Context, tx *store.Tx, o *Order) error {
	if err := quota.Give(ctx, tx, quota.Organisation(o.Organisation), quota.OpenOrders, 1); err != nil || o.State == StateIssued {
		return err
	}
	return quota.Give(ctx, tx, o.subject(), o.limit(), int64(o.Quantity))
}

// Counts says what the limits of triples and orders stand for, so that they can be held against it.
func Counts() map[quota.Limit]quota.Count {
	count := func(query string) quota.Count {
		return func(ctx context.Context, q store.Querier, id string) (n int64, err error) {
			err = q.QueryRow(ctx, query, id).Scan(&n)
			return n, err
		}
	}
	return map[quota.Limit]quota.Count{
		quota.DebugTriples: count(countDebugSQL), quota.Triples: count(countMassSQL), quota.OpenOrders: count(countOpenSQL),
		quota.MACLists:   count("SELECT COUNT(*) FROM mac_list WHERE organisation = ?"),
		quota.ListedMACs: count("SELECT COALESCE(SUM(total), 0) FROM mac_list WHERE organisation = ? AND state = 'ready'"),
	}
}

// massProduction asks how far product and organisation are; at the order, and at the decision about it.
func (s *Service) massProduction(ctx context.Context, tx *store.Tx, who access.Actor, o *Order) error {
	if s.c.May != nil {
		if err := s.c.May(ctx, tx, who, o.Organisation, o.Product, true); err != nil {
			return err
		}
	}
	all := Limits()
	level := len(all) - 1
	if s.c.Level != nil {
		var err error
		if level, err = s.c.Level(ctx, tx, o.Organisation); err != nil {
			return fmt.Errorf("asking how far organisation %s is verified: %w", o.Organisation, err)
		}
	}
	level = min(max(level, 0), len(all)-1)
	limit := all[level]
	if o.Quantity > limit.Order {
		f := fault.Limit("/quantity", fmt.Sprint(o.Quantity), fmt.Sprintf("%d triples an order at verification level %d", limit.Order, level), 0)
		f.Fix = "order fewer, or have the organisation verified further"
		return f
	}
	var open int
	if err := tx.QueryRow(ctx, countOpenTriplesSQL, o.Organisation, o.ID).Scan(&open); err != nil {
		return fmt.Errorf("counting the open triples of %s: %w", o.Organisation, err)
	}
	if open+o.Quantity > limit.Open {
		return fault.Limit("triples in open orders", fmt.Sprint(open+o.Quantity), fmt.Sprintf("%d at verification level %d", limit.Open, level), 0)
	}
	return nil
}

// Decide approves or rejects an order that waits. Nobody decides about an order of an organisation they are a member of. Of
// two reviewers at once the second is told that the first was faster. Rejecting needs a reason, which the maker reads.
func (s *Service) Decide(ctx context.Context, who access.Actor, id string, act Act, reason string) (Order, error) {
	if err := who.Check(access.ReviewOrder); err != nil {
		return Order{}, err
	}
	if act != Approve && act != Reject {
		return Order{}, fault.Invalid("/act", string(act), `"approve" or "reject"`, "send one of the two")
	}
	if act == Reject {
		if err := checkReason(reason); err != nil {
			return Order{}, err
		}
	}
	if err := checkNote("/reason", reason); err != nil {
		return Order{}, err
	}
	var o Order
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		var err error
		if o, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		if o.State != StateRequested && o.DecidedBy != "" && o.DecidedBy != person(who) {
			return fault.Stale("order", id)
		}
		to, err := moves.Next(o.State, act, who)
		if err != nil {
			return err
		}
		if err := foreign(ctx, tx, who, o.Organisation); err != nil {
			return err
		}
		if act == Approve {
			if err := o.stands(ctx, tx); err != nil {
				return err
			}
		}
		if err := s.decide(ctx, tx, who, &o, to, reason); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "order."+string(act), id, reason)
	})
	if err != nil {
		return Order{}, err
	}
	return o, nil
}

func (s *Service) decide(ctx context.Context, tx *store.Tx, who access.Actor, o *Order, to State, reason string) error {
	now := s.now().UnixMilli()
	if _, err := tx.Exec(ctx, "UPDATE issuance_order SET decided_by = ?, decided_at = ? WHERE id = ?", person(who), now, o.ID); err != nil {
		return fmt.Errorf("noting who decided about order %s: %w", o.ID, err)
	}
	o.DecidedBy, o.DecidedAt = person(who), at(now)
	if to == StateRejected {
		return s.end(ctx, tx, o, to, reason)
	}
	if err := s.massProduction(ctx, tx, who, o); err != nil {
		return err
	}
	return s.approve(ctx, tx, who, o)
}

// foreign refuses who is a member of the organisation.
func foreign(ctx context.Context, q store.Querier, who access.Actor, organisation string) error {
	var one int
	err := q.QueryRow(ctx, memberSQL, organisation, who.User).Scan(&one)
	switch {
	case errors.Is(err, store.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("looking whether %s is a member of %s: %w", who.User, organisation, err)
	}
	return fault.Forbidden(string(access.ReviewOrder), "a reviewer who is no member of the organisation")
}
