package timeline

import (
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

// TestEveryListIsIndexed asks the database how it reads each list.
func TestEveryListIsIndexed(t *testing.T) {
	listingtest.Prove(t, storetest.Open(t), entries())
}

// TestTopicOf: of a message its topic is told as the maker knows it, without what differs from message to message.
func TestTopicOf(t *testing.T) {
	for _, tt := range []struct {
		of        alink.Template
		arg, want string
	}{
		{alink.PropertyPost, "", "/sys/{pk}/{dn}/thing/event/property/post"},
		{alink.EventPost, "fault", "/sys/{pk}/{dn}/thing/event/fault/post"},
		{alink.User, "update/{id}", "/{pk}/{dn}/user/update/{id}"},
		{alink.ExtRRPC, "123/a1/78da07c11ca8/user/ask/me", "/ext/rrpc/{id}/{pk}/{dn}/user/ask/me"},
		{alink.RRPCResponse, "123", "/sys/{pk}/{dn}/rrpc/response/{id}"},
	} {
		if got := topicOf(&device.Message{Template: tt.of, Arg: tt.arg}); got != tt.want {
			t.Errorf("%s with %s is told as %s, want %s", tt.of, tt.arg, got, tt.want)
		}
	}
}

// TestTallyIsBounded: what is beyond the lines of a minute is counted as one more.
func TestTallyIsBounded(t *testing.T) {
	var all tally
	for n := range 10 * maxLines {
		all.add(line{kind: Refused, what: string(rune('a' + n)), why: "x"}, 1, time.UnixMilli(int64(n)))
		all.add(line{kind: Refused, what: "a", why: "x"}, 1, time.UnixMilli(int64(n)))
	}
	sum := int64(0)
	for _, c := range all.counts {
		sum += c.times
	}
	if len(all.counts) != maxLines+1 || sum != 20*maxLines {
		t.Errorf("%d lines count %d", len(all.counts), sum)
	}
}

// TestMemoryIsBudgeted: what is counted takes what is said, and beyond the budget nothing new is counted; taking gives it back.
func TestMemoryIsBudgeted(t *testing.T) {
	if n := unsafe.Sizeof(count{}); n > countSize {
		t.Errorf("a line takes %d bytes, and %d are reckoned", n, countSize)
	}
	s := New(nil, nil, nil, nil)
	text := strings.Repeat("x", 2*maxText)
	for n := 0; s.dropped == 0; n++ {
		for i := range 2 * maxLines {
			s.tell(strconv.Itoa(n), line{Refused, strconv.Itoa(i), text}, time.UnixMilli(1))
		}
	}
	select {
	case <-s.crowded:
	default:
		t.Error("nobody is asked to write down so much")
	}
	held := 0
	for _, tally := range s.tallies {
		held += tally.size()
		if size := tally.size(); size > 20<<10 {
			t.Fatalf("a device takes %d bytes", size)
		}
	}
	if held != s.held || held > 2*maxHeld || !s.full() {
		t.Errorf("%d bytes are held, and %d reckoned", held, s.held)
	}
	s.tell("0", line{Refused, "0", text}, time.UnixMilli(2)) // what is there already is counted on
	if s.tallies["0"].counts[0].times != 2 {
		t.Error("what has its line is not counted any more")
	}
	some := s.take("0")
	s.giveBack(some)
	if s.take(); s.held != 0 || len(s.tallies) != 0 {
		t.Errorf("when all is taken %d bytes are held", s.held)
	}
}
