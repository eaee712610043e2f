package enforce_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/bus/inproc"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/enforce"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func operator(name string) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: name, User: name, Roles: []access.Role{access.Admin}, Strong: true}
}

func member(organisation string, role access.Role) access.Actor {
	return access.Actor{Kind: access.KindUser, ID: "u-" + organisation, User: "u-" + organisation, Organisation: organisation, Roles: []access.Role{role}}
}

var (
	admin = operator("admin")
	judge = operator("judge")
	owner = member("o", access.Owner)
)

// court is a service whose clock is set by the test.
type court struct {
	*enforce.Service
	store *store.Store
	jobs  *job.Runner
	ms    atomic.Int64
	told  []enforce.Event

	vanished, unknown string // a subject that is no more, and one whose owner cannot be asked
	members           string // the user who is a member of o
}

func (c *court) now() time.Time          { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *court) forward(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func newCourt(t *testing.T, s *store.Store, rooms ...enforce.Room) *court {
	t.Helper()
	events := inproc.New()
	t.Cleanup(func() { _ = events.Close() })
	c := &court{store: s, jobs: job.New(s, slog.New(slog.DiscardHandler))}
	c.ms.Store(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixMilli())
	c.Service = enforce.New(enforce.Config{
		Store: s, Bus: events, Jobs: c.jobs, Logger: slog.New(slog.DiscardHandler), Now: c.now,
		Owner: func(_ context.Context, of enforce.Subject) (string, error) {
			switch of.ID {
			case "nowhere", c.vanished:
				return "", fault.NotFound(of.Kind, of.ID)
			case c.unknown:
				return "", errors.New("the owner cannot be asked")
			}
			return "o", nil
		},
		Member: func(_ context.Context, _ store.Querier, organisation, user string) (bool, error) {
			return organisation == "o" && user == c.members, nil
		},
		Service: func(where, name string) error {
			if name == "tea" {
				return fault.Unsupported(where, name, "voice")
			}
			return nil
		},
		Tell: func(_ context.Context, e enforce.Event) error {
			c.told = append(c.told, e)
			return nil
		},
	})
	c.Over(rooms...)
	return c
}

func (c *court) impose(t *testing.T, n enforce.NewMeasure) enforce.Measure {
	t.Helper()
	if n.Cause == "" {
		n.Cause, n.Reason = "unsafe_product", "it burns"
	}
	m, err := c.Impose(t.Context(), admin, n)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (c *court) tick(t *testing.T) {
	t.Helper()
	if err := c.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

var chain = enforce.Chain{Device: "d", Batch: "b", Product: "p", Organisation: "o"}

func (c *court) refuses(t *testing.T, chain enforce.Chain) string {
	t.Helper()
	st, err := c.Standing(t.Context(), chain)
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, what := range []enforce.What{
		enforce.Read, enforce.Write, enforce.Control, enforce.Order, enforce.Publish, enforce.Connect, enforce.Uplink, enforce.Export,
		enforce.AppealTo, enforce.OfService("voice"), enforce.OfService("skill"),
	} {
		if !st.Allows(what) {
			refused = append(refused, string(what))
		}
	}
	return strings.Join(refused, " ")
}

// TestWhatMeasuresRefuse is the table of effects, read a second time.
func TestWhatMeasuresRefuse(t *testing.T) {
	for _, tt := range []struct {
		kind    enforce.Kind
		service string
		want    string
	}{
		{enforce.Warn, "", ""},
		{enforce.SuspendService, "voice", "service:voice"},
		{enforce.Suspend, "", "write control order publish connect uplink service:voice service:skill"},
		{enforce.TakeDown, "", "control order publish connect uplink"},
		{enforce.OrderDeletion, "", "order publish"},
		{enforce.DeleteData, "", "write control order publish connect uplink service:voice service:skill"},
		{enforce.Terminate, "", "read write control order publish connect uplink service:voice service:skill"},
	} {
		for _, level := range []enforce.Subject{{enforce.KindDevice, "d"}, {enforce.KindBatch, "b"}, {enforce.KindProduct, "p"}, {enforce.KindOrganisation, "o"}} {
			c := newCourt(t, storetest.Open(t))
			n := enforce.NewMeasure{Subject: level, Kind: tt.kind, Service: tt.service}
			if tt.kind == enforce.OrderDeletion {
				n.Due = c.now().Add(time.Hour)
			}
			c.impose(t, n)
			if got := c.refuses(t, chain); got != tt.want {
				t.Errorf("%s of the %s refuses\n got %s\nwant %s", tt.kind, level.Kind, got, tt.want)
			}
			if got := c.refuses(t, enforce.Chain{Device: "d2", Batch: "b2", Product: "p2", Organisation: "o2"}); got != "" {
				t.Errorf("%s of the %s refuses others: %s", tt.kind, level.Kind, got)
			}
		}
	}
}

// TestToTheMillisecond lets a measure start and end with no clock running.
func TestToTheMillisecond(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	c.impose(t, enforce.NewMeasure{
		Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown, Starts: c.now().Add(time.Hour), Ends: c.now().Add(2 * time.Hour),
	})
	for _, step := range []struct {
		pass    time.Duration
		refused bool
	}{{0, false}, {time.Hour - time.Millisecond, false}, {time.Millisecond, true}, {time.Hour - time.Millisecond, true}, {time.Millisecond, false}} {
		c.forward(step.pass)
		if got := c.refuses(t, chain) != ""; got != step.refused {
			t.Errorf("at %v it refuses: %v, want %v", c.now(), got, step.refused)
		}
	}
	c.tick(t)
	m, err := c.Measures(t.Context(), owner, listing.Ask{})
	if err != nil || len(m.Items) != 1 || m.Items[0].State != enforce.Ended {
		t.Errorf("afterwards it is %+v, %v", m.Items, err)
	}
}

// TestChangesNeedNoEvent follows the numbers alone: an act, a start that was planned, an end.
func TestChangesNeedNoEvent(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	mark, err := c.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	changes := func() string {
		t.Helper()
		of, next, err := c.Changes(t.Context(), mark)
		if err != nil {
			t.Fatal(err)
		}
		mark = next
		var names []string
		for _, o := range of {
			names = append(names, o.String())
		}
		return strings.Join(names, ", ")
	}
	check := func(when, want string) {
		t.Helper()
		if got := changes(); got != want {
			t.Errorf("%s: %q has changed, want %q", when, got, want)
		}
	}
	check("at first", "")
	c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown})
	check("after a measure", "product p")
	c.forward(6 * time.Second)
	check("later", "product p") // its start is looked at again, once
	c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindBatch, ID: "b"}, Kind: enforce.TakeDown, Starts: c.now().Add(time.Hour)})
	check("after a planned one", "batch b")
	c.forward(time.Hour - time.Millisecond)
	check("just before it starts", "")
	c.forward(time.Millisecond)
	check("when it starts", "batch b")
}

