package notice

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/account"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	works = "org-works" // makes terminals
	chips = "org-chips" // makes chips
	day   = 24 * time.Hour
)

var (
	press    = access.Actor{Kind: access.KindUser, ID: "press", User: "press", Roles: []access.Role{access.Admin}, Strong: true}
	owner    = access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: works, Roles: []access.Role{access.Owner}}
	engineer = access.Actor{Kind: access.KindUser, ID: "eve", User: "eve", Organisation: works, Roles: []access.Role{access.Engineer}}
	foreign  = access.Actor{Kind: access.KindUser, ID: "bob", User: "bob", Organisation: chips, Roles: []access.Role{access.Owner}}
	alone    = access.Actor{Kind: access.KindUser, ID: "zoe", User: "zoe"}
)

// A clock is the time of a test.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

type board struct {
	*Service
	clock *clock
}

func newBoard(t testing.TB) *board {
	t.Helper()
	b := &board{clock: &clock{t: time.Now().Truncate(time.Millisecond)}}
	b.Service = New(Config{
		Store: storetest.Open(t),
		Services: func(_ context.Context, _ store.Querier, organisation string) ([]string, error) {
			return map[string][]string{works: {"voice", "ota"}}[organisation], nil
		},
	})
	b.now = b.clock.now
	for id, kind := range map[string]string{works: "terminal_maker", chips: "chip_maker"} {
		b.exec(t, "INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{}', ?, 1)", id, `["`+kind+`"]`)
	}
	return b
}

func (b *board) try(t testing.TB, statement string, args ...any) error {
	t.Helper()
	return b.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
}

func (b *board) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if err := b.try(t, statement, args...); err != nil {
		t.Fatal(err)
	}
}

