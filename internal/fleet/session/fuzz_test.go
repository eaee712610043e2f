package session

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"lampworks/alink"
)

// FuzzRecords: no bytes panic, and what was read and written again reads the same.
func FuzzRecords(f *testing.F) {
	w := &Will{Product: "019ac000-1111-7222-8333-abcdefabcdef", Template: alink.EventPost, Arg: "fault", Delay: time.Minute, Payload: []byte("bye")}
	b, err := (&Began{Epoch: 7, Clean: true, Lasts: time.Hour, Will: w}).append(nil)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{b, b[:14], (&Ended{Epoch: 3, Will: true}).append(nil), (&released{1, 2}).append(nil), (&filters{1, []Filter{{"a/#", 1, 9}, {"", 0, 0}}}).append(nil), {}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if v, err := readBegan(in); err == nil {
			out, err := v.append(nil)
			again, err2 := readBegan(out)
			if diff := cmp.Diff(v, again); err != nil || err2 != nil || diff != "" {
				t.Errorf("%v, %v %s", err, err2, diff)
			}
		}
		if v, err := readEnded(in); err == nil {
			if again, err := readEnded(v.append(nil)); err != nil || again != v {
				t.Errorf("%v: %+v, %+v", err, v, again)
			}
		}
		if v, err := readReleased(in); err == nil {
			if again, err := readReleased(v.append(nil)); err != nil || again != v {
				t.Errorf("%v: %+v, %+v", err, v, again)
			}
		}
		if v, err := readFilters(in); err == nil {
			again, err := readFilters(v.append(nil))
			if diff := cmp.Diff(v, again, cmp.AllowUnexported(filters{})); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
		}
		_, _ = readDropped(in)
	})
}
