package factory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/issuance"
	"lampworks/triple"
)

const (
	chunk    = 2000           // rows of one transaction
	patience = 12             // starts of a job that finds something unavailable
	ahead    = 24 * time.Hour // by which the clock of a station may be wrong
)

// read is the job of a log. It may run again after a crash: what it took then it finds.
func (s *Service) read(ctx context.Context, t *job.Task) error {
	system := access.System("factory", t.Job.Organisation)
	var l Log
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		l, err = load(ctx, v, system, t.Job.Object)
		return err
	})
	if err != nil || l.State != Checking {
		return err
	}
	l.Lines, l.Burned, l.Failed, l.Repeated, l.Doubled, l.Foreign, l.Wrong = 0, 0, 0, 0, 0, 0, 0
	err = s.check(ctx, t, system, &l)
	quiet := context.WithoutCancel(ctx)
	switch {
	case err == nil:
		return s.end(ctx, system, &l, Done, "")
	case errors.Is(err, job.ErrCancelled), errors.Is(context.Cause(ctx), job.ErrCancelled):
		return errors.Join(job.ErrCancelled, s.end(quiet, system, &l, Cancelled, "its job was cancelled; what was read until then was taken"))
	case ctx.Err() != nil, fault.Is(err, fault.Down) && t.Job.Attempts < patience:
		return err
	}
	reason := "it could not be read; the log of the program says more"
	if f := fault.Of(err); f != nil {
		reason = f.Sentence()
	}
	return errors.Join(err, s.end(quiet, system, &l, Failed, reason))
}

// check reads the rows of a log, chunk by chunk.
func (s *Service) check(ctx context.Context, t *job.Task, system access.Actor, l *Log) error {
	p, err := s.products.Load(ctx, system, l.Product)
	if err != nil {
		return fmt.Errorf("loading product %s: %w", l.Product, err)
	}
	r := &reader{s: s, t: t, l: l, product: p.ProductID, columns: [5]int{0, 1, 2, 3, 4}, latest: s.now().Add(ahead)}
	err = s.store.Read(ctx, func(v *store.View) (err error) {
		r.of, err = s.orders.Addresses(ctx, v, system, l.Order)
		return err
	})
	if err != nil {
		return err
	}
	err = triple.ReadLines(&blocks{ctx: ctx, s: s, log: l.ID}, func(line int, cells []string) error { return r.row(ctx, line, cells) })
	if err != nil {
		if fault.Of(err) == nil && ctx.Err() == nil && !errors.Is(err, job.ErrCancelled) {
			err = fault.Invalid("file", "unreadable", "CSV", err.Error())
		}
		if ctx.Err() == nil && !fault.Is(err, fault.Down) {
			err = errors.Join(err, r.flush(ctx)) // what was read before it is taken
		}
		return err
	}
	return r.flush(ctx)
}

// end is the transaction from which a log has ended.
func (s *Service) end(ctx context.Context, system access.Actor, l *Log, to State, reason string) error {
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		res, err := tx.Exec(ctx, `
			UPDATE factory_log
			SET state = ?, reason = ?, lines = ?, burned = ?, failed = ?, repeated = ?, doubled = ?, strange = ?, wrong = ?, ended_at = ?
			WHERE id = ? AND state = 'checking'`,
			to, reason, l.Lines, l.Burned, l.Failed, l.Repeated, l.Doubled, l.Foreign, l.Wrong, s.now().UnixMilli(), l.ID)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, fault.Stale("burn log", l.ID))
		}
		if err := dropUpload(ctx, tx, l.ID); err != nil {
			return err
		}
		return audit.Record(ctx, tx, system, "burn_log."+string(to), l.ID, fmt.Sprintf("%d burned, %d failed, %d not taken", l.Burned, l.Failed, l.Doubled+l.Foreign+l.Wrong))
	})
	if err != nil {
		return fmt.Errorf("ending burn log %s: %w", l.ID, err)
	}
	return nil
}

// blocks reads a stored file.
type blocks struct {
	ctx  context.Context //nolint:containedctx // an io.Reader for the time of one call
	s    *Service
	log  string
	seq  int
	rest []byte
}

