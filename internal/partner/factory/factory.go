// Package factory keeps what factories say they burned (烧录记录).
//
// It owns the tables factory_log, factory_burn, factory_flaw and factory_upload, and promises:
//   - every row of a burn log is taken, or named with its line and the rule it breaks: an address that is not of the order,
//     one that was burned before, a row that cannot be read;
//   - several logs of an order add up; a file that comes again is the one that was there;
//   - how far an order is burned follows from what was taken: burned, failed, and what nobody has said anything of;
//   - nobody sees the log of another organisation: it is not found.
//
// It believes what the file says: a signed log is a factory station's.
package factory

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/triple"
)

// Limits of a burn log.
const (
	MaxBytes = 256 << 20 // the most bytes of a burn log
	MaxRows  = 1_000_000 // and the most rows

	jobKind   = "factory.burn_log"
	blockSize = 256 << 10 // bytes of a file that one transaction stores
	maxFlaws  = 100_000   // rows of a log that are kept with their rule
	stale     = time.Hour // after which a file that broke off is forgotten
)

// A State is where a log stands.
type State string

// The states. The last three are ends.
const (
	Uploading State = "uploading"
	Checking  State = "checking"  // a job reads it
	Done      State = "done"      // every row was taken or named
	Cancelled State = "cancelled" // what was read until then was taken; the file may come again
	Failed    State = "failed"    // the same; Reason says why
)

// A Log is a file in which a factory says what it burned.
type Log struct {
	ID           string
	Order        string
	Product      string // UUID
	Organisation string
	Name         string
	State        State
	Reason       string
	Lines        int // rows that were read
	Burned       int
	Failed       int
	Repeated     int // rows that said what was known
	Doubled      int // addresses that were burned before
	Foreign      int // addresses that are not of the order
	Wrong        int // rows that cannot be read
	Job          string
	CreatedBy    string
	CreatedAt    time.Time
	EndedAt      time.Time

	hash string
}

// A Burn is what is known of one address.
type Burn struct {
	MAC     triple.MAC
	Result  Result
	At      time.Time
	Station string
	Log     string // that said so last
	Line    int
}

// A Result is what came of burning.
type Result string

// The results.
const (
	ResultBurned Result = "burned"
	ResultFailed Result = "failed"
)

// A Flaw is a row that was not taken.
type Flaw struct {
	Line int
	Kind Kind
	Got  string
	Rule string
}

// A Kind is why a row was not taken.
type Kind string

// The kinds.
const (
	Double  Kind = "double"
	Foreign Kind = "foreign"
	Wrong   Kind = "wrong"
)

// A Status is how far an order is burned.
type Status struct {
	Quantity int // triples of the order
	Burned   int
	Failed   int
	Missing  int // nobody has said anything of
}

// Service answers for burn logs. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	orders   *issuance.Service
	products *product.Service
	jobs     *job.Runner
	now      func() time.Time
	maxRows  int // MaxRows, or fewer in a test
}

// New returns the service over a migrated store and names itself to jobs as the one that reads logs.
func New(s *store.Store, orders *issuance.Service, products *product.Service, jobs *job.Runner) *Service {
	f := &Service{store: s, orders: orders, products: products, jobs: jobs, now: time.Now, maxRows: MaxRows}
	jobs.Handle(jobKind, access.WriteBurnLog, f.read)
	return f
}

// Add takes the burn log of an issued order in: CSV with product id, MAC, result, time and station, in this order or under
// these names in the first row. A job reads it. A file that is there already is not read again: Add returns its log.
func (s *Service) Add(ctx context.Context, who access.Actor, order, name string, body io.Reader) (Log, error) {
	if err := who.Check(access.WriteBurnLog); err != nil {
		return Log{}, err
	}
	if utf8.RuneCountInString(name) > 100 || strings.ContainsFunc(name, unicode.IsControl) || !utf8.ValidString(name) {
		return Log{}, fault.Invalid("name", name, "at most 100 characters, no control characters", "correct it")
	}
	o, err := s.orders.Load(ctx, who, order)
	if err != nil {
		return Log{}, err
	}
	if o.State != issuance.StateIssued {
		return Log{}, fault.Closed("burn log", string(o.State), o.Open(who))
	}
	l := Log{
		ID: uuid.Must(uuid.NewV7()).String(), Order: o.ID, Product: o.Product, Organisation: o.Organisation, Name: name, State: Uploading,
		CreatedBy: person(who), CreatedAt: at(s.now().UnixMilli()),
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if err := s.forgetStale(ctx, tx, o.Organisation); err != nil {
			return err
		}
		if err := admit(ctx, tx, o.Organisation); err != nil {
			return err
		}
		return insertLog(ctx, tx, &l)
	})
	if err != nil {
		return Log{}, err
	}
	if l.hash, err = s.keep(ctx, &l, body); err != nil {
		return Log{}, errors.Join(err, s.forget(context.WithoutCancel(ctx), l.ID))
	}
	known, err := s.begin(ctx, who, &l)
	if err != nil {
		return Log{}, err
	}
	if known != "" {
		if err := s.forget(ctx, l.ID); err != nil {
			return Log{}, err
		}
		return s.Load(ctx, who, known)
	}
	return l, nil
}

