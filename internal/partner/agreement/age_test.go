package agreement

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
)

// hire puts eve into the table of users.
func (o *office) hire(t testing.TB) {
	t.Helper()
	o.exec(t, `INSERT INTO account_user (id, login, login_key, email, password, platform_role, state, created_at, password_at)
		VALUES ('eve', 'eve', 'eve', '', '', '', 'active', 1, 1)`)
}

// month is so many months after this one.
func (o *office) month(after int) account.Month {
	y, m, _ := o.clock.now().UTC().Date()
	return account.MonthOf(time.Date(y, m+time.Month(after), 1, 0, 0, 0, 0, time.UTC))
}

// to sets the clock to a moment.
func (o *office) to(m time.Time) { o.clock.pass(m.Sub(o.clock.now())) }

func (o *office) tick(t testing.TB) {
	t.Helper()
	if err := o.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
}

const needed = "a guardian's consent is missing"

// The need for a consent ends with the month in which somebody turns 18, whether or not anything runs then.
func TestNeedEndsWithTheMonth(t *testing.T) {
	o := newOffice(t)
	month := o.month(3)
	o.minors["eve"] = month
	ends := month.Ends()
	if d := o.outstanding(t, engineer); !d.Guardian || d.AdultIn != month {
		t.Errorf("outstanding is %+v", d)
	}
	o.to(ends.Add(-time.Millisecond))
	if got := o.gate(t, engineer); got != needed {
		t.Errorf("at the end of the month: %q", got)
	}
	o.to(ends.Add(believed))
	if got := o.gate(t, engineer); got != "" {
		t.Errorf("after it: %q", got)
	}
	if d := o.outstanding(t, engineer); d.Guardian || d.AdultIn != "" {
		t.Errorf("outstanding is %+v", d)
	}
}

// Who comes of age is told a month before, once; then the consent ends by itself, and its papers go.
func TestConsentEndsByItself(t *testing.T) {
	o := newOffice(t)
	month := o.month(3)
	o.minors["eve"] = month
	ends := month.Ends()
	c := o.ask(t, engineer)
	seen := []string{o.upload(t, c.ID, Signed).ID, o.upload(t, c.ID, Relationship).ID}
	c, err := o.DecideConsent(t.Context(), judge, c.ID, ConsentDecision{Act: Confirm, Papers: seen})
	if err != nil || !c.NeededUntil.Equal(ends) {
		t.Fatalf("%+v, %v", c, err)
	}
	state := func() string {
		t.Helper()
		c, err := o.Consent(t.Context(), engineer, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(c.State, " ", o.told, " ", o.held(t, "eve"))
	}
	kept := fmt.Sprintf("2 files, %d bytes", 2*len(pdf))
	told := "[eve guardian.ends " + ends.Format(time.DateOnly) + "]"
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{ends.Add(-foretold - time.Millisecond), "confirmed [] " + kept},
		{ends.Add(-foretold), "confirmed " + told + " " + kept},
		{ends.Add(-time.Millisecond), "confirmed " + told + " " + kept},
		{ends, "lapsed " + told + " 0 files, 0 bytes"},
		{ends.Add(time.Hour), "lapsed " + told + " 0 files, 0 bytes"},
	} {
		o.to(tt.at)
		o.tick(t)
		if got := state(); got != tt.want {
			t.Errorf("at %s:\n got %s\nwant %s", tt.at, got, tt.want)
		}
	}
	if n := o.count(t, "audit_entry WHERE act = 'guardian.lapse'"); n != 1 {
		t.Errorf("%d entries of its end, want 1", n)
	}
	if got := o.gate(t, engineer); got != "" {
		t.Errorf("the gate says %q", got)
	}
}

// After a clock that jumped no consent ends, and no paper goes, for a day.
func TestConsentDoesNotEndByAJump(t *testing.T) {
	o := newOffice(t)
	o.minors["eve"] = o.month(3)
	c := o.ask(t, engineer)
	o.tick(t)
	later := o.clock.now().AddDate(1, 0, 0)
	o.Service.clock.Read(later, time.Second) // a second has passed, and a year on the clock
	o.to(later)
	for _, tt := range []struct {
		after time.Duration
		want  ConsentState
	}{{0, Requested}, {day - time.Second, Requested}, {time.Second, Lapsed}} {
		o.clock.pass(tt.after)
		o.tick(t)
		if c, err := o.Consent(t.Context(), engineer, c.ID); err != nil || c.State != tt.want {
			t.Errorf("%s later it is %s, %v, want %s", tt.after, c.State, err, tt.want)
		}
	}
}