func TestImposeRefusals(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	of := enforce.Subject{Kind: enforce.KindProduct, ID: "p"}
	for _, tt := range []struct {
		name string
		who  access.Actor
		n    enforce.NewMeasure
		want string
	}{
		{"an owner", owner, enforce.NewMeasure{Subject: of}, "enforcement.act is not allowed: it needs role admin"},
		{"nothing", admin, enforce.NewMeasure{}, "/subject is  , want an organisation, product, batch or device by its id"},
		{"another kind", admin, enforce.NewMeasure{Subject: of, Kind: "shout"}, "/kind is shout, want one of warn, suspend_service, suspend, take_down, order_deletion, delete_data, terminate"},
		{"no service", admin, enforce.NewMeasure{Subject: of, Kind: enforce.SuspendService}, "/service is empty, want the name of a service with suspend_service, and nothing otherwise"},
		{"no cause", admin, enforce.NewMeasure{Subject: of, Kind: enforce.Warn}, "/cause is empty, want one of false_papers, uncertified_product, unsafe_product, infringement, abnormal_use, secret_leak, data_misuse, illegal_content, breach_of_agreement, authority_order, on_request"},
		{"no reason", admin, enforce.NewMeasure{Subject: of, Kind: enforce.Warn, Cause: "infringement"}, "/reason is empty, want 1 to 4000 bytes that the organisation will read"},
		{"an end before the start", admin, enforce.NewMeasure{Subject: of, Kind: enforce.Warn, Cause: "infringement", Reason: "r", Ends: c.now()}, "/ends is 2026-03-01T00:00:00Z, want a time later than the start"},
		{"a service that nothing asks for", admin, enforce.NewMeasure{Subject: of, Kind: enforce.SuspendService, Service: "tea", Cause: "infringement", Reason: "r"}, "/service is tea, supported is voice"},
		{"an order for yesterday", admin, enforce.NewMeasure{Subject: of, Kind: enforce.OrderDeletion, Cause: "infringement", Reason: "r", Due: c.now()}, "/due is 2026-03-01T00:00:00Z, want a time to come by which it is to be deleted"},
		{"an order that is due before it starts", admin, enforce.NewMeasure{Subject: of, Kind: enforce.OrderDeletion, Cause: "infringement", Reason: "r", Starts: c.now().Add(2 * time.Hour), Due: c.now().Add(time.Hour)}, "/due is 2026-03-01T01:00:00Z, want a time later than the start"},
		{"a deletion without a hold", admin, enforce.NewMeasure{Subject: of, Kind: enforce.DeleteData, Cause: "infringement", Reason: "r", Due: c.now().Add(time.Hour)}, "/due is 2026-03-01T01:00:00Z, want a time not before 2026-03-08T00:00:00Z, so that it can be called back"},
		{"nobody's", admin, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindDevice, ID: "nowhere"}, Kind: enforce.Warn, Cause: "infringement", Reason: "r"}, `there is no device "nowhere"`},
	} {
		_, err := c.Impose(t.Context(), tt.who, tt.n)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s:\n got %v\nwant %s", tt.name, err, tt.want)
		}
	}
	page, err := c.Measures(t.Context(), admin, listing.Ask{})
	if err != nil || len(page.Items) != 0 {
		t.Errorf("a refused measure is kept: %+v, %v", page.Items, err)
	}
}

