package home

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Limits of homes of residents.
const (
	MaxLived   = 10 // homes that one resident is a member of
	MaxMembers = 20 // members of one home
)

// A Member is a resident in a home.
type Member struct {
	Resident string
	Name     string // as they call themselves; may be empty
	Role     access.Role
	JoinedAt time.Time
}

// A Residence is a home that a resident is a member of.
type Residence struct {
	Home     Home // without what stands in it
	Role     access.Role
	JoinedAt time.Time
}

// Settle makes an empty home of residents, with who as its householder.
func (s *Service) Settle(ctx context.Context, who access.Actor, names Names) (Home, error) {
	if !who.Resident() {
		return Home{}, fault.Forbidden("a home of residents", "a resident's session")
	}
	label, err := Label{Names: names}.Checked()
	if err != nil {
		return Home{}, err
	}
	id := newID()
	h := Home{ID: id, Organisation: id, Names: label.Names, Version: 1, CreatedAt: s.now().UTC().Truncate(time.Millisecond)}
	who.Organisation = id
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if err := s.join(ctx, tx, id, who.ID, access.Householder); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, insertHomeSQL, h.ID, h.Organisation, marshal(h.Names), h.Version, h.CreatedAt.UnixMilli()); err != nil {
			return fmt.Errorf("adding home %s: %w", id, err)
		}
		return audit.Record(ctx, tx, who, "home.create", id, "")
	})
	if err != nil {
		return Home{}, err
	}
	return h, nil
}

// join makes a resident a member of a home, within the limits of both.
func (s *Service) join(ctx context.Context, tx *store.Tx, homeID, resident string, role access.Role) error {
	homes, err := count(ctx, tx, "SELECT COUNT(*) FROM home_member WHERE resident = ?", resident)
	if err != nil {
		return fmt.Errorf("counting the homes of resident %s: %w", resident, err)
	}
	if homes >= MaxLived {
		return fault.Limit("homes", strconv.Itoa(homes), fmt.Sprintf("%d homes a resident", MaxLived), 0)
	}
	members, err := count(ctx, tx, "SELECT COUNT(*) FROM home_member WHERE home = ?", homeID)
	if err != nil {
		return fmt.Errorf("counting the members of home %s: %w", homeID, err)
	}
	if members >= MaxMembers {
		return fault.Limit("members", strconv.Itoa(members), fmt.Sprintf("%d members a home", MaxMembers), 0)
	}
	_, err = tx.Exec(ctx, "INSERT INTO home_member (home, resident, role, joined_at) VALUES (?, ?, ?, ?)", homeID, resident, role, s.now().UnixMilli())
	if errors.Is(err, store.ErrDuplicate) {
		return fault.Conflict("member", "the resident is a member of the home already")
	}
	if err != nil {
		return fmt.Errorf("adding a member to home %s: %w", homeID, err)
	}
	return nil
}

// Enter gives who as they act in a home: in its name, in the role they have there now. To who is no member, there is no such home.
func (s *Service) Enter(ctx context.Context, who access.Actor, homeID string) (inside access.Actor, err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		inside, err = Within(ctx, v, who, homeID)
		return err
	})
	return inside, err
}

// Within is Enter as q sees it; for rooms that act in a home within a transaction of their own.
func Within(ctx context.Context, q store.Querier, who access.Actor, homeID string) (access.Actor, error) {
	var role access.Role
	err := q.QueryRow(ctx, "SELECT role FROM home_member WHERE home = ? AND resident = ?", homeID, who.ID).Scan(&role)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !who.Resident() {
		return who, fault.NotFound("home", homeID)
	}
	if err != nil {
		return who, fmt.Errorf("looking for a member of home %s: %w", homeID, err)
	}
	who.Organisation, who.Roles = homeID, []access.Role{role}
	return who, nil
}