func (b *board) count(t testing.TB, table string) (n int) {
	t.Helper()
	err := b.Store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT COUNT(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func news(title string) NewAnnouncement {
	return NewAnnouncement{Severity: Info, Audience: Audience{Everybody: true}, Texts: map[string]Text{"en": {title, "body"}, "zh-CN": {title + "。", "正文"}}}
}

func (b *board) announce(t testing.TB, n NewAnnouncement) Announcement {
	t.Helper()
	a, err := b.Write(t.Context(), press, "", n)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = b.Publish(t.Context(), press, a.ID, time.Time{}); err != nil {
		t.Fatal(err)
	}
	return a
}

func (b *board) send(t testing.TB, organisation, user, kind string, data map[string]string) {
	t.Helper()
	err := b.Store.Write(t.Context(), func(tx *store.Tx) error { return b.SendTo(t.Context(), tx, organisation, user, kind, data) })
	if err != nil {
		t.Fatal(err)
	}
}

// titles is who's whole inbox, read in pages of two; what was read stands in brackets.
func (b *board) titles(t testing.TB, who access.Actor, unread bool) (out []string) {
	t.Helper()
	cursor := ""
	for {
		items, next, err := b.Inbox(t.Context(), who, Ask{Unread: unread, Cursor: cursor, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range items {
			title := i.Texts["en"].Title
			if !i.ReadAt.IsZero() {
				title = "(" + title + ")"
			}
			out = append(out, title)
		}
		if cursor = next; next == "" {
			return out
		}
	}
}

func (b *board) unread(t testing.TB, who access.Actor) int {
	t.Helper()
	n, err := b.Unread(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestMoves(t *testing.T) {
	if err := moves.Check(Draft); err != nil {
		t.Error(err)
	}
}

func TestListsAreIndexed(t *testing.T) {
	b := newBoard(t)
	listingtest.Prove(t, b.Store, announcements())
	listingtest.Prove(t, b.Store, receipts())
}

func TestWriteRules(t *testing.T) {
	b := newBoard(t)
	published := b.announce(t, news("there"))
	with := func(change func(*NewAnnouncement)) NewAnnouncement {
		n := news("a")
		change(&n)
		return n
	}
	for _, tt := range []struct {
		who  access.Actor
		id   string
		n    NewAnnouncement
		want string
	}{
		{owner, "", news("a"), "notice.manage is not allowed: it needs role admin"},
		{press, "", with(func(n *NewAnnouncement) { n.Severity = "loud" }), "/severity is loud, want info, warning or critical"},
		{press, "", with(func(n *NewAnnouncement) { n.Audience = Audience{} }), "/audience is everybody false and 0 others, want either everybody, or lists of whom it is for"},
		{press, "", with(func(n *NewAnnouncement) { n.Audience.Roles = []access.Role{access.Owner} }), "/audience is everybody true and 1 others, want either everybody, or lists of whom it is for"},
		{press, "", with(func(n *NewAnnouncement) { n.Audience = Audience{Organisations: make([]string, 1001)} }), "/audience is 1001, want at most 1000 entries"},
		{press, "", with(func(n *NewAnnouncement) { n.Audience = Audience{Kinds: []account.Kind{"witch"}} }), "/audience/kinds/0 is witch, want one of chip_maker, module_maker, software_provider, hardware_provider, terminal_maker"},
		{press, "", with(func(n *NewAnnouncement) { n.Audience = Audience{Roles: []access.Role{"king"}} }), "/audience/roles/0 is king, want one of admin, reviewer, certifier, laboratory, platform_support, owner, engineer, factory, market, support, query"},
		{press, "", with(func(n *NewAnnouncement) { n.Audience = Audience{Services: []string{""}} }), "/audience/0 is empty, want an id or the name of a service"},
		{press, "", with(func(n *NewAnnouncement) { n.Texts = map[string]Text{"en": {"a", "b"}} }), "/texts/zh-CN/title is empty, want 1 to 200 characters, no control characters"},
		{press, "", with(func(n *NewAnnouncement) { n.Texts["fr"] = Text{"a", "b"} }), "/texts/fr is fr, want the language zh-CN or en"},
		{press, "", with(func(n *NewAnnouncement) { n.Texts["en"] = Text{"a\nb", "b"} }), "/texts/en/title is a\uFFFDb, want 1 to 200 characters, no control characters"},
		{press, "", with(func(n *NewAnnouncement) { n.Texts["en"] = Text{"a", ""} }), "/texts/en/body is empty, want Markdown in UTF-8, no control characters"},
		{press, "", with(func(n *NewAnnouncement) { n.Texts["en"] = Text{"a", strings.Repeat("x", maxBody+1)} }), "/texts/en/body has 32769 bytes, the most is 32768"},
		{press, "", with(func(n *NewAnnouncement) { n.Texts["en"] = Text{"a", strings.Repeat("x", maxBody)} }), ""},
		{press, "", with(func(n *NewAnnouncement) { n.Supersedes = "none" }), `there is no announcement "none"`},
		{press, "none", news("a"), `there is no announcement "none"`},
		{press, published.ID, news("a"), "a published announcement is never changed; publish another that takes its place"},
	} {
		before := b.count(t, "notice_announcement") + b.count(t, "notice_text") + b.count(t, "audit_entry")
		_, err := b.Write(t.Context(), tt.who, tt.id, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n.Audience, got, tt.want)
		}
		if fault.Is(err, fault.Clash) && fmt.Sprint(fault.Of(err).Open) != "[withdraw]" {
			t.Errorf("with what is published %v are open", fault.Of(err).Open)
		}
		if after := b.count(t, "notice_announcement") + b.count(t, "notice_text") + b.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+4 {
			t.Errorf("%+v: %d rows before, %d after", tt.n.Audience, before, after)
		}
	}
	for _, statement := range []string{"UPDATE notice_text SET title = 'x'", "DELETE FROM notice_text"} {
		if b.try(t, statement+" WHERE announcement = ?", published.ID) == nil {
			t.Errorf("%s changed what was announced", statement)
		}
	}
}

func TestPublishRules(t *testing.T) {
	b := newBoard(t)
	now := b.clock.now()
	form := func(d time.Duration) string { return now.Add(d).UTC().Format(time.RFC3339) }
	draft := func(change func(*NewAnnouncement)) string {
		n := news("a")
		change(&n)
		a, err := b.Write(t.Context(), press, "", n)
		if err != nil {
			t.Fatal(err)
		}
		return a.ID
	}
	plain := draft(func(*NewAnnouncement) {})
	old := b.announce(t, news("old"))
	first := draft(func(n *NewAnnouncement) { n.Supersedes = old.ID })
	second := draft(func(n *NewAnnouncement) { n.Supersedes = old.ID })
	for _, tt := range []struct {
		who  access.Actor
		id   string
		from time.Duration
		want string
	}{
		{owner, plain, 0, "notice.manage is not allowed: it needs role admin"},
		{press, "none", 0, `there is no announcement "none"`},
		{press, plain, -time.Second, "/publish_at is " + form(-time.Second) + ", want a time from now to three years ahead"},
		{press, plain, longest + time.Second, "/publish_at is " + form(longest+time.Second) + ", want a time from now to three years ahead"},
		{press, draft(func(n *NewAnnouncement) { n.EffectiveAt = now.Add(day) }), 2 * day, "/effective_at is " + form(day) + ", want a time after the publication and at most three years ahead"},
		{press, draft(func(n *NewAnnouncement) { n.EffectiveAt, n.EndsAt = now.Add(2*day), now.Add(day) }), 0, "/ends_at is " + form(day) + ", want a time after publication and effect, and at most three years ahead"},
		{press, draft(func(n *NewAnnouncement) { n.EndsAt = now }), 0, "/ends_at is " + form(0) + ", want a time after publication and effect, and at most three years ahead"},
		{press, plain, 0, ""},
		{press, plain, 0, "publish is not open in state published"},
		{press, first, 0, ""},
		{press, second, 0, "the announcement it should take the place of is superseded"},
	} {
		before := b.count(t, "audit_entry")
		_, err := b.Publish(t.Context(), tt.who, tt.id, now.Add(tt.from))
		if got := text(err); got != tt.want {
			t.Errorf("after %s:\n got %q\nwant %q", tt.from, got, tt.want)
		}
		if after := b.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+1 {
			t.Errorf("after %s: %d entries before, %d after", tt.from, before, after)
		}
	}
	withdraw := func(who access.Actor, id, note string) string { return text(b.Withdraw(t.Context(), who, id, note)) }
	for _, tt := range []struct{ got, want string }{
		{withdraw(owner, plain, "x"), "notice.manage is not allowed: it needs role admin"},
		{withdraw(press, plain, ""), "/note is empty, want 1 to 1000 characters, no control characters"},
		{withdraw(press, plain, "wrong"), ""},
		{withdraw(press, plain, "wrong"), "withdraw is not open in state withdrawn"},
		{withdraw(press, old.ID, "wrong"), "withdraw is not open in state superseded"},
	} {
		if tt.got != tt.want {
			t.Errorf("withdrawing:\n got %q\nwant %q", tt.got, tt.want)
		}
	}
	b.exec(t, "DELETE FROM notice_receipt")
	for range maxShown - 1 {
		b.exec(t, insertSQL, newID(), "info", `{"everybody":true}`, "", 1, 0, now.Add(day).UnixMilli())
	}
	b.exec(t, "UPDATE notice_announcement SET state = 'published', published_at = 1 WHERE state = 'draft' AND severity = 'info' AND created_at = 1")
	_, err := b.Publish(t.Context(), press, draft(func(*NewAnnouncement) {}), time.Time{})
	if got, want := text(err), "number of announcements that have not ended is 500, the limit is 500"; got != want {
		t.Errorf("one too many:\n got %q\nwant %q", got, want)
	}
}

func TestAudience(t *testing.T) {
	b := newBoard(t)
	for title, to := range map[string]Audience{
		"everybody": {Everybody: true}, "terminals": {Kinds: []account.Kind{account.TerminalMaker}}, "chips": {Organisations: []string{chips}},
		"voice": {Services: []string{"voice"}}, "owners": {Roles: []access.Role{access.Owner}},
		"owners of terminals": {Roles: []access.Role{access.Owner}, Kinds: []account.Kind{account.TerminalMaker}}, "staff": {Roles: []access.Role{access.Admin}},
	} {
		n := news(title)
		n.Audience = to
		b.announce(t, n)
	}
	b.send(t, works, "", "a message to works", nil)
	b.send(t, works, "eve", "a message to eve", nil)
	for _, tt := range []struct {
		who  access.Actor
		want string
	}{
		{owner, "a message to works, everybody, owners, owners of terminals, terminals, voice"},
		{engineer, "a message to eve, a message to works, everybody, terminals, voice"},
		{foreign, "chips, everybody, owners"},
		{alone, "everybody"},
		{press, "everybody, staff"},
	} {
		got := b.titles(t, tt.who, false)
		if n := b.unread(t, tt.who); n != len(got) {
			t.Errorf("%s: %d unread of %d", tt.who.User, n, len(got))
		}
		if slices.Sort(got); strings.Join(got, ", ") != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.who.User, strings.Join(got, ", "), tt.want)
		}
	}
}

// An announcement is shown from its date to its end, until another takes its place or it is withdrawn.
func TestDates(t *testing.T) {
	b := newBoard(t)
	n := news("late")
	n.EffectiveAt = b.clock.now().Add(10 * day)
	a, err := b.Write(t.Context(), press, "", n)
	if err != nil {
		t.Fatal(err)
	}
	if a, err = b.Publish(t.Context(), press, a.ID, b.clock.now().Add(day)); err != nil {
		t.Fatal(err)
	}
	seen := func() string { t.Helper(); return strings.Join(b.titles(t, owner, false), ", ") }
	if got := seen(); got != "" {
		t.Errorf("before its date: %s", got)
	}
	b.clock.pass(day)
	if got := seen(); got != "late" {
		t.Errorf("from its date on: %s", got)
	}
	next := news("next")
	next.Supersedes = a.ID
	if next, err := b.Write(t.Context(), press, "", next); err != nil {
		t.Fatal(err)
	} else if _, err = b.Publish(t.Context(), press, next.ID, b.clock.now().Add(day)); err != nil {
		t.Fatal(err)
	}
	if got := seen(); got != "late" {
		t.Errorf("until the next comes: %s", got)
	}
	b.clock.pass(day)
	if got := seen(); got != "next" {
		t.Errorf("then: %s", got)
	}
	b.clock.pass(shownFor)
	if got := seen(); got != "" {
		t.Errorf("after its end: %s", got)
	}
}

func TestReceipts(t *testing.T) {
	b := newBoard(t)
	a := b.announce(t, news("news"))
	b.clock.pass(time.Second)
	b.send(t, works, "", "message", nil)
	b.clock.pass(time.Second)
	b.send(t, works, "eve", "for eve", nil)
	items, _, err := b.Inbox(t.Context(), engineer, Ask{})
	if err != nil || len(items) != 3 {
		t.Fatalf("%+v, %v", items, err)
	}
	for _, tt := range []struct {
		who  access.Actor
		id   string
		want string
	}{
		{access.System("x", works), a.ID, "notice.read is not allowed: it needs a person who is signed in"},
		{owner, items[0].ID, `there is no notice "` + items[0].ID + `"`},
		{foreign, items[1].ID, fmt.Sprintf("there is no notice %q", items[1].ID)},
		{engineer, "none", `there is no notice "none"`},
		{engineer, a.ID, ""},
		{owner, a.ID, ""},
	} {
		if tt.id == a.ID && tt.who.User == "eve" {
			b.clock.pass(time.Minute)
		}
		if got := text(b.Read(t.Context(), tt.who, tt.id)); got != tt.want {
			t.Errorf("%s reads %s:\n got %q\nwant %q", tt.who.User, tt.id, got, tt.want)
		}
	}
	first := b.clock.now()
	b.clock.pass(time.Minute)
	if err := b.Read(t.Context(), engineer, a.ID); err != nil {
		t.Fatal(err)
	}
	page, err := b.Receipts(t.Context(), press, a.ID, listing.Ask{})
	if err != nil || len(page.Items) != 2 || page.Items[1].User != "eve" || !page.Items[1].ReadAt.Equal(first) || page.Items[1].Organisation != works {
		t.Errorf("receipts %+v, %v, want eve's of %s", page.Items, err, first)
	}
	if seen, err := b.Announcement(t.Context(), press, a.ID); err != nil || seen.Reads != 2 {
		t.Errorf("%d reads, %v", seen.Reads, err)
	}
	if _, err := b.Receipts(t.Context(), owner, a.ID, listing.Ask{}); text(err) != "notice.manage is not allowed: it needs role admin" {
		t.Errorf("an owner asks for receipts: %v", err)
	}
	if got, want := strings.Join(b.titles(t, engineer, true), ", "), "for eve, message"; got != want {
		t.Errorf("unread: %s, want %s", got, want)
	}
	if n, err := b.ReadAll(t.Context(), engineer); n != 2 || err != nil {
		t.Errorf("reading all: %d, %v", n, err)
	}
	if n := b.unread(t, engineer); n != 0 {
		t.Errorf("%d are unread after reading all", n)
	}
	if got, want := strings.Join(b.titles(t, engineer, false), ", "), "(for eve), (message), (news)"; got != want {
		t.Errorf("all: %s, want %s", got, want)
	}
}

func TestInboxRefusals(t *testing.T) {
	b := newBoard(t)
	for _, tt := range []struct {
		ask  Ask
		want string
	}{
		{Ask{Limit: 101}, "/limit is 101, want an integer from 1 to 100"},
		{Ask{Limit: -1}, "/limit is -1, want an integer from 1 to 100"},
		{Ask{Cursor: "banana"}, "/cursor is banana, want the next_cursor of an inbox"},
	} {
		_, _, err := b.Inbox(t.Context(), owner, tt.ask)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.ask, got, tt.want)
		}
	}
	if got, want := text(b.Store.Write(t.Context(), func(tx *store.Tx) error { return b.Send(t.Context(), tx, "", "x", nil) })), "organisation is empty, want the organisation or the person to tell"; got != want {
		t.Errorf("telling nobody:\n got %q\nwant %q", got, want)
	}
}

// A message to a person is theirs whatever they act for, and nobody else's.
func TestMessageToAPerson(t *testing.T) {
	b := newBoard(t)
	b.send(t, works, "eve", "at work", nil)
	b.clock.pass(time.Second)
	b.send(t, "", "eve", "for eve", nil)
	elsewhere, nowhere := engineer, engineer
	elsewhere.Organisation, nowhere.Organisation = chips, ""
	for _, tt := range []struct {
		who  access.Actor
		want string
	}{
		{engineer, "[for eve at work], 2 unread"},
		{elsewhere, "[for eve], 1 unread"},
		{nowhere, "[for eve], 1 unread"},
		{owner, "[], 0 unread"},
		{alone, "[], 0 unread"},
	} {
		items, _, err := b.Inbox(t.Context(), tt.who, Ask{Unread: true})
		n, counted := b.Unread(t.Context(), tt.who)
		kinds := []string{}
		for _, i := range items {
			kinds = append(kinds, i.Kind)
		}
		if got := fmt.Sprintf("%v, %d unread", kinds, n); got != tt.want || err != nil || counted != nil {
			t.Errorf("%s for %q sees %s, want %s: %v, %v", tt.who.User, tt.who.Organisation, got, tt.want, err, counted)
		}
	}
	if items, _, err := b.Inbox(t.Context(), engineer, Ask{Shared: true}); err != nil || len(items) != 1 || items[0].Kind != "at work" {
		t.Errorf("what is not hers alone is %+v, %v", items, err)
	}
	items, _, err := b.Inbox(t.Context(), nowhere, Ask{})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Read(t.Context(), alone, items[0].ID); !fault.Is(err, fault.Missing) {
		t.Errorf("somebody else reads it: %v", err)
	}
	if n, err := b.ReadAll(t.Context(), elsewhere); n != 1 || err != nil {
		t.Errorf("%d were unread, %v", n, err)
	}
	if n, err := b.Unread(t.Context(), engineer); n != 1 || err != nil {
		t.Errorf("%d are unread at work, %v", n, err)
	}
	for i := range maxPersonal {
		b.clock.pass(time.Second)
		b.send(t, "", "eve", fmt.Sprint(i), nil)
	}
	if n := b.count(t, "notice_message WHERE organisation = ''"); n != maxPersonal {
		t.Errorf("%d of hers are kept, want %d", n, maxPersonal)
	}
	if n := b.count(t, "notice_receipt"); n != 0 {
		t.Errorf("%d receipts of messages that are gone", n)
	}
}

// An organisation keeps its newest messages; receipts go with the others.
func TestMessagesGiveWay(t *testing.T) {
	b := newBoard(t)
	for i := range maxMessages + 3 {
		b.clock.pass(time.Second)
		b.send(t, works, "", fmt.Sprintf("m%04d", i), nil)
		if i == 0 {
			if _, err := b.ReadAll(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
		}
	}
	b.send(t, chips, "", "another's", nil)
	if n := b.count(t, "notice_message"); n != maxMessages+1 {
		t.Errorf("%d messages are kept, want %d", n, maxMessages+1)
	}
	if n := b.count(t, "notice_receipt"); n != 0 {
		t.Errorf("%d receipts of messages that are gone", n)
	}
	items, _, err := b.Inbox(t.Context(), owner, Ask{Limit: 1})
	if err != nil || items[0].Kind != fmt.Sprintf("m%04d", maxMessages+2) {
		t.Errorf("the newest is %+v, %v", items, err)
	}
}

func TestSweep(t *testing.T) {
	b := newBoard(t)
	b.announce(t, news("old"))
	b.send(t, works, "", "old", nil)
	if _, err := b.ReadAll(t.Context(), owner); err != nil {
		t.Fatal(err)
	}
	b.clock.pass(kept + shownFor + day)
	b.send(t, works, "", "new", nil)
	if err := b.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, r, a := b.count(t, "notice_message"), b.count(t, "notice_receipt"), b.count(t, "notice_announcement"); m != 1 || r != 0 || a != 1 {
		t.Errorf("%d messages, %d receipts, %d announcements are left; want 1, 0, 1", m, r, a)
	}
}

// placesOf are the names in a text that data fills; one that is a language's own counts once.
func placesOf(t Text) (out []string) {
	for _, m := range regexp.MustCompile(`\{(\w+?)(?:_en|_zh)?\}`).FindAllStringSubmatch(t.Title+t.Body, -1) {
		out = append(out, m[1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Every kind of the catalogue has texts in every language with the same places.
func TestCatalogue(t *testing.T) {
	all, err := catalogue()
	if err != nil || len(all) == 0 {
		t.Fatalf("%d kinds, %v", len(all), err)
	}
	for kind, tmpl := range all {
		if !slices.Contains([]Severity{Info, Warning, Critical}, tmpl.Severity) {
			t.Errorf("%s: severity %q", kind, tmpl.Severity)
		}
		for _, lang := range Languages() {
			if tmpl.Texts[lang].Title == "" || tmpl.Texts[lang].Body == "" {
				t.Errorf("%s has no text in %s", kind, lang)
			}
			if got, want := placesOf(tmpl.Texts[lang]), placesOf(tmpl.Texts["en"]); !slices.Equal(got, want) {
				t.Errorf("%s: %s has the places %q, en %q", kind, lang, got, want)
			}
		}
	}
	severity, texts, err := render("quota.near", map[string]string{"limit": "devices", "percent": "80", "used": "8", "value": "10", "subject": "product {used}"})
	if got, want := fmt.Sprintf("%s %s %s %v", severity, texts["en"], texts["zh-CN"].Title, err), "warning {80 % of the limit devices are used 8 of 10 are used for product {used}. Ask for more in time, or use less.} 限额 devices 已使用 80% <nil>"; got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// A copy that fails undoes the message and the act it belongs to.
func TestCopy(t *testing.T) {
	b := newBoard(t)
	var got []string
	b.Copy = func(_ context.Context, _ *store.Tx, l Letter) error {
		got = append(got, l.Organisation, l.User, l.Texts["en"].Title, fmt.Sprint(l.Always))
		return nil
	}
	b.send(t, works, "eve", "order.issued", nil) // stays in the inbox
	b.send(t, works, "", "enforcement.imposed", map[string]string{"measure": "warn"})
	b.send(t, works, "eve", "quota.reached", map[string]string{"limit": "devices", "long": strings.Repeat("灯", maxField)})
	if want := []string{works, "", "A measure was taken: warn", "true", works, "eve", "The limit devices is used up", "false"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	b.Copy = func(context.Context, *store.Tx, Letter) error { return errors.New("full") }
	err := b.Store.Write(t.Context(), func(tx *store.Tx) error { return b.Send(t.Context(), tx, works, "quota.near", nil) })
	if got, want := text(err), "copying quota.near to organisation org-works: full"; got != want || b.count(t, "notice_message") != 3 {
		t.Errorf("got %q, want %q; %d messages", got, want, b.count(t, "notice_message"))
	}
}

func TestErase(t *testing.T) {
	b := newBoard(t)
	b.announce(t, news("news"))
	for range 3 {
		b.send(t, works, "", "a", nil)
		b.send(t, works, "eve", "b", nil)
		b.send(t, chips, "", "c", nil)
	}
	for _, who := range []access.Actor{owner, engineer, foreign} {
		if _, err := b.ReadAll(t.Context(), who); err != nil {
			t.Fatal(err)
		}
	}
	holds := func(kind, id string) (n int64) {
		err := b.Store.Read(t.Context(), func(v *store.View) error {
			var err error
			n, err = b.Holds(t.Context(), v, kind, id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, tt := range []struct {
		kind, id string
		want     int64
	}{{"user", "eve", 10}, {"organisation", works, 7}, {"product", "p", 0}} {
		if n := holds(tt.kind, tt.id); n != tt.want {
			t.Errorf("%s %s holds %d rows, want %d", tt.kind, tt.id, n, tt.want)
		}
		for more, turns := true, 0; more; turns++ {
			err := b.Store.Write(t.Context(), func(tx *store.Tx) error {
				var err error
				more, err = b.Erase(t.Context(), tx, tt.kind, tt.id, 2)
				return err
			})
			if err != nil || turns > 20 {
				t.Fatalf("erasing %s %s, turn %d: %v", tt.kind, tt.id, turns, err)
			}
		}
		if n := holds(tt.kind, tt.id); n != 0 {
			t.Errorf("%s %s still holds %d rows", tt.kind, tt.id, n)
		}
	}
	if n := holds("organisation", chips); n != 7 {
		t.Errorf("another organisation holds %d rows, want 7", n)
	}
}
