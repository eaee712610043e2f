package account

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// read gives a page of a list.
func read[T any](ctx context.Context, s *Service, l *listing.List[T], ask listing.Ask) (page listing.Page[T], err error) {
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = l.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// scoped are the filters of an ask that callers may name, with those that the room sets.
func scoped(ask listing.Ask, named []string, set map[string]string) listing.Ask {
	filters := maps.Clone(set)
	if filters == nil {
		filters = make(map[string]string)
	}
	for _, name := range named {
		filters[name] = ask.Filters[name]
	}
	ask.Filters = filters
	return ask
}

// beginning makes a filter by the beginning of a text, which is found as it is folded, the order of the list, too.
func beginning(ask *listing.Ask, name string) {
	if ask.Filters[name] = folded(ask.Filters[name]); ask.Filters[name] != "" && ask.Sort == "" {
		ask.Sort = name
	}
}

// folded is a text without differences of case and width.
func folded(text string) string { return strings.ToLower(norm.NFKC.String(text)) }

// folding reads the end of what is sorted by a folded text.
func folding(text string) (any, error) { return folded(text), nil }

// Users returns a page of users, in the order they were made. Filters: state (enabled, disabled), role, login (its beginning).
// Sorts: login, created_at. The operator only.
func (s *Service) Users(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[User], error) {
	if err := who.Check(access.ManageUsers); err != nil {
		return listing.Page[User]{}, err
	}
	ask = scoped(ask, []string{"state", "role", "login"}, nil)
	beginning(&ask, "login")
	return read(ctx, s, users(), ask)
}

func users() *listing.List[User] {
	const few = "the operator's people are few"
	state := []string{"state"}
	return &listing.List[User]{
		Object: "user", Columns: userColumns, From: userFrom, Where: "u.state <> 'deleted'", Key: "u.id",
		Fields: []listing.Field{
			{Name: "state", Column: "u.state", Parse: stateOf},
			{Name: "role", Column: "u.platform_role"},
			{Name: "login", Column: "u.login_key", Prefix: true, Parse: folding},
			{Name: "created_at", Column: "u.id", Parse: listing.MadeAt},
		},
		Ways: []listing.Way{
			{},
			{Sort: "created_at"},
			{Sort: "login"},
			{Filters: []string{"login"}, Sort: "login"},
			{Filters: state},
			{Filters: state, Sort: "created_at"},
			{Filters: state, Sort: "login"},
			{Filters: []string{"state", "login"}, Sort: "login"},
			{Filters: []string{"role"}, Rest: state, Bound: few},
			{Filters: []string{"role"}, Rest: state, Sort: "created_at", Bound: few},
			{Filters: []string{"role"}, Rest: state, Sort: "login", Bound: few},
			{Filters: []string{"role", "login"}, Rest: state, Sort: "login", Bound: few},
		},
		Scan: scanUser,
	}
}

// stateOf is a state as the table has it.
func stateOf(text string) (any, error) {
	switch text {
	case "enabled":
		return stateActive, nil
	case "disabled":
		return stateDisabled, nil
	}
	return nil, fault.Invalid("/state", text, "enabled or disabled", "send one of the two")
}

// User returns one user. The operator only.
func (s *Service) User(ctx context.Context, who access.Actor, id string) (u User, err error) {
	if err := who.Check(access.ManageUsers); err != nil {
		return u, err
	}
	return u, s.store.Read(ctx, func(v *store.View) error {
		u, err = one(ctx, v, "user", id, scanUser, "SELECT "+userColumns+" FROM "+userFrom+" WHERE u.id = ? AND u.state <> 'deleted'", id)
		return err
	})
}

// one reads what a statement finds one of.
func one[T any](ctx context.Context, q store.Querier, object, id string, scan func(listing.Scanner) (T, error), statement string, args ...any) (T, error) {
	item, err := scan(q.QueryRow(ctx, statement, args...))
	if errors.Is(err, store.ErrNoRows) {
		return item, fault.NotFound(object, id)
	}
	if err != nil {
		return item, fmt.Errorf("reading %s %s: %w", object, id, err)
	}
	return item, nil
}

// Memberships returns a page of the organisations who is a member of. Filter: role. Sort: created_at, when they joined.
func (s *Service) Memberships(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Membership], error) {
	return read(ctx, s, memberships(), scoped(ask, []string{"role"}, map[string]string{"user": who.User}))
}