// What somebody says of themselves ends their need no earlier; a reviewer says when it ends.
func TestWhoSaysWhenTheNeedEnds(t *testing.T) {
	o := newOffice(t)
	o.hire(t)
	month := o.month
	const oneself = "capacity.declare is not allowed: it needs a reviewer, and another than the person"
	const bad = ", want the month in which the person turns 18, YYYY-MM, this one or one to come"
	until := func() account.Month {
		t.Helper()
		d := o.outstanding(t, engineer)
		if !d.Guardian {
			return "grown up"
		}
		return d.AdultIn
	}
	for _, tt := range []struct {
		name  string
		who   access.Actor
		c     Capacity
		want  string
		until account.Month
	}{
		{"no month", engineer, Capacity{true, "banana", "x"}, "/adult_in is banana" + bad, "grown up"},
		{"a day", engineer, Capacity{true, "2030-01-02", "x"}, "/adult_in is 2030-01-02" + bad, "grown up"},
		{"a month that has ended", engineer, Capacity{true, month(-1), "x"}, "/adult_in is " + string(month(-1)) + bad, "grown up"},
		{"before one is born", engineer, Capacity{true, month(12*18 + 3), "x"}, "/adult_in is " + string(month(12*18+3)) + bad, "grown up"},
		{"a month without a need", judge, Capacity{false, month(5), "x"}, "/adult_in is " + string(month(5)) + ", want none where no guardian is needed", "grown up"},
		{"one is a minor", engineer, Capacity{true, month(5), "x"}, "", month(5)},
		{"again, without a month", engineer, Capacity{true, "", "x"}, "", month(5)},
		{"earlier", engineer, Capacity{true, month(4), "x"}, oneself, month(5)},
		{"later", engineer, Capacity{true, month(6), "x"}, "", month(6)},
		{"earlier, says a reviewer", judge, Capacity{true, month(2), "seen on the card"}, "", month(2)},
		{"for another reason", judge, Capacity{true, "", "a ruling"}, "", ""},
		{"until a month", engineer, Capacity{true, month(30), "x"}, oneself, ""},
		{"no longer", judge, Capacity{false, "", "another ruling"}, "", "grown up"},
		{"this month", engineer, Capacity{true, month(0), "x"}, "", month(0)},
	} {
		before := o.count(t, "audit_entry")
		if got := text(o.DeclareCapacity(t.Context(), tt.who, "eve", tt.c)); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if got := until(); got != tt.until {
			t.Errorf("%s: needed until %q, want %q", tt.name, got, tt.until)
		}
		if after := o.count(t, "audit_entry"); (after == before) != (tt.want != "") {
			t.Errorf("%s: %d entries before, %d after", tt.name, before, after)
		}
	}
}

// A reviewer who says that somebody is of age sooner, or needs nobody, ends the consent at that time.
func TestAReviewerMovesTheEnd(t *testing.T) {
	o := newOffice(t)
	o.hire(t)
	o.minors["eve"] = o.month(9)
	first := o.ask(t, engineer)
	o.upload(t, first.ID, Signed)
	soon := o.month(0)
	if err := o.DeclareCapacity(t.Context(), judge, "eve", Capacity{true, soon, "seen on the card"}); err != nil {
		t.Fatal(err)
	}
	c, err := o.Consent(t.Context(), engineer, first.ID)
	if err != nil || !c.NeededUntil.Equal(soon.Ends()) {
		t.Errorf("needed until %s, %v, want %s", c.NeededUntil, err, soon.Ends())
	}
	if err := o.DeclareCapacity(t.Context(), judge, "eve", Capacity{Reason: "of age already"}); err != nil {
		t.Fatal(err)
	}
	o.tick(t)
	if c, err = o.Consent(t.Context(), engineer, first.ID); err != nil || c.State != Lapsed || !slices.ContainsFunc(c.Papers, func(p Paper) bool { return p.Gone }) {
		t.Errorf("%+v, %v", c, err)
	}
}
