package account

import (
	"context"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// Leave ends who's own membership, with the sessions and tokens that rest on it. The last owner stays.
func (s *Service) Leave(ctx context.Context, who access.Actor, organisation string) error {
	if err := ownSession(who, "member.leave"); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		if err := leaves(ctx, tx, organisation, who.User, ""); err != nil {
			return err
		}
		if err := s.part(ctx, tx, organisation, who.User); err != nil {
			return err
		}
		return audit.RecordPerson(ctx, tx, who, "member.leave", who.User, organisation)
	})
}

// part ends a membership and what rests on it.
func (s *Service) part(ctx context.Context, tx *store.Tx, organisation, user string) error {
	_, err := tx.Exec(ctx, "UPDATE api_token SET revoked_at = ? WHERE organisation = ? AND user_id = ? AND revoked_at IS NULL", s.now().UnixMilli(), organisation, user)
	if err != nil {
		return fmt.Errorf("ending the tokens of %s in %s: %w", user, organisation, err)
	}
	if err := giveTokens(ctx, tx, organisation, s.now()); err != nil {
		return err
	}
	for _, statement := range []string{
		"DELETE FROM member WHERE organisation = ? AND user_id = ?",
		"DELETE FROM login_session WHERE organisation = ? AND user_id = ?",
		"DELETE FROM api_token WHERE organisation = ? AND user_id = ?",
	} {
		if _, err := tx.Exec(ctx, statement, organisation, user); err != nil {
			return fmt.Errorf("removing %s from %s: %w", user, organisation, err)
		}
	}
	return quota.Give(ctx, tx, quota.Subject{Kind: quota.KindOrganisation, ID: organisation}, quota.Members, 1)
}

// Transfer makes another member an owner in who's place; who becomes an engineer.
func (s *Service) Transfer(ctx context.Context, who access.Actor, organisation, user string) error {
	if err := ownSession(who, "organisation.transfer"); err != nil {
		return err
	}
	if who.Organisation != organisation || !who.Has(access.Owner) {
		return fault.Forbidden("organisation.transfer", "role owner")
	}
	if user == who.User {
		return fault.Conflict("/user", "that is who owns it now")
	}
	return s.change(ctx, func(tx *store.Tx) error {
		was, err := RoleOf(ctx, tx, organisation, user)
		if err != nil {
			return err
		}
		if was == "" {
			return fault.NotFound("member", user)
		}
		for member, role := range map[string]access.Role{user: access.Owner, who.User: access.Engineer} {
			if _, err := tx.Exec(ctx, "UPDATE member SET role = ?, revision = revision + 1 WHERE organisation = ? AND user_id = ?", string(role), organisation, member); err != nil {
				return fmt.Errorf("transferring organisation %s: %w", organisation, err)
			}
		}
		return audit.RecordPerson(ctx, tx, who, "organisation.transfer", user, organisation)
	})
}

// DeleteUser ends who's own account: memberships, sessions, tokens, contacts, second factor and password are gone, and
// nobody is found by the login any more. What the rooms above know of the person goes in the same transaction, and so does
// what the references in the audit stand for: entries stay, as those of a deleted person. Whoever is the last owner of an
// organisation, or the last admin, hands over first. It wants the password.
func (s *Service) DeleteUser(ctx context.Context, who access.Actor, p Password) error {
	if err := ownSession(who, "user.delete"); err != nil {
		return err
	}
	if _, err := s.prove(ctx, who.Login, p, who.From); err != nil {
		return err
	}
	return s.change(ctx, func(tx *store.Tx) error {
		role, err := platformRole(ctx, tx, who.User)
		if err != nil {
			return err
		}
		if role == access.Admin {
			if err := otherAdmin(ctx, tx, who.User, "user"); err != nil {
				return err
			}
		}
		organisations, err := organisationsOf(ctx, tx, who.User)
		if err != nil {
			return err
		}
		for _, o := range organisations {
			if err := leaves(ctx, tx, o, who.User, ""); err != nil {
				return err
			}
			if err := s.part(ctx, tx, o, who.User); err != nil {
				return err
			}
		}
		if err := s.forgetMail(ctx, tx, who.User); err != nil {
			return err
		}
		if s.forget != nil {
			if err := s.forget(ctx, tx, who.User); err != nil {
				return err
			}
		}
		if err := forgetUser(ctx, tx, who.User); err != nil {
			return err
		}
		if err := audit.RecordPerson(ctx, tx, who, "user.delete", who.User, ""); err != nil {
			return err
		}
		return audit.Forget(ctx, tx, who.User) // last: to record is to know
	})
}

func organisationsOf(ctx context.Context, q store.Querier, user string) ([]string, error) {
	rows, err := q.Query(ctx, "SELECT organisation FROM member WHERE user_id = ?", user)
	if err != nil {
		return nil, fmt.Errorf("reading the memberships of user %s: %w", user, err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("reading the memberships of user %s: %w", user, err)
		}
		all = append(all, id)
	}
	return all, rows.Err()
}

