package home

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	inviteLife = 7 * 24 * time.Hour
	maxInvites = 20 // open ones of one home
	codeChars  = 26 // 128 bits
)

var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// An Invite lets whoever has its code become a member of a home, once.
type Invite struct {
	ID        string
	Code      string // given when it is made, never again
	Role      access.Role
	MadeAt    time.Time
	ExpiresAt time.Time
}

// Invite makes an invitation to a home, for a role. The code is told to whom it is for; only its hash is stored.
func (s *Service) Invite(ctx context.Context, who access.Actor, homeID string, role access.Role) (Invite, error) {
	if err := checkRole("/role", role); err != nil {
		return Invite{}, err
	}
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails: crypto/rand
	now := s.now().UTC().Truncate(time.Millisecond)
	in := Invite{ID: newID(), Code: letters.EncodeToString(b), Role: role, MadeAt: now, ExpiresAt: now.Add(inviteLife)}
	err := s.govern(ctx, who, homeID, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM home_invite WHERE home = ? AND expires_at <= ?", homeID, now.UnixMilli()); err != nil {
			return fmt.Errorf("forgetting old invitations to home %s: %w", homeID, err)
		}
		n, err := count(ctx, tx, "SELECT COUNT(*) FROM home_invite WHERE home = ?", homeID)
		if err != nil {
			return fmt.Errorf("counting invitations to home %s: %w", homeID, err)
		}
		if n >= maxInvites {
			return fault.Limit("invitations", strconv.Itoa(n), fmt.Sprintf("%d open invitations a home", maxInvites), 0)
		}
		hash := inviteHash(in.Code)
		_, err = tx.Exec(ctx, "INSERT INTO home_invite (id, home, hash, role, made_by, made_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			in.ID, homeID, hash[:], in.Role, who.ID, in.MadeAt.UnixMilli(), in.ExpiresAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("adding an invitation to home %s: %w", homeID, err)
		}
		return audit.Record(ctx, tx, who, "home.invite", in.ID, string(role))
	})
	if err != nil {
		return Invite{}, err
	}
	return in, nil
}

// Invites lists the open invitations to a home, without their codes.
func (s *Service) Invites(ctx context.Context, who access.Actor, homeID string) ([]Invite, error) {
	if err := who.Check(access.ManageHome); err != nil {
		return nil, err
	}
	all := []Invite{}
	err := s.store.Read(ctx, func(v *store.View) error {
		all = all[:0]
		if _, err := versionOf(ctx, v, who, homeID); err != nil {
			return err
		}
		rows, err := v.Query(ctx, "SELECT id, role, made_at, expires_at FROM home_invite WHERE home = ? AND expires_at > ? ORDER BY id LIMIT ?",
			homeID, s.now().UnixMilli(), maxInvites)
		if err != nil {
			return fmt.Errorf("listing invitations to home %s: %w", homeID, err)
		}
		defer rows.Close()
		for rows.Next() {
			var in Invite
			var made, expires int64
			if err := rows.Scan(&in.ID, &in.Role, &made, &expires); err != nil {
				return fmt.Errorf("listing invitations to home %s: %w", homeID, err)
			}
			in.MadeAt, in.ExpiresAt = time.UnixMilli(made).UTC(), time.UnixMilli(expires).UTC()
			all = append(all, in)
		}
		return rows.Err()
	})
	return all, err
}

// Withdraw ends an invitation to a home.
func (s *Service) Withdraw(ctx context.Context, who access.Actor, homeID, id string) error {
	return s.govern(store.Urgent(ctx), who, homeID, func(tx *store.Tx) error {
		done, err := tx.Exec(ctx, "DELETE FROM home_invite WHERE id = ? AND home = ?", id, homeID)
		if err != nil {
			return fmt.Errorf("withdrawing invitation %s: %w", id, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("invitation", id)
		}
		return audit.Record(ctx, tx, who, "home.invite.withdraw", id, "")
	})
}

// Join makes who a member of the home that a code invites to. Nobody guesses 128 bits, so nothing counts the wrong ones.
func (s *Service) Join(ctx context.Context, who access.Actor, code string) (r Residence, err error) {
	if !who.Resident() {
		return r, fault.Forbidden("a home of residents", "a resident's session")
	}
	hash := inviteHash(code)
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		var id, homeID string
		var expires int64
		err := tx.QueryRow(ctx, "SELECT id, home, role, expires_at FROM home_invite WHERE hash = ?", hash[:]).Scan(&id, &homeID, &r.Role, &expires)
		if errors.Is(err, sql.ErrNoRows) || err == nil && expires <= s.now().UnixMilli() {
			f := fault.NotFound("invitation", "")
			f.What, f.Where = "there is no invitation with this code, or it was used or has ended", "/code"
			f.Fix = "ask the householder for another"
			return f
		}
		if err != nil {
			return fmt.Errorf("looking for an invitation: %w", err)
		}
		if err := s.join(ctx, tx, homeID, who.ID, r.Role); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM home_invite WHERE id = ?", id); err != nil {
			return fmt.Errorf("using invitation %s up: %w", id, err)
		}
		who.Organisation = homeID
		if _, err := Change(ctx, tx, who, homeID); err != nil {
			return err
		}
		if r.Home, err = scanHome(tx.QueryRow(ctx, homeSQL, homeID, homeID)); err != nil {
			return fmt.Errorf("reading home %s: %w", homeID, err)
		}
		r.JoinedAt = s.now().UTC().Truncate(time.Millisecond)
		return audit.Record(ctx, tx, who, "home.join", id, string(r.Role))
	})
	return r, err
}

// inviteHash is what is stored of a code, however it was typed. The 128 bits in it need no slow hash.
func inviteHash(code string) [sha256.Size]byte {
	if len(code) > 4*codeChars {
		code = ""
	}
	return sha256.Sum256([]byte("invitation " + strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code))))
}
