package enforce

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// A Chain is something and what it belongs to, from the device up. What is empty is not asked for.
type Chain struct{ Device, Batch, Product, Organisation string }

// A Standing is the measures in force against something, and against what it belongs to.
type Standing struct{ Measures []Measure }

// StandingOf asks for the standing of a chain now. See [Standing.Check].
func StandingOf(ctx context.Context, q store.Querier, chain Chain) (Standing, error) {
	return standingAt(ctx, q, chain, time.Now())
}

// Require gives nil if the standing of a chain allows what now, and otherwise the fault that says why not. Rooms ask it in the
// transaction of their act.
func Require(ctx context.Context, q store.Querier, chain Chain, what What) error {
	st, err := StandingOf(ctx, q, chain)
	if err != nil {
		return err
	}
	return st.Check(what)
}

func standingAt(ctx context.Context, q store.Querier, chain Chain, now time.Time) (Standing, error) {
	var st Standing
	args := []any{now.UnixMilli(), now.UnixMilli()}
	var levels []string
	for _, level := range []Subject{{KindDevice, chain.Device}, {KindBatch, chain.Batch}, {KindProduct, chain.Product}, {KindOrganisation, chain.Organisation}} {
		if level.ID != "" {
			levels = append(levels, "closed_at = 0 AND subject_kind = ? AND subject = ?")
			args = append(args, level.Kind, level.ID)
		}
	}
	if len(levels) == 0 {
		return st, nil
	}
	rows, err := q.Query(ctx, "SELECT "+measureColumns+` FROM enforce_measure
		WHERE starts_at <= ? AND (ends_at = 0 OR ends_at > ?) AND (`+strings.Join(levels, " OR ")+")", args...)
	if err != nil {
		return st, fmt.Errorf("reading the standing of %v: %w", chain, err)
	}
	defer rows.Close()
	for rows.Next() {
		m, err := scanMeasure(rows)
		if err != nil {
			return st, fmt.Errorf("reading the standing of %v: %w", chain, err)
		}
		st.Measures = append(st.Measures, m)
	}
	return st, rows.Err()
}

// OpenSQL is for a query of a room above, about a device d: whether a measure that is not closed stands against it or against what it
// belongs to. Only where one does, there is more to [StandingOf] than nothing.
const OpenSQL = `(
	EXISTS (SELECT 1 FROM enforce_measure WHERE closed_at = 0 AND subject_kind = 'device' AND subject = d.id)
	OR EXISTS (SELECT 1 FROM enforce_measure WHERE closed_at = 0 AND subject_kind = 'batch' AND subject = d.batch)
	OR EXISTS (SELECT 1 FROM enforce_measure WHERE closed_at = 0 AND subject_kind = 'product' AND subject = d.product)
	OR EXISTS (SELECT 1 FROM enforce_measure WHERE closed_at = 0 AND subject_kind = 'organisation' AND subject = d.organisation))`

// Allows says whether no measure refuses what.
func (s Standing) Allows(what What) bool { return s.Refusal(what) == nil }

// Refusal is the hardest measure that refuses what; nil if none does.
func (s Standing) Refusal(what What) *Measure {
	if len(s.Measures) == 0 { // every connect asks
		return nil
	}
	effects := Effects()
	for i := len(effects) - 1; i >= 0; i-- {
		for j := range s.Measures {
			if m := &s.Measures[j]; m.Kind == effects[i].Kind && m.Refuses(what) {
				return m
			}
		}
	}
	return nil
}

// Check gives nil if what is allowed, and otherwise the fault that names the measure, its reason, its end (of an order to
// delete its day, and the way to fulfil it) and the way to appeal. It names neither who imposed it nor its evidence.
func (s Standing) Check(what What) error {
	m := s.Refusal(what)
	if m == nil {
		return nil
	}
	until := "without an end"
	fix := "read it at GET /api/v1/enforcement/measures/" + m.ID + "; appeal by POST /api/v1/enforcement/measures/" + m.ID + "/appeals"
	switch {
	case m.Kind == OrderDeletion:
		until = "by " + fault.Stamp(m.Due)
		fix += "; fulfil it by POST /api/v1/enforcement/measures/" + m.ID + "/fulfilment"
	case !m.Ends.IsZero():
		until = "until " + fault.Stamp(m.Ends)
	}
	f := &fault.Fault{
		Code:  fault.Suspended,
		What:  fmt.Sprintf("%s is refused: %s is under %s (measure %s) %s, because of %s: %s", what, m.Subject.Kind, effectOf(m.Kind).Title["en"], m.ID, until, titleOf(m.Cause), m.Reason),
		Where: m.Subject.Kind, Got: m.Subject.ID, Rule: string(m.Kind) + " " + m.ID,
		Fix: fix,
	}
	return f
}

// whatOf is what an act of people is to the table of effects. An act that is not listed changes something.
func whatOf(act access.Act) What {
	switch act {
	case access.Appeal:
		return AppealTo
	case access.ExportAudit, access.LeaveOrganisation, access.ReadEnforcement, access.ReadJob, access.ManageJob, "":
		return Export // also what somebody under a measure must be able to follow
	case access.ControlDevice, access.Speak, access.RunVirtualDevice:
		return Control
	case access.IssueTriples, access.DownloadTriples:
		return Order
	case access.PublishModel, access.MoveProduct:
		return Publish
	}
	if strings.HasSuffix(string(act), ".read") {
		return Read
	}
	return Write
}