// Read implements io.Reader.
func (b *blocks) Read(p []byte) (int, error) {
	if len(b.rest) == 0 {
		err := b.s.store.Read(b.ctx, func(v *store.View) error {
			return v.QueryRow(b.ctx, "SELECT bytes FROM factory_upload WHERE log = ? AND seq = ?", b.log, b.seq).Scan(&b.rest)
		})
		if errors.Is(err, store.ErrNoRows) {
			return 0, io.EOF
		}
		if err != nil {
			return 0, fault.Unavailable("the file cannot be read now", err)
		}
		b.seq++
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	return n, nil
}

// reader takes the rows of a log; used by one goroutine.
type reader struct {
	s       *Service
	t       *job.Task
	l       *Log
	of      issuance.Addresses
	product triple.ProductID
	columns [5]int // where product id, MAC, result, time and station stand
	latest  time.Time
	rows    int // that were not empty
	waiting []said
}

// said is a row that can be read, or why it cannot.
type said struct {
	Burn
	got, rule string
}

// row reads one row of the file.
func (r *reader) row(ctx context.Context, line int, cells []string) error {
	if strings.TrimSpace(strings.Join(cells, "")) == "" {
		return nil
	}
	if r.rows++; r.rows == 1 && r.heading(cells) {
		return nil
	}
	if r.l.Lines++; r.l.Lines > r.s.maxRows {
		return fault.Limit("rows of the burn log", strconv.Itoa(r.l.Lines), strconv.Itoa(r.s.maxRows), 0)
	}
	row := said{Burn: Burn{Line: line, Log: r.l.ID}}
	row.got, row.rule = r.parse(&row.Burn, cells)
	if r.waiting = append(r.waiting, row); len(r.waiting) < chunk {
		return nil
	}
	return r.flush(ctx)
}

// headings are the names of the columns, in their order.
func headings() [5][]string {
	return [5][]string{
		{"product_id", "product id", "pid", "产品id"},
		{"mac", "mac address", "mac_address", "mac lower", "mac地址"},
		{"result", "status", "结果"},
		{"time", "at", "burned_at", "时间"},
		{"station", "工位", "line"},
	}
}

// heading reports whether the first row names the columns, and finds them.
func (r *reader) heading(cells []string) bool {
	columns := [5]int{-1, -1, -1, -1, -1}
	found := 0
	for i, c := range cells {
		c = strings.ToLower(strings.TrimSpace(c))
		for j, names := range headings() {
			for _, name := range names {
				if c == name && columns[j] < 0 {
					columns[j] = i
					found++
				}
			}
		}
	}
	if columns[1] < 0 || found < 2 {
		return false
	}
	r.columns = columns
	return true
}

// parse reads the cells of a row, or says what is wrong with which.
func (r *reader) parse(b *Burn, cells []string) (got, rule string) {
	cell := func(i int) string {
		if c := r.columns[i]; c >= 0 && c < len(cells) {
			return strings.TrimSpace(cells[c])
		}
		return ""
	}
	mac, err := triple.ParseMAC(cell(1))
	if err != nil {
		got := cell(1)
		if got == "" && len(cells) == 1 && cells[0] != r.product.String() { // no row at all
			got = cells[0]
		}
		return got, "a MAC of twelve hexadecimal digits"
	}
	b.MAC = mac
	if pid, err := triple.ParseProductID(cell(0)); r.columns[0] >= 0 && (err != nil || pid != r.product) {
		return cell(0), "the product id " + r.product.String() + " of the order"
	}
	switch strings.ToLower(cell(2)) {
	case "burned", "pass", "passed", "ok", "success", "1", "成功", "通过":
		b.Result = ResultBurned
	case "failed", "fail", "ng", "error", "0", "失败", "不通过":
		b.Result = ResultFailed
	default:
		return cell(2), "pass or fail"
	}
	when, ok := parseTime(cell(3))
	if !ok || when.After(r.latest) || when.Year() < 2000 {
		return cell(3), "a time that has come, as 2026-01-02T15:04:05Z"
	}
	b.At, b.Station = when, cell(4)
	if len(b.Station) > 100 || strings.ContainsFunc(b.Station, func(c rune) bool { return c < ' ' }) {
		return b.Station, "a station of at most 100 bytes"
	}
	if strings.ContainsRune(b.Station, utf8.RuneError) {
		return b.Station, "a station in UTF-8 or GB18030"
	}
	return "", ""
}

// parseTime reads what stations write: RFC 3339, the same without a zone (UTC), or milliseconds since 1970.
func parseTime(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006/01/02 15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), true
		}
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(ms).UTC(), err == nil && ms > 0
}

