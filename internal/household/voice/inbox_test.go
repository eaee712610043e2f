package voice_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"testing"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/nlu"
)

// sharing is a house with an inbox, whose owner gives away what is not understood.
func sharing(t *testing.T) *house {
	t.Helper()
	h := newHouse(t, func(c *voice.Config) { c.InboxKey = []byte("a key") })
	h.shares(t, h.who, true)
	return h
}

func (h *house) shares(t *testing.T, who access.Actor, on bool) {
	t.Helper()
	if _, err := h.voice.SetPrivacy(t.Context(), who, h.id, voice.Privacy{KeepText: true, Share: on}); err != nil {
		t.Fatal(err)
	}
}

func inboxOf(t *testing.T, h *house, who access.Actor, filters map[string]string) []voice.Entry {
	t.Helper()
	page, err := h.voice.Inbox(t.Context(), who, listing.Ask{Filters: filters})
	if err != nil {
		t.Fatal(err)
	}
	return page.Items
}

// TestInboxWantsConsent: nothing is given away without, nor what was understood; what is, names neither who said it nor the home.
func TestInboxWantsConsent(t *testing.T) {
	h := newHouse(t, func(c *voice.Config) { c.InboxKey = []byte("a key") })
	h.say(t, riddle)
	if got := inboxOf(t, h, h.who, nil); len(got) != 0 {
		t.Fatalf("without consent: %+v", got)
	}
	h.shares(t, h.who, true)
	h.say(t, "打开客厅的灯")
	sayAs(t, h, somebody(h, "li"), "晚上吃什么")
	if _, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Room: h.rooms["guest room"], Text: riddle}); err != nil {
		t.Fatal(err)
	}
	h.say(t, riddle+"？")
	got := inboxOf(t, h, h.who, nil)
	if len(got) != 1 || got[0].Text != riddle || got[0].Times != 2 || got[0].Reason != "not_understood" || got[0].State != voice.Undecided || got[0].Room != "r3" {
		t.Fatalf("%+v", got)
	}
	e, home, err := h.voice.Entry(t.Context(), h.who, got[0].ID)
	if err != nil || e.ID != got[0].ID {
		t.Fatal(err)
	}
	for _, secret := range []string{h.id, h.who.User, h.rooms["guest room"], h.device["living room lamp"]} {
		if bytes.Contains(home, []byte(secret)) {
			t.Errorf("the home tells %s", secret)
		}
	}
	for _, table := range []string{"voice_inbox", "voice_inbox_person", "voice_vocabulary"} {
		if text := dump(t, h.store, table); strings.Contains(text, h.id) || strings.Contains(text, h.who.User) {
			t.Errorf("%s tells who or where: %s", table, text)
		}
	}
	x, err := nlu.ReadHome(bytes.NewReader(home))
	if err != nil || len(x.Devices) != 5 || len(x.Rooms) != 3 {
		t.Errorf("nlu reads %+v %v", x, err)
	}
	handled := newHouse(t, func(c *voice.Config) {
		c.InboxKey, c.Handler = []byte("a key"), handler(func(context.Context, voice.Asked) (voice.Handed, error) { return voice.Handed{Reply: "好"}, nil })
	})
	handled.shares(t, handled.who, true)
	handled.say(t, riddle)
	if got := inboxOf(t, handled, handled.who, nil); len(got) != 0 {
		t.Errorf("somebody else understood it: %+v", got)
	}
}