// Residences lists the homes that who is a member of, in the order they were made.
func (s *Service) Residences(ctx context.Context, who access.Actor) ([]Residence, error) {
	if !who.Resident() {
		return nil, fault.Forbidden("a home of residents", "a resident's session")
	}
	all := []Residence{}
	err := s.store.Read(ctx, func(v *store.View) error {
		all = all[:0]
		rows, err := v.Query(ctx, residencesSQL, who.ID, MaxLived)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var r Residence
			var joined int64
			r.Home, err = scanHome(rows, &r.Role, &joined)
			if err != nil {
				return err
			}
			r.JoinedAt = time.UnixMilli(joined).UTC()
			all = append(all, r)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("listing the homes of resident %s: %w", who.ID, err)
	}
	return all, nil
}

// Members lists who lives in a home, in the order of their accounts.
func (s *Service) Members(ctx context.Context, who access.Actor, homeID string) (all []Member, err error) {
	if err := who.Check(access.ReadHome); err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		if _, err := versionOf(ctx, v, who, homeID); err != nil {
			return err
		}
		all, err = members(ctx, v, homeID)
		return err
	})
	return all, err
}

func members(ctx context.Context, q store.Querier, homeID string) ([]Member, error) {
	rows, err := q.Query(ctx, membersSQL, homeID, MaxMembers)
	if err != nil {
		return nil, fmt.Errorf("listing the members of home %s: %w", homeID, err)
	}
	defer rows.Close()
	all := []Member{}
	for rows.Next() {
		var m Member
		var joined int64
		if err := rows.Scan(&m.Resident, &m.Name, &m.Role, &joined); err != nil {
			return nil, fmt.Errorf("listing the members of home %s: %w", homeID, err)
		}
		m.JoinedAt = time.UnixMilli(joined).UTC()
		all = append(all, m)
	}
	return all, rows.Err()
}

// SetMember gives a member another role.
func (s *Service) SetMember(ctx context.Context, who access.Actor, homeID, resident string, role access.Role) error {
	if err := checkRole("/role", role); err != nil {
		return err
	}
	return s.govern(ctx, who, homeID, func(tx *store.Tx) error {
		if err := setRole(ctx, tx, homeID, resident, role); err != nil {
			return err
		}
		if err := headed(ctx, tx, homeID); err != nil {
			return err
		}
		return recordMember(ctx, tx, who, "home.member.set", resident, string(role))
	})
}

// Transfer hands a home on to another member (转让): they are its householder then, and who is an adult in it.
func (s *Service) Transfer(ctx context.Context, who access.Actor, homeID, resident string) error {
	if resident == who.ID {
		return fault.Invalid("/resident", resident, "another member of the home", "name whom it is handed to")
	}
	return s.govern(ctx, who, homeID, func(tx *store.Tx) error {
		if err := setRole(ctx, tx, homeID, resident, access.Householder); err != nil {
			return err
		}
		if err := setRole(ctx, tx, homeID, who.ID, access.Adult); err != nil {
			return err
		}
		return recordMember(ctx, tx, who, "home.transfer", resident, "")
	})
}

// RemoveMember ends the membership of a resident: at once, in all of their sessions. Members may leave by themselves.
func (s *Service) RemoveMember(ctx context.Context, who access.Actor, homeID, resident string) error {
	leave := func(tx *store.Tx) error {
		if err := s.leave(ctx, tx, homeID, resident); err != nil {
			return err
		}
		if err := forgetPerson(ctx, tx, homeID, resident); err != nil {
			return err
		}
		return recordMember(ctx, tx, who, "home.member.remove", resident, "")
	}
	if who.Resident() && resident == who.ID {
		return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
			if _, err := Change(ctx, tx, who, homeID); err != nil {
				return err
			}
			return leave(tx)
		})
	}
	return s.govern(store.Urgent(ctx), who, homeID, leave)
}

// Depart takes a resident who is forgotten out of their homes. A home that nobody else lives in ends with it; one in which others
// would be without a householder is to be handed on first. It is the hook resident.Forget.
func (s *Service) Depart(ctx context.Context, tx *store.Tx, resident string) error {
	lived, err := livedIn(ctx, tx, resident)
	if err != nil {
		return err
	}
	for _, homeID := range lived {
		others, err := count(ctx, tx, "SELECT COUNT(*) FROM home_member WHERE home = ? AND resident <> ?", homeID, resident)
		if err != nil {
			return fmt.Errorf("counting the members of home %s: %w", homeID, err)
		}
		if others == 0 {
			if err := s.remove(ctx, tx, access.System("resident", homeID), homeID); err != nil {
				return err
			}
			continue
		}
		if err := s.leave(ctx, tx, homeID, resident); err != nil {
			return err
		}
	}
	return forgetPerson(ctx, tx, "", resident)
}

