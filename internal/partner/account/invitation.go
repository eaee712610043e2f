package account

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

const (
	invitationLife = 7 * 24 * time.Hour
	openPerOne     = 200 // open invitations of one organisation
	byUser         = "user"
)

// An Invitation asks somebody to become a member.
type Invitation struct {
	ID           string
	Organisation string
	Kind         string // outbox.Mail, outbox.SMS, or "user" for somebody who has a login
	To           string // address, number or the user's id; empty once it has ended
	Role         access.Role
	InvitedBy    string
	MadeAt       time.Time
	ExpiresAt    time.Time
	State        string // open, accepted, declined, revoked, expired
	Revision     int64  // grows with each change
	EndedAt      time.Time
	receiver     []byte // whom it is for, as it is counted
}

// NewInvitation is whom to invite, by one of two ways, and as what.
type NewInvitation struct {
	Contact string // e-mail address or number: gets a code
	Login   string // of somebody who has an account: sees it when signed in
	Role    access.Role
	Lang    string // of the message
}

// Invite asks somebody to become a member. Whether a contact belongs to an account, or a login is somebody's, is not told: an
// invitation for a login that nobody has stays open until it ends.
func (s *Service) Invite(ctx context.Context, who access.Actor, organisation string, n NewInvitation) (Invitation, error) {
	if err := mayManage(who, organisation); err != nil {
		return Invitation{}, err
	}
	if err := checkRole(n.Role); err != nil {
		return Invitation{}, err
	}
	now := s.now()
	i := Invitation{
		ID: newID(), Organisation: organisation, Role: n.Role, InvitedBy: who.User, State: "open", Revision: 1,
		MadeAt: at(now.UnixMilli()), ExpiresAt: at(now.Add(invitationLife).UnixMilli()),
	}
	contact, err := s.invitee(n, &i)
	if err != nil {
		return Invitation{}, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := loadOrganisation(ctx, tx, who, organisation); err != nil {
			return err
		}
		if err := s.mayInvite(ctx, tx, &i, n.Login); err != nil {
			return err
		}
		if err := s.countInvitation(ctx, tx, who, organisation, i.receiver); err != nil {
			return err
		}
		code := newInvitationCode()
		hash := digest(code.Reveal())
		_, err := tx.Exec(ctx, insertInvitationSQL, i.ID, organisation, i.Kind, i.To, string(i.Role), hash[:], i.InvitedBy, now.UnixMilli(), i.ExpiresAt.UnixMilli(), i.receiver)
		if err != nil {
			return fmt.Errorf("adding an invitation to %s: %w", organisation, err)
		}
		if err := s.deliver(ctx, tx, contact, n.Lang, organisation, code); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "invitation.make", i.ID, string(n.Role))
	})
	return i, err
}

// invitee reads whom an invitation is for.
func (s *Service) invitee(n NewInvitation, i *Invitation) (Contact, error) {
	if (n.Contact == "") == (n.Login == "") {
		return Contact{}, fault.Invalid("/contact", "given together with a login, or neither", "a contact or a login", "name one of the two")
	}
	if n.Login != "" {
		i.Kind = byUser
		return Contact{}, nil
	}
	c, err := parseContact(n.Contact)
	if err != nil {
		return Contact{}, err
	}
	if s.outbox == nil || !s.outbox.Takes(c.Kind) {
		return Contact{}, fault.Unsupported("/contact", c.Kind, "what the operator has configured")
	}
	i.Kind, i.To = c.Kind, c.Address
	return c, nil
}

// mayInvite finds the user of a login and holds the number of open invitations to its bound.
func (s *Service) mayInvite(ctx context.Context, tx *store.Tx, i *Invitation, login string) error {
	var open int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM account_invitation WHERE organisation = ? AND state = 'open' AND expires_at > ?", i.Organisation, s.now().UnixMilli()).Scan(&open)
	if err != nil {
		return fmt.Errorf("counting the invitations of %s: %w", i.Organisation, err)
	}
	if open >= openPerOne {
		return fault.Limit("number of open invitations", fmt.Sprint(open), fmt.Sprint(openPerOne), 0)
	}
	if i.Kind != byUser {
		i.receiver = receiver(i.Kind, i.To)
		return nil
	}
	key, err := loginKey(login)
	if err != nil {
		return err
	}
	i.receiver = receiver(byUser, key)
	err = tx.QueryRow(ctx, "SELECT id FROM account_user WHERE login_key = ? AND state = 'active'", key).Scan(&i.To)
	if errors.Is(err, sql.ErrNoRows) {
		i.To = newID() // nobody's
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking for a login: %w", err)
	}
	return s.noMember(ctx, tx, i.Organisation, i.To)
}