// TestGate asks for acts of people of an organisation that is suspended: they may read, export and appeal.
func TestGate(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindOrganisation, ID: "o"}, Kind: enforce.Suspend, Ends: c.now().Add(24 * time.Hour)})
	var allowed []string
	for _, act := range access.Acts() {
		err := c.Gate(t.Context(), owner, act)
		if err == nil {
			allowed = append(allowed, string(act))
		} else if !fault.Is(err, fault.Suspended) {
			t.Errorf("%s: %v", act, err)
		}
		if err := c.Gate(t.Context(), member("another", access.Owner), act); err != nil {
			t.Errorf("another organisation's %s: %v", act, err)
		}
		if err := c.Gate(t.Context(), admin, act); err != nil {
			t.Errorf("the operator's %s: %v", act, err)
		}
	}
	want := "organisation.read organisation.leave member.read audit.read audit.export job.read job.manage verification.read entitlement.read quota.read " +
		"enforcement.read enforcement.appeal product.read certification.read order.read burn_log.read device.read home.read voice.read"
	if got := strings.Join(allowed, " "); got != want {
		t.Errorf("allowed is\n got %s\nwant %s", got, want)
	}
	err := c.Gate(t.Context(), owner, access.ControlDevice)
	text := "control is refused: organisation is under suspension (measure " + m.ID + ") until 2026-03-02T00:00:00Z, because of a product that is not safe: it burns"
	if f := fault.Of(err); f == nil || f.What != text || f.Rule != "suspend "+m.ID || !strings.Contains(f.Fix, "POST /api/v1/enforcement/measures/"+m.ID+"/appeals") {
		t.Errorf("the refusal is %+v", f)
	}
}

