package issuance

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"filippo.io/age"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// A Format is what a download is written as.
type Format string

// The formats.
const (
	XLSX Format = "xlsx" // the workbook
	Age  Format = "age"  // the workbook, encrypted for one recipient (age-encryption.org/v1)
)

// grantTime is how long a file may be taken.
const grantTime = 30 * time.Minute

// A Download is the grant to take the triples of an order as one whole file, within 30 minutes, by the session or token that
// it was made with.
type Download struct {
	ID           string
	Order        string
	Organisation string
	Product      string // UUID
	Generation   uint32 // of every secret in it
	Format       Format
	Recipient    string // of Age
	Reason       string
	MadeBy       string // user
	CreatedAt    time.Time
	EndsAt       time.Time // no byte leaves after it
	Quantity     int       // triples in it
	Total        int       // triples of the order; what is missing is activated
	TakenAt      time.Time // its last byte has left; zero before
	VoidedAt     time.Time // it ended early, because triples of the order were revoked
	RevokedAt    time.Time // what it handed out is not in force any more

	holder string // of the grant
	form   string
	size   int64 // 0: not counted yet
}

// Open reports whether bytes of it may still be taken.
func (d *Download) Open(now time.Time) bool {
	ahead := d.EndsAt.Sub(now) > 2*grantTime // of a clock that ran ahead: it would be open for as much longer
	return d.TakenAt.IsZero() && d.VoidedAt.IsZero() && now.Before(d.EndsAt) && !ahead
}

// NewDownload is what a download is made of.
type NewDownload struct {
	Reason    string // 1 to 500 characters; it stays on record
	Format    Format // empty: XLSX
	Recipient string // of Age: age1…
}

func (n *NewDownload) check() error {
	if err := checkReason(n.Reason); err != nil {
		return err
	}
	switch n.Format {
	case "", XLSX:
		n.Format = XLSX
		if n.Recipient != "" {
			return fault.Invalid("/recipient", n.Recipient, `nothing, unless the format is "age"`, `send "format":"age"`)
		}
		return nil
	case Age:
		if _, err := age.ParseX25519Recipient(n.Recipient); err != nil {
			return fault.Invalid("/recipient", n.Recipient, "the public key of an age identity, age1…", "make one with age-keygen and keep the secret part")
		}
		return nil
	}
	return fault.Invalid("/format", string(n.Format), `"xlsx" or "age"`, "send one of the two")
}

// form names what the bytes of a workbook follow from, besides its triples: a file that one program began is not gone on with
// by another that compresses otherwise.
func form() string { return "1/" + runtime.Version() }

// holder names what a grant is good for.
func holder(who access.Actor) string {
	if who.Session != "" {
		return "session " + who.Session
	}
	return who.Kind + " " + who.ID
}

// Grant makes a download of an issued order. It hands out the next generation of secrets for every triple that no device has
// logged in with yet; what was handed out before stays good until a device logs in with either, or for 30 days.
func (s *Service) Grant(ctx context.Context, who access.Actor, order string, n NewDownload) (Download, error) {
	if err := who.Check(access.DownloadTriples); err != nil {
		return Download{}, err
	}
	if err := n.check(); err != nil {
		return Download{}, err
	}
	for range 3 { // two that meet find the same next generation; the second looks again
		d, err := s.grant(ctx, who, order, n)
		if !fault.Is(err, fault.Outdated) {
			return d, err
		}
	}
	return Download{}, fault.Stale("order", order)
}

func (s *Service) grant(ctx context.Context, who access.Actor, order string, n NewDownload) (Download, error) {
	var o Order
	var generation uint32
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		if o, err = load(ctx, v, who, order); err != nil {
			return err
		}
		if generation, err = s.downloadable(ctx, v, who, &o); err != nil {
			return err
		}
		left, err := countLeftOut(ctx, v, o.ID, generation)
		if err == nil && left == o.Quantity {
			err = fault.Conflict("order", "a device has logged in with every triple of this order: there is nothing to hand out again; to replace secrets, revoke them first")
		}
		return err
	})
	if err != nil {
		return Download{}, err
	}
	// Before it exists, so that restored data do not hand it out again.
	if err := s.keys.SetHighWater(orderMark+o.ID, uint64(generation)); err != nil {
		return Download{}, fmt.Errorf("noting generation %d of order %s beside the root key: %w", generation, o.ID, err)
	}
	now := s.now()
	d := Download{
		ID: newID(), Order: o.ID, Organisation: o.Organisation, Product: o.Product, Generation: generation, Format: n.Format,
		Recipient: n.Recipient, Reason: n.Reason, MadeBy: person(who), Total: o.Quantity, holder: holder(who), form: form(),
		CreatedAt: at(now.UnixMilli()), EndsAt: at(now.Add(grantTime).UnixMilli()),
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error { return s.insertGrant(ctx, tx, who, &d, o.Generation) })
	if err != nil {
		return Download{}, err
	}
	return d, s.count(context.WithoutCancel(ctx), &d)
}

