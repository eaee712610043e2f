package certify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Certificate says that a product may be built upon and published, for a time.
type Certificate struct {
	ID           string
	Case         string
	Organisation string
	Product      string
	Laboratory   string // empty: the operator
	Covers       Covers
	Report       string
	Conditions   string
	ValidFrom    time.Time
	ValidUntil   time.Time // excluded
	State        CertificateState
	Reason       string // why it was revoked
	IssuedAt     time.Time
	EndedAt      time.Time // zero: not yet
	Revision     int64
	told         int
}

// Open lists what who may do with the certificate now.
func (c *Certificate) Open(who access.Actor) []CertificateAct {
	return certificateMoves.Open(c.State, who)
}

// in says whether the certificate is in force at now.
func (c *Certificate) in(now time.Time) bool {
	return c.State != Revoked && !now.Before(c.ValidFrom) && now.Before(c.ValidUntil)
}

// warning is how long before its end a maker is told.
const warning = 30 * 24 * time.Hour

// next is when the clock has to look at the certificate again; zero: never.
func (c *Certificate) next() time.Time {
	switch {
	case c.State == Pending:
		return c.ValidFrom
	case c.State != Valid:
		return time.Time{}
	case c.told == 0:
		return later(c.ValidFrom, c.ValidUntil.Add(-warning))
	}
	return c.ValidUntil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// issue writes the certificate of a case that passed.
func (s *Service) issue(ctx context.Context, tx *store.Tx, of *Case, r Result) error {
	now := at(s.now().UnixMilli())
	c := Certificate{
		ID: newID(), Case: of.ID, Organisation: of.Organisation, Product: of.Product, Laboratory: of.Laboratory, Covers: of.Covers,
		Report: r.Report, Conditions: r.Conditions, ValidFrom: r.ValidFrom, ValidUntil: r.ValidUntil, State: Valid, IssuedAt: now, Revision: 1,
	}
	if c.ValidFrom.After(now) {
		c.State = Pending
	}
	if err := insertCertificate(ctx, tx, &c); err != nil {
		return err
	}
	if err := s.settle(ctx, tx, of.Organisation, of.Product); err != nil {
		return err
	}
	return s.tell(ctx, tx, of.Organisation, "certification.passed", map[string]string{"product": of.Product, "report": r.Report, "until": fault.Stamp(c.ValidUntil)})
}

// Revoke ends a certificate at once.
func (s *Service) Revoke(ctx context.Context, who access.Actor, id, reason string) (c Certificate, err error) {
	if err := who.Check(access.RecordCertification); err != nil {
		return Certificate{}, err
	}
	if err := checkText("/reason", reason, 1, maxText); err != nil {
		return Certificate{}, err
	}
	err = s.Store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		c, err = s.revoke(ctx, tx, who, id, reason)
		return err
	})
	if err != nil {
		return Certificate{}, err
	}
	return c, nil
}

// revoke ends a certificate within a transaction, and tells its maker.
func (s *Service) revoke(ctx context.Context, tx *store.Tx, who access.Actor, id, reason string) (Certificate, error) {
	c, err := loadCertificate(ctx, tx, who, id)
	if err != nil {
		return c, err
	}
	c.Reason = reason
	if err := s.move(ctx, tx, who, &c, Revoke); err != nil {
		return c, err
	}
	if err := s.tell(ctx, tx, c.Organisation, "certificate.revoked", map[string]string{"product": c.Product, "reason": reason}); err != nil {
		return c, err
	}
	return c, audit.Record(ctx, tx, who, "certificate.revoke", id, reason)
}

// move carries out one move of a certificate and tells what rests on the product, if that changes anything.
func (s *Service) move(ctx context.Context, tx *store.Tx, who access.Actor, c *Certificate, act CertificateAct) error {
	from := c.State
	to, err := certificateMoves.Next(from, act, who)
	if err != nil {
		return err
	}
	c.State = to
	switch act {
	case Expire:
		c.EndedAt = c.ValidUntil
	case Revoke:
		c.EndedAt = at(s.now().UnixMilli())
	}
	if err := updateCertificate(ctx, tx, c, from); err != nil {
		return err
	}
	return s.settle(ctx, tx, c.Organisation, c.Product)
}

// settle compares whether a product is certified with what was last told of it.
func (s *Service) settle(ctx context.Context, tx *store.Tx, organisation, product string) error {
	_, found := s.InForce(ctx, tx, product)
	why := ""
	if f := fault.Of(found); f != nil {
		why = f.Sentence()
	} else if found != nil {
		return found
	}
	var told int
	err := tx.QueryRow(ctx, standingSQL, product).Scan(&told)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return fmt.Errorf("reading the standing of product %s: %w", product, err)
	}
	now := 0
	if found == nil {
		now = 1
	}
	if now == told {
		return nil
	}
	if _, err := tx.Exec(ctx, setStandingSQL, product, organisation, now, s.now().UnixMilli()); err != nil {
		return fmt.Errorf("noting the standing of product %s: %w", product, err)
	}
	if s.Changed == nil {
		return nil
	}
	return s.Changed(ctx, tx, product, found == nil, why)
}

