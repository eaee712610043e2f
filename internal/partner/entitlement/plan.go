package entitlement

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/currency"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/quota"
)

// A Period is how often the amount of a plan falls due.
type Period string

// The periods.
const (
	Once    Period = "once"
	Month   Period = "month"
	Quarter Period = "quarter"
	Year    Period = "year"
)

// A Plan is what a service is offered for (套餐). It is recorded with an application, not charged.
type Plan struct {
	ID        string
	Service   string
	Names     account.Names
	Period    Period
	Amount    int64            // a period, in the smallest unit of the currency
	Currency  string           // ISO 4217
	Includes  map[string]int64 // limits by their names
	Retired   bool             // not offered any more; who has it keeps it
	CreatedAt time.Time
}

// NewPlan is what a plan is made of.
type NewPlan struct {
	Service  string
	Names    account.Names
	Period   Period
	Amount   int64
	Currency string
	Includes map[string]int64
}

const maxAmount = 1_000_000_000_000 // smallest units

func (n NewPlan) check() error {
	if err := Enforced("/service", n.Service); err != nil {
		return err
	}
	for _, lang := range []string{"zh-CN", "en"} {
		if l := utf8.RuneCountInString(n.Names[lang]); l < 1 || l > 100 || !plain(n.Names[lang]) {
			return fault.Invalid("/names/"+lang, n.Names[lang], "1 to 100 characters, no control characters", "both languages are needed")
		}
	}
	if len(n.Names) > 2 {
		return fault.Invalid("/names", fmt.Sprint(len(n.Names)), "a name in zh-CN and one in en", "")
	}
	if !slices.Contains([]Period{Once, Month, Quarter, Year}, n.Period) {
		return fault.Invalid("/period", string(n.Period), "once, month, quarter or year", "")
	}
	if n.Amount < 0 || n.Amount > maxAmount {
		return fault.Invalid("/amount", fmt.Sprint(n.Amount), fmt.Sprintf("an integer from 0 to %d", int64(maxAmount)), "give the smallest unit: 100 for CNY 1.00")
	}
	if _, err := currency.ParseISO(n.Currency); err != nil || n.Currency != strings.ToUpper(n.Currency) {
		return fault.Invalid("/currency", n.Currency, "a currency of ISO 4217, as CNY", "")
	}
	for _, name := range slices.Sorted(maps.Keys(n.Includes)) {
		l, err := quota.ParseLimitAt("/includes/"+fault.Cut(name), name)
		if err != nil {
			return err
		}
		if v := n.Includes[name]; v < 0 || v > l.Spec().Max {
			return fault.Invalid("/includes/"+name, fmt.Sprint(v), fmt.Sprintf("0 to %d %s", l.Spec().Max, l.Spec().Unit), "")
		}
	}
	return nil
}

// AddPlan offers a plan.
func (s *Service) AddPlan(ctx context.Context, who access.Actor, n NewPlan) (Plan, error) {
	if err := who.Check(access.ManageServices); err != nil {
		return Plan{}, err
	}
	if err := n.check(); err != nil {
		return Plan{}, err
	}
	p := Plan{
		ID: newID(), Service: n.Service, Names: n.Names, Period: n.Period, Amount: n.Amount, Currency: n.Currency, Includes: n.Includes,
		CreatedAt: at(s.now().UnixMilli()),
	}
	if p.Includes == nil {
		p.Includes = map[string]int64{}
	}
	return p, s.Store.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, insertPlanSQL, p.ID, p.Service, marshal(p.Names), string(p.Period), p.Amount, p.Currency, marshal(p.Includes), p.CreatedAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("adding a plan of %s: %w", p.Service, err)
		}
		return audit.Record(ctx, tx, who, "plan.add", p.ID, fmt.Sprintf("%s, %d %s a %s", p.Service, p.Amount, p.Currency, p.Period))
	})
}

// RetirePlan offers a plan no longer. Who has it keeps it.
func (s *Service) RetirePlan(ctx context.Context, who access.Actor, id string) error {
	if err := who.Check(access.ManageServices); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		p, err := loadPlan(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.Retired {
			return fault.Closed[Act]("retire", "retired", nil)
		}
		if _, err := tx.Exec(ctx, "UPDATE entitlement_plan SET state = 'retired' WHERE id = ?", id); err != nil {
			return fmt.Errorf("retiring plan %s: %w", id, err)
		}
		return audit.Record(ctx, tx, who, "plan.retire", id, "")
	})
}

const (
	planColumns = `id, service, names, period, amount, currency, includes, state, created_at`

	insertPlanSQL = `
		INSERT INTO entitlement_plan (` + planColumns + `)
		VALUES (?, ?, ?, ?, ?, ?, ?, 'offered', ?)`
)

func scanPlan(row listing.Scanner) (Plan, error) {
	var p Plan
	var names, includes, state string
	var created int64
	if err := row.Scan(&p.ID, &p.Service, &names, &p.Period, &p.Amount, &p.Currency, &includes, &state, &created); err != nil {
		return Plan{}, err
	}
	p.Retired, p.CreatedAt = state == "retired", at(created)
	return p, errors.Join(json.Unmarshal([]byte(names), &p.Names), json.Unmarshal([]byte(includes), &p.Includes))
}

func loadPlan(ctx context.Context, q store.Querier, id string) (Plan, error) {
	p, err := scanPlan(q.QueryRow(ctx, "SELECT "+planColumns+" FROM entitlement_plan WHERE id = ?", id))
	if errors.Is(err, store.ErrNoRows) {
		return Plan{}, fault.NotFound("plan", id)
	}
	if err != nil {
		return Plan{}, fmt.Errorf("reading plan %s: %w", id, err)
	}
	return p, nil
}

