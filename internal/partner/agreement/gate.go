package agreement

import (
	"context"
	"slices"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	believed    = 5 * time.Second // what another process changed is seen by then
	maxVerdicts = 20_000          // about 100 bytes each
)

// free lists the acts that the gate never stops: to agree, to export and to leave, to see the job that exports, and to read
// and appeal against measures. Routes for everybody who is signed in have no act: reading agreements and notices, and signing out.
func free() []access.Act {
	return []access.Act{"", access.AcceptAgreement, access.LeaveOrganisation, access.ReadJob, access.ExportAudit, access.ReadEnforcement, access.Appeal}
}

// Gate refuses act while something is outstanding for who. It is asked at every request, costs a look into memory, and
// never stops a device, the platform or its staff.
func (s *Service) Gate(ctx context.Context, who access.Actor, act access.Act) error {
	if !person(who) || slices.Contains(free(), act) {
		return nil
	}
	key := subject{who.User, who.Organisation}
	now := s.now()
	v, ok := s.verdicts.find(key, now)
	if !ok {
		var err error
		if v, err = s.decide(ctx, who, now); err != nil {
			return err
		}
		s.verdicts.keep(key, v)
	}
	if v.refusal == nil {
		return nil
	}
	f := *v.refusal
	return &f
}

// decide reads what is outstanding now.
func (s *Service) decide(ctx context.Context, who access.Actor, now time.Time) (verdict, error) {
	v := verdict{until: now.Add(believed), generation: s.verdicts.now()}
	err := s.Store.Read(ctx, func(view *store.View) error {
		d, err := s.Outstanding(ctx, view, who)
		if err != nil {
			return err
		}
		v.refusal = fault.Of(refusal(d))
		for i := range d.Ahead { // from its date on another answer is right
			if e := d.Ahead[i].EffectiveAt; e.Before(v.until) {
				v.until = e
			}
		}
		return nil
	})
	return v, err
}

// A subject is whom a verdict is about.
type subject struct{ user, organisation string }

// A verdict is what the gate said.
type verdict struct {
	refusal    *fault.Fault // nil: pass
	until      time.Time
	generation uint64
}

// verdicts are believed until their time, and forgotten sooner by what changes them.
type verdicts struct {
	mu         sync.Mutex // guards all below
	generation uint64     // grows with every change: what was read before is not kept after
	of         map[subject]verdict
}

func (v *verdicts) now() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.generation
}

func (v *verdicts) find(key subject, now time.Time) (verdict, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.of[key]
	return found, ok && now.Before(found.until)
}

func (v *verdicts) keep(key subject, found verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found.generation != v.generation {
		return
	}
	if v.of == nil {
		v.of = make(map[subject]verdict)
	}
	for k := range v.of { // any: it is asked again at the next request
		if len(v.of) < maxVerdicts {
			break
		}
		delete(v.of, k)
	}
	v.of[key] = found
}

// forget drops what is about a user or an organisation.
func (v *verdicts) forget(user, organisation string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.generation++
	for k := range v.of {
		if k.user == user || organisation != "" && k.organisation == organisation {
			delete(v.of, k)
		}
	}
}

func (v *verdicts) forgetAll() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.generation++
	clear(v.of)
}