// begin hands a log to a job, unless the same file is known: then it gives that log.
func (s *Service) begin(ctx context.Context, who access.Actor, l *Log) (known string, err error) {
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		err := tx.QueryRow(ctx, "SELECT id FROM factory_log WHERE batch = ? AND hash = ? AND state IN ('checking', 'done') LIMIT 1", l.Order, l.hash).Scan(&known)
		if err == nil {
			return nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("looking for the same file: %w", err)
		}
		j, err := s.jobs.Submit(ctx, tx, access.System("factory", l.Organisation), job.Spec{Kind: jobKind, Object: l.ID})
		if err != nil {
			return fmt.Errorf("handing burn log %s to a job: %w", l.ID, err)
		}
		l.Job, l.State = j.ID, Checking
		if _, err := tx.Exec(ctx, "UPDATE factory_log SET state = ?, hash = ?, job = ? WHERE id = ?", l.State, l.hash, l.Job, l.ID); err != nil {
			return fmt.Errorf("handing burn log %s to a job: %w", l.ID, err)
		}
		return audit.Record(ctx, tx, who, "burn_log.add", l.ID, "order "+l.Order)
	})
	return known, err
}

// keep stores a file block by block, so that a job finds it after a restart, too, and gives its hash.
func (s *Service) keep(ctx context.Context, l *Log, body io.Reader) (string, error) {
	buf, hash := make([]byte, blockSize), sha256.New()
	for seq, total := 0, 0; ; seq++ {
		n, err := io.ReadFull(body, buf)
		if total += n; total > MaxBytes {
			return "", fault.TooLarge("the burn log", int64(total), MaxBytes)
		}
		if seq == 0 {
			if err := isText(buf[:n]); err != nil {
				return "", err
			}
		}
		hash.Write(buf[:n])
		if n > 0 {
			werr := s.store.Write(ctx, func(tx *store.Tx) error {
				if err := quota.Take(ctx, tx, quota.Organisation(l.Organisation), quota.Storage, int64(n)); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "INSERT INTO factory_upload (log, seq, bytes) VALUES (?, ?, ?)", l.ID, seq, buf[:n])
				return err
			})
			if werr != nil {
				return "", fmt.Errorf("storing a burn log: %w", werr)
			}
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return hex.EncodeToString(hash.Sum(nil)), nil
		case err != nil:
			return "", fmt.Errorf("receiving a burn log: %w", err)
		}
	}
}

// isText refuses a file by its first block that has no row, or is none of text.
func isText(head []byte) error {
	const rule = "CSV with one row for each triple that was burned"
	switch {
	case len(bytes.Trim(head, "\ufeff \t\r\n")) == 0:
		return fault.Invalid("file", "", rule, "")
	case blob.Sniff(head) != "" || bytes.IndexByte(head, 0) >= 0:
		return fault.Invalid("file", "no text", rule, "save it as CSV in UTF-8 or GB18030")
	}
	return nil
}

// forget removes a log whose file did not come in, or is known.
func (s *Service) forget(ctx context.Context, log string) error {
	return s.store.Write(ctx, func(tx *store.Tx) error { return drop(ctx, tx, log) })
}

// forgetStale removes what a program that was killed left of files that were coming in.
func (s *Service) forgetStale(ctx context.Context, tx *store.Tx, organisation string) error {
	before := s.now().Add(-stale).UnixMilli()
	for {
		var log string
		err := tx.QueryRow(ctx, "SELECT id FROM factory_log WHERE organisation = ? AND state = 'uploading' AND created_at < ? LIMIT 1", organisation, before).Scan(&log)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for files that broke off: %w", err)
		}
		if err := drop(ctx, tx, log); err != nil {
			return err
		}
	}
}