// noMember refuses whoever is a member already.
func (s *Service) noMember(ctx context.Context, q store.Querier, organisation, user string) error {
	was, err := RoleOf(ctx, q, organisation, user)
	if err != nil {
		return err
	}
	if was != "" {
		return fault.Conflict("member", "the user is a member already, as "+string(was))
	}
	return nil
}

// deliver sends the code of an invitation; whoever has a login sees it without one.
func (s *Service) deliver(ctx context.Context, tx *store.Tx, c Contact, lang, organisation string, code Code) error {
	if c.Address == "" {
		return nil
	}
	m := letterInvitation.to(c, lang, code.Reveal())
	m.Organisation, m.Share, m.Useful = organisation, outbox.Others, invitationLife
	return s.outbox.Put(ctx, tx, m)
}

func (s *Service) scanInvitation(row listing.Scanner) (Invitation, error) {
	var i Invitation
	var made, expires, ended int64
	err := row.Scan(&i.ID, &i.Organisation, &i.Kind, &i.To, &i.Role, &i.InvitedBy, &made, &expires, &i.State, &i.Revision, &ended)
	i.MadeAt, i.ExpiresAt, i.EndedAt = at(made), at(expires), at(ended)
	if i.State == "open" && !s.now().Before(i.ExpiresAt) {
		i.State = "expired"
	}
	return i, err
}

// RevokeInvitation takes an open invitation back.
func (s *Service) RevokeInvitation(ctx context.Context, who access.Actor, organisation, id string) error {
	if err := mayManage(who, organisation); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if err := s.endInvitation(ctx, tx, "revoked", id, organisation); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "invitation.revoke", id, "")
	})
}

// endInvitation ends an open invitation; what it knows of the person is gone with it.
func (s *Service) endInvitation(ctx context.Context, tx *store.Tx, state, id, organisation string) error {
	res, err := tx.Exec(ctx, `
		UPDATE account_invitation
		SET state = ?, ended_at = ?, address = '', receiver = ?, revision = revision + 1
		WHERE id = ? AND organisation = ? AND state = 'open'`, state, s.now().UnixMilli(), []byte{}, id, organisation)
	if err != nil {
		return fmt.Errorf("ending invitation %s: %w", id, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.NotFound("open invitation", id), err)
	}
	return nil
}

// ResendInvitation sends an open invitation again, with another code, and lets it hold seven more days.
func (s *Service) ResendInvitation(ctx context.Context, who access.Actor, organisation, id, lang string) error {
	if err := mayManage(who, organisation); err != nil {
		return err
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		var c Contact
		var to []byte
		err := tx.QueryRow(ctx, "SELECT kind, address, receiver FROM account_invitation WHERE id = ? AND organisation = ? AND state = 'open'", id, organisation).Scan(&c.Kind, &c.Address, &to)
		if errors.Is(err, sql.ErrNoRows) {
			return fault.NotFound("open invitation", id)
		}
		if err != nil {
			return fmt.Errorf("reading invitation %s: %w", id, err)
		}
		if err := s.countInvitation(ctx, tx, who, organisation, to); err != nil {
			return err
		}
		code := newInvitationCode()
		hash := digest(code.Reveal())
		_, err = tx.Exec(ctx, "UPDATE account_invitation SET hash = ?, expires_at = ?, revision = revision + 1 WHERE id = ?", hash[:], s.now().Add(invitationLife).UnixMilli(), id)
		if err != nil {
			return fmt.Errorf("renewing invitation %s: %w", id, err)
		}
		if c.Kind == byUser {
			c = Contact{}
		}
		if err := s.deliver(ctx, tx, c, lang, organisation, code); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "invitation.resend", id, "")
	})
}

// Accept makes who a member by the code of an invitation, or by its id if it is for their login.
func (s *Service) Accept(ctx context.Context, who access.Actor, id string, code Code) (Membership, error) {
	if who.Kind != access.KindUser || who.User == "" {
		return Membership{}, fault.Forbidden("invitation.accept", "a session opened with login and password")
	}
	var m Membership
	err := s.guessInvitation(who.User, who.From, func() error {
		return s.give(ctx, func(tx *store.Tx) error {
			i, err := s.openInvitation(ctx, tx, id, who.User, code)
			if err != nil {
				return err
			}
			if m, err = s.join(ctx, tx, who, i); err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "invitation.accept", i.ID, string(i.Role))
		})
	})
	return m, err
}

