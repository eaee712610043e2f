package issuance

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
	"lampworks/triple"
)

// Limits of a list of addresses.
const (
	MaxList      = 1_000_000 // the most addresses of one list
	MaxListBytes = 64 << 20  // the most bytes of its file

	listKind    = "issuance.list"
	blockSize   = 256 << 10 // bytes of a file that one transaction stores
	reportAt    = 1000      // bad rows that are kept with their line
	staleUpload = time.Hour // after which a file that broke off is forgotten
)

// A ListState is where a list of addresses stands.
type ListState string

// The states. A list that is ready goes back and forth no more.
const (
	ListUploading ListState = "uploading" // its file is coming in
	ListChecking  ListState = "checking"  // a job reads it
	ListReady     ListState = "ready"     // orders may take from it
	ListRefused   ListState = "refused"   // Report says why; none of its addresses is kept
	ListCancelled ListState = "cancelled" // nor here
	ListFailed    ListState = "failed"    // nor here; Reason says why
)

// A BadRow is a row of a file that was refused.
type BadRow struct {
	Line  int    `json:"line"` // of the file, from 1
	Value string `json:"value"`
	Rule  string `json:"rule"`
}

// A MACList is addresses that a maker brings for orders of their own: all that an order takes from it at once belongs to that
// order, from the lowest on.
type MACList struct {
	ID           string
	Organisation string
	Name         string
	State        ListState
	Reason       string
	Total        int      // addresses
	Left         int      // of them, that no order has
	Order        string   // that takes from it at this moment; empty: none
	Bad          int      // rows that were refused
	Report       []BadRow // the first 1,000 of them
	Job          string   // that reads it
	CreatedBy    string
	CreatedAt    time.Time

	number int64
	used   int
}

var macLists = listing.List[MACList]{
	Object:  "MAC list",
	Columns: listColumns,
	From:    "mac_list l",
	Key:     "l.id",
	Newest:  true,
	Fields:  []listing.Field{{Name: "organisation", Column: "l.organisation"}},
	Ways:    []listing.Way{{Filters: []string{"organisation"}}, {}},
	Scan:    func(row listing.Scanner) (MACList, error) { return scanList(row) },
}

const listColumns = `l.number, l.id, l.organisation, l.name, l.state, l.reason, l.total, l.used, l.batch, l.bad, l.report, l.job, l.created_by, l.created_at`

func scanList(row scanner) (MACList, error) {
	var l MACList
	var created int64
	var report string
	err := row.Scan(&l.number, &l.ID, &l.Organisation, &l.Name, &l.State, &l.Reason, &l.Total, &l.used, &l.Order, &l.Bad, &report, &l.Job, &l.CreatedBy, &created)
	if err != nil {
		return l, err
	}
	l.CreatedAt, l.Left = at(created), l.Total-l.used
	if report != "" {
		err = json.Unmarshal([]byte(report), &l.Report)
	}
	return l, err
}

// AddList takes a file of addresses in: CSV or text with one a line, or a workbook with them in a column; by the name mac, or
// else the first. A job checks it; see [MACList]. What is refused later is refused as a whole.
func (s *Service) AddList(ctx context.Context, who access.Actor, name string, body io.Reader) (MACList, error) {
	if err := who.Check(access.IssueTriples); err != nil {
		return MACList{}, err
	}
	if who.Organisation == "" {
		return MACList{}, fault.Forbidden(string(access.IssueTriples), "an organisation to act for")
	}
	if c := utf8.RuneCountInString(name); c < 1 || c > 100 || !plain(name) || strings.Contains(name, "\n") {
		return MACList{}, fault.Invalid("name", name, "1 to 100 characters, no control characters", "correct it")
	}
	l := MACList{ID: newID(), Organisation: who.Organisation, Name: name, State: ListUploading, CreatedBy: person(who), CreatedAt: at(s.now().UnixMilli())}
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		if err := s.forgetStale(ctx, tx, who.Organisation); err != nil {
			return err
		}
		if err := admit(ctx, tx, who.Organisation); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `INSERT INTO mac_list (id, organisation, name, state, reason, total, used, batch, bad, report, job, created_by, created_at)
			VALUES (?, ?, ?, ?, '', 0, 0, '', 0, '', '', ?, ?) RETURNING number`,
			l.ID, l.Organisation, l.Name, l.State, l.CreatedBy, l.CreatedAt.UnixMilli()).Scan(&l.number)
	})
	if err != nil {
		return MACList{}, fmt.Errorf("adding a list of addresses: %w", err)
	}
	if err := s.storeFile(ctx, &l, body); err != nil {
		return MACList{}, errors.Join(err, s.forget(context.WithoutCancel(ctx), l.number))
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		j, err := s.jobs.Submit(ctx, tx, who, job.Spec{Kind: listKind, Object: l.ID})
		if err != nil {
			return fmt.Errorf("handing list %s to a job: %w", l.ID, err)
		}
		l.Job, l.State = j.ID, ListChecking
		if _, err := tx.Exec(ctx, "UPDATE mac_list SET state = ?, job = ? WHERE number = ?", l.State, l.Job, l.number); err != nil {
			return fmt.Errorf("handing list %s to a job: %w", l.ID, err)
		}
		return audit.Record(ctx, tx, who, "mac_list.add", l.ID, "")
	})
	return l, err
}

