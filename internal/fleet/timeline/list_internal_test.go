package timeline

import (
	"testing"
	"time"

	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store/storetest"
)

// TestEveryListIsIndexed asks the database how it reads each list.
func TestEveryListIsIndexed(t *testing.T) {
	listingtest.Prove(t, storetest.Open(t), entries())
}

// TestTallyIsBounded: what is beyond the lines of a minute is counted as one more.
func TestTallyIsBounded(t *testing.T) {
	var all tally
	for n := range 10 * maxLines {
		all.add(line{kind: Refused, what: string(rune('a' + n)), why: "x"}, 1, time.UnixMilli(int64(n)))
		all.add(line{kind: Refused, what: "a", why: "x"}, 1, time.UnixMilli(int64(n)))
	}
	sum := int64(0)
	for _, c := range all {
		sum += c.times
	}
	if len(all) != maxLines+1 || sum != 20*maxLines {
		t.Errorf("%d lines count %d", len(all), sum)
	}
}