func memberships() *listing.List[Membership] {
	const few = "a person is a member of few organisations"
	return &listing.List[Membership]{
		Object: "membership", Columns: organisationColumns + ", m.role", From: "member m JOIN organisation o ON o.id = m.organisation", Key: "m.organisation",
		Fields: []listing.Field{
			{Name: "user", Column: "m.user_id"},
			{Name: "role", Column: "m.role"},
			{Name: "created_at", Column: "m.created_at", Parse: listing.Millis},
		},
		Ways: []listing.Way{
			{Filters: []string{"user"}, Rest: []string{"role"}, Bound: few},
			{Filters: []string{"user"}, Rest: []string{"role"}, Sort: "created_at", Bound: few},
		},
		Scan: func(row listing.Scanner) (m Membership, err error) {
			m.Organisation, err = scanOrganisation(marking{row, &m.Role})
			return m, err
		},
	}
}

// marking scans more columns behind those of an organisation.
type marking struct {
	listing.Scanner
	more any
}

// Scan implements listing.Scanner.
func (m marking) Scan(dest ...any) error { return m.Scanner.Scan(append(dest, m.more)...) }

// Members returns a page of the members of an organisation. Filters: role, login (its beginning). Sorts: login, created_at, when
// they joined.
func (s *Service) Members(ctx context.Context, who access.Actor, organisation string, ask listing.Ask) (listing.Page[Member], error) {
	if err := mayRead(who, organisation); err != nil {
		return listing.Page[Member]{}, err
	}
	ask = scoped(ask, []string{"role", "login"}, map[string]string{"organisation": organisation})
	beginning(&ask, "login")
	return read(ctx, s, membersOf(), ask)
}

func mayRead(who access.Actor, organisation string) error {
	if err := who.Check(access.ReadMembers); err != nil {
		return err
	}
	if !who.Sees(organisation) {
		return fault.NotFound("organisation", organisation)
	}
	return nil
}

func membersOf() *listing.List[Member] {
	const few = "an organisation has at most 10,000 members: quota"
	role := []string{"role"}
	return &listing.List[Member]{
		Object: "member", Columns: memberColumns, From: memberFrom, Key: "m.user_id",
		Fields: []listing.Field{
			{Name: "organisation", Column: "m.organisation"},
			{Name: "role", Column: "m.role"},
			{Name: "login", Column: "m.login_key", Prefix: true, Parse: folding},
			{Name: "created_at", Column: "m.created_at", Parse: listing.Millis},
		},
		Ways: []listing.Way{
			{Filters: []string{"organisation"}, Rest: role, Bound: few},
			{Filters: []string{"organisation"}, Rest: role, Sort: "created_at", Bound: few},
			{Filters: []string{"organisation"}, Rest: role, Sort: "login", Bound: few},
			{Filters: []string{"organisation", "login"}, Rest: role, Sort: "login", Bound: few},
		},
		Scan: scanMember,
	}
}

const (
	memberColumns = `m.organisation, m.user_id, u.login, m.role, m.revision, m.created_at`
	memberFrom    = `member m JOIN account_user u ON u.id = m.user_id`
)

func scanMember(row listing.Scanner) (m Member, err error) {
	var created int64
	err = row.Scan(&m.Organisation, &m.User, &m.Login, &m.Role, &m.Revision, &created)
	m.CreatedAt = at(created)
	return m, err
}

