package voice_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// works runs what a service does by itself until the test ends, or stop is called.
func works(t *testing.T, s *voice.Service) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var ended bool
	stop = func() {
		if cancel(); !ended {
			ended = true
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
	t.Cleanup(stop)
	return stop
}

// listens has a speaker of the house listen, and hands on what it is told.
func (h *house) listens(t *testing.T, speaker, room string) (told chan string, leave func()) {
	t.Helper()
	told = make(chan string, 200)
	sp := voice.Speaker{Name: speaker, Room: h.rooms[room]}
	if err := h.voice.MayListen(t.Context(), h.who, h.id, sp); err != nil {
		t.Fatal(err)
	}
	return told, h.voice.Listen(h.id, sp, func(a voice.Announcement, _ func()) bool { told <- a.Text + " " + a.Lang; return true })
}

// states tells what became of the newest announcement of the house.
func (h *house) states(t *testing.T) string {
	t.Helper()
	all, err := h.voice.Announcements(t.Context(), h.who, h.id)
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	var said []string
	for _, sp := range all[0].Speakers {
		said = append(said, sp.Speaker+" "+string(sp.State))
	}
	return strings.Join(said, ", ")
}

func (h *house) announce(t *testing.T, text string, rooms ...string) voice.Announcement {
	t.Helper()
	n := voice.NewAnnouncement{Text: text}
	for _, room := range rooms {
		n.Rooms = append(n.Rooms, h.rooms[room])
	}
	a, err := h.voice.Announce(t.Context(), h.who, h.id, n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (h *house) tells(t *testing.T, speaker, text string) voice.Answer {
	t.Helper()
	a, err := h.voice.Say(t.Context(), h.who, voice.Sentence{Home: h.id, Text: text, Speaker: speaker})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestAnnouncementWaitsForAnIdleSpeaker: a speaker is told at once, but not within a conversation; then it is told once.
func TestAnnouncementWaitsForAnIdleSpeaker(t *testing.T) {
	h := newHouse(t)
	works(t, h.voice)
	hall, _ := h.listens(t, "hall", "living room")
	bed, _ := h.listens(t, "bed", "main bedroom")
	if a := h.tells(t, "bed", "打开台灯，对了，打开那个"); a.Outcome != voice.Clarified {
		t.Fatalf("%+v", a)
	}
	h.announce(t, " 饭好了 ")
	if got := <-hall; got != "饭好了 zh-CN" {
		t.Errorf("told %q", got)
	}
	if got := h.states(t); got != "bed waiting, hall told" {
		t.Errorf("the states are %s", got)
	}
	select {
	case got := <-bed:
		t.Errorf("told within a question: %s", got)
	default:
	}
	h.tells(t, "bed", "算了")
	if got := <-bed; got != "饭好了 zh-CN" {
		t.Errorf("told %q", got)
	}
	h.announce(t, "good night", "main bedroom")
	if got := <-bed; got != "good night en" {
		t.Errorf("told %q", got)
	}
	if got := h.states(t); got != "bed told" || len(hall) > 0 {
		t.Errorf("the states are %s; the hall was told %d more", got, len(hall))
	}
}

// TestPlacedSpeakerIsFound: a speaker that does not say where it stands is where the home has it.
func TestPlacedSpeakerIsFound(t *testing.T) {
	h := newHouse(t)
	works(t, h.voice)
	hall, _ := h.listens(t, "hall", "")
	bed, _ := h.listens(t, "bed", "")
	if err := h.homes.PlaceSpeaker(t.Context(), h.who, h.id, "bed", h.rooms["main bedroom"]); err != nil {
		t.Fatal(err)
	}
	a := h.announce(t, "晚安", "main bedroom")
	if got := <-bed; got != "晚安 zh-CN" || len(a.Speakers) != 1 || a.Speakers[0].Room != h.rooms["main bedroom"] || len(hall) > 0 {
		t.Errorf("told %q of %+v", got, a.Speakers)
	}
}

// TestAnnouncementSurvivesARestart: one that waits for a speaker that left is told when it is back, by another process too; it
// can be cancelled until then, and is given up after its time.
func TestAnnouncementSurvivesARestart(t *testing.T) {
	var config voice.Config
	h := newHouse(t, func(c *voice.Config) { config = *c })
	stop := works(t, h.voice)
	hall, leave := h.listens(t, "hall", "living room")
	h.announce(t, "一")
	<-hall
	stop() // what is told now waits
	told := h.announce(t, "二")
	cancelled := h.announce(t, "三")
	missed := h.announce(t, "四")
	leave()
	if a, err := h.voice.CancelAnnouncement(t.Context(), h.who, h.id, cancelled.ID); err != nil || a.Speakers[0].State != voice.Cancelled {
		t.Errorf("%+v %v", a, err)
	}
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE voice_heard SET until = 1 WHERE announcement = ?", missed.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	h.voice = voice.New(config)
	hall, _ = h.listens(t, "hall", "living room")
	works(t, h.voice)
	if got := <-hall; got != "二 zh-CN" {
		t.Errorf("told %q", got)
	}
	h.announce(t, "五")
	if got := <-hall; got != "五 zh-CN" || len(hall) > 0 {
		t.Errorf("told %q", got)
	}
	for id, want := range map[string]voice.Hearing{told.ID: voice.Told, cancelled.ID: voice.Cancelled, missed.ID: voice.Missed} {
		if a, err := h.voice.Announcement(t.Context(), h.who, h.id, id); err != nil || a.Speakers[0].State != want {
			t.Errorf("%s is %+v, want %s %v", a.Text, a.Speakers, want, err)
		}
	}
	if _, err := h.voice.CancelAnnouncement(t.Context(), h.who, h.id, told.ID); !fault.Is(err, fault.Clash) {
		t.Errorf("what was told is cancelled: %v", err)
	}
}

// TestSpeakerThatTakesNothing: what a speaker could not take waits for it.
func TestSpeakerThatTakesNothing(t *testing.T) {
	h := newHouse(t)
	works(t, h.voice)
	tried := make(chan struct{}, 100)
	leave := h.voice.Listen(h.id, voice.Speaker{Name: "hall"}, func(voice.Announcement, func()) bool { tried <- struct{}{}; return false })
	h.announce(t, "饭好了")
	<-tried
	<-tried // once it was written down again that it waits
	leave()
	hall, _ := h.listens(t, "hall", "")
	if got := <-hall; got != "饭好了 zh-CN" {
		t.Errorf("told %q", got)
	}
}

// TestWhatIsNotHandedOverWaits: what a connection took and did not hand over before it ended was not told, unless another of the
// speaker did; it waits, and is told to the next.
func TestWhatIsNotHandedOverWaits(t *testing.T) {
	h := newHouse(t)
	works(t, h.voice)
	taken := make(chan func(), 100)
	take := func(_ voice.Announcement, lost func()) bool { taken <- lost; return true }
	leave := h.voice.Listen(h.id, voice.Speaker{Name: "hall"}, take)
	h.announce(t, "饭好了")
	lost := <-taken
	leave()
	lost()
	lost() // says it once
	hall, away := h.listens(t, "hall", "")
	if got := <-hall; got != "饭好了 zh-CN" {
		t.Errorf("told %q", got)
	}
	if got := h.states(t); got != "hall told" {
		t.Errorf("the states are %s", got)
	}
	away()
	for range 2 {
		defer h.voice.Listen(h.id, voice.Speaker{Name: "hall"}, take)()
	}
	h.announce(t, "下雨了")
	(<-taken)() // the other connection handed it over
	<-taken
	h.announce(t, "晚安")
	<-taken // the first was dealt with before
	if a, err := h.voice.Announcements(t.Context(), h.who, h.id); err != nil || a[1].Text != "下雨了" || a[1].Speakers[0].State != voice.Told {
		t.Errorf("%+v %v", a, err)
	}
}

// TestAnnouncementsAreRefused names the rule of each refusal, at the limit and behind it.
func TestAnnouncementsAreRefused(t *testing.T) {
	h := newHouse(t)
	announce := func(n voice.NewAnnouncement) error {
		_, err := h.voice.Announce(t.Context(), h.who, h.id, n)
		return err
	}
	refused := func(err error, want string) {
		t.Helper()
		if f := fault.Of(err); f == nil || !strings.Contains(f.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused(announce(voice.NewAnnouncement{Text: "饭好了"}), "no speaker listens there")
	_, leave := h.listens(t, "hall", "living room")
	defer leave()
	refused(announce(voice.NewAnnouncement{Text: " "}), "/text")
	refused(announce(voice.NewAnnouncement{Text: "a\x00b"}), "/text")
	refused(announce(voice.NewAnnouncement{Text: "a\xffb"}), "/text")
	refused(announce(voice.NewAnnouncement{Text: strings.Repeat("饭", voice.MaxAnnounced+1)}), "at most 200 characters")
	refused(announce(voice.NewAnnouncement{Text: "饭好了", Lang: "fr"}), "/lang")
	refused(announce(voice.NewAnnouncement{Text: "饭好了", Rooms: []string{"nowhere"}}), "nowhere")
	refused(announce(voice.NewAnnouncement{Text: "饭好了", Rooms: []string{h.rooms["guest room"]}}), "no speaker listens there")
	for i := range voice.AnnouncedAMinute {
		if err := announce(voice.NewAnnouncement{Text: strings.Repeat("饭", voice.MaxAnnounced)}); err != nil {
			t.Fatal(i, err)
		}
	}
	refused(announce(voice.NewAnnouncement{Text: "饭好了"}), "10 a minute in a home")

	stranger := owner("other")
	if _, err := h.voice.Announce(t.Context(), stranger, h.id, voice.NewAnnouncement{Text: "饭好了"}); !fault.Is(err, fault.Missing) {
		t.Errorf("announced in a foreign home: %v", err)
	}
	if _, err := h.voice.Announcements(t.Context(), stranger, h.id); !fault.Is(err, fault.Missing) {
		t.Errorf("saw a foreign home: %v", err)
	}
	may := func(sp voice.Speaker) error { return h.voice.MayListen(t.Context(), h.who, h.id, sp) }
	refused(may(voice.Speaker{}), "/query/speaker")
	refused(may(voice.Speaker{Name: strings.Repeat("x", voice.MaxSpeaker+1)}), "/query/speaker")
	refused(may(voice.Speaker{Name: "x", Room: "nowhere"}), "nowhere")
	for i := range voice.MaxSpeakers - 1 {
		defer h.voice.Listen(h.id, voice.Speaker{Name: fmt.Sprint(i)}, nil)()
	}
	if err := may(voice.Speaker{Name: "hall"}); err != nil { // it is one of them
		t.Error(err)
	}
	refused(may(voice.Speaker{Name: "one more"}), "64 in a home")
}

// TestAnnouncedBySentence: a sentence announces on all speakers but its own, and says on how many.
func TestAnnouncedBySentence(t *testing.T) {
	h := newHouse(t)
	works(t, h.voice)
	if a := h.tells(t, "hall", "播报：饭好了"); a.Outcome != voice.Failed || a.Reason != voice.NoSpeaker || a.Reply != "没有在线的音箱可以播报。" {
		t.Errorf("%+v", a)
	}
	hall, _ := h.listens(t, "hall", "living room")
	bed, _ := h.listens(t, "bed", "main bedroom")
	a := h.tells(t, "hall", "播报：客厅的灯坏了")
	if a.Outcome != voice.Acted || a.Reply != "好的，正在1个音箱上播报。" || a.Actions[0].Announcement == "" || a.Actions[0].Text != "客厅的灯坏了" {
		t.Errorf("%+v", a)
	}
	if got := <-bed; got != "客厅的灯坏了 zh-CN" || len(h.road.sent(h)) > 0 {
		t.Errorf("told %q", got)
	}
	if a := h.tells(t, "tablet", "announce dinner is ready"); a.Reply != "It is being announced on 2 speakers." {
		t.Errorf("%+v", a)
	}
	if got := <-hall + <-bed; got != "dinner is ready endinner is ready en" {
		t.Errorf("told %q", got)
	}
	if a := h.tells(t, "tablet", "广播"); a.Outcome != voice.Rejected || a.Reply != "请在“播报”后面说出要播报的话。" {
		t.Errorf("%+v", a)
	}
	if a := h.tells(t, "tablet", "播报"+strings.Repeat("饭", voice.MaxAnnounced+1)); a.Outcome != voice.Failed || a.Reason != voice.Invalid {
		t.Errorf("%+v", a)
	}
}

// said is what the home keeps of what was announced, the newest first.
func (h *house) said(t *testing.T) (all []string) {
	t.Helper()
	kept, err := h.voice.Announcements(t.Context(), h.who, h.id)
	if err != nil {
		t.Fatal(err)
	}
	for i := range kept {
		all = append(all, kept[i].Text)
	}
	return all
}

// TestAnnouncedWordsAreForgotten: what a sentence announced is kept as its words are: deleted with them, and where they are not kept for
// no longer than it may wait. What was announced otherwise is nobody's sentence.
func TestAnnouncedWordsAreForgotten(t *testing.T) {
	var config voice.Config
	h := newHouse(t, func(c *voice.Config) { config = *c })
	stop := works(t, h.voice)
	hall, _ := h.listens(t, "hall", "living room")
	said := h.say(t, "播报饭好了")
	h.say(t, "播报下雨了")
	<-hall
	<-hall
	words(t, h, h.who)
	if err := h.voice.Forget(t.Context(), h.who, h.id, said.ID); err != nil {
		t.Fatal(err)
	}
	if got := h.said(t); !slices.Equal(got, []string{"下雨了", ""}) {
		t.Errorf("with one sentence: %q", got)
	}
	if err := h.voice.Forget(t.Context(), h.who, h.id, ""); err != nil {
		t.Fatal(err)
	}
	if got := h.said(t); !slices.Equal(got, []string{"", ""}) {
		t.Errorf("with all: %q", got)
	}
	stop() // what is announced now waits
	h.say(t, "播报晚安")
	if _, err := h.voice.SetPrivacy(t.Context(), h.who, h.id, voice.Privacy{}); err != nil {
		t.Fatal(err)
	}
	h.say(t, "播报秘密")
	h.announce(t, "通知")
	if got := h.said(t); !slices.Equal(got[:3], []string{"通知", "秘密", "晚安"}) {
		t.Errorf("while it waits: %q", got)
	}
	err := h.store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE voice_announcement SET until = 1")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	works(t, voice.New(config)) // looks what is over when it begins
	for !slices.Equal(h.said(t)[:3], []string{"通知", "", ""}) {
		if t.Context().Err() != nil {
			t.Fatalf("kept: %q", h.said(t))
		}
	}
}