// leave takes a member out of a home that others live in, and tells who has something of theirs.
func (s *Service) leave(ctx context.Context, tx *store.Tx, homeID, resident string) error {
	l := Leaver{Home: homeID, Resident: resident}
	err := tx.QueryRow(ctx, "DELETE FROM home_member WHERE home = ? AND resident = ? RETURNING role", homeID, resident).Scan(&l.Role)
	if errors.Is(err, sql.ErrNoRows) {
		return fault.NotFound("member", resident)
	}
	if err != nil {
		return fmt.Errorf("removing a member of home %s: %w", homeID, err)
	}
	if err := headed(ctx, tx, homeID); err != nil || s.left == nil {
		return err
	}
	const heir = "SELECT resident FROM home_member WHERE home = ? AND role = ? ORDER BY joined_at, resident LIMIT 1"
	if err := tx.QueryRow(ctx, heir, homeID, access.Householder).Scan(&l.Heir); err != nil {
		return fmt.Errorf("looking for the householder of home %s: %w", homeID, err)
	}
	return s.left(ctx, tx, l)
}

// forgetPerson deletes what a home keeps of one resident, or, with an empty homeID, every home. Invitations of who has left are void.
func forgetPerson(ctx context.Context, tx *store.Tx, homeID, resident string) error {
	for _, statement := range []string{"DELETE FROM home_invite WHERE made_by = ?", "DELETE FROM home_favourite WHERE person = ?"} {
		args := []any{resident}
		if homeID != "" {
			statement, args = statement+" AND home = ?", append(args, homeID)
		}
		if _, err := tx.Exec(ctx, statement, args...); err != nil {
			return fmt.Errorf("forgetting resident %s: %w", resident, err)
		}
	}
	return nil
}

// govern runs do in a transaction for who may manage a home.
func (s *Service) govern(ctx context.Context, who access.Actor, homeID string, do func(tx *store.Tx) error) error {
	if err := who.Check(access.ManageHome); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := Change(ctx, tx, who, homeID); err != nil {
			return err
		}
		return do(tx)
	})
}

func setRole(ctx context.Context, tx *store.Tx, homeID, resident string, role access.Role) error {
	done, err := tx.Exec(ctx, "UPDATE home_member SET role = ? WHERE home = ? AND resident = ?", role, homeID, resident)
	if err != nil {
		return fmt.Errorf("setting the role of a member of home %s: %w", homeID, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return fault.NotFound("member", resident)
	}
	return nil
}

// headed refuses what leaves a home without a householder.
func headed(ctx context.Context, q store.Querier, homeID string) error {
	n, err := count(ctx, q, "SELECT COUNT(*) FROM home_member WHERE home = ? AND role = ?", homeID, access.Householder)
	if err != nil {
		return fmt.Errorf("counting the householders of home %s: %w", homeID, err)
	}
	if n == 0 {
		f := fault.Conflict("home "+homeID, "the home would be without a householder")
		f.Fix = "hand it on to another member first (POST /api/v1/homes/{home}/transfer), or take the home away"
		return f
	}
	return nil
}

func livedIn(ctx context.Context, q store.Querier, resident string) ([]string, error) {
	rows, err := q.Query(ctx, "SELECT home FROM home_member WHERE resident = ? ORDER BY home LIMIT ?", resident, MaxLived)
	if err != nil {
		return nil, fmt.Errorf("listing the homes of resident %s: %w", resident, err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("listing the homes of resident %s: %w", resident, err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func recordMember(ctx context.Context, tx *store.Tx, who access.Actor, act, resident, note string) error {
	return audit.RecordPerson(ctx, tx, who, act, resident, note)
}

func checkRole(where string, role access.Role) error {
	for _, r := range access.HomeRoles() {
		if r == role {
			return nil
		}
	}
	return fault.Unlisted(where, string(role), access.HomeRoles(), "")
}