// Member returns one member of an organisation.
func (s *Service) Member(ctx context.Context, who access.Actor, organisation, user string) (m Member, err error) {
	if err := mayRead(who, organisation); err != nil {
		return m, err
	}
	return m, s.store.Read(ctx, func(v *store.View) error {
		m, err = one(ctx, v, "member", user, scanMember, "SELECT "+memberColumns+" FROM "+memberFrom+" WHERE m.organisation = ? AND m.user_id = ?", organisation, user)
		return err
	})
}

// Invitations returns a page of the invitations of an organisation, the ended ones too. Filters: state (open, accepted, declined, revoked,
// expired), role. Sort: made_at.
func (s *Service) Invitations(ctx context.Context, who access.Actor, organisation string, ask listing.Ask) (listing.Page[Invitation], error) {
	if err := mayRead(who, organisation); err != nil {
		return listing.Page[Invitation]{}, err
	}
	l, now := s.invitations(), s.now().UnixMilli()
	switch ask.Filters["state"] {
	case "open":
		l.Where, l.Args = "expires_at > ?", []any{now}
	case "expired":
		l.Where, l.Args = "expires_at <= ?", []any{now}
	}
	return read(ctx, s, l, scoped(ask, []string{"state", "role"}, map[string]string{"organisation": organisation}))
}

func (s *Service) invitations() *listing.List[Invitation] {
	return &listing.List[Invitation]{
		Object: "invitation", Columns: invitationColumns, From: "account_invitation",
		Fields: []listing.Field{
			{Name: "organisation"},
			{Name: "state", Parse: func(text string) (any, error) { return strings.Replace(text, "expired", "open", 1), nil }}, // that is a matter of time
			{Name: "role"},
			{Name: "kind"},
			{Name: "address"},
			{Name: "made_at", Column: "id", Parse: listing.MadeAt},
		},
		Ways: slices.Concat(
			both("organisation"), both("organisation", "state"), both("organisation", "role"), both("organisation", "state", "role"), both("kind", "address"),
		),
		Scan: s.scanInvitation,
	}
}

// both are the ways of filters by id and by when rows were made, which is the same.
func both(filters ...string) []listing.Way {
	return []listing.Way{{Filters: filters}, {Filters: filters, Sort: "made_at"}}
}

// Invitation returns one invitation of an organisation.
func (s *Service) Invitation(ctx context.Context, who access.Actor, organisation, id string) (i Invitation, err error) {
	if err := mayRead(who, organisation); err != nil {
		return i, err
	}
	return i, s.store.Read(ctx, func(v *store.View) error {
		i, err = one(ctx, v, "invitation", id, s.scanInvitation, "SELECT "+invitationColumns+" FROM account_invitation WHERE id = ? AND organisation = ?", id, organisation)
		return err
	})
}

// Invited returns a page of the open invitations to who, found by their login. Sort: made_at.
func (s *Service) Invited(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Invitation], error) {
	if who.User == "" {
		return listing.Page[Invitation]{}, fault.Forbidden("invitation.read", "a person who is signed in")
	}
	l := s.invitations()
	l.Where, l.Args = "state = 'open' AND expires_at > ?", []any{s.now().UnixMilli()}
	return read(ctx, s, l, scoped(ask, nil, map[string]string{"kind": byUser, "address": who.User}))
}

// Tokens returns a page of the tokens who made for the organisation acted for, revoked and expired ones too. Filters: state
// (in_force, expired, revoked), name (its beginning). Sorts: name, expires_at, created_at.
func (s *Service) Tokens(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[APIToken], err error) {
	if err := who.Check(access.ManageTokens); err != nil {
		return page, err
	}
	l, now := s.tokens(), s.now().UnixMilli()
	switch ask.Filters["state"] {
	case InForce:
		l.Where, l.Args = "expires_at > ?", []any{now}
	case Expired:
		l.Where, l.Args = "expires_at <= ?", []any{now}
	}
	organisation := who.Organisation
	if organisation == "" {
		organisation = all
	}
	ask = scoped(ask, []string{"state", "name"}, map[string]string{"user": who.User, "organisation": organisation})
	if ask.Filters["name"] != "" && ask.Sort == "" {
		ask.Sort = "name"
	}
	return read(ctx, s, l, ask)
}

