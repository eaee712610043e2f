package issuance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
	"lampworks/triple"
)

// readList is the job of a list: it reads the file, says what is wrong with it, and takes its addresses if nothing is. It
// begins anew after a restart.
func (s *Service) readList(ctx context.Context, t *job.Task) error {
	system := access.System("issuance", t.Job.Organisation)
	var l MACList
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		l, err = loadList(ctx, v, system, t.Job.Object)
		return err
	})
	if err != nil || l.State != ListChecking {
		return err
	}
	if err := s.dropMACs(ctx, l.number); err != nil { // of an earlier start
		return err
	}
	err = s.checkList(ctx, t, system, &l)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, job.ErrCancelled), errors.Is(context.Cause(ctx), job.ErrCancelled):
		err := s.endList(context.WithoutCancel(ctx), system, &l, ListCancelled, "its job was cancelled", nil)
		return errors.Join(job.ErrCancelled, err)
	case ctx.Err() != nil, fault.Is(err, fault.Down) && t.Job.Attempts < patience:
		return err
	}
	return errors.Join(err, s.endList(context.WithoutCancel(ctx), system, &l, ListFailed, sentence(err), nil))
}

// checkList reads and takes a list.
func (s *Service) checkList(ctx context.Context, t *job.Task, system access.Actor, l *MACList) error {
	r := &reader{macs: make([]listed, 0, 1024)}
	if err := s.readFile(ctx, l.number, r.row); err != nil {
		return err
	}
	r.distinct()
	if len(r.macs) == 0 && r.bad.count == 0 {
		r.bad.add(1, "", "a MAC address on a line")
	}
	if err := s.progress(ctx, t, 0, len(r.macs)); err != nil {
		return err
	}
	if r.bad.count == 0 {
		if err := s.takeMACs(ctx, t, l, r); err != nil {
			return err
		}
	}
	if r.bad.count > 0 {
		return s.endList(ctx, system, l, ListRefused, fmt.Sprintf("%d rows are wrong", r.bad.count), &r.bad)
	}
	return s.readyList(ctx, system, l, len(r.macs))
}

func (s *Service) progress(ctx context.Context, t *job.Task, done, total int) error {
	return s.store.Write(ctx, func(tx *store.Tx) error { return t.Progress(ctx, tx, int64(done), int64(total)) })
}

// readFile hands the rows of a stored file on.
func (s *Service) readFile(ctx context.Context, list int64, row func(line int, cells []string) error) error {
	var file bytes.Buffer
	for seq := 0; ; seq++ {
		var block []byte
		err := s.store.Read(ctx, func(v *store.View) error {
			return v.QueryRow(ctx, "SELECT bytes FROM issuance_upload WHERE list = ? AND seq = ?", list, seq).Scan(&block)
		})
		if errors.Is(err, store.ErrNoRows) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading block %d of a file: %w", seq, err)
		}
		file.Write(block)
	}
	err := triple.ReadCells(bytes.NewReader(file.Bytes()), int64(file.Len()), false, row)
	if err != nil && !errors.Is(err, errTooMany) && fault.Of(err) == nil {
		return fault.Invalid("file", "unreadable", "CSV, text or a workbook (.xlsx)", err.Error())
	}
	return err
}

// errTooMany ends the reading of a file that is too long.
var errTooMany = fault.Limit("addresses of the list", "more", fmt.Sprint(MaxList), 0)

// listed is an address and where it stands in the file.
type listed struct {
	mac  uint64
	line int32
}

// flaws are the bad rows of a file: all are counted, the first are kept.
type flaws struct {
	count int
	rows  []BadRow
}

func (f *flaws) add(line int, value, rule string) {
	if f.count++; len(f.rows) < reportAt {
		f.rows = append(f.rows, BadRow{Line: line, Value: fault.Cut(value), Rule: rule})
	}
}

// reader gathers the addresses of a file.
type reader struct {
	column int // that has them
	rows   int // that were not empty
	macs   []listed
	bad    flaws
}

// row takes one row of the file.
func (r *reader) row(line int, cells []string) error {
	if len(cells) == 0 || strings.TrimSpace(strings.Join(cells, "")) == "" || strings.HasPrefix(cells[0], "#") {
		return nil
	}
	r.rows++
	if r.rows == 1 && r.heading(cells) {
		return nil
	}
	if len(r.macs) == MaxList {
		return errTooMany
	}
	value := ""
	if r.column < len(cells) {
		value = strings.TrimSpace(cells[r.column])
	}
	mac, err := triple.ParseMAC(value)
	switch {
	case err != nil:
		r.bad.add(line, value, "twelve hexadecimal digits, bare or parted by : or -")
	case mac[0]&1 != 0:
		r.bad.add(line, value, "the address of one device: its first octet must be even")
	case mac[0]&2 != 0:
		r.bad.add(line, value, "an address of a block that the IEEE has assigned: bit 1 of its first octet must be 0")
	case mac.Uint64()>>24 == 0:
		r.bad.add(line, value, "an address of a block that the IEEE has assigned to the maker")
	default:
		r.macs = append(r.macs, listed{mac.Uint64(), int32(line)})
	}
	return nil
}

// heading reports whether the first row names columns, and finds the one of the addresses.
func (r *reader) heading(cells []string) bool {
	for i, c := range cells {
		switch strings.ToLower(strings.Trim(c, " \ufeff\"")) {
		case "mac", "mac address", "mac_address", "mac lower", "mac地址":
			r.column = i
			return true
		}
	}
	_, err := triple.ParseMAC(strings.Trim(cells[0], " \ufeff"))
	return err != nil && !strings.ContainsAny(cells[0], "0123456789")
}

