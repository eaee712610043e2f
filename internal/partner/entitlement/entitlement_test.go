package entitlement

import (
	"context"
	"fmt"
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
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/quota"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	works = "org-works" // makes terminals
	chips = "org-chips" // makes chips
	day   = 24 * time.Hour
)

var (
	operator = access.Actor{Kind: access.KindUser, ID: "op", User: "op", Roles: []access.Role{access.Admin}, Strong: true}
	owner    = access.Actor{Kind: access.KindUser, ID: "ann", User: "ann", Organisation: works, Roles: []access.Role{access.Owner}}
	engineer = access.Actor{Kind: access.KindUser, ID: "eve", User: "eve", Organisation: works, Roles: []access.Role{access.Engineer}}
	foreign  = access.Actor{Kind: access.KindUser, ID: "bob", User: "bob", Organisation: chips, Roles: []access.Role{access.Owner}}
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

type shop struct {
	*Service
	clock     *clock
	level     map[string]int
	qualified map[string]bool
}

func newShop(t testing.TB) *shop {
	t.Helper()
	s := &shop{clock: &clock{t: time.Now().Truncate(time.Millisecond)}, level: make(map[string]int), qualified: make(map[string]bool)}
	db := storetest.Open(t)
	s.Service = New(Config{
		Store: db, Agreements: agreement.New(agreement.Config{Store: db}), Notices: notice.New(notice.Config{Store: db}), Limits: quota.New(quota.Config{Store: db, Now: s.clock.now}),
		Level: func(_ context.Context, _ store.Querier, organisation string) (int, error) {
			return s.level[organisation], nil
		},
		Qualified: func(_ context.Context, _ store.Querier, organisation, name string) (bool, error) {
			return s.qualified[organisation+" "+name], nil
		},
	})
	s.now = s.clock.now
	for id, kind := range map[string]string{works: "terminal_maker", chips: "chip_maker"} {
		s.exec(t, "INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, '{}', ?, 1)", id, `["`+kind+`"]`)
	}
	return s
}

func (s *shop) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	err := s.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (s *shop) count(t testing.TB, table string) (n int) {
	t.Helper()
	err := s.Store.Read(t.Context(), func(v *store.View) error {
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

// announce publishes now that something happens after ahead.
func (s *shop) announce(t testing.TB, ahead time.Duration, to notice.Audience) string {
	t.Helper()
	now := s.clock.now()
	n := notice.NewAnnouncement{Severity: notice.Warning, Audience: to, Texts: map[string]notice.Text{"en": {Title: "a", Body: "b"}, "zh-CN": {Title: "甲", Body: "乙"}}}
	if ahead > 0 {
		n.EffectiveAt = now.Add(ahead)
	}
	a, err := s.Notices.Write(t.Context(), operator, "", n)
	if err != nil {
		t.Fatal(err)
	}
	s.exec(t, "UPDATE notice_announcement SET state = 'published', published_at = ?, ends_at = ? WHERE id = ?", now.UnixMilli(), now.Add(400*day).UnixMilli(), a.ID)
	return a.ID
}

func everybody() notice.Audience { return notice.Audience{Everybody: true} }

// set gives a service a bar at once.
func (s *shop) set(t testing.TB, n NewBar) {
	t.Helper()
	n.Emergency, n.Reason = true, "for the test"
	if _, err := s.SetBar(t.Context(), operator, n); err != nil {
		t.Fatal(err)
	}
}

func (s *shop) require(t testing.TB, organisation, service string) (got string) {
	t.Helper()
	err := s.Store.Read(t.Context(), func(v *store.View) error {
		got = text(s.Require(t.Context(), v, organisation, service))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (s *shop) wants(t testing.TB, organisation, service, want string) {
	t.Helper()
	if want != "" {
		want = "the service " + service + " is not open: " + want
	}
	if got := s.require(t, organisation, service); got != want {
		t.Errorf("%s for %s:\n got %q\nwant %q", service, organisation, got, want)
	}
}

func TestMoves(t *testing.T) {
	if err := moves.Check(Requested); err != nil {
		t.Error(err)
	}
}

func TestListsAreIndexed(t *testing.T) {
	s := newShop(t)
	listingtest.Prove(t, s.Store, bars())
	listingtest.Prove(t, s.Store, switches())
	listingtest.Prove(t, s.Store, plans())
	listingtest.Prove(t, s.Store, applications())
	listingtest.Prove(t, s.Store, overrides())
}

// Every service has names in both languages; an act belongs to one service and exists.
func TestServices(t *testing.T) {
	all, err := Services()
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	seen := make(map[string]bool)
	for _, n := range all {
		if seen[n.Name] || n.Names["en"] == "" || n.Names["zh-CN"] == "" || n.About["en"] == "" || n.About["zh-CN"] == "" || n.Acts == nil {
			t.Errorf("service %+v", n)
		}
		seen[n.Name] = true
		for _, act := range n.Acts {
			if seen[string(act)] || !slices.Contains(access.Acts(), act) {
				t.Errorf("the act %s of %s belongs to another service too, or is none", act, n.Name)
			}
			seen[string(act)] = true
		}
	}
}

// On a fresh installation nothing is closed.
func TestFresh(t *testing.T) {
	s := newShop(t)
	all, err := Services()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		s.wants(t, works, n.Name, "")
	}
	for _, act := range access.Acts() {
		if err := s.Gate(t.Context(), owner, act); err != nil {
			t.Errorf("the gate stops %s: %v", act, err)
		}
	}
	if got, want := s.require(t, works, "tea"), "service is tea, want one of "; !strings.HasPrefix(got, want) {
		t.Errorf("got %q", got)
	}
	if got, want := s.require(t, "none", "voice"), `there is no organisation "none"`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestBarRules(t *testing.T) {
	s := newShop(t)
	user, err := s.Agreements.Add(t.Context(), operator, agreement.NewAgreement{
		Precedence: 1, Names: account.Names{"en": "x", "zh-CN": "甲"}, Prevails: account.Names{"en": "x", "zh-CN": "甲"}, Subject: agreement.User,
	})
	if err != nil {
		t.Fatal(err)
	}
	good := NewBar{Service: "voice", Kind: ByApplication, Emergency: true, Reason: "r"}
	with := func(change func(*NewBar)) NewBar {
		n := good
		change(&n)
		return n
	}
	ahead := func(id string) NewBar { return with(func(n *NewBar) { n.Emergency, n.Announcement = false, id }) }
	withdrawn := s.announce(t, 30*day, everybody())
	if err := s.Notices.Withdraw(t.Context(), operator, withdrawn, "x"); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who  access.Actor
		n    NewBar
		want string
	}{
		{owner, good, "service.manage is not allowed: it needs role admin"},
		{operator, with(func(n *NewBar) { n.Kind = "wall" }), "/kind is wall, want open, application, agreement or paid"},
		{operator, with(func(n *NewBar) { n.Agreement = "x" }), "/agreement is x, want the id of an agreement where the kind is agreement, and none elsewhere"},
		{operator, with(func(n *NewBar) { n.Kind = ByAgreement }), "/agreement is empty, want the id of an agreement where the kind is agreement, and none elsewhere"},
		{operator, with(func(n *NewBar) { n.Kind, n.Agreement = ByAgreement, "none" }), `there is no agreement "none"`},
		{operator, with(func(n *NewBar) { n.Kind, n.Agreement = ByAgreement, user.ID }), "the agreement is one for the user to accept, not for the organisation"},
		{operator, with(func(n *NewBar) { n.Level = 10 }), "/level is 10, want an integer from 0 to 9"},
		{operator, with(func(n *NewBar) { n.Kinds = []account.Kind{"witch"} }), "/kinds/0 is witch, want one of chip_maker, module_maker, software_provider, hardware_provider, terminal_maker"},
		{operator, with(func(n *NewBar) { n.Qualifications = []string{""} }), "/qualifications/0 is empty, want the name of a qualification"},
		{operator, with(func(n *NewBar) { n.Qualifications = make([]string, 21) }), "/qualifications is 21, want at most 20"},
		{operator, with(func(n *NewBar) { n.Reason = "" }), "/reason is empty, want 1 to 1000 characters, no control characters"},
		{operator, ahead(""), "/announcement is empty, want the id of a published announcement with the date of the change"},
		{operator, ahead("none"), `there is no published announcement "none"`},
		{operator, ahead(withdrawn), "the announcement is withdrawn"},
		{operator, ahead(s.announce(t, 0, everybody())), "the announcement names no date from which it holds"},
		{operator, ahead(s.announce(t, 30*day-time.Second, everybody())), "/announcement is 29 days ahead, want an announcement at least 30 days ahead"},
		{operator, ahead(s.announce(t, 40*day, notice.Audience{Services: []string{"ota"}})), "the announcement is not for everybody who uses voice"},
		{operator, ahead(s.announce(t, 40*day, notice.Audience{Services: []string{"voice"}, Organisations: []string{works}})), "the announcement is not for everybody who uses voice"},
		{operator, ahead(s.announce(t, 30*day, notice.Audience{Services: []string{"voice"}})), ""},
		{operator, with(func(n *NewBar) { n.Kind, n.Emergency = Open, false }), ""},
	} {
		before := s.count(t, "entitlement_bar") + s.count(t, "audit_entry")
		_, err := s.SetBar(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_bar") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	if _, err := s.SetBar(t.Context(), operator, with(func(n *NewBar) { n.Service = "tea" })); !strings.HasPrefix(text(err), "/service is tea, want one of device_access_wifi, ") {
		t.Errorf("got %v", err)
	}
}

func TestBars(t *testing.T) {
	s := newShop(t)
	a, err := s.Agreements.Add(t.Context(), operator, agreement.NewAgreement{
		Precedence: 1, Names: account.Names{"en": "Skills", "zh-CN": "技能"}, Prevails: account.Names{"en": "x", "zh-CN": "甲"}, Subject: agreement.Organisation,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.set(t, NewBar{Service: "skills", Kind: ByAgreement, Agreement: a.ID})
	s.set(t, NewBar{Service: "ota", Kind: ByApplication})
	s.set(t, NewBar{Service: "market", Kind: Open, Kinds: []account.Kind{account.TerminalMaker, account.ModuleMaker}, Level: 2, Qualifications: []string{"iso9001"}})
	s.wants(t, works, "skills", "its agreement "+a.ID+" is not accepted")
	s.wants(t, works, "ota", "it has to be applied for")
	s.wants(t, chips, "market", "it is for organisations of the kind terminal_maker or module_maker; it needs verification of level 2, the organisation has 0; it needs the qualification iso9001")
	s.wants(t, works, "market", "it needs verification of level 2, the organisation has 0; it needs the qualification iso9001")
	s.level[works], s.qualified[works+" iso9001"] = 2, true
	s.wants(t, works, "market", "")
	v, err := s.Agreements.SetDraft(t.Context(), operator, a.ID, map[string]agreement.NewText{"en": {Body: "a"}, "zh-CN": {Body: "甲"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Agreements.Publish(t.Context(), operator, v.ID, v.Digest(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.wants(t, works, "skills", "its agreement "+a.ID+" is not accepted")
	if _, err := s.Agreements.Accept(t.Context(), owner, agreement.Answer{Agreement: a.ID, Number: 1, Lang: "en", Hash: v.Texts["en"].Hash}); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(time.Minute)
	s.wants(t, works, "skills", "")
	var f *fault.Fault
	_ = s.Store.Read(t.Context(), func(view *store.View) error {
		f = fault.Of(s.Require(t.Context(), view, chips, "market"))
		return nil
	})
	if f.Code != fault.NotAllowed || fmt.Sprint(f.Open) != "[organisation_kind verification_level qualification]" || f.Where != "service market" || f.Fix == "" {
		t.Errorf("the refusal is %+v", f)
	}
}

// What was announced holds from its date, without anything running, unless the announcement was withdrawn before.
func TestAnnouncedDates(t *testing.T) {
	s := newShop(t)
	off := func(service, announcement string) Switch {
		t.Helper()
		w, err := s.Turn(t.Context(), operator, NewSwitch{Service: service, Announcement: announcement, Reason: "it ends"})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	first, second, third := s.announce(t, 30*day, everybody()), s.announce(t, 30*day, everybody()), s.announce(t, 30*day, everybody())
	voice := off("voice", first)
	off("home", second)
	ota := off("ota", third)
	if _, err := s.SetBar(t.Context(), operator, NewBar{Service: "market", Kind: ByApplication, Announcement: first, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Notices.Withdraw(t.Context(), operator, second, "we thought better of it"); err != nil {
		t.Fatal(err)
	}
	if err := s.CancelSwitch(t.Context(), operator, ota.ID, "not this one"); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(30*day - time.Second)
	for _, service := range []string{"voice", "home", "market", "ota"} {
		s.wants(t, works, service, "")
	}
	if err := s.Gate(t.Context(), owner, access.Speak); err != nil { // believed from here for 5 s, were it not for the date
		t.Error(err)
	}
	s.clock.pass(time.Second)
	const gone = "it is switched off for everybody since "
	s.wants(t, works, "voice", gone+voice.EffectiveAt.Format(time.RFC3339)+": it ends")
	if got, want := text(s.Gate(t.Context(), owner, access.Speak)), "the service voice is not open: "+gone+voice.EffectiveAt.Format(time.RFC3339)+": it ends"; got != want {
		t.Errorf("the gate at the date:\n got %q\nwant %q", got, want)
	}
	s.wants(t, works, "home", "")
	s.wants(t, works, "ota", "")
	s.wants(t, works, "market", "it has to be applied for")
	s.exec(t, "UPDATE notice_announcement SET state = 'withdrawn', ended_at = ? WHERE id = ?", s.clock.now().UnixMilli()+1, first)
	s.wants(t, works, "voice", gone+voice.EffectiveAt.Format(time.RFC3339)+": it ends") // too late to take it back
	if got, want := text(s.CancelSwitch(t.Context(), operator, voice.ID, "x")), "the switch is in effect or cancelled already; set another"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "voice", On: true, Reason: "again"}); err != nil {
		t.Fatal(err)
	}
	s.wants(t, works, "voice", "")
	if err := s.Gate(t.Context(), owner, access.Speak); err != nil {
		t.Errorf("the gate after switching on: %v", err)
	}
}

func TestSwitchRules(t *testing.T) {
	s := newShop(t)
	past := s.clock.now().Add(-time.Second)
	for _, tt := range []struct {
		who  access.Actor
		n    NewSwitch
		want string
	}{
		{owner, NewSwitch{Service: "voice", On: true, Reason: "r"}, "service.manage is not allowed: it needs role admin"},
		{operator, NewSwitch{Service: "voice", On: true, Emergency: true, Reason: "r"}, "/on is true, want an announcement or an emergency with a switch-off only"},
		{operator, NewSwitch{Service: "voice", Emergency: true, At: past, Reason: "r"}, "/at is " + past.UTC().Format(time.RFC3339) + ", want none: the date of a switch-off is that of its announcement"},
		{operator, NewSwitch{Service: "voice", On: true, At: past, Reason: "r"}, "/at is " + past.UTC().Format(time.RFC3339) + ", want a time to come"},
		{operator, NewSwitch{Service: "voice", Emergency: true}, "/reason is empty, want 1 to 1000 characters, no control characters"},
		{operator, NewSwitch{Service: "voice", Reason: "r"}, "/announcement is empty, want the id of a published announcement with the date of the change"},
		{operator, NewSwitch{Service: "voice", Emergency: true, Reason: "it burns"}, ""},
	} {
		before := s.count(t, "entitlement_switch") + s.count(t, "audit_entry")
		_, err := s.Turn(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_switch") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	s.wants(t, works, "voice", "it is switched off for everybody since "+s.clock.now().UTC().Format(time.RFC3339)+": it burns")
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "voice", On: true, At: s.clock.now().Add(day), Reason: "repaired"}); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(day)
	s.wants(t, works, "voice", "")
	for _, tt := range []struct{ got, want string }{
		{text(s.CancelSwitch(t.Context(), owner, "x", "r")), "service.manage is not allowed: it needs role admin"},
		{text(s.CancelSwitch(t.Context(), operator, "none", "r")), `there is no switch "none"`},
		{text(s.CancelSwitch(t.Context(), operator, "none", "")), "/reason is empty, want 1 to 1000 characters, no control characters"},
		{text(s.CancelBar(t.Context(), operator, "none", "r")), `there is no bar "none"`},
	} {
		if tt.got != tt.want {
			t.Errorf("cancelling:\n got %q\nwant %q", tt.got, tt.want)
		}
	}
}

func (s *shop) plan(t testing.TB, service string, includes map[string]int64) Plan {
	t.Helper()
	p, err := s.AddPlan(t.Context(), operator, NewPlan{
		Service: service, Names: account.Names{"en": "Pro", "zh-CN": "专业版"}, Period: Month, Amount: 9900, Currency: "CNY", Includes: includes,
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestOverview(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "ota", Kind: ByApplication})
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "home", Emergency: true, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		who                access.Actor
		organisation, want string
	}{
		{owner, "", "home ota"},
		{owner, works, "home ota"},
		{owner, chips, `there is no organisation "org-chips"`},
		{operator, chips, "home ota"},
		{operator, "", "home ota"},
		{access.Actor{}, "", "nobody is signed in"},
	} {
		all, err := s.Overview(t.Context(), tt.who, tt.organisation)
		var closed []string
		for _, st := range all {
			if !st.Open {
				closed = append(closed, st.Name)
			}
		}
		slices.Sort(closed)
		got := strings.Join(closed, " ")
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s of %q: %s, want %s", tt.who.User, tt.organisation, got, tt.want)
		}
	}
}

func TestPlanRules(t *testing.T) {
	s := newShop(t)
	good := NewPlan{Service: "ota", Names: account.Names{"en": "Pro", "zh-CN": "专业版"}, Period: Month, Amount: 9900, Currency: "CNY"}
	with := func(change func(*NewPlan)) NewPlan {
		n := good
		change(&n)
		return n
	}
	for _, tt := range []struct {
		who  access.Actor
		n    NewPlan
		want string
	}{
		{owner, good, "service.manage is not allowed: it needs role admin"},
		{operator, with(func(n *NewPlan) { n.Names = account.Names{"en": "x"} }), "/names/zh-CN is empty, want 1 to 100 characters, no control characters"},
		{operator, with(func(n *NewPlan) { n.Names = account.Names{"en": "x", "zh-CN": "y", "fr": "z"} }), "/names is 3, want a name in zh-CN and one in en"},
		{operator, with(func(n *NewPlan) { n.Period = "day" }), "/period is day, want once, month, quarter or year"},
		{operator, with(func(n *NewPlan) { n.Amount = -1 }), "/amount is -1, want an integer from 0 to 1000000000000"},
		{operator, with(func(n *NewPlan) { n.Currency = "Taler" }), "/currency is Taler, want a currency of ISO 4217, as CNY"},
		{operator, with(func(n *NewPlan) { n.Currency = "cny" }), "/currency is cny, want a currency of ISO 4217, as CNY"},
		{operator, with(func(n *NewPlan) { n.Includes = map[string]int64{"tea": 1} }), "/includes/tea is tea, want the name of a limit"},
		{operator, with(func(n *NewPlan) { n.Includes = map[string]int64{"products": -1} }), "/includes/products is -1, want 0 to " + fmt.Sprint(quota.Products.Spec().Max) + " " + fmt.Sprint(quota.Products.Spec().Unit)},
		{operator, good, ""},
	} {
		before := s.count(t, "entitlement_plan") + s.count(t, "audit_entry")
		_, err := s.AddPlan(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_plan") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	p := s.plan(t, "ota", nil)
	for _, tt := range []struct{ got, want string }{
		{text(s.RetirePlan(t.Context(), owner, p.ID)), "service.manage is not allowed: it needs role admin"},
		{text(s.RetirePlan(t.Context(), operator, "none")), `there is no plan "none"`},
		{text(s.RetirePlan(t.Context(), operator, p.ID)), ""},
		{text(s.RetirePlan(t.Context(), operator, p.ID)), "retire is not open in state retired"},
	} {
		if tt.got != tt.want {
			t.Errorf("retiring:\n got %q\nwant %q", tt.got, tt.want)
		}
	}
}

func TestApplicationRules(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "ota", Kind: ByApplication})
	s.set(t, NewBar{Service: "market", Kind: Paid})
	ota, market := s.plan(t, "ota", nil), s.plan(t, "market", nil)
	old := s.plan(t, "market", nil)
	if err := s.RetirePlan(t.Context(), operator, old.ID); err != nil {
		t.Fatal(err)
	}
	nowhere := owner
	nowhere.Organisation = ""
	for _, tt := range []struct {
		who  access.Actor
		n    NewApplication
		want string
	}{
		{engineer, NewApplication{Service: "ota", Purpose: "x"}, "entitlement.apply is not allowed: it needs role owner or market"},
		{nowhere, NewApplication{Service: "ota", Purpose: "x"}, "a service is applied for in the name of an organisation, and this session acts for none"},
		{owner, NewApplication{Service: "ota"}, "/purpose is empty, want 1 to 1000 characters, no control characters"},
		{owner, NewApplication{Service: "voice", Purpose: "x"}, "the service voice is open: there is nothing to apply for"},
		{owner, NewApplication{Service: "market", Purpose: "x"}, "/plan is empty, want the id of a plan of the service"},
		{owner, NewApplication{Service: "market", Purpose: "x", Plan: "none"}, `there is no plan "none"`},
		{owner, NewApplication{Service: "market", Purpose: "x", Plan: ota.ID}, "the plan is not offered for market"},
		{owner, NewApplication{Service: "market", Purpose: "x", Plan: old.ID}, "the plan is not offered for market"},
		{owner, NewApplication{Service: "market", Purpose: "x", Plan: market.ID}, ""},
		{owner, NewApplication{Service: "ota", Purpose: "x"}, ""},
		{owner, NewApplication{Service: "ota", Purpose: "x"}, "an application for ota is open already"},
	} {
		before := s.count(t, "entitlement_application") + s.count(t, "audit_entry")
		_, err := s.Apply(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_application") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+2 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	s.wants(t, works, "ota", "the application waits for a decision")
	s.wants(t, works, "market", "the plan waits for a decision")
	s.wants(t, chips, "market", "it needs a plan")
}

func (s *shop) apply(t testing.TB, who access.Actor, service, plan string) Application {
	t.Helper()
	a, err := s.Apply(t.Context(), who, NewApplication{Service: service, Plan: plan, Purpose: "to try"})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestApplicationLife(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "ota", Kind: ByApplication})
	a := s.apply(t, owner, "ota", "")
	tomorrow := s.clock.now().Add(day)
	for _, tt := range []struct {
		name   string
		who    access.Actor
		act    Act
		reason string
		until  time.Time
		want   string
	}{
		{"a foreign one", foreign, Withdraw, "", time.Time{}, fmt.Sprintf("there is no application %q", a.ID)},
		{"one's own", owner, Grant, "", time.Time{}, "grant is not allowed: it needs another role"},
		{"an engineer withdraws", engineer, Withdraw, "", time.Time{}, "withdraw is not allowed: it needs another role"},
		{"refuse without a reason", operator, Refuse, "", time.Time{}, "/reason is empty, want 1 to 1000 characters, no control characters"},
		{"end before it began", operator, End, "x", time.Time{}, "end is not open in state requested"},
		{"until with a refusal", operator, Refuse, "x", tomorrow, "/until is " + tomorrow.UTC().Format(time.RFC3339) + ", want a time to come, with a grant"},
		{"until the past", operator, Grant, "", s.clock.now(), "/until is " + s.clock.now().UTC().Format(time.RFC3339) + ", want a time to come, with a grant"},
		{"the clock's", operator, Lapse, "", time.Time{}, "lapse is not open in state requested"},
		{"grant", operator, Grant, "", tomorrow, ""},
		{"grant again", operator, Grant, "", time.Time{}, "grant is not open in state granted"},
		{"lapse by hand", operator, Lapse, "", time.Time{}, "lapse is not allowed: it needs another role"},
	} {
		before := s.count(t, "audit_entry")
		_, err := s.Decide(t.Context(), tt.who, a.ID, tt.act, tt.reason, tt.until)
		if got := text(err); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if after := s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+1 {
			t.Errorf("%s: %d entries before, %d after", tt.name, before, after)
		}
	}
	s.wants(t, works, "ota", "")
	s.clock.pass(day)
	s.wants(t, works, "ota", "it has to be applied for") // nothing has run
	if err := s.tend(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Application(t.Context(), owner, a.ID); err != nil || got.State != Ended || got.Reason != "its time is over" {
		t.Errorf("after its time it is %+v, %v", got, err)
	}
	w := s.apply(t, owner, "ota", "")
	if w, err := s.GiveUp(t.Context(), owner, w.ID, ""); err != nil || w.State != Withdrawn {
		t.Errorf("giving up what waits: %+v, %v", w, err)
	}
	b := s.apply(t, owner, "ota", "")
	if _, err := s.Decide(t.Context(), operator, b.ID, Grant, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if b, err := s.GiveUp(t.Context(), owner, b.ID, "not needed"); err != nil || b.State != Ended {
		t.Errorf("giving up what was granted: %+v, %v", b, err)
	}
	if page, err := s.Applications(t.Context(), owner, listing.Ask{}); err != nil || len(page.Items) != 3 {
		t.Errorf("the owner sees %d, %v", len(page.Items), err)
	}
	if page, err := s.Applications(t.Context(), foreign, listing.Ask{Filters: map[string]string{"organisation": works}}); err != nil || len(page.Items) != 0 {
		t.Errorf("a stranger sees %d, %v", len(page.Items), err)
	}
	items, _, err := s.Notices.Inbox(t.Context(), owner, notice.Ask{})
	var titles []string
	for _, i := range items {
		titles = append(titles, i.Texts["en"].Title)
	}
	if got, want := strings.Join(titles, ", "), "The service Firmware updates has ended, The service Firmware updates was granted, The service Firmware updates has ended, The service Firmware updates was granted"; got != want {
		t.Errorf("the organisation was told\n got %s\nwant %s, %v", got, want, err)
	}
}

// The limits of a plan come with the grant and go with its end, each once.
func TestPlansBringLimits(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "ota", Kind: Paid})
	p := s.plan(t, "ota", map[string]int64{"products": 77, "members": 5})
	value := func(l quota.Limit) int64 {
		return s.Limits.Value(quota.Subject{Kind: quota.KindOrganisation, ID: works, Organisation: works}, l)
	}
	tend := func() {
		t.Helper()
		if err := s.tend(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	usual := value(quota.Products)
	a := s.apply(t, owner, "ota", p.ID)
	if _, err := s.Decide(t.Context(), operator, a.ID, Grant, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	tend()
	tend()
	if got := value(quota.Products); got != 77 || s.count(t, "quota_override") != 2 {
		t.Errorf("with the plan %d products, %d overrides; want 77, 2", got, s.count(t, "quota_override"))
	}
	s.wants(t, works, "ota", "")
	if _, err := s.Decide(t.Context(), operator, a.ID, End, "unpaid", time.Time{}); err != nil {
		t.Fatal(err)
	}
	tend()
	if got := value(quota.Products); got != usual || s.count(t, "entitlement_limit") != 0 {
		t.Errorf("after the plan %d products, want %d; %d limits are noted", got, usual, s.count(t, "entitlement_limit"))
	}
	s.wants(t, works, "ota", "it needs a plan")
}

func TestOverrides(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "ota", Kind: ByApplication})
	now := s.clock.now()
	for _, tt := range []struct {
		who  access.Actor
		n    NewOverride
		want string
	}{
		{owner, NewOverride{Organisation: works, Service: "ota", Allowed: true, Reason: "r"}, "service.manage is not allowed: it needs role admin"},
		{operator, NewOverride{Organisation: works, Service: "ota"}, "/reason is empty, want 1 to 1000 characters, no control characters"},
		{operator, NewOverride{Organisation: "none", Service: "ota", Reason: "r"}, `there is no organisation "none"`},
		{operator, NewOverride{Organisation: works, Service: "ota", Reason: "r", From: now.Add(-day)}, "/from is " + now.Add(-day).UTC().Format(time.RFC3339) + ", want now or a time to come"},
		{operator, NewOverride{Organisation: works, Service: "ota", Reason: "r", Until: now}, "/until is " + now.UTC().Format(time.RFC3339) + ", want a time after from"},
		{operator, NewOverride{Organisation: works, Service: "ota", Allowed: true, Reason: "a pilot", From: now.Add(day), Until: now.Add(2 * day)}, ""},
		{operator, NewOverride{Organisation: works, Service: "voice", Reason: "too loud"}, ""},
	} {
		before := s.count(t, "entitlement_override") + s.count(t, "notice_message") + s.count(t, "audit_entry")
		_, err := s.Override(t.Context(), tt.who, tt.n)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.n, got, tt.want)
		}
		if after := s.count(t, "entitlement_override") + s.count(t, "notice_message") + s.count(t, "audit_entry"); tt.want != "" && after != before || tt.want == "" && after != before+3 {
			t.Errorf("%+v: %d rows before, %d after", tt.n, before, after)
		}
	}
	s.wants(t, works, "voice", "the operator decided so: too loud")
	s.wants(t, chips, "voice", "")
	s.wants(t, works, "ota", "it has to be applied for")
	s.clock.pass(day)
	s.wants(t, works, "ota", "")
	s.clock.pass(day)
	s.wants(t, works, "ota", "it has to be applied for")
	page, err := s.Overrides(t.Context(), owner, listing.Ask{Filters: map[string]string{"service": "voice"}})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the owner sees %+v, %v", page.Items, err)
	}
	id := page.Items[0].ID
	for _, tt := range []struct{ got, want string }{
		{text(s.EndOverride(t.Context(), owner, id, "r")), "service.manage is not allowed: it needs role admin"},
		{text(s.EndOverride(t.Context(), operator, id, "")), "/reason is empty, want 1 to 1000 characters, no control characters"},
		{text(s.EndOverride(t.Context(), operator, "none", "r")), `there is no override "none"`},
		{text(s.EndOverride(t.Context(), operator, id, "r")), ""},
		{text(s.EndOverride(t.Context(), operator, id, "r")), "end is not open in state ended"},
	} {
		if tt.got != tt.want {
			t.Errorf("ending:\n got %q\nwant %q", tt.got, tt.want)
		}
	}
	s.wants(t, works, "voice", "")
}

// The gate closes acts of people at once when the operator decides, and leaves the platform alone.
func TestGate(t *testing.T) {
	s := newShop(t)
	if err := s.Gate(t.Context(), engineer, access.Speak); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Turn(t.Context(), operator, NewSwitch{Service: "voice", Emergency: true, Reason: "it burns"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Gate(t.Context(), engineer, access.Speak); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("after the switch: %v", err)
	}
	for _, who := range []access.Actor{operator, access.System("x", works), access.Clock("x", works)} {
		if err := s.Gate(t.Context(), who, access.Speak); err != nil {
			t.Errorf("the gate stops %s: %v", who.ID, err)
		}
	}
	if err := s.Gate(t.Context(), engineer, access.ControlDevice); err != nil {
		t.Errorf("the gate stops an act of another service: %v", err)
	}
}

// A measure against the organisation closes the service that it names.
func TestSuspendedService(t *testing.T) {
	s := newShop(t)
	s.exec(t, `
		INSERT INTO enforce_measure (id, subject_kind, subject, organisation, kind, service, state, cause, reason, evidence, imposed_by, created_at,
			starts_at, ends_at, due_at, appeal_until, closed_at, closed_by, closing)
		VALUES ('m', 'organisation', ?, ?, 'suspend_service', 'voice', 'in_force', 'abnormal_use', 'too loud', '[]', 'op', 1, 1, 0, 0, 0, 0, '', '')`, works, works)
	if got := s.require(t, works, "voice"); !strings.Contains(got, "the service voice is not open: service:voice is refused") {
		t.Errorf("got %q", got)
	}
	s.wants(t, works, "ota", "")
}

func TestErase(t *testing.T) {
	s := newShop(t)
	s.set(t, NewBar{Service: "ota", Kind: Paid})
	s.set(t, NewBar{Service: "market", Kind: ByApplication})
	p := s.plan(t, "ota", map[string]int64{"products": 77, "members": 5})
	a := s.apply(t, owner, "ota", p.ID)
	s.apply(t, foreign, "ota", p.ID)
	s.apply(t, owner, "market", "")
	if _, err := s.Decide(t.Context(), operator, a.ID, Grant, "", time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Override(t.Context(), operator, NewOverride{Organisation: works, Service: "voice", Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	holds := func(organisation string) (n int64) {
		err := s.Store.Read(t.Context(), func(v *store.View) error {
			var err error
			n, err = s.Holds(t.Context(), v, "organisation", organisation)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := holds(works); n != 5 {
		t.Errorf("%d rows are held, want 5", n)
	}
	for more, turns := true, 0; more; turns++ {
		err := s.Store.Write(t.Context(), func(tx *store.Tx) error {
			var err error
			more, err = s.Erase(t.Context(), tx, "organisation", works, 1)
			return err
		})
		if err != nil || turns > 20 {
			t.Fatalf("turn %d: %v", turns, err)
		}
	}
	if a, b := holds(works), holds(chips); a != 0 || b != 1 {
		t.Errorf("%d rows are left, %d of another; want 0, 1", a, b)
	}
}

func BenchmarkGate(b *testing.B) {
	s := newShop(b)
	s.now = time.Now
	b.Run("believed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := s.Gate(b.Context(), owner, access.Speak); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.verdicts.forget(works)
			if err := s.Gate(b.Context(), owner, access.Speak); err != nil {
				b.Fatal(err)
			}
		}
	})
}
