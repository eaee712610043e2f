package entitlement

import (
	"context"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
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
		Qualifications: func() []string { return []string{"iso9001", "radio"} },
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
