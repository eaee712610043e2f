package api

import (
	"context"
	"errors"
	"testing"

	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/internal/household/voice"
)

// TestAnnouncementsThatAreNotSentAreGivenBack: what lies in the queue of a view that ends, and what could not be written, is said to
// be lost once; a view that has ended takes none.
func TestAnnouncementsThatAreNotSentAreGivenBack(t *testing.T) {
	v := &view{home: "h", events: make(chan offered, liveQueue)}
	var lost []string
	offer := func(id string) bool {
		return v.announce(voice.Announcement{ID: id}, func() { lost = append(lost, id) })
	}
	for _, id := range []string{"sent", "torn", "queued"} {
		if !offer(id) {
			t.Fatalf("%s was not taken", id)
		}
	}
	writes := 0
	v.pump(t.Context(), func(sse.Message) error {
		if writes++; writes == 2 {
			return errors.New("connection reset")
		}
		return nil
	})
	v.lose()
	if len(lost) != 2 || lost[0] != "torn" || lost[1] != "queued" {
		t.Errorf("lost: %q", lost)
	}
	if offer("late") {
		t.Error("a view that has ended takes an announcement")
	}
	ended, end := context.WithCancel(t.Context())
	v, lost = &view{home: "h", events: make(chan offered, liveQueue)}, nil
	offer("gone")
	v.pump(ended, func(sse.Message) error { end(); return nil })
	if len(lost) != 1 {
		t.Errorf("lost with the connection: %q", lost)
	}
}
