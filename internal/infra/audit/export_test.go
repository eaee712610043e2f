package audit

import (
	"context"
	"time"

	"lampworks/internal/infra/store"
)

// SetNow gives a sealer another clock.
func (s *Sealer) SetNow(now func() time.Time) { s.now = now }

// Jump lets the clock of a sealer jump by a year.
func (s *Sealer) Jump() { s.clock.Read(time.Now().AddDate(1, 0, 0), 0) }

// Entries is how entries are listed, for the proof of its indexes.
var Entries = entries

// Reseal makes the seals behind an entry anew, as a forger without the key would.
func Reseal(ctx context.Context, tx *store.Tx, after int64) error {
	before, err := readRows(ctx, tx, after-1, 1)
	if err != nil {
		return err
	}
	seal, err := seal32(before[0].Seal)
	if err != nil {
		return err
	}
	rows, err := readRows(ctx, tx, after, 1000)
	if err != nil {
		return err
	}
	for i := range rows {
		seal = link(seal, rows[i].leaf())
		rows[i].Seal = seal[:]
		if err := writeSeals(ctx, tx, rows[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}
