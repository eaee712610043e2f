package entitlement

import (
	"context"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	believed    = 5 * time.Second // what another process changed is seen by then
	maxVerdicts = 10_000          // organisations
)

// Gate refuses an act that belongs to a service which is not open to who's organisation. It is asked at every request, costs
// a look into memory, and never stops the platform itself or who acts for no organisation.
func (s *Service) Gate(ctx context.Context, who access.Actor, act access.Act) error {
	if who.Organisation == "" || who.Platform() {
		return nil
	}
	service := serviceOf(act)
	if service == "" {
		return nil
	}
	now := s.now()
	v, ok := s.verdicts.find(who.Organisation, now)
	if !ok {
		var err error
		if v, err = s.decide(ctx, who.Organisation, now); err != nil {
			return err
		}
		s.verdicts.keep(who.Organisation, v)
	}
	refused := v.refusals[service]
	if refused == nil {
		return nil
	}
	f := *refused
	return &f
}

// decide reads the state of all services of an organisation.
func (s *Service) decide(ctx context.Context, organisation string, now time.Time) (verdict, error) {
	v := verdict{until: now.Add(believed), generation: s.verdicts.now(), refusals: make(map[string]*fault.Fault)}
	err := s.Store.Read(ctx, func(view *store.View) error {
		all, dates, err := s.state(ctx, view, organisation)
		if err != nil {
			return err
		}
		for i := range all {
			if f := fault.Of(all[i].refusal()); f != nil {
				v.refusals[all[i].Name] = f
			}
		}
		for _, d := range dates { // from its date on another answer is right
			if d.After(now) && d.Before(v.until) {
				v.until = d
			}
		}
		return nil
	})
	return v, err
}

// A verdict is what an organisation may not use.
type verdict struct {
	refusals   map[string]*fault.Fault // by service
	until      time.Time
	generation uint64
}

// verdicts are believed until their time, and forgotten sooner by what changes them.
type verdicts struct {
	mu         sync.Mutex // guards all below
	generation uint64     // grows with every change: what was read before is not kept after
	of         map[string]verdict
}

func (v *verdicts) now() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.generation
}

func (v *verdicts) find(organisation string, now time.Time) (verdict, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.of[organisation]
	return found, ok && now.Before(found.until)
}

func (v *verdicts) keep(organisation string, found verdict) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found.generation != v.generation {
		return
	}
	if v.of == nil {
		v.of = make(map[string]verdict)
	}
	for k := range v.of { // any: it is asked again at the next request
		if len(v.of) < maxVerdicts {
			break
		}
		delete(v.of, k)
	}
	v.of[organisation] = found
}

// forget drops what is about an organisation; empty: about all.
func (v *verdicts) forget(organisation string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.generation++
	if organisation == "" {
		clear(v.of)
		return
	}
	delete(v.of, organisation)
}
