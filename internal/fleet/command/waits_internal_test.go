package command

import (
	"fmt"
	"testing"
	"time"
)

// TestTooManyToRemember: beyond its bound memory knows nothing, and says so, until the rows are read anew.
func TestTooManyToRemember(t *testing.T) {
	var w waits
	now := time.Now()
	_, lost := w.due(now)
	w.know([]string{"old"}, lost)
	for i := range maxRemembered {
		w.name(fmt.Sprint(i))
	}
	if may, known := w.may("nobody"); !may || known {
		t.Errorf("with too many nobody may be waited for: %v, known %v", may, known)
	}
	if due, _ := w.due(now.Add(rereadEvery / 2)); due {
		t.Error("too many are counted anew at once")
	}
	due, before := w.due(now.Add(rereadEvery))
	if !due {
		t.Error("too many are never counted anew")
	}
	if w.know(nil, lost); w.read {
		t.Error("what was read before names were lost counts")
	}
	if w.know([]string{"one"}, before); !w.read {
		t.Error("what was read after names were lost does not count")
	}
	for device, want := range map[string]bool{"one": true, "old": false, fmt.Sprint(maxRemembered - 1): true} {
		if may, _ := w.may(device); may != want {
			t.Errorf("may(%s) is %v, want %v", device, may, want)
		}
	}
}

// TestNamedAgain: who was named since a taking looked stays.
func TestNamedAgain(t *testing.T) {
	var w waits
	w.know(nil, 0)
	w.name("a")
	mark := w.mark("a")
	w.name("a")
	if w.drop("a", mark); w.mark("a") == 0 {
		t.Error("a device was dropped that was named again")
	}
	if w.drop("a", w.mark("a")); w.mark("a") != 0 {
		t.Error("a device was not dropped")
	}
}
