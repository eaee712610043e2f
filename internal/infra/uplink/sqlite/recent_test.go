package sqlite

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"lampworks/internal/infra/uplink"
)

func TestRecentGivesOnlyWhatItHasWithoutGap(t *testing.T) {
	var r recent
	next := uplink.Position(1)
	for _, n := range []int{3, 1, 4, 2} { // 1-3, 4, 5-8, 9-10
		b := &block{}
		for range n {
			b.add(uplink.Record{At: time.UnixMilli(1)}, nil)
		}
		b.seal(next)
		next = b.last() + 1
		r.add(b, 1<<20)
	}
	r.forget(3)
	for _, tt := range []struct {
		after uplink.Position
		limit int
		want  string
	}{
		{0, 10, "miss"},
		{2, 10, "miss"},
		{3, 1, "4"},
		{3, 2, "4 5"},
		{3, 100, "4 5 6 7 8 9 10"},
		{5, 2, "6 7"},
		{5, 4, "6 7 8 9"},
		{9, 5, "10"},
		{10, 5, "miss"},
	} {
		got := "miss"
		if records, ok := r.read(tt.after, tt.limit); ok {
			got = ""
			for _, r := range records {
				got += fmt.Sprint(r.Pos, " ")
			}
			got = got[:len(got)-1]
		}
		if got != tt.want {
			t.Errorf("%d after %d gives %s, want %s", tt.limit, tt.after, got, tt.want)
		}
	}
	b := &block{}
	b.add(uplink.Record{At: time.UnixMilli(1)}, nil)
	b.seal(next)
	r.add(b, 1)
	if len(r.blocks) != 0 || r.size != 0 {
		t.Errorf("beyond the limit %d blocks, %d bytes are kept", len(r.blocks), r.size)
	}
}

// TestCloseCommitsWhatIsQueued: whichever the loop sees first, the work or the closing.
func TestCloseCommitsWhatIsQueued(t *testing.T) {
	for range 20 {
		f, err := openFile(t.Context(), t.TempDir()+"/log.db")
		if err != nil {
			t.Fatal(err)
		}
		l := &Log{
			o: Options{Logger: slog.New(slog.DiscardHandler)}.withDefaults(), file: f,
			wake: make(chan struct{}, 1), closing: make(chan struct{}), cursors: f.cursors,
		}
		if err := l.Append(t.Context(), uplink.Record{At: time.Now()}, nil); err != nil {
			t.Fatal(err)
		}
		<-l.wake // somebody took the wake-up: only the closing is left
		close(l.closing)
		l.commitLoop(make(chan []*block, 2))
		if l.Tail() != 1 {
			t.Error("a queued record was left behind")
		}
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}
}