// Plans lists plans, the newest first, to everybody who may read entitlements.
func (s *Service) Plans(ctx context.Context, who access.Actor, ask listing.Ask) (listing.Page[Plan], error) {
	return readList(ctx, s, who, access.ReadEntitlement, plans(), ask)
}

func plans() *listing.List[Plan] {
	return &listing.List[Plan]{
		Object: "plan", Columns: planColumns, From: "entitlement_plan", Newest: true,
		Fields: []listing.Field{{Name: "service"}},
		Ways:   []listing.Way{{}, {Filters: []string{"service"}}},
		Scan:   scanPlan,
	}
}

// include notes the limits of a plan, to be handed on.
func include(ctx context.Context, tx *store.Tx, application string, p Plan) error {
	for _, name := range slices.Sorted(maps.Keys(p.Includes)) {
		_, err := tx.Exec(ctx, "INSERT INTO entitlement_limit (application, name, value, wanted, override) VALUES (?, ?, ?, 1, '')", application, name, p.Includes[name])
		if err != nil {
			return fmt.Errorf("noting the limit %s of application %s: %w", name, application, err)
		}
	}
	return nil
}

// exclude notes that the limits of an application are to be lifted; those that were not handed on yet just go.
func exclude(ctx context.Context, tx *store.Tx, application string) error {
	for _, statement := range []string{
		"DELETE FROM entitlement_limit WHERE application = ? AND override = ''",
		"UPDATE entitlement_limit SET wanted = 0 WHERE application = ?",
	} {
		if _, err := tx.Exec(ctx, statement, application); err != nil {
			return fmt.Errorf("lifting the limits of application %s: %w", application, err)
		}
	}
	return nil
}

// An owed is a limit on its way.
type owed struct {
	application, organisation, name, override string
	value, until                              int64
	wanted                                    bool
}

// handOn sets and lifts limits in the room that holds them. What it did there and what it notes here is one transaction.
func (s *Service) handOn(ctx context.Context) error {
	if s.Limits == nil {
		return nil
	}
	for {
		todo, err := s.todo(ctx)
		if err != nil || len(todo) == 0 {
			return err
		}
		for _, o := range todo {
			if err := s.hand(ctx, o); err != nil {
				return fmt.Errorf("handing on the limit %s of application %s: %w", o.name, o.application, err)
			}
		}
	}
}

func (s *Service) todo(ctx context.Context) (out []owed, err error) {
	err = s.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, `
			SELECT l.application, a.organisation, l.name, l.override, l.value, a.until_at, l.wanted
			FROM entitlement_limit l
			JOIN entitlement_application a ON a.id = l.application
			WHERE l.wanted = 1 AND l.override = '' OR l.wanted = 0
			LIMIT 100`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var o owed
			var wanted int
			if err := rows.Scan(&o.application, &o.organisation, &o.name, &o.override, &o.value, &o.until, &wanted); err != nil {
				return err
			}
			o.wanted = wanted != 0
			out = append(out, o)
		}
		return rows.Err()
	})
	return out, err
}

func (s *Service) hand(ctx context.Context, o owed) error {
	self := access.System("entitlement", "")
	if !o.wanted {
		_, err := s.Limits.Lift(store.Alongside(ctx, func(ctx context.Context, tx *store.Tx) error {
			return drop(ctx, tx, o)
		}), self, o.override, "the plan has ended")
		if fault.Is(err, fault.Clash) || fault.Is(err, fault.Missing) { // somebody lifted it before
			return s.Store.Write(ctx, func(tx *store.Tx) error { return drop(ctx, tx, o) })
		}
		return err
	}
	if o.until != 0 && o.until <= s.now().UnixMilli() { // it ended before it began
		return s.Store.Write(ctx, func(tx *store.Tx) error { return drop(ctx, tx, o) })
	}
	limit, err := quota.ParseLimit(o.name)
	if err != nil {
		return err
	}
	_, err = s.Limits.Override(store.Alongside(ctx, func(ctx context.Context, tx *store.Tx) error {
		return adopt(ctx, tx, o)
	}), self, quota.NewOverride{
		Subject: quota.Subject{Kind: quota.KindOrganisation, ID: o.organisation, Organisation: o.organisation}, Limit: limit, Purpose: quota.Set,
		Value: o.value, Reason: "included in the plan of application " + o.application, Until: at(o.until),
	})
	return err
}

func drop(ctx context.Context, tx *store.Tx, o owed) error {
	_, err := tx.Exec(ctx, "DELETE FROM entitlement_limit WHERE application = ? AND name = ?", o.application, o.name)
	return err
}

// adopt notes the override that this transaction made: the newest of its subject and limit.
func adopt(ctx context.Context, tx *store.Tx, o owed) error {
	var id string
	err := tx.QueryRow(ctx, `
		SELECT id
		FROM quota_override
		WHERE subject_kind = ? AND subject = ? AND name = ?
		ORDER BY id DESC
		LIMIT 1`, quota.KindOrganisation, o.organisation, o.name).Scan(&id)
	if err != nil {
		return fmt.Errorf("finding the override: %w", err)
	}
	_, err = tx.Exec(ctx, "UPDATE entitlement_limit SET override = ? WHERE application = ? AND name = ?", id, o.application, o.name)
	return err
}