// Gate gives nil if the standing of who's organisation allows act, and otherwise the fault that says why not. The
// operator's people act for no organisation and pass.
func (s *Service) Gate(ctx context.Context, who access.Actor, act access.Act) error {
	what := whatOf(act)
	if who.Organisation == "" || what == AppealTo || what == Export {
		return nil
	}
	now := s.c.Now()
	st, known := s.gate.find(who.Organisation, now)
	if !known {
		turn := s.gate.turn.Load()
		err := s.c.Store.Read(ctx, func(v *store.View) error {
			var err error
			st, err = standingAt(ctx, v, Chain{Organisation: who.Organisation}, now)
			return err
		})
		if err != nil {
			return err
		}
		s.gate.put(who.Organisation, st, now, turn)
	}
	return st.Check(what)
}

// Check gives nil if the standing of a chain allows what, and otherwise the fault that says why not.
func (s *Service) Check(ctx context.Context, q store.Querier, chain Chain, what What) error {
	st, err := standingAt(ctx, q, chain, s.c.Now())
	if err != nil {
		return err
	}
	return st.Check(what)
}

// Standing asks for the standing of a chain now, in a snapshot of its own.
func (s *Service) Standing(ctx context.Context, chain Chain) (st Standing, err error) {
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		st, err = standingAt(ctx, v, chain, s.c.Now())
		return err
	})
	return st, err
}

// Standings asks for the measures against devices themselves, not for those against what they belong to. Who is not in the
// answer is under none. It is one query: ask for some hundreds at once.
func (s *Service) Standings(ctx context.Context, devices []string) (of map[string]Standing, err error) {
	if len(devices) == 0 {
		return nil, nil
	}
	now := s.c.Now().UnixMilli()
	args := make([]any, 0, len(devices)+3)
	for _, d := range devices {
		args = append(args, d)
	}
	of = make(map[string]Standing)
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT "+measureColumns+` FROM enforce_measure
			WHERE closed_at = 0 AND subject_kind = 'device' AND subject IN (?`+strings.Repeat(", ?", len(devices)-1)+`)
			AND starts_at <= ? AND (ends_at = 0 OR ends_at > ?)`, append(args, now, now)...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scanMeasure(rows)
			if err != nil {
				return err
			}
			of[m.Subject.ID] = Standing{append(of[m.Subject.ID].Measures, m)}
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("reading the standings of %d devices: %w", len(devices), err)
	}
	return of, nil
}

// outsideKinds is the kinds that keep devices outside, as SQL lists them.
func outsideKinds() string {
	var kinds []string
	for _, e := range Effects() {
		if slices.Contains(e.Refuses, Connect) {
			kinds = append(kinds, "'"+string(e.Kind)+"'")
		}
	}
	return strings.Join(kinds, ", ")
}

// A Mark is how far somebody has followed changes.
type Mark struct {
	Seq int64
	At  time.Time
}

// Now is where following begins: what is older concerns sessions that asked for their standing later.
func (s *Service) Now(ctx context.Context) (Mark, error) {
	m := Mark{At: s.c.Now()}
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT COALESCE(MAX(seq), 0) FROM enforce_change").Scan(&m.Seq)
	})
	if err != nil {
		return m, fmt.Errorf("reading the newest change of a standing: %w", err)
	}
	return m, nil
}

// Changes lists whose devices may have to stay outside since a mark, or need no longer, by an act or because the time of a measure has come,
// and the mark to ask with next. It needs no event and no clock of another process.
func (s *Service) Changes(ctx context.Context, since Mark) (of []Subject, next Mark, err error) {
	next = Mark{Seq: since.Seq, At: s.c.Now()}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		seen := make(map[Subject]bool)
		add := func(query string, seq *int64, args ...any) error {
			rows, err := v.Query(ctx, query, args...)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var n int64
				var sub Subject
				if err := rows.Scan(&n, &sub.Kind, &sub.ID); err != nil {
					return err
				}
				if *seq = max(*seq, n); !seen[sub] {
					seen[sub] = true
					of = append(of, sub)
				}
			}
			return rows.Err()
		}
		err := add("SELECT seq, subject_kind, subject FROM enforce_change WHERE seq > ? ORDER BY seq LIMIT 10000", &next.Seq, since.Seq)
		if err != nil {
			return err
		}
		var started int64
		return add(`
			SELECT starts_at, subject_kind, subject
			FROM enforce_measure
			WHERE closed_at = 0 AND starts_at > ? AND starts_at <= ? AND kind IN (`+outsideKinds()+")", &started, since.At.Add(-overlap).UnixMilli(), next.At.UnixMilli())
	})
	if err != nil {
		return nil, since, fmt.Errorf("reading changes of standings: %w", err)
	}
	return of, next, nil
}

// overlap is how far back starts are looked at again: what was committed late, or by a clock that is a little behind.
const overlap = 5 * time.Second
