package account

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
)

func TestListsAreIndexed(t *testing.T) {
	w := newTown(t)
	listingtest.Prove(t, w.store, users())
	listingtest.Prove(t, w.store, organisations())
	listingtest.Prove(t, w.store, memberships())
	listingtest.Prove(t, w.store, membersOf())
	listingtest.Prove(t, w.store, w.invitations())
	listingtest.Prove(t, w.store, w.tokens())
}

// An asking is a question to a list, and the answer as one line.
type asking struct {
	filters string // name=value …
	sort    string // behind it: since, until
	limit   int
	want    string
}

// held asks every question and holds the answers to what is wanted.
func held[T any](t *testing.T, ask func(listing.Ask) (listing.Page[T], error), name func(*T) string, askings ...asking) {
	t.Helper()
	for _, a := range askings {
		in := listing.Ask{Filters: make(map[string]string), Limit: a.limit, Total: a.limit == 0}
		for _, f := range strings.Fields(a.filters) {
			name, value, _ := strings.Cut(f, "=")
			in.Filters[name] = value
		}
		ends := append(strings.Fields(a.sort), "", "", "")
		in.Sort, in.Since, in.Until = ends[0], ends[1], ends[2]
		page, err := ask(in)
		var got []string
		for i := range page.Items {
			got = append(got, name(&page.Items[i]))
		}
		if page.Next != "" {
			got = append(got, "…")
		}
		if page.Total != nil {
			got = append(got, fmt.Sprintf("of %d", page.Total.Count))
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if got := strings.Join(got, " "); got != a.want {
			t.Errorf("filters %q, sort %q:\n got %s\nwant %s", a.filters, a.sort, got, a.want)
		}
	}
}

// exec runs statements as they are.
func (w *town) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settle adds users without passwords, each a day after the one before, from the first of November on.
func (w *town) settle(t testing.TB, logins ...string) (ids []string) {
	t.Helper()
	for i, login := range logins {
		made := november.AddDate(0, 0, i).UnixMilli()
		id := fmt.Sprintf("%08x-%04x-7000-8000-0000000000%02d", made>>16, made&0xffff, i)
		w.exec(t, `INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at)
			VALUES (?, ?, ?, '', '', '', 'active', ?, 1)`, id, login, strings.ToLower(login), made)
		ids = append(ids, id)
	}
	return ids
}

var november = time.Date(2020, 11, 1, 0, 0, 0, 0, time.UTC)

func TestUsersAreListed(t *testing.T) {
	w := newTown(t) // with operator and ann
	ids := w.settle(t, "Zoe", "anton", "Ｂob", "gone")
	w.exec(t, "UPDATE account_user SET login_key = 'bob' WHERE login = 'Ｂob'")
	w.exec(t, "UPDATE account_user SET state = 'disabled', platform_role = 'reviewer' WHERE id = ?", ids[1])
	w.exec(t, "UPDATE account_user SET state = 'deleted', login = '', login_key = id WHERE id = ?", ids[3])
	held(t, func(ask listing.Ask) (listing.Page[User], error) { return w.Users(t.Context(), w.operator, ask) }, func(u *User) string { return u.Login },
		asking{"", "", 0, "Zoe anton Ｂob operator ann of 5"},
		asking{"", "", 2, "Zoe anton …"},
		asking{"", "login", 0, "ann anton Ｂob operator Zoe of 5"},
		asking{"", "-created_at 2020-11-02T00:00:00Z 2020-11-03T00:00:00Z", 0, "anton of 1"},
		asking{"login=AN", "", 0, "ann anton of 2"},
		asking{"login=ａn", "-login", 0, "anton ann of 2"},
		asking{"login=a%", "", 0, "of 0"},
		asking{"state=disabled", "", 0, "anton of 1"},
		asking{"state=enabled login=an", "", 0, "ann of 1"},
		asking{"state=enabled", "-created_at", 0, "ann operator Ｂob Zoe of 4"},
		asking{"role=admin", "", 0, "operator of 1"},
		asking{"role=reviewer state=enabled", "login", 0, "of 0"},
		asking{"role=reviewer login=an", "", 0, "anton of 1"},
		asking{"state=deleted", "", 0, "/state is deleted, want enabled or disabled"},
		asking{"", "created_at yesterday", 0, "/query is yesterday, want a time, RFC 3339"},
		asking{"", "email", 0, "a list of users is not served in this combination: no filter, sort by email"},
		asking{"login=an", "created_at", 0, "a list of users is not served in this combination: filter by login, sort by created_at"},
		asking{"", "", 501, "/limit is 501, want an integer from 1 to 500"},
	)
	if u, err := w.User(t.Context(), w.operator, ids[1]); err != nil || u.Login != "anton" || !u.Disabled {
		t.Errorf("one is %+v, %v", u, err)
	}
	if _, err := w.User(t.Context(), w.operator, ids[3]); !fault.Is(err, fault.Missing) {
		t.Errorf("one who was deleted: %v", err)
	}
	if _, err := w.User(t.Context(), w.owner, ids[1]); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an owner sees one: %v", err)
	}
}