// TestAppeals walks through what may become of an appeal, and who may decide.
func TestAppeals(t *testing.T) {
	for _, tt := range []struct {
		name    string
		who     access.Actor
		d       enforce.Decision
		want    string
		state   enforce.AppealState
		refused bool // afterwards
	}{
		{"who imposed it", admin, enforce.Decision{Act: enforce.Uphold, Why: "w"}, "appeal.decide is not allowed: it needs somebody else than who imposed the measure", enforce.AppealOpen, true},
		{"an owner", owner, enforce.Decision{Act: enforce.LiftMeasure, Why: "w"}, "appeal.decide is not allowed: it needs role admin", enforce.AppealOpen, true},
		{"without a reason", judge, enforce.Decision{Act: enforce.LiftMeasure}, "/reason is empty, want why it is decided so; the organisation will read it", enforce.AppealOpen, true},
		{"upheld", judge, enforce.Decision{Act: enforce.Uphold, Why: "w"}, "", enforce.AppealUpheld, true},
		{"lifted", judge, enforce.Decision{Act: enforce.LiftMeasure, Why: "w"}, "", enforce.AppealLifted, false},
		{"withdrawn", owner, enforce.Decision{Act: enforce.Withdraw}, "", enforce.AppealWithdrawn, true},
		{"another organisation withdraws", member("another", access.Owner), enforce.Decision{Act: enforce.Withdraw}, "there is no appeal", enforce.AppealOpen, true},
		{"changed", judge, enforce.Decision{Act: enforce.Change, Why: "w", Ends: time.Date(2026, 3, 1, 0, 0, 1, 0, time.UTC)}, "", enforce.AppealChanged, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCourt(t, storetest.Open(t))
			m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown})
			a, err := c.Appeal(t.Context(), owner, m.ID, "it does not burn", []string{"report"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Appeal(t.Context(), owner, m.ID, "once more", nil); !fault.Is(err, fault.Clash) || fmt.Sprint(fault.Of(err).Open) != "[withdraw]" {
				t.Errorf("a second appeal: %v", err)
			}
			_, err = c.Decide(t.Context(), tt.who, a.ID, tt.d)
			if got := fmt.Sprint(err); err == nil && tt.want != "" || err != nil && (tt.want == "" || !strings.HasPrefix(got, tt.want)) {
				t.Errorf("deciding\n got %v\nwant %s", err, tt.want)
			}
			if a, err = c.LoadAppeal(t.Context(), owner, a.ID); err != nil || a.State != tt.state {
				t.Errorf("the appeal is %s, %v; want %s", a.State, err, tt.state)
			}
			c.forward(time.Second)
			if got := c.refuses(t, chain) != ""; got != tt.refused {
				t.Errorf("afterwards it refuses: %v", got)
			}
			if tt.state != enforce.AppealOpen {
				if _, err := c.Decide(t.Context(), judge, a.ID, enforce.Decision{Act: enforce.Uphold, Why: "again"}); !fault.Is(err, fault.Clash) {
					t.Errorf("deciding again: %v", err)
				}
			}
		})
	}
}

func TestAppealsHaveTheirTime(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown})
	if _, err := c.Appeal(t.Context(), member("o", access.Engineer), m.ID, "s", nil); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an engineer appeals: %v", err)
	}
	if _, err := c.Appeal(t.Context(), member("another", access.Owner), m.ID, "s", nil); !fault.Is(err, fault.Missing) {
		t.Errorf("another organisation appeals: %v", err)
	}
	c.forward(30 * 24 * time.Hour)
	if _, err := c.Appeal(t.Context(), owner, m.ID, "s", nil); !fault.Is(err, fault.Lapsed) {
		t.Errorf("a late appeal: %v", err)
	}
}

// TestEveryActIsRecorded counts the audit entries of a short life, and what the organisation is told.
func TestEveryActIsRecorded(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown, Starts: c.now().Add(time.Minute)})
	c.forward(time.Minute)
	c.tick(t)
	a, err := c.Appeal(t.Context(), owner, m.ID, "s", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Decide(t.Context(), judge, a.ID, enforce.Decision{Act: enforce.LiftMeasure, Why: "w"}); err != nil {
		t.Fatal(err)
	}
	c.tick(t)
	var acts []string
	for _, organisation := range []string{"", "o"} {
		err := c.store.Read(t.Context(), func(v *store.View) error {
			entries, _, err := audit.List(t.Context(), v, organisation, audit.Filter{})
			for _, e := range entries {
				acts = append(acts, e.Act)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(acts)
	if got, want := strings.Join(acts, " "), "appeal.lift enforcement.appeal enforcement.impose enforcement.lift enforcement.start"; got != want {
		t.Errorf("recorded are\n got %s\nwant %s", got, want)
	}
	var kinds []string
	for _, e := range c.told {
		kinds = append(kinds, e.Kind)
	}
	if got, want := strings.Join(kinds, ", "), "imposed, started, appealed, lifted, appeal lifted"; got != want {
		t.Errorf("told are\n got %s\nwant %s", got, want)
	}
}

func TestTwoDecideAtOnce(t *testing.T) {
	c := newCourt(t, storetest.Open(t))
	m := c.impose(t, enforce.NewMeasure{Subject: enforce.Subject{Kind: enforce.KindProduct, ID: "p"}, Kind: enforce.TakeDown})
	a, err := c.Appeal(t.Context(), owner, m.ID, "s", nil)
	if err != nil {
		t.Fatal(err)
	}
	errs := make(chan error, 2)
	for i := range 2 {
		go func() {
			_, err := c.Decide(context.WithoutCancel(t.Context()), operator(fmt.Sprintf("judge %d", i)), a.ID, enforce.Decision{Act: enforce.Uphold, Why: "w"})
			errs <- err
		}()
	}
	first, second := <-errs, <-errs
	if (first == nil) == (second == nil) || !fault.Is(errors.Join(first, second), fault.Clash) {
		t.Errorf("one is told %v, the other %v", first, second)
	}
}
