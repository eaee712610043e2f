package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

const (
	tokenLife    = 90 * 24 * time.Hour  // of a token whose maker names no end
	longestLife  = 366 * 24 * time.Hour // that a maker may name
	tokensPerOne = 100                  // in force, of one user in one organisation
)

// An APIToken is what a program acts with, in the name of the user who made it and for one organisation, or for the
// platform when Organisation is empty.
type APIToken struct {
	ID           string
	Prefix       string // "lw_<prefix>_" begins the token: to tell which one it is
	Name         string
	Organisation string
	Scopes       []access.Act // nil: all that the maker's role allows
	CreatedAt    time.Time
	ExpiresAt    time.Time
	UsedAt       time.Time // exact to a minute; zero if never
	UsedFrom     string    // address of the last use
	RevokedAt    time.Time // zero while in force
	State        string    // InForce, Expired or Revoked
	Strong       bool      // made in a session opened with the second factor: only such a token carries a role of the operator
}

// The states of an API token.
const (
	InForce = "in_force"
	Expired = "expired"
	Revoked = "revoked"
)

// NewToken is what an API token is made of.
type NewToken struct {
	Name      string       // 1..100 characters
	Scopes    []access.Act // nil: all that the maker's role allows, now and later
	ExpiresAt time.Time    // zero: in 90 days; at most 366 days ahead
}

// MakeToken makes an API token for the organisation who acts for. The token is given once and cannot be read again.
// It can do what its maker can in that organisation, never more; only a person makes one, not a token.
func (s *Service) MakeToken(ctx context.Context, who access.Actor, n NewToken) (APIToken, Token, error) {
	now := s.now()
	if err := n.check(who, now); err != nil {
		return APIToken{}, Token{}, err
	}
	if n.ExpiresAt.IsZero() {
		n.ExpiresAt = now.Add(tokenLife)
	}
	prefix, token := newAPIToken()
	t := APIToken{
		ID: newID(), Prefix: prefix, Name: n.Name, Organisation: who.Organisation, Scopes: n.Scopes,
		CreatedAt: at(now.UnixMilli()), ExpiresAt: at(n.ExpiresAt.UnixMilli()), State: InForce, Strong: who.Strong,
	}
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		var used int
		err := tx.QueryRow(ctx, `
			SELECT COUNT(*)
			FROM api_token
			WHERE user_id = ? AND organisation = ? AND revoked_at IS NULL AND expires_at > ?`,
			who.User, who.Organisation, now.UnixMilli()).Scan(&used)
		if err != nil {
			return fmt.Errorf("counting the tokens of user %s: %w", who.User, err)
		}
		if used >= tokensPerOne {
			return fault.Limit("number of tokens in force", fmt.Sprint(used), fmt.Sprint(tokensPerOne), 0)
		}
		if err := takeToken(ctx, tx, who.Organisation, now); err != nil {
			return err
		}
		if err := insertToken(ctx, tx, who, t, token); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "token.make", t.ID, "")
	})
	if err != nil {
		return APIToken{}, Token{}, err
	}
	return t, token, nil
}

func (n NewToken) check(who access.Actor, now time.Time) error {
	if err := who.Check(access.ManageTokens); err != nil {
		return err
	}
	if who.Kind == access.KindToken || who.User == "" {
		return fault.Forbidden(string(access.ManageTokens), "a session opened with login and password")
	}
	if err := checkText("/name", n.Name, 1, maxName); err != nil {
		return err
	}
	for i, act := range n.Scopes {
		where := fmt.Sprintf("/scopes/%d", i)
		if !slices.Contains(access.Acts(), act) {
			own := slices.DeleteFunc(access.Acts(), func(a access.Act) bool { return !who.May(a) }) // a token gives nothing else
			return fault.Unlisted(where, string(act), own, "GET /api/v1/session")
		}
		if slices.Contains(n.Scopes[:i], act) {
			return fault.Invalid(where, string(act), "each act once", "leave the second out")
		}
	}
	if n.Scopes != nil && len(n.Scopes) == 0 {
		return fault.Invalid("/scopes", "none", "at least one act", "name what the token is for, or leave scopes out")
	}
	if !n.ExpiresAt.IsZero() && (!n.ExpiresAt.After(now) || n.ExpiresAt.After(now.Add(longestLife))) {
		return fault.Invalid("/expires_at", fault.Stamp(n.ExpiresAt), "a time in the next 366 days", "leave it out for 90 days")
	}
	return nil
}