func TestOrganisationsAreListed(t *testing.T) {
	w := newTown(t) // with "ann & Co", 灯厂
	found := func(names Names, kinds ...Kind) Organisation {
		o, err := w.CreateOrganisation(t.Context(), w.operator, NewOrganisation{Names: names, Kinds: kinds, Owner: w.owner.User})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	chips := found(Names{"en": "Chips", "zh-CN": "芯片厂"}, ChipMaker, ModuleMaker)
	found(Names{"zh-CN": "TCL 照明"}, TerminalMaker)
	found(Names{"en": "ＡNT lamps"}, TerminalMaker, ChipMaker)
	gone := found(Names{"en": "Anywhere"}, ChipMaker)
	w.exec(t, "UPDATE organisation SET form = 'person' WHERE id = ?", chips.ID)
	if err := w.SetOrganisation(t.Context(), w.operator, chips.ID, Names{"en": "Zhips", "zh-CN": "芯片厂"}, []Kind{ChipMaker}); err != nil {
		t.Fatal(err)
	}
	err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		for more := true; more; {
			var err error
			if more, err = w.Erase(t.Context(), tx, "organisation", gone.ID, 2); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	questions := []asking{
		{"", "", 0, "ann Zhips TCL ＡNT of 4"},
		{"", "name", 0, "ann ＡNT TCL Zhips of 4"},
		{"lang=zh-CN", "name", 0, "ＡNT TCL ann Zhips of 4"},
		{"name=AN", "", 0, "ann ＡNT of 2"},
		{"name=tcl", "", 0, "TCL of 1"},
		{"name=芯 lang=zh-CN", "", 0, "Zhips of 1"},
		{"name=芯", "", 0, "of 0"},
		{"kind=chip_maker", "-created_at", 0, "ＡNT Zhips of 2"},
		{"kind=module_maker", "", 0, "of 0"},
		{"kind=terminal_maker name=a", "-name", 0, "ＡNT ann of 2"},
		{"form=person", "", 0, "Zhips of 1"},
		{"form=person kind=chip_maker name=z", "", 0, "Zhips of 1"},
		{"form=company kind=chip_maker", "name", 0, "ＡNT of 1"},
		{"kind=cook", "", 0, "of 0"},
		{"", "", 3, "ann Zhips TCL …"},
		{"lang=fr", "", 0, "/lang is fr, want zh-CN or en"},
		{"", "kinds", 0, "a list of organisations is not served in this combination: filter by facet, lang, sort by kinds"},
	}
	ask := func(ask listing.Ask) (listing.Page[Organisation], error) {
		return w.Organisations(t.Context(), w.operator, ask)
	}
	name := func(o *Organisation) string {
		first, _, _ := strings.Cut(o.Names.in("en"), " ")
		return first
	}
	held(t, ask, name, questions...)
	if n := w.count(t, "organisation_listed WHERE organisation = '"+gone.ID+"'"); n != 0 {
		t.Errorf("%d rows of one that was erased", n)
	}
	// A version of the program before the lists knows nothing of them.
	w.exec(t, "DELETE FROM organisation_listed")
	w.exec(t, "UPDATE member SET login_key = ''")
	for range 2 {
		if err := w.Begin(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	held(t, ask, name, questions...)
	if n := w.count(t, "member WHERE login_key <> 'ann'"); n != 0 {
		t.Errorf("%d members are not found by their login", n)
	}
	var walked []string
	for after := ""; ; {
		all, err := w.Walk(t.Context(), access.System("test", ""), after, 2)
		if err != nil || len(all) == 0 {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		for i := range all {
			walked, after = append(walked, name(&all[i])), all[i].ID
		}
	}
	if got, want := fmt.Sprintf("%q", walked), `["ann" "Zhips" "TCL" "ＡNT" ""]`; got != want {
		t.Errorf("a walk goes past %s, want %s", got, want)
	}
}

func TestMembersAreListed(t *testing.T) {
	w := newTown(t)
	for i, id := range w.settle(t, "zed", "anton", "Bob") {
		role := []access.Role{access.Query, access.Engineer, access.Query}[i]
		w.clock.pass(time.Hour)
		err := w.store.Write(t.Context(), func(tx *store.Tx) error {
			return insertMember(t.Context(), tx, w.org.ID, id, role, november.AddDate(1, 0, -i).UnixMilli())
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	list := func(ask listing.Ask) (listing.Page[Member], error) {
		return w.Members(t.Context(), w.owner, w.org.ID, ask)
	}
	held(t, list, func(m *Member) string { return m.Login },
		asking{"", "", 0, "zed anton Bob ann of 4"},
		asking{"", "", 3, "zed anton Bob …"},
		asking{"", "login", 0, "ann anton Bob zed of 4"},
		asking{"", "created_at", 3, "Bob anton zed …"},
		asking{"", "created_at 2021-10-31T00:00:00Z 2021-11-01T00:00:00Z", 0, "anton of 1"},
		asking{"role=query", "-login", 0, "zed Bob of 2"},
		asking{"login=AN", "", 0, "ann anton of 2"},
		asking{"login=an role=engineer", "", 0, "anton of 1"},
		asking{"role=query", "created_at", 0, "Bob zed of 2"},
		asking{"", "role", 0, "a list of members is not served in this combination: filter by organisation, sort by role"},
	)
	other := w.organisation(t, "eve")
	eve := w.login(t, "eve").Actor
	if _, err := w.Members(t.Context(), w.owner, other.ID, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("members of others: %v", err)
	}
	if m, err := w.Member(t.Context(), w.owner, w.org.ID, w.owner.User); err != nil || m.Login != "ann" || m.Revision != 1 {
		t.Errorf("one is %+v, %v", m, err)
	}
	for _, tt := range [][2]string{{other.ID, eve.User}, {w.org.ID, eve.User}} {
		if _, err := w.Member(t.Context(), w.owner, tt[0], tt[1]); !fault.Is(err, fault.Missing) {
			t.Errorf("a member of others: %v", err)
		}
	}
	if err := w.store.Write(t.Context(), func(tx *store.Tx) error {
		return insertMember(t.Context(), tx, other.ID, w.owner.User, access.Query, 1)
	}); err != nil {
		t.Fatal(err)
	}
	mine := func(ask listing.Ask) (listing.Page[Membership], error) {
		return w.Memberships(t.Context(), w.owner, ask)
	}
	held(t, mine, func(m *Membership) string { return m.Organisation.Names["en"] },
		asking{"", "", 0, "ann & Co eve & Co of 2"},
		asking{"", "created_at", 0, "eve & Co ann & Co of 2"},
		asking{"role=query", "", 0, "eve & Co of 1"},
		asking{"user=" + eve.User, "", 0, "ann & Co eve & Co of 2"}, // that is no filter of a caller
	)
}

func TestInvitationsAreListed(t *testing.T) {
	w := newTown(t)
	names := make(map[string]string)
	invite := func(name string, role access.Role) string {
		t.Helper()
		i, err := w.Invite(t.Context(), w.owner, w.org.ID, NewInvitation{Login: name, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		names[i.ID] = name
		return i.ID
	}
	invite("late", access.Engineer)
	w.clock.pass(invitationLife)
	invite("open", access.Engineer)
	taken := invite("taken", access.Query)
	if err := w.RevokeInvitation(t.Context(), w.owner, w.org.ID, taken); err != nil {
		t.Fatal(err)
	}
	list := func(ask listing.Ask) (listing.Page[Invitation], error) {
		return w.Invitations(t.Context(), w.owner, w.org.ID, ask)
	}
	held(t, list, func(i *Invitation) string { return names[i.ID] + "/" + i.State },
		asking{"", "", 0, "late/expired open/open taken/revoked of 3"},
		asking{"", "-made_at", 2, "taken/revoked open/open …"},
		asking{"state=open", "", 0, "open/open of 1"},
		asking{"state=expired", "made_at", 0, "late/expired of 1"},
		asking{"state=revoked", "", 0, "taken/revoked of 1"},
		asking{"state=accepted", "", 0, "of 0"},
		asking{"role=engineer", "", 0, "late/expired open/open of 2"},
		asking{"role=engineer state=open", "", 0, "open/open of 1"},
		asking{"", "made_at 2020-01-01T00:00:00Z 2021-01-01T00:00:00Z", 0, "of 0"},
		asking{"", "state", 0, "a list of invitations is not served in this combination: filter by organisation, sort by state"},
	)
	first, err := list(listing.Ask{Filters: map[string]string{"state": "open"}, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	if first.Next != "" {
		t.Errorf("more are open: %+v", first)
	}
	if i, err := w.Invitation(t.Context(), w.owner, w.org.ID, taken); err != nil || i.State != "revoked" || i.Revision != 2 {
		t.Errorf("one is %+v, %v", i, err)
	}
	other := w.organisation(t, "eve")
	for _, organisation := range []string{other.ID, "none"} {
		if _, err := w.Invitation(t.Context(), w.owner, organisation, taken); !fault.Is(err, fault.Missing) {
			t.Errorf("one of %s: %v", organisation, err)
		}
	}
	if _, err := w.Invitation(t.Context(), w.login(t, "eve").Actor, other.ID, taken); !fault.Is(err, fault.Missing) {
		t.Errorf("one of others: %v", err)
	}
}

func TestTokensAreListed(t *testing.T) {
	w := newTown(t)
	make1 := func(name string, life time.Duration) string {
		t.Helper()
		m, _, err := w.MakeToken(t.Context(), w.owner, NewToken{Name: name, ExpiresAt: w.clock.now().Add(life)})
		if err != nil {
			t.Fatal(err)
		}
		return m.ID
	}
	make1("line", time.Hour)
	make1("Robot", 3*time.Hour)
	gone := make1("old", 2*time.Hour)
	make1("late", time.Minute)
	if err := w.RevokeToken(t.Context(), w.owner, gone); err != nil {
		t.Fatal(err)
	}
	w.clock.pass(time.Minute)
	if _, _, err := w.MakeToken(t.Context(), w.operator, NewToken{Name: "platform"}); err != nil {
		t.Fatal(err)
	}
	name := func(m *APIToken) string { return m.Name + "/" + m.State }
	held(t, func(ask listing.Ask) (listing.Page[APIToken], error) { return w.Tokens(t.Context(), w.owner, ask) }, name,
		asking{"", "", 0, "line/in_force Robot/in_force old/revoked late/expired of 4"},
		asking{"", "name", 0, "Robot/in_force late/expired line/in_force old/revoked of 4"},
		asking{"", "-expires_at", 2, "Robot/in_force old/revoked …"},
		asking{"name=l", "", 0, "late/expired line/in_force of 2"},
		asking{"name=l state=in_force", "", 0, "line/in_force of 1"},
		asking{"state=in_force", "expires_at", 0, "line/in_force Robot/in_force of 2"},
		asking{"state=expired", "", 0, "late/expired of 1"},
		asking{"state=revoked", "created_at", 0, "old/revoked of 1"},
		asking{"state=lost", "", 0, "/state is lost, want in_force, expired or revoked"},
		asking{"organisation=" + all, "", 0, "line/in_force Robot/in_force old/revoked late/expired of 4"}, // that is no filter of a caller
	)
	held(t, func(ask listing.Ask) (listing.Page[APIToken], error) { return w.Tokens(t.Context(), w.operator, ask) }, name,
		asking{"", "", 0, "platform/in_force of 1"},
	)
	if m, err := w.Token(t.Context(), w.owner, gone); err != nil || m.State != Revoked {
		t.Errorf("one is %+v, %v", m, err)
	}
	if _, err := w.Token(t.Context(), w.operator, gone); !fault.Is(err, fault.Missing) {
		t.Errorf("one of others: %v", err)
	}
	open, err := w.Tokens(t.Context(), w.owner, listing.Ask{Filters: map[string]string{"state": InForce}, Limit: 1})
	if err != nil || open.Next == "" {
		t.Fatalf("%+v, %v", open, err)
	}
	if _, err := w.Tokens(t.Context(), w.owner, listing.Ask{Filters: map[string]string{"state": Expired}, Cursor: open.Next}); !fault.Is(err, fault.Malformed) {
		t.Errorf("the cursor of another state: %v", err)
	}
}

// Every change that others see counts: whoever edits what was changed meanwhile is told.
func TestRevisionsGrow(t *testing.T) {
	w := newTown(t)
	ctx := t.Context()
	bob := w.user(t, "bob")
	if _, err := w.AddMember(ctx, w.operator, w.org.ID, "bob", access.Query); err != nil {
		t.Fatal(err)
	}
	i, err := w.Invite(ctx, w.owner, w.org.ID, NewInvitation{Login: "nobody", Role: access.Query})
	if err != nil {
		t.Fatal(err)
	}
	revisions := func() string {
		t.Helper()
		var all []int64
		err := w.store.Read(ctx, func(v *store.View) error {
			for _, read := range []func() (int64, error){
				func() (int64, error) { return w.UserRevision(ctx, v, bob.ID) },
				func() (int64, error) { return w.OrganisationRevision(ctx, v, w.owner, w.org.ID) },
				func() (int64, error) { return w.MemberRevision(ctx, v, w.owner, w.org.ID, bob.ID) },
				func() (int64, error) { return w.InvitationRevision(ctx, v, w.owner, w.org.ID, i.ID) },
			} {
				n, err := read()
				if err != nil {
					return err
				}
				all = append(all, n)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(all)
	}
	for _, tt := range []struct {
		name string
		do   func() error
		want string
	}{
		{"nothing", func() error { return nil }, "[1 1 1 1]"},
		{"a role of the operator's", func() error { return w.SetPlatformRole(ctx, w.operator, bob.ID, access.Reviewer, "", "") }, "[2 1 1 1]"},
		{"a second factor", func() error { w.enrol(t, "bob", nil); return nil }, "[3 1 1 1]"},
		{"none any more", func() error { return w.ResetFactor(ctx, w.operator, bob.ID, "lost") }, "[4 1 1 1]"},
		{"disabled", func() error { return w.SetDisabled(ctx, w.operator, bob.ID, true, "") }, "[5 1 1 1]"},
		{"other names", func() error {
			return w.SetOrganisation(ctx, w.owner, w.org.ID, Names{"en": "Lamps"}, []Kind{ChipMaker})
		}, "[5 2 1 1]"},
		{"another role", func() error { return w.SetRole(ctx, w.owner, w.org.ID, bob.ID, access.Engineer) }, "[5 2 2 1]"},
		{"sent again", func() error { return w.ResendInvitation(ctx, w.owner, w.org.ID, i.ID, "en") }, "[5 2 2 2]"},
		{"taken back", func() error { return w.RevokeInvitation(ctx, w.owner, w.org.ID, i.ID) }, "[5 2 2 3]"},
		{"another owner", func() error { return w.Transfer(ctx, w.owner, w.org.ID, bob.ID) }, "[5 2 3 3]"},
	} {
		if err := tt.do(); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if got := revisions(); got != tt.want {
			t.Errorf("after %s: %s, want %s", tt.name, got, tt.want)
		}
	}
	err = w.store.Read(ctx, func(v *store.View) error {
		foreign := access.Actor{Kind: access.KindUser, User: "eve", Organisation: "other", Roles: []access.Role{access.Owner}}
		for _, err := range []error{
			second(w.OrganisationRevision(ctx, v, foreign, w.org.ID)), second(w.MemberRevision(ctx, v, foreign, w.org.ID, bob.ID)),
			second(w.InvitationRevision(ctx, v, foreign, w.org.ID, i.ID)), second(w.UserRevision(ctx, v, "none")),
		} {
			if !fault.Is(err, fault.Missing) {
				t.Errorf("of what is others': %v", err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(languages, []string{"zh-CN", "en"}) {
		t.Error("rows of organisations are listed in other languages than there are")
	}
}
