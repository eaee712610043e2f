package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Member is a user in an organisation.
type Member struct {
	Organisation string
	User         string // id
	Login        string
	Role         access.Role
	Revision     int64 // grows with each change of the role
	CreatedAt    time.Time
}

// AddMember makes the user with that login a member at once. Only the operator may, who acts for no organisation: an owner
// invites, and people decide themselves whom they belong to. A member of another role keeps it: see SetRole.
func (s *Service) AddMember(ctx context.Context, who access.Actor, organisation, login string, role access.Role) (Member, error) {
	if err := who.Check(access.ManageOrganisations); err != nil {
		return Member{}, err
	}
	if !who.Everywhere() {
		return Member{}, fault.Forbidden("member.add", "an admin who acts for no organisation")
	}
	if err := checkRole(role); err != nil {
		return Member{}, err
	}
	key, err := loginKey(login)
	if err != nil {
		return Member{}, fault.NotFound("user", login)
	}
	now := s.now().UnixMilli()
	m := Member{Organisation: organisation, Role: role, Revision: 1, CreatedAt: at(now)}
	err = s.give(ctx, func(tx *store.Tx) error {
		if _, err := loadOrganisation(ctx, tx, who, organisation); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, "SELECT id, login FROM account_user WHERE login_key = ? AND state <> 'deleted'", key).Scan(&m.User, &m.Login)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("user", login)
		}
		if err != nil {
			return fmt.Errorf("looking for login %q: %w", login, err)
		}
		was, err := RoleOf(ctx, tx, organisation, m.User)
		if err != nil {
			return err
		}
		if was != "" {
			return fault.Conflict("/login", m.Login+" is a member already, as "+string(was))
		}
		if err := members(ctx, tx, organisation, 1); err != nil {
			return err
		}
		if err := insertMember(ctx, tx, organisation, m.User, role, now); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "member.add", m.User, organisation+" "+string(role))
	})
	if err != nil {
		return Member{}, err
	}
	return m, nil
}

// SetRole gives a member another role. The last owner stays one.
func (s *Service) SetRole(ctx context.Context, who access.Actor, organisation, user string, role access.Role) error {
	if err := mayManage(who, organisation); err != nil {
		return err
	}
	if err := checkRole(role); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		if err := leaves(ctx, tx, organisation, user, role); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE member SET role = ?, revision = revision + 1 WHERE organisation = ? AND user_id = ?", string(role), organisation, user); err != nil {
			return fmt.Errorf("setting the role of %s in %s: %w", user, organisation, err)
		}
		return audit.RecordPerson(ctx, tx, who, "member.role", user, organisation+" "+string(role))
	})
}

// RemoveMember ends a membership, and with it every session and token that acts for the organisation in the member's name.
// The last owner stays.
func (s *Service) RemoveMember(ctx context.Context, who access.Actor, organisation, user string) error {
	if err := mayManage(who, organisation); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		if err := leaves(ctx, tx, organisation, user, ""); err != nil {
			return err
		}
		if err := s.part(ctx, tx, organisation, user); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "member.remove", user, organisation)
	})
}

func mayManage(who access.Actor, organisation string) error {
	if err := who.Check(access.ManageMembers); err != nil {
		return err
	}
	if !who.Sees(organisation) {
		return fault.NotFound("organisation", organisation)
	}
	return nil
}

// checkRole accepts the roles a membership may have: all but the operator's.
func checkRole(role access.Role) error {
	if all := access.MemberRoles(); !slices.Contains(all, role) {
		return fault.Unlisted("/role", string(role), all, "")
	}
	return nil
}

// leaves allows that a member gets another role, or none, if an owner is left.
func leaves(ctx context.Context, tx *store.Tx, organisation, user string, role access.Role) error {
	was, err := RoleOf(ctx, tx, organisation, user)
	if err != nil {
		return err
	}
	if was == "" {
		return fault.NotFound("member", user)
	}
	if was != access.Owner || role == access.Owner {
		return nil
	}
	other, err := exists(ctx, tx, "SELECT 1 FROM member WHERE organisation = ? AND role = 'owner' AND user_id <> ?", organisation, user)
	if err != nil {
		return fmt.Errorf("looking for another owner of %s: %w", organisation, err)
	}
	if !other {
		return fault.Conflict("/role", "this is the last owner of the organisation")
	}
	return nil
}

// RoleOf is the role of a user in an organisation, empty for none.
func RoleOf(ctx context.Context, q store.Querier, organisation, user string) (access.Role, error) {
	var role access.Role
	err := q.QueryRow(ctx, "SELECT role FROM member WHERE organisation = ? AND user_id = ?", organisation, user).Scan(&role)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("reading the role of %s in %s: %w", user, organisation, err)
	}
	return role, nil
}

func insertMember(ctx context.Context, tx *store.Tx, organisation, user string, role access.Role, now int64) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO member (organisation, user_id, role, login_key, created_at)
		SELECT CAST(? AS TEXT), u.id, CAST(? AS TEXT), u.login_key, CAST(? AS BIGINT)
		FROM account_user u
		WHERE u.id = ?`, organisation, string(role), now, user)
	if err != nil {
		return fmt.Errorf("adding %s to %s: %w", user, organisation, err)
	}
	return nil
}