// InForce gives the certificate of a product that is in force now, as q sees it. Otherwise its [fault.Fault] says in Got
// whether the product is uncertified, not_yet, expired or revoked, and since when.
func (s *Service) InForce(ctx context.Context, q store.Querier, product string) (Certificate, error) {
	all, err := certificatesOf(ctx, q, product)
	if err != nil {
		return Certificate{}, err
	}
	now := s.now()
	var best, last *Certificate
	for i := range all {
		c := &all[i]
		if c.in(now) && (best == nil || c.ValidUntil.After(best.ValidUntil)) {
			best = c
		}
		if last == nil || c.end().After(last.end()) {
			last = c
		}
	}
	if best != nil {
		return *best, nil
	}
	return Certificate{}, uncertified(product, last, now)
}

// end is when a certificate stopped, or will.
func (c *Certificate) end() time.Time {
	if c.State == Revoked {
		return c.EndedAt
	}
	return c.ValidUntil
}

func uncertified(product string, last *Certificate, now time.Time) error {
	f := fault.Conflict("product "+product, "product "+product+" is not certified")
	f.Got, f.Rule, f.Fix = "uncertified", "a certificate in force", "have it certified"
	switch {
	case last == nil:
	case last.State == Revoked:
		f.Got, f.What = "revoked", "the certificate of product "+product+" was revoked at "+fault.Stamp(last.EndedAt)
	case now.Before(last.ValidFrom):
		f.Got, f.What, f.Fix = "not_yet", "the certificate of product "+product+" is valid from "+fault.Stamp(last.ValidFrom), "wait until then"
	default:
		f.Got, f.What, f.Fix = "expired", "the certificate of product "+product+" expired at "+fault.Stamp(last.ValidUntil), "have it renewed"
	}
	return f
}

// Certificate returns a certificate that who sees.
func (s *Service) Certificate(ctx context.Context, who access.Actor, id string) (c Certificate, err error) {
	if err := who.Check(access.ReadCertification); err != nil {
		return Certificate{}, err
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		c, err = loadCertificate(ctx, v, who, id)
		return err
	})
	return c, err
}

// CertificateRevision is the number of a certificate's last change.
func (s *Service) CertificateRevision(ctx context.Context, q store.Querier, who access.Actor, id string) (int64, error) {
	c, err := loadCertificate(ctx, q, who, id)
	return c.Revision, err
}

// tickEvery is how soon the clock's moves follow their times; what is in force does not wait for it.
const tickEvery = 10 * time.Second

// Run moves certificates whose time has come, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(tickEvery)
	defer tick.Stop()
	for {
		if err := s.Tick(ctx); err != nil && ctx.Err() == nil {
			s.Logger.LogAttrs(ctx, slog.LevelWarn, "certificates not looked at", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Tick moves every certificate whose time has come, each in a transaction of its own.
func (s *Service) Tick(ctx context.Context) error {
	for {
		var due []string
		err := s.Store.Read(ctx, func(v *store.View) (err error) {
			due, err = texts(ctx, v, dueSQL, s.now().UnixMilli())
			return err
		})
		if err != nil || len(due) == 0 {
			return err
		}
		for _, id := range due {
			if err := s.Store.Write(ctx, func(tx *store.Tx) error { return s.tick(ctx, tx, id) }); err != nil {
				return fmt.Errorf("moving certificate %s: %w", id, err)
			}
		}
	}
}

// tick carries out the one move of a certificate that is due.
func (s *Service) tick(ctx context.Context, tx *store.Tx, id string) error {
	who := access.Clock("certify", "")
	c, err := loadCertificate(ctx, tx, who, id)
	if err != nil {
		return err
	}
	now := s.now()
	if next := c.next(); next.IsZero() || next.After(now) {
		return nil // somebody was faster
	}
	data := map[string]string{"product": c.Product, "until": fault.Stamp(c.ValidUntil)}
	switch {
	case c.State == Pending:
		if err := s.move(ctx, tx, who, &c, Begin); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "certificate.begin", id, "")
	case now.Before(c.ValidUntil):
		c.told = 1
		if err := updateCertificate(ctx, tx, &c, c.State); err != nil {
			return err
		}
		return s.tell(ctx, tx, c.Organisation, "certificate.expiring", data)
	}
	if err := s.move(ctx, tx, who, &c, Expire); err != nil {
		return err
	}
	if err := s.tell(ctx, tx, c.Organisation, "certificate.expired", data); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "certificate.expire", id, "")
}