// flush takes the rows that wait, in one transaction.
func (r *reader) flush(ctx context.Context) error {
	counted := *r.l
	err := r.s.store.Write(ctx, func(tx *store.Tx) error {
		for i := range r.waiting {
			if err := r.take(ctx, tx, &counted, &r.waiting[i]); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, "UPDATE factory_log SET lines = ?, burned = ?, failed = ?, repeated = ?, doubled = ?, strange = ?, wrong = ? WHERE id = ?",
			counted.Lines, counted.Burned, counted.Failed, counted.Repeated, counted.Doubled, counted.Foreign, counted.Wrong, counted.ID)
		if err != nil {
			return fmt.Errorf("noting how far burn log %s is read: %w", counted.ID, err)
		}
		return r.t.Progress(ctx, tx, int64(counted.Lines), 0)
	})
	if err != nil {
		return err
	}
	*r.l, r.waiting = counted, r.waiting[:0]
	return nil
}

// take takes one row, or names it.
func (r *reader) take(ctx context.Context, tx *store.Tx, l *Log, row *said) error {
	if row.rule != "" {
		l.Wrong++
		return r.flaw(ctx, tx, l, row, Wrong, row.got, row.rule)
	}
	mine, err := r.of.Has(ctx, tx, row.MAC)
	if err != nil {
		return err
	}
	if !mine {
		l.Foreign++
		rule, err := r.whose(ctx, tx, l, row.MAC)
		if err != nil {
			return err
		}
		return r.flaw(ctx, tx, l, row, Foreign, row.MAC.String(), rule)
	}
	was, known, err := find(ctx, tx, l.Order, row.MAC)
	if err != nil {
		return err
	}
	switch {
	case known && was.Log == l.ID && was.Line >= row.Line: // an earlier run of this job took it, or what came behind it
		r.count(l, row.Result)
		return nil
	case known && was.Result == row.Result && was.At.Equal(row.At) && was.Station == row.Station:
		l.Repeated++
		return nil
	case known && was.Result == ResultBurned:
		l.Doubled++
		return r.flaw(ctx, tx, l, row, Double, row.MAC.String(), fmt.Sprintf("an address that is burned once; line %d of log %s burned it at %s, station %q",
			was.Line, was.Log, fault.Stamp(was.At), was.Station))
	}
	r.count(l, row.Result)
	return put(ctx, tx, l.Order, &row.Burn)
}

func (r *reader) count(l *Log, result Result) {
	if result == ResultBurned {
		l.Burned++
	} else {
		l.Failed++
	}
}

// whose says why an address is not of the order.
func (r *reader) whose(ctx context.Context, tx *store.Tx, l *Log, mac triple.MAC) (string, error) {
	other, err := r.s.orders.OrderOf(ctx, tx, access.System("factory", l.Organisation), mac)
	switch {
	case err != nil:
		return "", err
	case other != "":
		return "an address of this order; it is of order " + other, nil
	}
	return "an address of this order; it is of none of the organisation", nil
}

// flaw keeps a row that was not taken, if not too many were kept.
func (r *reader) flaw(ctx context.Context, tx *store.Tx, l *Log, row *said, kind Kind, got, rule string) error {
	if l.Doubled+l.Foreign+l.Wrong > maxFlaws {
		return nil
	}
	f := Flaw{Line: row.Line, Kind: kind, Got: fault.Cut(got), Rule: rule}
	_, err := tx.Exec(ctx, "INSERT INTO factory_flaw (log, line, kind, got, rule) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", l.ID, f.Line, f.Kind, f.Got, f.Rule)
	if err != nil {
		return fmt.Errorf("keeping line %d of burn log %s: %w", row.Line, l.ID, err)
	}
	return nil
}