// storeFile keeps a file block by block, so that a job finds it after a restart, too.
func (s *Service) storeFile(ctx context.Context, l *MACList, body io.Reader) error {
	buf := make([]byte, blockSize)
	for seq, total := 0, 0; ; seq++ {
		n, err := io.ReadFull(body, buf)
		if total += n; total > MaxListBytes {
			return fault.TooLarge("the list", int64(total), MaxListBytes)
		}
		if n > 0 {
			werr := s.store.Write(ctx, func(tx *store.Tx) error {
				if err := quota.Take(ctx, tx, quota.Organisation(l.Organisation), quota.Storage, int64(n)); err != nil {
					return err
				}
				_, err := tx.Exec(ctx, "INSERT INTO issuance_upload (list, seq, bytes) VALUES (?, ?, ?)", l.number, seq, buf[:n])
				return err
			})
			if werr != nil {
				return fmt.Errorf("storing a list of addresses: %w", werr)
			}
		}
		switch {
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("receiving a list of addresses: %w", err)
		}
	}
}

// forget removes a list whose file did not come in.
func (s *Service) forget(ctx context.Context, number int64) error {
	return s.store.Write(ctx, func(tx *store.Tx) error { return forgetList(ctx, tx, number) })
}

// forgetStale removes what a program that was killed left of files that were coming in.
func (s *Service) forgetStale(ctx context.Context, tx *store.Tx, organisation string) error {
	before := s.now().Add(-staleUpload).UnixMilli()
	for {
		var number int64
		err := tx.QueryRow(ctx, "SELECT number FROM mac_list WHERE organisation = ? AND state = 'uploading' AND created_at < ? LIMIT 1", organisation, before).Scan(&number)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("looking for files that broke off: %w", err)
		}
		if err := forgetList(ctx, tx, number); err != nil {
			return err
		}
	}
}

// Lists returns a page of the lists of who's organisation, or of all if who sees all, the newest first.
func (s *Service) Lists(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[MACList], err error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return page, err
	}
	if ask, err = scoped(who, ask); err != nil {
		return page, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = macLists.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// LoadList returns a list that who sees.
func (s *Service) LoadList(ctx context.Context, who access.Actor, id string) (l MACList, err error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return l, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		l, err = loadList(ctx, v, who, id)
		return err
	})
	return l, err
}

func loadList(ctx context.Context, q store.Querier, who access.Actor, id string) (MACList, error) {
	query, args := "SELECT "+listColumns+" FROM mac_list l WHERE l.id = ?", []any{id}
	if !who.Everywhere() {
		query, args = query+" AND l.organisation = ?", append(args, who.Organisation)
	}
	l, err := scanList(q.QueryRow(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) || err == nil && l.Organisation == "" {
		return MACList{}, fault.NotFound("MAC list", id)
	}
	if err != nil {
		return MACList{}, fmt.Errorf("reading list %s: %w", id, err)
	}
	return l, nil
}

// reserve gives an order the next addresses of a list; of two orders at once the second is refused.
func (s *Service) reserve(ctx context.Context, tx *store.Tx, who access.Actor, o *Order, list string) error {
	if list == "" {
		return nil
	}
	l, err := loadList(ctx, tx, who, list)
	switch {
	case err != nil:
		return err
	case l.State != ListReady:
		return fault.Closed[Act]("order from the list", string(l.State), nil)
	case l.Order != "":
		return fault.Conflict("/mac_list", "order "+l.Order+" takes from this list at this moment")
	case l.Left < o.Quantity:
		return fault.Limit("/quantity", fmt.Sprint(o.Quantity), fmt.Sprintf("the %d addresses that the list has left", l.Left), 0)
	}
	o.List, o.list, o.listFrom = l.ID, l.number, l.used
	return setList(ctx, tx, l.number, l.used+o.Quantity, o.ID)
}

// releaseList lets others take from the list of an order that was issued.
func releaseList(ctx context.Context, tx *store.Tx, o *Order) error {
	return setList(ctx, tx, o.list, o.listFrom+o.Quantity, "")
}

// giveBackToList returns the addresses of an order that it has not handed on.
func giveBackToList(ctx context.Context, tx *store.Tx, o *Order) error {
	return setList(ctx, tx, o.list, o.listFrom+o.Done, "")
}

func setList(ctx context.Context, tx *store.Tx, number int64, used int, order string) error {
	if _, err := tx.Exec(ctx, "UPDATE mac_list SET used = ?, batch = ? WHERE number = ?", used, order, number); err != nil {
		return fmt.Errorf("taking addresses of list %d: %w", number, err)
	}
	return nil
}

// listedBetween gives an address between two that a list has, if there is one.
func listedBetween(ctx context.Context, q store.Querier, first, last uint64) (string, error) {
	var low, high uint64
	err := q.QueryRow(ctx, "SELECT first, last FROM issuance_mac WHERE last >= ? ORDER BY last LIMIT 1", first).Scan(&low, &high)
	if errors.Is(err, sql.ErrNoRows) || err == nil && low > last {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking for a list that has addresses from %s: %w", triple.MACOf(first), err)
	}
	return triple.MACOf(max(low, first)).String(), nil
}