// SignUpInvited makes a user for whoever has the code of an invitation, and a member. The contact that got the code counts
// as verified. It works where sign-up is closed, too.
func (s *Service) SignUpInvited(ctx context.Context, n NewUser, code Code, from string) (User, error) {
	key, err := n.check()
	if err != nil {
		return User{}, err
	}
	var u User
	err = s.guessInvitation("", from, func() error {
		hash, err := s.hasher.hash(ctx, n.Password)
		if err != nil {
			return err
		}
		u = User{ID: newID(), Login: n.Login, CreatedAt: at(s.now().UnixMilli())}
		who := access.Actor{Kind: access.KindUser, ID: u.ID, User: u.ID, Login: u.Login, From: from}
		return s.give(ctx, func(tx *store.Tx) error {
			i, err := s.openInvitation(ctx, tx, "", "", code)
			if err != nil {
				return err
			}
			if err := s.insertUser(ctx, tx, u, key, hash, ""); err != nil {
				return err
			}
			if err := s.inviteeContact(ctx, tx, u.ID, i); err != nil {
				return err
			}
			if _, err := s.join(ctx, tx, who, i); err != nil {
				return err
			}
			return audit.RecordPerson(ctx, tx, who, "user.sign_up", u.ID, "by an invitation")
		})
	})
	return u, err
}

// inviteeContact gives a new user the contact that got their invitation, if nobody has it.
func (s *Service) inviteeContact(ctx context.Context, tx *store.Tx, user string, i Invitation) error {
	c := Contact{Kind: i.Kind, Address: i.To}
	holder, err := holderOf(ctx, tx, c)
	if err != nil || holder != "" {
		return err
	}
	return s.giveContact(ctx, tx, user, c)
}

// openInvitation finds an invitation that is open by its code, or by its id if it is for user.
func (s *Service) openInvitation(ctx context.Context, q store.Querier, id, user string, code Code) (Invitation, error) {
	var i Invitation
	var row *sql.Row
	now := s.now().UnixMilli()
	if text := recoveryText(code); text != "" {
		hash := digest(text)
		row = q.QueryRow(ctx, openInvitationSQL+"hash = ?", now, hash[:])
	} else {
		row = q.QueryRow(ctx, openInvitationSQL+"id = ? AND kind = 'user' AND address = ?", now, id, user)
	}
	err := row.Scan(&i.ID, &i.Organisation, &i.Kind, &i.To, &i.Role, &i.receiver)
	if errors.Is(err, sql.ErrNoRows) || err == nil && user == "" && i.Kind == byUser || err == nil && i.Kind == byUser && i.To != user {
		return Invitation{}, fault.NotFound("open invitation", id)
	}
	if err != nil {
		return Invitation{}, fmt.Errorf("looking for an invitation: %w", err)
	}
	return i, nil
}

// join makes who a member by an invitation, and ends it.
func (s *Service) join(ctx context.Context, tx *store.Tx, who access.Actor, i Invitation) (Membership, error) {
	if err := s.noMember(ctx, tx, i.Organisation, who.User); err != nil {
		return Membership{}, err
	}
	if err := members(ctx, tx, i.Organisation, 1); err != nil {
		return Membership{}, err
	}
	if err := insertMember(ctx, tx, i.Organisation, who.User, i.Role, s.now().UnixMilli()); err != nil {
		return Membership{}, err
	}
	if err := s.endInvitation(ctx, tx, "accepted", i.ID, i.Organisation); err != nil {
		return Membership{}, err
	}
	if err := s.answered(ctx, tx, i.Organisation, i.receiver); err != nil {
		return Membership{}, err
	}
	o, err := scanOrganisation(tx.QueryRow(ctx, organisationSQL, i.Organisation))
	if err != nil {
		return Membership{}, fmt.Errorf("reading organisation %s: %w", i.Organisation, err)
	}
	return Membership{Organisation: o, Role: i.Role}, nil
}

// newInvitationCode draws 80 bits, as people can copy them.
func newInvitationCode() Code { return Code{hide(letters.EncodeToString(random(recoveryBytes)))} }
