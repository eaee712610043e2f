package voice_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// words are what who can look up of the house.
func words(t *testing.T, h *house, who access.Actor) (all []string) {
	t.Helper()
	page, err := h.voice.Sentences(t.Context(), who, h.id, listing.Ask{Total: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range page.Items {
		all = append(all, w.Text)
	}
	return all
}

// somebody is another engineer of the same organisation.
func somebody(h *house, name string) access.Actor {
	who := h.who
	who.ID, who.User, who.Roles = name, name, []access.Role{access.Engineer}
	return who
}

func sayAs(t *testing.T, h *house, who access.Actor, text string) voice.Answer {
	t.Helper()
	a, err := h.voice.Say(t.Context(), who, voice.Sentence{Home: h.id, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestWordsAreTheirOwn: everybody looks up what they said themselves, a token what its person did, and nobody else's.
func TestWordsAreTheirOwn(t *testing.T) {
	h := newHouse(t)
	li := somebody(h, "li")
	a := h.say(t, "打开客厅的灯")
	sayAs(t, h, li, "秘密的话")
	token := li
	token.Kind, token.ID = access.KindToken, "t1"
	sayAs(t, h, token, "今天天气怎么样")
	speaker := access.System("speaker", "org") // nobody is known to have said it
	sayAs(t, h, speaker, "关灯")

	page, err := h.voice.Sentences(t.Context(), h.who, h.id, listing.Ask{})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("%+v %v", page, err)
	}
	got := page.Items[0]
	if want := (voice.Words{ID: a.ID, At: got.At, Lang: "zh-CN", Text: "打开客厅的灯", Reply: a.Reply, Outcome: a.Outcome}); got != want || got.At.IsZero() {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	if diff := gocmp.Diff([]string{"今天天气怎么样", "秘密的话"}, words(t, h, li)); diff != "" {
		t.Errorf("the words of li (-want +got):\n%s", diff)
	}
	if n := rowsOf(t, h.store, "voice_sentence"); n != 3 {
		t.Errorf("%d sentences are kept, want 3", n)
	}
	if err := h.voice.Forget(t.Context(), h.who, h.id, page.Items[0].ID+"x"); !fault.Is(err, fault.Missing) {
		t.Errorf("deleting what is not there: %v", err)
	}
	if err := h.voice.Forget(t.Context(), li, h.id, a.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("deleting what somebody else said: %v", err)
	}
	if err := h.voice.Forget(t.Context(), h.who, h.id, a.ID); err != nil || len(words(t, h, h.who)) != 0 {
		t.Errorf("deleting one: %v", err)
	}
	h.say(t, "关灯")
	if err := h.voice.Forget(t.Context(), li, h.id, ""); err != nil || len(words(t, h, li)) != 0 || len(words(t, h, h.who)) != 1 {
		t.Errorf("deleting all of one's own: %v", err)
	}
	if _, err := h.voice.Sentences(t.Context(), speaker, h.id, listing.Ask{}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("a part of the program asks for words: %v", err)
	}
	if _, err := h.voice.Sentences(t.Context(), owner("other"), h.id, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("another organisation asks for words: %v", err)
	}
}

// TestWordsCanBeSwitchedOff: what was said before is deleted, what is said then is not kept, and that is said for one home and
// one person.
func TestWordsCanBeSwitchedOff(t *testing.T) {
	h := newHouse(t)
	li := somebody(h, "li")
	for _, who := range []access.Actor{h.who, li} {
		sayAs(t, h, who, "打开客厅的灯")
		if p, err := h.voice.Privacy(t.Context(), who, h.id); err != nil || p != (voice.Privacy{KeepText: true}) {
			t.Errorf("without a choice: %+v %v", p, err)
		}
	}
	h.say(t, "今天天气怎么样") // may still lie aside
	p, err := h.voice.SetPrivacy(t.Context(), h.who, h.id, voice.Privacy{})
	if err != nil {
		t.Fatal(err)
	}
	h.say(t, "关灯")
	if got, err := h.voice.Privacy(t.Context(), h.who, h.id); err != nil || got != p || got.Changed.IsZero() {
		t.Errorf("%+v %v", got, err)
	}
	if got := words(t, h, h.who); len(got) != 0 {
		t.Errorf("kept: %q", got)
	}
	if got := words(t, h, li); len(got) != 1 {
		t.Errorf("of somebody else are kept: %q", got)
	}
	if _, err := h.voice.SetPrivacy(t.Context(), h.who, h.id, voice.Privacy{KeepText: true}); err != nil {
		t.Fatal(err)
	}
	h.say(t, "关灯")
	if got := words(t, h, h.who); len(got) != 1 {
		t.Errorf("switched on again: %q", got)
	}
	if n := rowsOf(t, h.store, "audit_entry WHERE act = 'voice.privacy.set'"); n != 2 {
		t.Errorf("%d choices are on record", n)
	}
	quiet := newHouse(t, func(c *voice.Config) { c.ForgetText = true })
	quiet.say(t, "关灯")
	if got := words(t, quiet, quiet.who); len(got) != 0 {
		t.Errorf("where nobody is asked: %q", got)
	}
}

// TestWordsEnd: words of more than seven days go, and of a home the newest 10,000 stay.
func TestWordsEnd(t *testing.T) {
	h := newHouse(t)
	h.say(t, "打开客厅的灯")
	words(t, h, h.who)
	old := time.Now().Add(-voice.KeepText - time.Second).UnixMilli()
	for i := range 3 {
		insertWords(t, h, "0000"+string(rune('a'+i)), old-int64(i))
	}
	insertWords(t, h, "0000x", old+time.Hour.Milliseconds())
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.voice.Run(ctx) }()
	for rowsOf(t, h.store, "voice_sentence") > 2 {
		if t.Context().Err() != nil {
			t.Fatal("old words stay")
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `
			INSERT INTO voice_sentence (id, organisation, home, person, lang, text, reply, outcome, reason, at)
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
			SELECT '01' || CAST(100000 + i AS TEXT), 'org', ?, 'li', 'en', '', '', 'act', '', ? FROM n`, voice.MaxKept, h.id, time.Now().UnixMilli())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.say(t, "关灯")
	words(t, h, h.who)
	if n := rowsOf(t, h.store, "voice_sentence"); n != voice.MaxKept {
		t.Errorf("%d sentences are kept", n)
	}
	if got := words(t, h, h.who); len(got) != 2 {
		t.Errorf("the newest are %q", got)
	}
}

// TestNoWordLeaves: a sentence stands in the table of its own, and nowhere else: the Log has neither it, nor the home, nor who said it.
func TestNoWordLeaves(t *testing.T) {
	const secret = "玛格丽特的生日礼物藏在哪里"
	h := newHouse(t)
	h.say(t, secret)
	h.say(t, "打开客厅的"+secret)
	if got := words(t, h, h.who); len(got) != 2 {
		t.Fatalf("kept: %q", got)
	}
	facts(t, h, 2)
	records, err := h.log.Read(t.Context(), 0, 100)
	if err != nil || len(records) == 0 {
		t.Fatal(err)
	}
	for _, r := range records {
		if body := string(r.Body); strings.Contains(body, "玛格") || strings.Contains(body, h.id) || strings.Contains(body, h.who.User) {
			t.Errorf("the record says %s", body)
		}
	}
	h.say(t, "十分钟后提醒我"+secret)
	if n := rowsOf(t, h.store, "scene_timer"); n != 1 {
		t.Errorf("%d reminders", n)
	}
	if n := rowsOf(t, h.store, "audit_entry WHERE note LIKE '%玛格%'"); n != 0 {
		t.Errorf("%d entries of the audit say it", n)
	}
	if err := h.voice.Forget(t.Context(), h.who, h.id, ""); err != nil {
		t.Fatal(err)
	}
	if n := rowsOf(t, h.store, "voice_sentence"); n != 0 {
		t.Errorf("%d sentences are left", n)
	}
}

// TestStatistics: sentences are counted by day, once each, and without a word.
func TestStatistics(t *testing.T) {
	h := newHouse(t)
	connected(t, h.store, false, h.device["main bedroom desk lamp"])
	h.say(t, "打开客厅的灯")
	h.say(t, "关掉主卧的台灯")
	h.say(t, "今天天气怎么样")
	for n := 3; n < 5; n++ { // the second time it goes on where the rows are
		facts(t, h, n)
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- h.voice.Follow(ctx, h.log) }()
		for rowsOf(t, h.store, fmt.Sprintf("voice_cursor WHERE position = %d", n)) == 0 {
			if t.Context().Err() != nil {
				t.Fatal("nothing is counted")
			}
		}
		stop()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n == 3 {
			sayAs(t, h, somebody(h, "li"), "turn off the living room lamp")
		}
	}
	today := time.Now()
	days, err := h.voice.Statistics(t.Context(), h.who, "other", today.AddDate(0, 0, -1), today)
	if err != nil || len(days) == 0 {
		t.Fatalf("%+v %v", days, err)
	}
	d := days[len(days)-1]
	stages := d.Stages
	d.Stages = nil
	want := voice.Day{
		Day: d.Day, Sentences: 4, Outcomes: map[string]int64{"act": 2, "failed": 1, "chat": 1}, Reasons: map[string]int64{"offline": 1, "not_understood": 1},
		Langs: map[string]int64{"zh-CN": 3, "en": 1}, Intents: map[string]int64{"set": 3},
	}
	if diff := gocmp.Diff(want, d); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, name := range []string{"understand", "resolve", "send", "confirm", "answer", "total"} {
		if l := stages[name]; l.P50 <= 0 || l.P99 < l.P50 {
			t.Errorf("stage %s took %+v", name, l)
		}
	}
	if days, err := h.voice.Statistics(t.Context(), owner("other"), "org", today, today); err != nil || len(days) != 0 {
		t.Errorf("another organisation sees %+v %v", days, err)
	}
	operator := access.Actor{Kind: access.KindUser, ID: "op", User: "op", Roles: []access.Role{access.Admin}, Strong: true}
	for organisation, want := range map[string]int{"": 1, "org": 1, "other": 0} {
		if days, err := h.voice.Statistics(t.Context(), operator, organisation, today, today); err != nil || len(days) != want {
			t.Errorf("the operator sees of %q %+v %v", organisation, days, err)
		}
	}
	if _, err := h.voice.Statistics(t.Context(), h.who, "", today.AddDate(-2, 0, 0), today); !fault.Is(err, fault.Malformed) {
		t.Errorf("two years: %v", err)
	}
}

// TestVoiceIsErased: with a home, a person or an organisation goes what was said there, by them, in its name.
func TestVoiceIsErased(t *testing.T) {
	full := func(t *testing.T) (*house, access.Actor) {
		h := newHouse(t)
		li := somebody(h, "li")
		for _, who := range []access.Actor{h.who, li} {
			if _, err := h.voice.SetPrivacy(t.Context(), who, h.id, voice.Privacy{KeepText: true}); err != nil {
				t.Fatal(err)
			}
			sayAs(t, h, who, "打开客厅的灯")
			words(t, h, who)
		}
		return h, li
	}
	h, li := full(t)
	erase(t, h, "user", "li")
	if rowsOf(t, h.store, "voice_sentence") != 1 || rowsOf(t, h.store, "voice_privacy") != 1 || len(words(t, h, li)) != 0 {
		t.Error("with a person something else went, or not enough")
	}
	erase(t, h, "organisation", "org")
	if rowsOf(t, h.store, "voice_sentence")+rowsOf(t, h.store, "voice_privacy") != 0 {
		t.Error("an organisation leaves words")
	}
	h, _ = full(t)
	h.homes.OnChanged(h.voice.Moved)
	if err := h.homes.Remove(t.Context(), h.who, h.id); err != nil {
		t.Fatal(err)
	}
	if rowsOf(t, h.store, "voice_sentence")+rowsOf(t, h.store, "voice_privacy") != 0 {
		t.Error("a home leaves words")
	}
}

// erase lets the room forget a subject, row by row.
func erase(t *testing.T, h *house, kind, id string) {
	t.Helper()
	for more := true; more; {
		err := h.store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = h.voice.Erase(t.Context(), tx, kind, id, 1)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err := h.store.Read(t.Context(), func(v *store.View) error {
		n, err := h.voice.Holds(t.Context(), v, kind, id)
		if n != 0 {
			t.Errorf("%s %s still has %d rows", kind, id, n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func rowsOf(t *testing.T, s *store.Store, from string) (n int) {
	t.Helper()
	err := s.Read(context.WithoutCancel(t.Context()), func(v *store.View) error {
		return v.QueryRow(context.WithoutCancel(t.Context()), "SELECT COUNT(*) FROM "+from).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func insertWords(t *testing.T, h *house, id string, at int64) {
	t.Helper()
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `
			INSERT INTO voice_sentence (id, organisation, home, person, lang, text, reply, outcome, reason, at)
			VALUES (?, 'org', ?, ?, 'en', '', '', 'act', '', ?)`, id, h.id, h.who.User, at)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// breaks lets the database refuse to keep the words of a person, until it is mended.
func (h *house) breaks(t *testing.T, person string) (mend func()) {
	t.Helper()
	do := func(statements ...string) {
		t.Helper()
		err := h.store.Write(t.Context(), func(tx *store.Tx) error {
			for _, statement := range statements {
				if _, err := tx.Exec(t.Context(), statement); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	do("CREATE UNIQUE INDEX broken ON voice_sentence (person) WHERE person = '"+person+"'",
		"INSERT INTO voice_sentence (id, organisation, home, person, lang, text, reply, outcome, reason, at) SELECT '0', organisation, 'elsewhere', '"+person+"', '', '', '', '', '', 0 FROM home WHERE id = '"+h.id+"'")
	return func() { do("DROP INDEX broken", "DELETE FROM voice_sentence WHERE home = 'elsewhere'") }
}

// TestAFailedWriteLosesNoWords: what cannot be written is written later, keeps the words of nobody else, and refuses no choice and no
// deletion; what was deleted or chosen away meanwhile is not written.
func TestAFailedWriteLosesNoWords(t *testing.T) {
	h := newHouse(t)
	li, wu, zhao := somebody(h, "li"), somebody(h, "wu"), somebody(h, "zhao")
	mend := h.breaks(t, "li")
	sayAs(t, h, li, "打开客厅的灯")
	sayAs(t, h, wu, "关灯")
	sayAs(t, h, zhao, "打开窗帘")
	if _, err := h.voice.SetPrivacy(t.Context(), zhao, h.id, voice.Privacy{KeepText: true}); err != nil {
		t.Errorf("a choice beside words that cannot be written: %v", err)
	}
	if got := words(t, h, wu); len(got) != 1 {
		t.Errorf("of somebody else are kept: %q", got)
	}
	if err := h.voice.Forget(t.Context(), wu, h.id, ""); err != nil || len(words(t, h, wu)) != 0 {
		t.Errorf("a deletion beside words that cannot be written: %v", err)
	}
	mend()
	if got := words(t, h, li); len(got) != 1 || got[0] != "打开客厅的灯" {
		t.Errorf("when they can be written, kept are %q", got)
	}
	if err := h.voice.Forget(t.Context(), li, h.id, ""); err != nil {
		t.Fatal(err)
	}
	for name, undo := range map[string]func() error{
		"deleted": func() error { return h.voice.Forget(t.Context(), li, h.id, "") },
		"switched on": func() error {
			_, err := h.voice.SetPrivacy(t.Context(), li, h.id, voice.Privacy{KeepText: true})
			return err
		},
	} {
		mend := h.breaks(t, "li")
		sayAs(t, h, li, "关灯")
		if err := undo(); err != nil {
			t.Fatal(name, err)
		}
		mend()
		if got := words(t, h, li); len(got) != 0 {
			t.Errorf("%s before they could be written: %q", name, got)
		}
	}
}

// TestWordsAreNotTriedForEver: words that can never be written are given up.
func TestWordsAreNotTriedForEver(t *testing.T) {
	h := newHouse(t)
	li := somebody(h, "li")
	mend := h.breaks(t, "li")
	a := sayAs(t, h, li, "关灯")
	for range 12 {
		words(t, h, li)
	}
	mend()
	if got := words(t, h, li); len(got) != 0 {
		t.Errorf("kept are %q", got)
	}
	if err := h.voice.Forget(t.Context(), li, h.id, a.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("they still lie aside: %v", err)
	}
}

// TestAnErasedPersonLeavesNoWords: what somebody said and was not written when they were erased is not written afterwards.
func TestAnErasedPersonLeavesNoWords(t *testing.T) {
	h := newHouse(t)
	li := somebody(h, "li")
	sayAs(t, h, li, "关灯")
	erase(t, h, "user", "li")
	sayAs(t, h, li, "打开窗帘") // was under way
	sayAs(t, h, h.who, "关灯")
	if got := words(t, h, h.who); len(got) != 1 {
		t.Errorf("of somebody else are kept: %q", got)
	}
	if _, err := h.voice.SetPrivacy(t.Context(), li, h.id, voice.Privacy{KeepText: true}); !fault.Is(err, fault.Missing) {
		t.Errorf("who is erased chooses: %v", err)
	}
	if n := rowsOf(t, h.store, "voice_sentence WHERE person = 'li'") + rowsOf(t, h.store, "voice_privacy WHERE person = 'li'"); n != 0 {
		t.Errorf("%d rows of who was erased", n)
	}
}
