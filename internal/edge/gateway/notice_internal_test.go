package gateway

import (
	"testing"

	"lampworks/alink"
	"lampworks/internal/partner/enforce"
)

// TestNoticeOf: what ends for good is told as deleted, all else as disabled; and who is told so is told when it is back.
func TestNoticeOf(t *testing.T) {
	for k, want := range map[enforce.Kind]alink.Template{
		enforce.Suspend: alink.Disable, enforce.TakeDown: alink.Disable, enforce.SuspendService: alink.Disable, enforce.OrderDeletion: alink.Disable,
		enforce.DeleteData: alink.Delete, enforce.Terminate: alink.Delete,
	} {
		if got := noticeOf(k); got != want {
			t.Errorf("%s is told as %s, want %s", k, got, want)
		}
		m := enforce.Measure{ID: "m", Kind: k, Subject: enforce.Subject{Kind: enforce.KindDevice}}
		if !barred(because(&m)) {
			t.Errorf("%q bars nobody", because(&m))
		}
	}
	for reason, want := range map[string]bool{disabled: true, "disconnected": false, "": false, "connected": false, "over its limit: x": false} {
		if barred(reason) != want {
			t.Errorf("%q bars: %t", reason, !want)
		}
	}
}