// distinct sorts the addresses and finds those that stand in the file twice.
func (r *reader) distinct() {
	slices.SortFunc(r.macs, func(a, b listed) int {
		if a.mac != b.mac {
			return compare(a.mac, b.mac)
		}
		return compare(a.line, b.line)
	})
	kept := r.macs[:0]
	for _, m := range r.macs {
		if n := len(kept); n > 0 && kept[n-1].mac == m.mac {
			r.bad.add(int(m.line), triple.MACOf(m.mac).String(), fmt.Sprintf("an address that the file has once; line %d has it, too", kept[n-1].line))
			continue
		}
		kept = append(kept, m)
	}
	r.macs = kept
}

func compare[T uint64 | int32](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// takeMACs writes the addresses of a list, run by run, each of its transactions looking whether anybody has them. It stops at
// the first chunk in which somebody does, and looks through the rest.
func (s *Service) takeMACs(ctx context.Context, t *job.Task, l *MACList, r *reader) error {
	for done := 0; done < len(r.macs); {
		part := r.macs[done:min(len(r.macs), done+chunk)]
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			all, err := pools(ctx, tx)
			if err != nil {
				return err
			}
			before := r.bad.count
			for _, m := range part {
				if rule, err := taken(ctx, tx, all, m.mac); err != nil {
					return err
				} else if rule != "" {
					r.bad.add(int(m.line), triple.MACOf(m.mac).String(), rule)
				}
			}
			if before == 0 && r.bad.count == 0 {
				if err := insertRuns(ctx, tx, l.number, done, part); err != nil {
					return err
				}
			}
			return t.Progress(ctx, tx, int64(done+len(part)), int64(len(r.macs)))
		})
		if err != nil {
			return fmt.Errorf("taking addresses of list %s: %w", l.ID, err)
		}
		done += len(part)
	}
	return nil
}

// taken says why an address cannot be a list's.
func taken(ctx context.Context, tx *store.Tx, all []pool, mac uint64) (rule string, err error) {
	for _, p := range all {
		if mac >= p.first && mac <= p.last {
			return "an address outside the blocks of the platform", nil
		}
	}
	other, err := listedBetween(ctx, tx, mac, mac)
	if other != "" {
		rule = "an address that no list has had"
	}
	return rule, err
}

// insertRuns writes addresses as runs of those that follow each other.
func insertRuns(ctx context.Context, tx *store.Tx, list int64, start int, macs []listed) error {
	return tx.Insert(ctx, "INSERT INTO issuance_mac (list, start, first, last)", func(yield func([]any) bool) {
		for i := 0; i < len(macs); {
			n := 1
			for i+n < len(macs) && macs[i+n].mac == macs[i].mac+uint64(n) {
				n++
			}
			if !yield([]any{list, start + i, int64(macs[i].mac), int64(macs[i].mac) + int64(n) - 1}) {
				return
			}
			i += n
		}
	})
}

// dropMACs removes the addresses of a list that did not become ready.
func (s *Service) dropMACs(ctx context.Context, list int64) error {
	for {
		var n int64
		err := s.store.Write(ctx, func(tx *store.Tx) error {
			res, err := tx.Exec(ctx, "DELETE FROM issuance_mac WHERE list = ? AND start IN (SELECT start FROM issuance_mac WHERE list = ? ORDER BY start LIMIT ?)", list, list, chunk)
			if err != nil {
				return err
			}
			n, err = res.RowsAffected()
			return err
		})
		if err != nil {
			return fmt.Errorf("removing the addresses of list %d: %w", list, err)
		}
		if n < chunk {
			return nil
		}
	}
}

// endList ends a list that orders cannot take from.
func (s *Service) endList(ctx context.Context, system access.Actor, l *MACList, to ListState, reason string, bad *flaws) error {
	if err := s.dropMACs(ctx, l.number); err != nil {
		return err
	}
	count, report := 0, ""
	if bad != nil {
		slices.SortStableFunc(bad.rows, func(a, b BadRow) int { return a.Line - b.Line })
		text, err := json.Marshal(bad.rows)
		if err != nil {
			return fmt.Errorf("encoding the report of list %s: %w", l.ID, err)
		}
		count, report = bad.count, string(text)
	}
	return s.closeList(ctx, system, l, "UPDATE mac_list SET state = ?, reason = ?, bad = ?, report = ? WHERE number = ? AND state = 'checking'",
		to, reason, count, report, l.number)
}

// readyList is the one transaction from which orders may take from a list.
func (s *Service) readyList(ctx context.Context, system access.Actor, l *MACList, total int) error {
	return s.closeList(ctx, system, l, "UPDATE mac_list SET state = ?, total = ? WHERE number = ? AND state = 'checking'", ListReady, total, l.number)
}

func (s *Service) closeList(ctx context.Context, system access.Actor, l *MACList, query string, args ...any) error {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, query, args...)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.Stale("MAC list", l.ID))
		}
		if err := dropUpload(ctx, tx, l.number); err != nil {
			return err
		}
		if args[0].(ListState) == ListReady {
			if err := quota.Take(ctx, tx, quota.Organisation(l.Organisation), quota.ListedMACs, int64(args[1].(int))); err != nil {
				return err
			}
		}
		return audit.Record(ctx, tx, system, "mac_list."+string(args[0].(ListState)), l.ID, "")
	})
	if err != nil {
		return fmt.Errorf("ending list %s: %w", l.ID, err)
	}
	return nil
}
