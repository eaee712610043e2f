package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/watch"
)

const (
	sealEvery       = 250 * time.Millisecond
	checkpointEvery = time.Minute
	checkpointAfter = 1000 // entries: what retention removes at once
	pruneEvery      = time.Hour
	sealBatch       = 128             // entries a transaction; a writer waits for one such turn at most, about a millisecond
	endTime         = 5 * time.Second // for the last entries when the program ends
)

// MinKeep is how long entries are kept at least: six months by the Cybersecurity Law of the PRC, article 21.
const MinKeep = 180 * 24 * time.Hour

// DefaultKeep is three years: how long claims of contract are open (Civil Code of the PRC, article 188).
const DefaultKeep = 3 * 365 * 24 * time.Hour

// Purpose names the key that signs checkpoints.
const Purpose = "audit"

// A Sealer chains committed entries and signs checkpoints of the chain. One runs at a time in a process; if another
// process seals the same data, each entry is still sealed once.
type Sealer struct {
	store *store.Store
	key   keyring.Signer
	keep  time.Duration
	clock watch.Clock
	log   *slog.Logger
	now   func() time.Time

	chain *chain // what it knows of the chain; nil: read it again
}

// A chain is the end of what is sealed.
type chain struct {
	seq     int64
	seal    [32]byte
	entries int64
	newest  Checkpoint // number 0: none yet
}

// NewSealer gives a sealer that removes what is older than keep (0: three years).
func NewSealer(s *store.Store, key keyring.Signer, keep time.Duration, log *slog.Logger) (*Sealer, error) {
	if keep == 0 {
		keep = DefaultKeep
	}
	if keep < MinKeep {
		return nil, fault.Invalid("audit-keep", keep.String(), "at least "+MinKeep.String()+" (180 days)", "keep the audit longer; the law asks for six months")
	}
	return &Sealer{store: s, key: key, keep: keep, log: log, now: time.Now}, nil
}

// Run seals until ctx ends, and then what is left. What fails is tried again; it never ends the program.
func (s *Sealer) Run(ctx context.Context) error {
	seal, sign, prune := time.NewTicker(sealEvery), time.NewTicker(checkpointEvery), time.NewTicker(pruneEvery)
	s.clock.Look(s.now())
	defer seal.Stop()
	defer sign.Stop()
	defer prune.Stop()
	for {
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
			defer cancel()
			s.try(ctx, "sealing the last entries", s.Finish)
			return nil
		case <-seal.C:
			s.try(ctx, "sealing entries", s.Seal)
		case <-sign.C:
			s.try(ctx, "signing a checkpoint", s.Finish)
		case <-prune.C:
			s.try(ctx, "removing old entries", s.Prune)
		}
	}
}

func (s *Sealer) try(ctx context.Context, what string, do func(context.Context) error) {
	if err := do(ctx); err != nil {
		s.chain = nil
		if ctx.Err() == nil {
			s.log.LogAttrs(ctx, slog.LevelWarn, "audit work will be tried again", slog.String("work", what), slog.Any("error", err))
		}
	}
}

// Finish seals what is committed and signs a checkpoint, if there is anything new.
func (s *Sealer) Finish(ctx context.Context) error {
	if err := s.Seal(ctx); err != nil {
		return err
	}
	return s.sign(ctx)
}

// Seal chains all entries that are committed and not sealed yet, in the order of their numbers.
func (s *Sealer) Seal(ctx context.Context) error {
	for {
		n, err := s.batch(ctx)
		if err != nil {
			s.chain = nil
			return err
		}
		if s.chain.entries-s.chain.newest.Entries >= checkpointAfter {
			if err := s.sign(ctx); err != nil {
				s.chain = nil
				return err
			}
		}
		if n < sealBatch {
			return nil
		}
	}
}

// batch seals some entries: it hashes beside the writers and takes a turn among them only to write.
func (s *Sealer) batch(ctx context.Context) (int, error) {
	var rows []row
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		if s.chain == nil {
			if s.chain, err = readChain(ctx, v); err != nil {
				return err
			}
		}
		rows, err = readRows(ctx, v, s.chain.seq, sealBatch)
		return err
	})
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	next := *s.chain
	for i := range rows {
		r := &rows[i]
		r.SealedAt = s.now().UnixMilli()
		next.seal = link(next.seal, r.leaf())
		next.seq, r.Seal = r.Seq, append([]byte(nil), next.seal[:]...)
		next.entries++
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error { return writeSeals(ctx, tx, rows) })
	if err != nil {
		return 0, fmt.Errorf("sealing audit entries: %w", err)
	}
	s.chain = &next
	return len(rows), nil
}

// writeSeals writes the seals, if nobody else has sealed one of the entries meanwhile.
func writeSeals(ctx context.Context, tx *store.Tx, rows []row) error {
	for i := range rows {
		r := &rows[i]
		res, err := tx.Exec(ctx, updateSeal, r.Seal, r.SealedAt, r.Seq)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 {
			return errors.Join(fault.Stale("audit entry", strconv.FormatInt(r.Seq, 10)), err)
		}
	}
	return nil
}

// readChain finds where the chain ends.
func readChain(ctx context.Context, q store.Querier) (*chain, error) {
	c := new(chain)
	newest, err := Newest(ctx, q)
	if err != nil {
		return nil, err
	}
	c.newest, c.entries = newest, newest.Entries
	if newest.Number > 0 {
		c.seq = newest.Seq
		if c.seal, err = seal32(newest.Seal); err != nil {
			return nil, err
		}
	}
	var seq int64
	var seal []byte
	err = q.QueryRow(ctx, selectSealed).Scan(&seq, &seal)
	if errors.Is(err, sql.ErrNoRows) || err == nil && seq <= c.seq {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the end of the audit chain: %w", err)
	}
	var more int64
	if err := q.QueryRow(ctx, countSealed, c.seq).Scan(&more); err != nil {
		return nil, fmt.Errorf("counting sealed audit entries: %w", err)
	}
	c.seq, c.entries = seq, c.entries+more
	c.seal, err = seal32(seal)
	return c, err
}

// Newest gives the newest checkpoint; its number is 0 if there is none yet.
func Newest(ctx context.Context, q store.Querier) (Checkpoint, error) {
	c, err := scanCheckpoint(q.QueryRow(ctx, selectNewest))
	if errors.Is(err, sql.ErrNoRows) {
		return Checkpoint{}, nil
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("reading the newest audit checkpoint: %w", err)
	}
	return c, nil
}

// sign writes a checkpoint of what is sealed, if the newest one does not cover it.
func (s *Sealer) sign(ctx context.Context) error {
	if s.chain == nil || s.chain.seq == s.chain.newest.Seq {
		return nil
	}
	previous := [32]byte{}
	if s.chain.newest.Number > 0 {
		previous = s.chain.newest.hash()
	}
	c := Checkpoint{
		Number: s.chain.newest.Number + 1, Seq: s.chain.seq, Seal: append([]byte(nil), s.chain.seal[:]...),
		Entries: s.chain.entries, At: s.now().UnixMilli(), Previous: previous[:],
	}
	c.Signature = s.key.Sign(c.message())
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, insertCheckpoint, c.Number, c.Seq, c.Seal, c.Entries, c.At, c.Previous, c.Signature)
		return err
	})
	if err != nil {
		return fmt.Errorf("signing audit checkpoint %d: %w", c.Number, err)
	}
	s.chain.newest = c
	return nil
}