func (s *Service) tokens() *listing.List[APIToken] {
	const few = "a person makes some tokens a year for an organisation, at most 100 in force"
	mine := []string{"user", "organisation"}
	state := []string{"state"}
	return &listing.List[APIToken]{
		Object: "token", Columns: tokenColumns, From: "api_token",
		Fields: []listing.Field{
			{Name: "user", Column: "user_id"},
			{Name: "organisation", Parse: func(text string) (any, error) { return strings.TrimPrefix(text, all), nil }},
			{Name: "state", Column: "CASE WHEN revoked_at IS NULL THEN 0 ELSE 1 END", Parse: revoked},
			{Name: "name", Prefix: true},
			{Name: "expires_at", Parse: listing.Millis},
			{Name: "created_at", Column: "id", Parse: listing.MadeAt},
		},
		Ways: []listing.Way{
			{Filters: mine, Rest: state, Bound: few},
			{Filters: mine, Rest: state, Sort: "created_at", Bound: few},
			{Filters: mine, Rest: state, Sort: "expires_at", Bound: few},
			{Filters: mine, Rest: state, Sort: "name", Bound: few},
			{Filters: append(slices.Clone(mine), "name"), Rest: state, Sort: "name", Bound: few},
		},
		Scan: s.scanToken,
	}
}

// revoked is the state of a token as far as the row has it: what has expired is a matter of time.
func revoked(state string) (any, error) {
	switch state {
	case Revoked:
		return 1, nil
	case InForce, Expired:
		return 0, nil
	}
	return nil, fault.Invalid("/state", state, "in_force, expired or revoked", "choose one of them")
}

// Token returns one of the tokens who made for the organisation acted for.
func (s *Service) Token(ctx context.Context, who access.Actor, id string) (t APIToken, err error) {
	if err := who.Check(access.ManageTokens); err != nil {
		return t, err
	}
	return t, s.store.Read(ctx, func(v *store.View) error {
		t, err = one(ctx, v, "token", id, s.scanToken, "SELECT "+tokenColumns+" FROM api_token WHERE id = ? AND user_id = ? AND organisation = ?", id, who.User, who.Organisation)
		return err
	})
}

// The revisions that edits may be held to, as q sees them.

// UserRevision is that of a user.
func (s *Service) UserRevision(ctx context.Context, q store.Querier, id string) (int64, error) {
	return revision(ctx, q, "user", id, "SELECT revision FROM account_user WHERE id = ? AND state <> 'deleted'", id)
}

// OrganisationRevision is that of an organisation that who sees.
func (s *Service) OrganisationRevision(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	if !who.Sees(id) {
		return 0, fault.NotFound("organisation", id)
	}
	return revision(ctx, q, "organisation", id, "SELECT revision FROM organisation WHERE id = ?", id)
}

// MemberRevision is that of a member of an organisation that who sees.
func (s *Service) MemberRevision(ctx context.Context, q store.Querier, who access.Actor, organisation, user string) (int64, error) {
	if !who.Sees(organisation) {
		return 0, fault.NotFound("organisation", organisation)
	}
	return revision(ctx, q, "member", user, "SELECT revision FROM member WHERE organisation = ? AND user_id = ?", organisation, user)
}

// InvitationRevision is that of an invitation of an organisation that who sees.
func (s *Service) InvitationRevision(ctx context.Context, q store.Querier, who access.Actor, organisation, id string) (int64, error) {
	if !who.Sees(organisation) {
		return 0, fault.NotFound("organisation", organisation)
	}
	return revision(ctx, q, "invitation", id, "SELECT revision FROM account_invitation WHERE organisation = ? AND id = ?", organisation, id)
}

func revision(ctx context.Context, q store.Querier, object, id, statement string, args ...any) (int64, error) {
	return one(ctx, q, object, id, func(row listing.Scanner) (n int64, err error) { return n, row.Scan(&n) }, statement, args...)
}