// forgetMail forgets what was sent to a user, and what others have sent to the contacts that nobody has any more.
func (s *Service) forgetMail(ctx context.Context, tx *store.Tx, user string) error {
	all, err := contactsOf(ctx, tx, user)
	if err != nil {
		return err
	}
	var email string
	if err := tx.QueryRow(ctx, "SELECT email FROM account_user WHERE id = ?", user).Scan(&email); err != nil {
		return fmt.Errorf("reading the address of user %s: %w", user, err)
	}
	if email != "" {
		all = append(all, Contact{Kind: outbox.Mail, Address: email})
	}
	for _, c := range all {
		for _, statement := range []string{
			"DELETE FROM account_code WHERE kind = ? AND address = ?",
			"DELETE FROM account_ask WHERE kind = ? AND address = ?",
			"DELETE FROM account_invitation WHERE kind = ? AND address = ?",
		} {
			if _, err := tx.Exec(ctx, statement, c.Kind, c.Address); err != nil {
				return fmt.Errorf("forgetting a contact of user %s: %w", user, err)
			}
		}
		if err := forgetReceiver(ctx, tx, c.Kind, c.Address); err != nil {
			return err
		}
		if s.outbox == nil {
			continue
		}
		if err := s.outbox.Forget(ctx, tx, room, c.Address); err != nil {
			return err
		}
	}
	return nil
}

// forgetReceiver forgets how often anybody has invited a contact or login.
func forgetReceiver(ctx context.Context, tx *store.Tx, kind, address string) error {
	if _, err := tx.Exec(ctx, "DELETE FROM account_invited WHERE receiver = ?", receiver(kind, address)); err != nil {
		return fmt.Errorf("forgetting the invitations to somebody: %w", err)
	}
	return nil
}

// forgetUser leaves a row without a name, so that ids in other rooms still mean somebody.
func forgetUser(ctx context.Context, tx *store.Tx, user string) error {
	if err := dropFactor(ctx, tx, user); err != nil {
		return err
	}
	var key string
	if err := tx.QueryRow(ctx, "SELECT login_key FROM account_user WHERE id = ?", user).Scan(&key); err != nil {
		return fmt.Errorf("reading the login of user %s: %w", user, err)
	}
	if err := forgetReceiver(ctx, tx, byUser, key); err != nil {
		return err
	}
	for _, statement := range []string{
		"DELETE FROM login_session WHERE user_id = ?",
		"DELETE FROM api_token WHERE user_id = ?",
		"DELETE FROM account_contact WHERE user_id = ?",
		"DELETE FROM account_place WHERE user_id = ?",
		"DELETE FROM account_code WHERE user_id = ?",
		"DELETE FROM account_ask WHERE user_id = ?",
		"DELETE FROM account_invitation WHERE kind = 'user' AND address = ?",
		`UPDATE account_user
		SET login = '', login_key = id, email = '', password = 'none', platform_role = '', laboratory = '', minor = 0, adult_in = '', state = 'deleted'
		WHERE id = ?`,
	} {
		if _, err := tx.Exec(ctx, statement, user); err != nil {
			return fmt.Errorf("forgetting user %s: %w", user, err)
		}
	}
	return nil
}

// erasures are the tables that hold something of an organisation, and what deletes a part of it.
var erasures = []struct{ table, statement string }{
	{"login_session", "DELETE FROM login_session WHERE id IN (SELECT id FROM login_session WHERE organisation = ? LIMIT ?)"},
	{"api_token", "DELETE FROM api_token WHERE id IN (SELECT id FROM api_token WHERE organisation = ? LIMIT ?)"},
	{"account_invitation", "DELETE FROM account_invitation WHERE id IN (SELECT id FROM account_invitation WHERE organisation = ? LIMIT ?)"},
	{"account_invited", "DELETE FROM account_invited WHERE organisation = ? AND receiver IN (SELECT receiver FROM account_invited WHERE organisation = ? LIMIT ?)"},
	{"organisation_listed", "DELETE FROM organisation_listed WHERE (facet, lang, organisation) IN (SELECT facet, lang, organisation FROM organisation_listed WHERE organisation = ? LIMIT ?)"},
	{"member", "DELETE FROM member WHERE organisation = ? AND user_id IN (SELECT user_id FROM member WHERE organisation = ? LIMIT ?)"},
}

// Erase deletes what the room holds of an organisation, at most about limit rows a call: members, sessions, tokens,
// invitations; of the organisation itself a row without a name is left.
func (s *Service) Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error) {
	if kind != "organisation" {
		return false, nil
	}
	tx.AfterCommit(s.believed.forget)
	for _, e := range erasures {
		args := []any{id, limit}
		if e.table == "member" || e.table == "account_invited" { // they have no id
			args = []any{id, id, limit}
		}
		res, err := tx.Exec(ctx, e.statement, args...)
		if err != nil {
			return false, fmt.Errorf("erasing %s of organisation %s: %w", e.table, id, err)
		}
		n, err := res.RowsAffected()
		if err != nil || n >= int64(limit) {
			return true, err
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE organisation SET names = '{}', kinds = '[]', revision = revision + 1 WHERE id = ?", id); err != nil {
		return false, fmt.Errorf("erasing organisation %s: %w", id, err)
	}
	return false, nil
}

// Holds counts what the room still holds of an organisation.
func (s *Service) Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error) {
	if kind != "organisation" {
		return 0, nil
	}
	var all int64
	for _, e := range erasures {
		var n int64
		if err := q.QueryRow(ctx, "SELECT COUNT(*) FROM "+e.table+" WHERE organisation = ?", id).Scan(&n); err != nil {
			return 0, fmt.Errorf("counting %s of organisation %s: %w", e.table, id, err)
		}
		all += n
	}
	var named int64
	err := q.QueryRow(ctx, "SELECT COUNT(*) FROM organisation WHERE id = ? AND names <> '{}'", id).Scan(&named)
	if err != nil {
		return 0, fmt.Errorf("counting organisation %s: %w", id, err)
	}
	return all + named, nil
}