// Load returns a log that who sees.
func (s *Service) Load(ctx context.Context, who access.Actor, id string) (l Log, err error) {
	if err := who.Check(access.ReadBurnLog); err != nil {
		return l, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		l, err = load(ctx, v, who, id)
		return err
	})
	return l, err
}

// Owner gives the organisation of a log, for the check before a request is looked at.
func (s *Service) Owner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.store, "burn log", "SELECT organisation FROM factory_log WHERE id = ?", id)
}

// List returns a page of the logs of who's organisation, or of all if who sees all, the newest first. Filters are order, and
// organisation for who sees all.
func (s *Service) List(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Log], err error) {
	if err := who.Check(access.ReadBurnLog); err != nil {
		return page, err
	}
	if !who.Everywhere() {
		if who.Organisation == "" {
			return page, fault.Forbidden(string(access.ReadBurnLog), "an organisation to act for")
		}
		ask.Filters = map[string]string{"organisation": who.Organisation, "order": ask.Filters["order"]}
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = logs.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Flaws returns a page of the rows of a log that were not taken, by line.
func (s *Service) Flaws(ctx context.Context, who access.Actor, log string, ask listing.Ask) (page listing.Page[Flaw], err error) {
	if _, err := s.Load(ctx, who, log); err != nil {
		return page, err
	}
	ask.Filters = map[string]string{"log": log}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = flaws.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Burns returns a page of what is known of the addresses of an order, by address. The filter is result.
func (s *Service) Burns(ctx context.Context, who access.Actor, order string, ask listing.Ask) (page listing.Page[Burn], err error) {
	if _, err := s.order(ctx, who, order); err != nil {
		return page, err
	}
	ask.Filters = map[string]string{"order": order, "result": ask.Filters["result"]}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = burns.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// Status tells how far an order is burned.
func (s *Service) Status(ctx context.Context, who access.Actor, order string) (Status, error) {
	o, err := s.order(ctx, who, order)
	if err != nil {
		return Status{}, err
	}
	st := Status{Quantity: o.Quantity}
	err = s.store.Read(ctx, func(v *store.View) error {
		for result, n := range map[Result]*int{ResultBurned: &st.Burned, ResultFailed: &st.Failed} {
			if err := v.QueryRow(ctx, "SELECT COUNT(*) FROM factory_burn WHERE batch = ? AND result = ?", order, result).Scan(n); err != nil {
				return fmt.Errorf("counting what was burned of order %s: %w", order, err)
			}
		}
		return nil
	})
	st.Missing = st.Quantity - st.Burned - st.Failed
	return st, err
}

// Missing lists addresses of an order that nobody has said anything of, from its row number on, limit at most; next is where
// the following page begins, 0 after the last.
func (s *Service) Missing(ctx context.Context, who access.Actor, order string, row, limit int) (macs []triple.MAC, next int, err error) {
	if _, err := s.order(ctx, who, order); err != nil {
		return nil, 0, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		a, err := s.orders.Addresses(ctx, v, who, order)
		if err != nil {
			return err
		}
		const atOnce = 2000
		for at := row; at < a.Quantity; {
			part, err := a.Rows(ctx, v, at, min(atOnce, a.Quantity-at))
			if err != nil {
				return err
			}
			if len(part) == 0 {
				return nil
			}
			known, err := between(ctx, v, order, part[0].Uint64(), part[len(part)-1].Uint64())
			if err != nil {
				return err
			}
			for _, mac := range part {
				if !known[mac.Uint64()] {
					if len(macs) == limit {
						next = at
						return nil
					}
					macs = append(macs, mac)
				}
				at++
			}
		}
		return nil
	})
	return macs, next, err
}

// order loads an order for who may read burn logs.
func (s *Service) order(ctx context.Context, who access.Actor, id string) (issuance.Order, error) {
	if err := who.Check(access.ReadBurnLog); err != nil {
		return issuance.Order{}, err
	}
	return s.orders.Load(ctx, who, id)
}

func person(who access.Actor) string {
	if who.User != "" {
		return who.User
	}
	return who.ID
}

// at is the time of a column; zero for zero.
func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
