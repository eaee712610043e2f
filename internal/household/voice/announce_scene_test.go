package voice_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// TestScenesAnnounce: a scene has a text said on the speakers of its rooms, once, between what stands before and behind it; where none
// listens the run says so.
func TestScenesAnnounce(t *testing.T) {
	h := newHouse(t)
	works(t, h.voice)
	h.scenes.AnnounceBy(func(ctx context.Context, who access.Actor, homeID, text string, rooms []string) error {
		_, err := h.voice.Announce(ctx, who, homeID, voice.NewAnnouncement{Text: text, Rooms: rooms})
		return err
	})
	set := scene.Action{Kind: scene.Set, Device: h.device["living room lamp"], Params: []byte(`{"powerstate":1}`)}
	say := scene.Action{Kind: scene.Announce, Text: " 门开了 ", Rooms: []string{h.rooms["main bedroom"]}, Device: "no"}
	draft := func(name string, actions ...scene.Action) scene.Draft {
		return scene.Draft{Label: home.Label{Names: home.Names{"zh-CN": name}}, Actions: actions}
	}
	sc, err := h.scenes.Create(t.Context(), h.who, h.id, draft("迎客", set, say, set))
	if err != nil {
		t.Fatal(err)
	}
	run := func() string {
		t.Helper()
		r, err := h.scenes.Start(t.Context(), h.who, h.id, sc.ID, "api")
		if err != nil {
			t.Fatal(err)
		}
		ctx, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		if r, err = h.scenes.Await(ctx, r.ID); err != nil {
			t.Fatal(err)
		}
		return string(r.State) + " " + r.Steps[1].Outcome + " " + r.Steps[1].Reason
	}
	if got := run(); got != "partly failed no_speaker" {
		t.Errorf("without a speaker: %s", got)
	}
	hall, _ := h.listens(t, "hall", "living room")
	bed, _ := h.listens(t, "bed", "main bedroom")
	if got := run(); got != "done done " {
		t.Errorf("with a speaker: %s", got)
	}
	if got := <-bed; got != "门开了 zh-CN" || len(bed)+len(hall) > 0 {
		t.Errorf("told %q", got)
	}
	for _, tt := range []struct{ text, want string }{
		{"", "/actions/0/text is empty, want what is to be announced"},
		{strings.Repeat("门", scene.MaxAnnounced+1), "/actions/0/text is 201 characters, want at most 200 characters"},
	} {
		_, err := h.scenes.Create(t.Context(), h.who, h.id, draft("别的", scene.Action{Kind: scene.Announce, Text: tt.text}))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%v, want %s", err, tt.want)
		}
	}
	_, err = h.scenes.Create(t.Context(), h.who, h.id, draft("别的", scene.Action{Kind: scene.Announce, Text: "门", Rooms: []string{h.rooms["main bedroom"], "none"}}))
	if f := fault.Of(err); f == nil || f.Where != "/actions/0/rooms/1" {
		t.Errorf("a room that there is not: %v", err)
	}
	if _, err := h.scenes.Create(t.Context(), h.who, h.id, draft("长", scene.Action{Kind: scene.Announce, Text: strings.Repeat("门", scene.MaxAnnounced)})); err != nil {
		t.Error(err)
	}
}
