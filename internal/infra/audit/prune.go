package audit

import (
	"context"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// pruneSteps is how many checkpoints one call of Prune removes at most, some hours of a busy platform: a clock that jumps
// years ahead for a moment costs little.
const pruneSteps = 200

// Prune removes entries older than is kept: the oldest ones only, up to a checkpoint, which stays and is signed to be the
// root of the chain from then on. That something was removed is an entry of its own.
func (s *Sealer) Prune(ctx context.Context) error {
	if !s.clock.Trusted(s.now()) {
		return nil // for a day: see watch
	}
	var first int64
	var root Checkpoint
	for range pruneSteps {
		next, err := s.step(ctx)
		if err != nil {
			return err
		}
		if next.Number == 0 {
			break
		}
		if root = next; first == 0 {
			first = root.Number
		}
	}
	if root.Number == 0 {
		return nil
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		return Record(ctx, tx, access.Clock("audit", ""), "audit.prune", fmt.Sprintf("checkpoint %d", root.Number),
			fmt.Sprintf("entries up to %d, of %s and before; from checkpoint %d on", root.Seq, time.UnixMilli(root.At).UTC().Format(time.RFC3339), first))
	})
}

// step makes the next old checkpoint the root; its number is 0 if there is none.
func (s *Sealer) step(ctx context.Context) (Checkpoint, error) {
	var oldest []Checkpoint
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		oldest, err = readCheckpoints(ctx, v, 0, 3)
		return err
	})
	if err != nil {
		return Checkpoint{}, err
	}
	if len(oldest) > 0 && oldest[0].RootSignature != nil {
		oldest = oldest[1:]
	}
	// The newest checkpoint never goes: the chain stands on it.
	if len(oldest) < 2 || s.now().Sub(time.UnixMilli(oldest[0].At)) < s.keep {
		return Checkpoint{}, nil
	}
	root := oldest[0]
	root.RootSignature = s.key.Sign(root.rootMessage())
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, setRoot, root.RootSignature, root.Number); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, deleteCheckpoints, root.Number); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, deleteEntries, root.Seq)
		return err
	})
	if err != nil {
		return Checkpoint{}, fmt.Errorf("removing audit entries up to checkpoint %d: %w", root.Number, err)
	}
	return root, nil
}
