package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// An Organisation develops things for the platform. A person on their own is one too.
type Organisation struct {
	ID        string
	Names     Names
	Kinds     []Kind
	Form      string // FormCompany or FormPerson
	Revision  int64  // grows with each change of names and kinds
	CreatedAt time.Time
}

// NewOrganisation is what an organisation is made of.
type NewOrganisation struct {
	Names Names
	Kinds []Kind // at least one
	Owner string // id of the user who becomes its owner; empty: who makes it
}

// CreateOrganisation makes an organisation with its first owner. The operator only.
func (s *Service) CreateOrganisation(ctx context.Context, who access.Actor, n NewOrganisation) (Organisation, error) {
	if err := who.Check(access.ManageOrganisations); err != nil {
		return Organisation{}, err
	}
	if err := checkProfile(n.Names, n.Kinds); err != nil {
		return Organisation{}, err
	}
	owner := n.Owner
	if owner == "" {
		owner = who.User
	}
	now := s.now().UnixMilli()
	var o Organisation
	err := s.give(ctx, func(tx *store.Tx) error {
		known, err := exists(ctx, tx, "SELECT 1 FROM account_user WHERE id = ? AND state <> 'deleted'", owner)
		if err != nil {
			return fmt.Errorf("looking for user %s: %w", owner, err)
		}
		if !known {
			return fault.NotFound("user", owner)
		}
		if o, err = s.found(ctx, tx, n, FormCompany, owner, now); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "organisation.create", o.ID, marshal(o.Kinds))
	})
	if err != nil {
		return Organisation{}, err
	}
	return o, nil
}

// Organisation returns the organisation who acts for, or any for the operator.
func (s *Service) Organisation(ctx context.Context, who access.Actor, id string) (Organisation, error) {
	if err := who.Check(access.ReadOrganisation); err != nil {
		return Organisation{}, err
	}
	var o Organisation
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		o, err = loadOrganisation(ctx, v, who, id)
		return err
	})
	return o, err
}

func loadOrganisation(ctx context.Context, q store.Querier, who access.Actor, id string) (Organisation, error) {
	if !who.Sees(id) {
		return Organisation{}, fault.NotFound("organisation", id)
	}
	o, err := scanOrganisation(q.QueryRow(ctx, organisationSQL, id))
	if errors.Is(err, sql.ErrNoRows) {
		return Organisation{}, fault.NotFound("organisation", id)
	}
	if err != nil {
		return Organisation{}, fmt.Errorf("reading organisation %s: %w", id, err)
	}
	return o, nil
}

func scanOrganisation(row listing.Scanner) (Organisation, error) {
	var o Organisation
	var names, kinds string
	var created int64
	if err := row.Scan(&o.ID, &names, &kinds, &o.Form, &o.Revision, &created); err != nil {
		return Organisation{}, err
	}
	o.CreatedAt = at(created)
	return o, errors.Join(json.Unmarshal([]byte(names), &o.Names), json.Unmarshal([]byte(kinds), &o.Kinds))
}

// KindsOf is what an organisation says that it is in the trade.
func KindsOf(ctx context.Context, q store.Querier, organisation string) (kinds []Kind, err error) {
	var list string
	err = q.QueryRow(ctx, "SELECT kinds FROM organisation WHERE id = ?", organisation).Scan(&list)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.NotFound("organisation", organisation)
	}
	if err == nil {
		err = json.Unmarshal([]byte(list), &kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kinds of organisation %s: %w", organisation, err)
	}
	return kinds, nil
}

// SetOrganisation gives an organisation other names and kinds.
func (s *Service) SetOrganisation(ctx context.Context, who access.Actor, id string, names Names, kinds []Kind) error {
	if err := who.Check(access.WriteOrganisation); err != nil {
		return err
	}
	if err := checkProfile(names, kinds); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		was, err := loadOrganisation(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE organisation SET names = ?, kinds = ?, revision = revision + 1 WHERE id = ?", marshal(names), marshal(kinds), id); err != nil {
			return fmt.Errorf("setting organisation %s: %w", id, err)
		}
		if err := enlist(ctx, tx, &Organisation{ID: id, Names: names, Kinds: kinds, Form: was.Form}); err != nil {
			return err
		}
		if s.changed != nil && (!maps.Equal(was.Names, names) || !slices.Equal(was.Kinds, kinds)) {
			if err := s.changed(ctx, tx, id); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, who, "organisation.set", id, marshal(kinds))
	})
}

// A Membership is an organisation a user belongs to, and as what.
type Membership struct {
	Organisation Organisation
	Role         access.Role
}
