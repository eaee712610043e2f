package command

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"lampworks/internal/infra/store"
)

// waits is the devices for which commands may wait, so that one that comes and has none costs no question. It may name too many,
// which costs a look at the rows, and never too few: a device is named by whoever makes a row wait, in the turn of that write, and
// taken out after the commit of a later one that saw none of its rows waiting any more, unless it was named again since. Rows
// of before are read when [Commands.Run] begins. Only a row that another program wrote is heard of later, by [Commands.Due].
type waits struct {
	mu     sync.Mutex
	read   bool // the rows of before are in it; false: every device may be in it
	marks  uint64
	lost   int               // how often there were too many, and all were forgotten
	of     map[string]uint64 // device → the mark it was named by last
	looked time.Time         // when the rows were last read, for none or too many are remembered
}

// Limits of what is remembered.
const (
	maxRemembered = 100_000     // devices; beyond it the rows are asked, as long as so many wait
	rereadEvery   = time.Minute // the soonest that too many are counted anew
)

// name notes that a command may wait for a device.
func (w *waits) name(device string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.of) >= maxRemembered {
		w.read, w.of, w.lost = false, nil, w.lost+1
	}
	if w.of == nil {
		w.of = make(map[string]uint64)
	}
	w.marks++
	w.of[device] = w.marks
}

// may tells whether commands may wait for a device, and whether that is more than a guess.
func (w *waits) may(device string) (may, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, named := w.of[device]
	return named || !w.read, w.read
}

// mark is the last one that a device was named by.
func (w *waits) mark(device string) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of[device]
}

// drop takes a device out that was not named since mark.
func (w *waits) drop(device string, mark uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of[device] == mark {
		delete(w.of, device)
	}
}

// due reports whether the rows are to be read, and how often names were lost until now.
func (w *waits) due(now time.Time) (due bool, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.read || now.Sub(w.looked) < rereadEvery {
		return false, 0
	}
	w.looked = now
	return true, w.lost
}

// know adds what the rows say, unless names were lost since they were to be read.
func (w *waits) know(devices []string, lost int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost != lost {
		return
	}
	if w.of == nil {
		w.of = make(map[string]uint64, len(devices))
	}
	for _, device := range devices {
		w.marks++
		w.of[device] = w.marks
	}
	w.read = true
}

// remember reads for whom commands wait, if memory does not know: in a turn to write, as who makes one wait names its device.
func (s *Commands) remember(ctx context.Context, now time.Time) {
	due, lost := s.waits.due(now)
	if !due {
		return
	}
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		devices, err := waitingFor(ctx, tx)
		if err == nil && len(devices) < maxRemembered {
			tx.AfterCommit(func() { s.waits.know(devices, lost) })
		}
		return err
	})
	if err != nil && ctx.Err() == nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "for which devices commands wait was not read; each is asked for", slog.Any("error", err))
	}
}

// Waits reports whether commands may wait for a device. False is sure, and costs nothing.
func (s *Commands) Waits(device string) bool {
	may, _ := s.waits.may(device)
	return may
}

// nothingWaits is sure that no command waits for a device, asking the rows where memory does not know.
func (s *Commands) nothingWaits(ctx context.Context, device string) (bool, error) {
	may, known := s.waits.may(device)
	if known {
		return !may, nil
	}
	waits := false
	if err := s.store.Look(ctx, waitsSQL, []any{device}, &waits); err != nil {
		return false, fmt.Errorf("asking whether commands wait for device %s: %w", device, err)
	}
	return !waits, nil
}
