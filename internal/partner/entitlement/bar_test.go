package entitlement

import (
	"fmt"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/notice"
)

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
		{operator, with(func(n *NewBar) { n.Qualifications = []string{"radio", "magic"} }), "/qualifications/1 is magic, want one of iso9001, radio"},
		{operator, with(func(n *NewBar) { n.Qualifications = make([]string, 21) }), "/qualifications is 21, want at most 20"},
		{operator, with(func(n *NewBar) { n.Reason = "" }), "/reason is empty, want 1 to 1000 characters, no control characters"},
		{operator, ahead(""), "/announcement is empty, want the id of a published announcement with the date of the change"},
		{operator, ahead("none"), `there is no published announcement "none"`},
		{operator, ahead(withdrawn), "the announcement is withdrawn"},
		{operator, ahead(s.announce(t, 0, everybody())), "the announcement names no date from which it holds"},
		{operator, ahead(s.announce(t, 30*day-time.Second, everybody())), "/announcement is 29 days ahead, want an announcement at least 30 days ahead"},
		{operator, ahead(s.announce(t, 40*day, notice.Audience{Services: []string{"certification"}})), "the announcement is not for everybody who uses voice"},
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
	if _, err := s.SetBar(t.Context(), operator, with(func(n *NewBar) { n.Service = "tea" })); text(err) != "/service is tea, want one of the 14 that GET /api/v1/services lists" {
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
	s.set(t, NewBar{Service: "device_access_ble", Kind: ByAgreement, Agreement: a.ID})
	s.set(t, NewBar{Service: "certification", Kind: ByApplication})
	s.set(t, NewBar{Service: "remote_control", Kind: Open, Kinds: []account.Kind{account.TerminalMaker, account.ModuleMaker}, Level: 2, Qualifications: []string{"iso9001"}})
	s.wants(t, works, "device_access_ble", "its agreement "+a.ID+" is not accepted")
	s.wants(t, works, "certification", "it has to be applied for")
	s.wants(t, chips, "remote_control", "it is for organisations of the kind terminal_maker or module_maker; it needs verification of level 2, the organisation has 0; it needs the qualification iso9001")
	s.wants(t, works, "remote_control", "it needs verification of level 2, the organisation has 0; it needs the qualification iso9001")
	s.level[works], s.qualified[works+" iso9001"] = 2, true
	s.wants(t, works, "remote_control", "")
	v, err := s.Agreements.SetDraft(t.Context(), operator, a.ID, map[string]agreement.NewText{"en": {Body: "a"}, "zh-CN": {Body: "甲"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Agreements.Publish(t.Context(), operator, v.ID, v.Digest(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	s.wants(t, works, "device_access_ble", "its agreement "+a.ID+" is not accepted")
	if _, err := s.Agreements.Accept(t.Context(), owner, agreement.Answer{Agreement: a.ID, Number: 1, Lang: "en", Hash: v.Texts["en"].Hash}); err != nil {
		t.Fatal(err)
	}
	s.clock.pass(time.Minute)
	s.wants(t, works, "device_access_ble", "")
	var f *fault.Fault
	_ = s.Store.Read(t.Context(), func(view *store.View) error {
		f = fault.Of(s.Require(t.Context(), view, chips, "remote_control"))
		return nil
	})
	if f.Code != fault.NotAllowed || fmt.Sprint(f.Open) != "[organisation_kind verification_level qualification]" || f.Where != "service remote_control" || f.Fix == "" {
		t.Errorf("the refusal is %+v", f)
	}
}