// TestConsentIsTakenBack: with it goes what nobody has decided about and nobody else said, and no more.
func TestConsentIsTakenBack(t *testing.T) {
	h := sharing(t)
	li := somebody(h, "li")
	h.shares(t, li, true)
	for _, text := range []string{"今晚吃什么", "明天吃什么", "后天吃什么", "大后天吃什么"} {
		h.say(t, text)
	}
	sayAs(t, h, li, "明天吃什么！")
	by := make(map[string]string)
	for _, e := range inboxOf(t, h, h.who, nil) {
		by[e.Text] = e.ID
	}
	if len(by) != 4 {
		t.Fatalf("the inbox has %v", by)
	}
	decide(t, h, by["后天吃什么"], voice.Accept, `{"outcome":"reject"}`)
	left := func() string {
		var all []string
		for _, e := range inboxOf(t, h, h.who, nil) {
			all = append(all, e.Text)
		}
		return strings.Join(all, " ")
	}
	said, err := h.voice.Sentences(t.Context(), h.who, h.id, listing.Ask{})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range said.Items {
		if w.Text == "大后天吃什么" {
			if err := h.voice.Forget(t.Context(), h.who, h.id, w.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := left(); got != "后天吃什么 明天吃什么 今晚吃什么" {
		t.Errorf("with one sentence goes too much or too little: %s", got)
	}
	h.shares(t, h.who, false)
	if got := left(); got != "后天吃什么 明天吃什么" {
		t.Errorf("with the consent goes too much or too little: %s", got)
	}
	if n := rowsOf(t, h.store, "voice_inbox_person"); n != 1 {
		t.Errorf("%d parts are known", n)
	}
	if err := h.voice.Forget(t.Context(), li, h.id, ""); err != nil {
		t.Fatal(err)
	}
	if got := left(); got != "后天吃什么" || rowsOf(t, h.store, "voice_inbox_person") != 0 {
		t.Errorf("what is decided does not stay alone: %s", got)
	}
}

// TestCases: an entry becomes a case with one act; the list says which of them this program reads as it should.
func TestCases(t *testing.T) {
	h := sharing(t)
	h.say(t, riddle)
	h.say(t, "明天吃什么")
	h.equip(t, "light", "阅读灯", "reading lamp")
	all := inboxOf(t, h, h.who, nil)
	first, second := all[1].ID, all[0].ID
	for _, bad := range []string{
		``, `{}`, `{"outcome":"act"}`, `{"outcome":"act","actions":[{"op":"set","targets":["d9"],"prop":"powerstate","value":true}]}`,
		`{"outcome":"act","actions":[{"op":"set","targets":["` + h.device["living room lamp"] + `"],"prop":"powerstate","value":true}]}`,
	} {
		if _, err := h.voice.Decide(t.Context(), h.who, first, voice.Accept, json.RawMessage(bad)); !fault.Is(err, fault.Malformed) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	e := decide(t, h, first, voice.Accept, `{"outcome":"act","actions":[{"op":"set","targets":["d1"],"prop":"powerstate","value":true}]}`)
	if e.State != voice.Case || e.DecidedAt.IsZero() {
		t.Errorf("%+v", e)
	}
	decide(t, h, second, voice.Accept, `{"outcome":"reject"}`)
	tried := func() string {
		page, err := h.voice.Cases(t.Context(), h.who, listing.Ask{})
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, c := range page.Items {
			out = append(out, fmt.Sprint(c.Text, " ", c.Passes))
		}
		return strings.Join(out, "; ")
	}
	if got := tried(); got != "明天吃什么 true; "+riddle+" false" {
		t.Errorf("tried: %s", got)
	}
	decide(t, h, first, voice.Accept, `{"outcome":"chat"}`)
	decide(t, h, second, voice.Reopen, "")
	if got := tried(); got != riddle+" true" {
		t.Errorf("tried: %s", got)
	}
	decide(t, h, second, voice.Dismiss, "")
	if _, err := h.voice.Decide(t.Context(), h.who, second, voice.Dismiss, nil); !fault.Is(err, fault.Clash) {
		t.Errorf("dismissed twice: %v", err)
	}
	if n := rowsOf(t, h.store, "audit_entry WHERE act LIKE 'voice.inbox.%' AND note = ''"); n != 5 {
		t.Errorf("%d decisions are on record", n)
	}
	h.say(t, riddle) // counted, and nobody has a part in it
	if got := inboxOf(t, h, h.who, map[string]string{voice.ByState: "case"}); len(got) != 1 || got[0].Times != 2 || rowsOf(t, h.store, "voice_inbox_person") != 0 {
		t.Errorf("%+v", got)
	}
}

// TestInboxIsTheOrganisations: another organisation finds none of it, who only uses a home neither, and the operator all.
func TestInboxIsTheOrganisations(t *testing.T) {
	h := sharing(t)
	h.say(t, riddle)
	id := inboxOf(t, h, h.who, nil)[0].ID
	stranger := owner("other")
	if got := inboxOf(t, h, stranger, map[string]string{voice.ByOrganisation: "org"}); len(got) != 0 {
		t.Errorf("a stranger sees %+v", got)
	}
	if _, _, err := h.voice.Entry(t.Context(), stranger, id); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger looks: %v", err)
	}
	if _, err := h.voice.Decide(t.Context(), stranger, id, voice.Dismiss, nil); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger decides: %v", err)
	}
	looker := h.who
	looker.Roles = []access.Role{access.Query}
	if _, err := h.voice.Inbox(t.Context(), looker, listing.Ask{}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("somebody who only looks: %v", err)
	}
	operator := access.Actor{Kind: access.KindUser, ID: "op", User: "op", Roles: []access.Role{access.Admin}, Strong: true}
	if got := inboxOf(t, h, operator, nil); len(got) != 1 {
		t.Errorf("the operator sees %+v", got)
	}
	if _, err := h.voice.Decide(t.Context(), operator, id, voice.Dismiss, nil); err != nil {
		t.Error(err)
	}
}

// TestInboxIsBounded: the oldest dismissed go first, then the oldest undecided, and cases stay.
func TestInboxIsBounded(t *testing.T) {
	h := sharing(t)
	h.say(t, riddle)
	decide(t, h, inboxOf(t, h, h.who, nil)[0].ID, voice.Accept, `{"outcome":"chat"}`)
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `
			INSERT INTO voice_inbox (id, organisation, lang, text, folded, room, vocabulary, reason, state, expect, times, version, first_at, last_at, decided_at)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT 'x' || CAST(i AS TEXT), 'org', 'en', '', 'x' || CAST(i AS TEXT), '', 'v', '', CASE WHEN i IN (7, 9) THEN 'dismissed' ELSE 'new' END, '', 1, 1, i, i, 0 FROM n`, voice.MaxInbox-1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range pairs("明天吃什么", "x7", "后天吃什么", "x9", "今晚吃什么", "x1", "大后天吃什么", "x2") {
		h.say(t, text)
		inboxOf(t, h, h.who, nil)
		if n := rowsOf(t, h.store, "voice_inbox WHERE id = '"+want+"'"); n != 0 {
			t.Errorf("%s is still there", want)
		}
		if n := rowsOf(t, h.store, "voice_inbox"); n != voice.MaxInbox {
			t.Errorf("the inbox has %d", n)
		}
	}
	if n := rowsOf(t, h.store, "voice_inbox WHERE state = 'case'"); n != 1 {
		t.Error("the case is gone")
	}
}

// TestInboxIsErased: with the organisation all of it goes; with a person or a home, what nobody has decided about.
func TestInboxIsErased(t *testing.T) {
	for _, kind := range []string{"organisation", "user", "home"} {
		h := sharing(t)
		h.say(t, riddle)
		h.say(t, "明天吃什么")
		decide(t, h, inboxOf(t, h, h.who, nil)[0].ID, voice.Accept, `{"outcome":"chat"}`)
		h.homes.OnChanged(h.voice.Moved)
		want := 1
		if kind == "home" {
			if err := h.homes.Remove(t.Context(), h.who, h.id); err != nil {
				t.Fatal(err)
			}
		} else {
			id := h.who.User
			if kind == "organisation" {
				id, want = "org", 0
			}
			err := h.store.Write(t.Context(), func(tx *store.Tx) error {
				_, err := h.voice.Erase(t.Context(), tx, kind, id, 100)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := rowsOf(t, h.store, "voice_inbox"); n != want || rowsOf(t, h.store, "voice_inbox_person") != 0 {
			t.Errorf("with a %s stay %d", kind, n)
		}
		if n := rowsOf(t, h.store, "voice_vocabulary"); n != want {
			t.Errorf("with a %s stay %d vocabularies", kind, n)
		}
	}
}

// pairs goes through two of list at a time.
func pairs(list ...string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := 0; i < len(list) && yield(list[i], list[i+1]); i += 2 {
		}
	}
}

func decide(t *testing.T, h *house, id string, move voice.Move, expect string) voice.Entry {
	t.Helper()
	e, err := h.voice.Decide(t.Context(), h.who, id, move, json.RawMessage(expect))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// dump is all that stands in a table.
func dump(t *testing.T, s *store.Store, table string) string {
	t.Helper()
	var out strings.Builder
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), "SELECT * FROM "+table)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			cells := make([]any, len(columns))
			for i := range cells {
				cells[i] = new(any)
			}
			if err := rows.Scan(cells...); err != nil {
				return err
			}
			for _, c := range cells {
				fmt.Fprintf(&out, "%v ", *c.(*any))
			}
		}
		return rows.Err()
	})
	if err != nil || out.Len() == 0 {
		t.Fatalf("%s has %d bytes: %v", table, out.Len(), err)
	}
	return out.String()
}