// downloadable gives the generation that a download would hand out now, or what refuses one.
func (s *Service) downloadable(ctx context.Context, q store.Querier, who access.Actor, o *Order) (uint32, error) {
	if o.State != StateIssued {
		return 0, fault.Closed("download", string(o.State), o.Open(who))
	}
	if err := o.stands(ctx, q); err != nil {
		return 0, err
	}
	open, err := windows(ctx, q, o.ID, s.now())
	if err != nil {
		return 0, err
	}
	if len(open) >= maxWindows {
		f := fault.Limit("downloads whose secrets are in force", fmt.Sprint(len(open)), fmt.Sprintf("%d an order", maxWindows), 0)
		f.Fix = "revoke one that is not needed, or wait until the oldest ends after 30 days"
		return 0, f
	}
	return s.next(ctx, q, o)
}

func (s *Service) insertGrant(ctx context.Context, tx *store.Tx, who access.Actor, d *Download, before uint32) error {
	o, err := load(ctx, tx, who, d.Order)
	if err != nil {
		return err
	}
	if err := o.stands(ctx, tx); err != nil { // it may have changed since it was looked at
		return err
	}
	next, err := s.next(ctx, tx, &o)
	if err != nil {
		return err
	}
	// A generation above the newest is nobody's, if that has not moved; the newest itself must still be nobody's.
	if o.Generation != before || o.State != StateIssued || d.Generation == before && next != before {
		return fault.Stale("order", d.Order)
	}
	if err := s.openGeneration(ctx, tx, d.Order, d.Generation, d.ID); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO issuance_download (id, batch, organisation, product, generation, format, recipient, reason, made_by, holder, form, created_at, ends_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.Order, d.Organisation, d.Product, d.Generation, d.Format, d.Recipient, d.Reason, d.MadeBy, d.holder, d.form,
		d.CreatedAt.UnixMilli(), d.EndsAt.UnixMilli())
	if err != nil {
		return fmt.Errorf("adding a download of order %s: %w", d.Order, err)
	}
	return audit.Record(ctx, tx, who, "order.download", d.Order, fmt.Sprintf("download %s, generation %d", d.ID, d.Generation))
}

// count counts the triples of a download, once: from the transaction that made it on the number stays as it is.
func (s *Service) count(ctx context.Context, d *Download) error {
	var left int
	err := s.store.Read(ctx, func(v *store.View) (err error) {
		left, err = countLeftOut(ctx, v, d.Order, d.Generation)
		return err
	})
	if err != nil {
		return err
	}
	d.Quantity = d.Total - left
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE issuance_download SET quantity = ? WHERE id = ? AND quantity IS NULL", d.Quantity, d.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("noting how many triples download %s has: %w", d.ID, err)
	}
	return nil
}

// downloads is how downloads are listed.
var downloads = listing.List[Download]{
	Object:  "download",
	Columns: downloadColumns,
	From:    downloadFrom,
	Key:     "d.id",
	Newest:  true,
	Fields:  []listing.Field{{Name: "organisation", Column: "d.organisation"}, {Name: "order", Column: "d.batch"}},
	Ways: []listing.Way{
		{Filters: []string{"organisation"}},
		{Filters: []string{"order"}, Rest: []string{"organisation"}, Bound: "an order has few downloads"},
		{},
	},
	Scan: func(row listing.Scanner) (Download, error) { return scanDownload(row) },
}

const (
	downloadColumns = `d.id, d.batch, d.organisation, d.product, d.generation, d.format, d.recipient, d.reason, d.made_by, d.holder, d.form,
		d.created_at, d.ends_at, COALESCE(d.quantity, -1), o.quantity, COALESCE(d.size, 0), d.taken_at, d.voided_at, d.revoked_at`
	downloadFrom = `issuance_download d JOIN issuance_order o ON o.id = d.batch`
)

// Downloads returns a page of the downloads of who's organisation, or of all if who sees all, the newest first. Filters are
// order, and organisation for who sees all.
func (s *Service) Downloads(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Download], err error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return page, err
	}
	if ask, err = scoped(who, ask); err != nil {
		return page, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = downloads.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// LoadDownload returns a download that who sees.
func (s *Service) LoadDownload(ctx context.Context, who access.Actor, id string) (d Download, err error) {
	if err := who.Check(access.ReadOrder); err != nil {
		return d, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		d, err = loadDownload(ctx, v, who, id)
		return err
	})
	return d, err
}

func loadDownload(ctx context.Context, q store.Querier, who access.Actor, id string) (Download, error) {
	query, args := "SELECT "+downloadColumns+" FROM "+downloadFrom+" WHERE d.id = ?", []any{id}
	if !who.Everywhere() {
		query, args = query+" AND d.organisation = ?", append(args, who.Organisation)
	}
	d, err := scanDownload(q.QueryRow(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Download{}, fault.NotFound("download", id)
	}
	if err != nil {
		return Download{}, fmt.Errorf("reading download %s: %w", id, err)
	}
	return d, nil
}

func scanDownload(row scanner) (Download, error) {
	var d Download
	var created, ends int64
	var taken, voided, revoked sql.NullInt64
	err := row.Scan(&d.ID, &d.Order, &d.Organisation, &d.Product, &d.Generation, &d.Format, &d.Recipient, &d.Reason, &d.MadeBy, &d.holder, &d.form,
		&created, &ends, &d.Quantity, &d.Total, &d.size, &taken, &voided, &revoked)
	d.CreatedAt, d.EndsAt = at(created), at(ends)
	d.TakenAt, d.VoidedAt, d.RevokedAt = at(taken.Int64), at(voided.Int64), at(revoked.Int64)
	return d, err
}