func insertToken(ctx context.Context, tx *store.Tx, who access.Actor, t APIToken, token Token) error {
	var scopes sql.NullString
	if t.Scopes != nil {
		scopes = sql.NullString{String: marshal(t.Scopes), Valid: true}
	}
	key := digest(token.Reveal())
	_, err := tx.Exec(ctx, insertTokenSQL, t.ID, t.Prefix, key[:], who.User, t.Organisation, t.Name, scopes, t.CreatedAt.UnixMilli(), t.ExpiresAt.UnixMilli(), flag(t.Strong), flag(t.Organisation != ""))
	if err != nil {
		return fmt.Errorf("adding token %s: %w", t.ID, err)
	}
	return nil
}

func (s *Service) scanToken(row listing.Scanner) (APIToken, error) {
	var t APIToken
	var created, expires, strong int64
	var used, revoked sql.NullInt64
	var scopes sql.NullString
	err := row.Scan(&t.ID, &t.Prefix, &t.Name, &t.Organisation, &scopes, &created, &expires, &used, &t.UsedFrom, &revoked, &strong)
	if err != nil {
		return APIToken{}, err
	}
	t.CreatedAt, t.ExpiresAt, t.UsedAt, t.RevokedAt = at(created), at(expires), at(used.Int64), at(revoked.Int64)
	t.Strong = strong != 0
	switch {
	case revoked.Valid:
		t.State = Revoked
	case !s.now().Before(t.ExpiresAt):
		t.State = Expired
	default:
		t.State = InForce
	}
	if scopes.Valid {
		err = json.Unmarshal([]byte(scopes.String), &t.Scopes)
	}
	return t, err
}

// RevokeToken takes a token that who made out of force, with the sessions opened with it. Revoking it again changes nothing.
func (s *Service) RevokeToken(ctx context.Context, who access.Actor, id string) error {
	if err := who.Check(access.ManageTokens); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		own, err := exists(ctx, tx, "SELECT 1 FROM api_token WHERE id = ? AND user_id = ? AND organisation = ?", id, who.User, who.Organisation)
		if err != nil {
			return fmt.Errorf("finding token %s: %w", id, err)
		}
		if !own {
			return fault.NotFound("token", id)
		}
		res, err := tx.Exec(ctx, "UPDATE api_token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL", s.now().UnixMilli(), id)
		if err != nil {
			return fmt.Errorf("revoking token %s: %w", id, err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM login_session WHERE token = ?", id); err != nil {
			return fmt.Errorf("ending the sessions of token %s: %w", id, err)
		}
		if err := giveTokens(ctx, tx, who.Organisation, s.now()); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "token.revoke", id, "")
	})
}

// takeToken takes one of the tokens that an organisation may have, after those that have ended were given back.
func takeToken(ctx context.Context, tx *store.Tx, organisation string, now time.Time) error {
	if organisation == "" { // the operator's own
		return nil
	}
	if err := giveTokens(ctx, tx, organisation, now); err != nil {
		return err
	}
	return quota.Take(ctx, tx, quota.Organisation(organisation), quota.Tokens, 1)
}

// giveTokens gives back what the tokens of an organisation took that are revoked or expired.
func giveTokens(ctx context.Context, tx *store.Tx, organisation string, now time.Time) error {
	if organisation == "" {
		return nil
	}
	res, err := tx.Exec(ctx, "UPDATE api_token SET counted = 0 WHERE organisation = ? AND counted = 1 AND (revoked_at IS NOT NULL OR expires_at <= ?)", organisation, now.UnixMilli())
	if err != nil {
		return fmt.Errorf("counting the tokens of organisation %s that have ended: %w", organisation, err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return err
	}
	return quota.Give(ctx, tx, quota.Organisation(organisation), quota.Tokens, n)
}

// sweepTokens gives back what expired tokens took, organisation by organisation.
func (s *Service) sweepTokens(ctx context.Context) error {
	for {
		organisation := ""
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			now := s.now()
			err := tx.QueryRow(ctx, "SELECT COALESCE(MIN(organisation), '') FROM api_token WHERE counted = 1 AND expires_at <= ?", now.UnixMilli()).Scan(&organisation)
			if err != nil || organisation == "" {
				return err
			}
			return giveTokens(ctx, tx, organisation, now)
		})
		if err != nil || organisation == "" {
			return err
		}
	}
}
