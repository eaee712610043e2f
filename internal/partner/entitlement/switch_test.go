package entitlement

import (
	"testing"
	"time"

	"lampworks/internal/infra/access"
)

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
	kept := off("certification", third)
	if _, err := s.SetBar(t.Context(), operator, NewBar{Service: "remote_control", Kind: ByApplication, Announcement: first, Reason: "r"}); err != nil {
		t.Fatal(err)
	}
	if err := s.Notices.Withdraw(t.Context(), operator, second, "we thought better of it"); err != nil {
		t.Fatal(err)
	}
	if err := s.CancelSwitch(t.Context(), operator, kept.ID, "not this one"); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(30*day - time.Second)
	for _, service := range []string{"voice", "home", "remote_control", "certification"} {
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
	s.wants(t, works, "certification", "")
	s.wants(t, works, "remote_control", "it has to be applied for")
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
