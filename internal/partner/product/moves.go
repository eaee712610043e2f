package product

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
)

// A State is where a product stands in its life.
type State string

// The states.
const (
	Drafted        State = "draft"           // 草稿
	Developing     State = "develop"         // 开发中
	Debugging      State = "debug"           // 调试中
	Certifying     State = "certify"         // 认证中
	Online         State = "published"       // 已发布
	MassProduction State = "mass_production" // 量产
	Retired        State = "retired"         // 已退市: its devices go on, and nothing of it changes
)

// An Act moves a product.
type Act string

// The acts.
const (
	Develop  Act = "develop"
	Debug    Act = "debug"
	Redesign Act = "redesign" // back to development, with another design
	Certify  Act = "certify"
	Recall   Act = "recall" // back to debugging, certification failed or was given up
	Publish  Act = "publish"
	Produce  Act = "produce"
	Reopen   Act = "reopen" // back to development after publication, while nobody builds on it and none is produced
	Retire   Act = "retire"
)

func maker(who access.Actor) bool { return who.Organisation != "" && who.May(access.MoveProduct) }

// moves is the life of a product. What is not listed is refused.
var moves = lifecycle.Table[State, Act]{
	{From: Drafted, Act: Develop, To: Developing, May: maker},
	{From: Drafted, Act: Retire, To: Retired, May: maker},
	{From: Developing, Act: Debug, To: Debugging, May: maker},
	{From: Developing, Act: Retire, To: Retired, May: maker},
	{From: Debugging, Act: Certify, To: Certifying, May: maker},
	{From: Debugging, Act: Redesign, To: Developing, May: maker},
	{From: Debugging, Act: Retire, To: Retired, May: maker},
	{From: Certifying, Act: Publish, To: Online, May: maker},
	{From: Certifying, Act: Recall, To: Debugging, May: maker},
	{From: Certifying, Act: Retire, To: Retired, May: maker},
	{From: Online, Act: Produce, To: MassProduction, May: maker},
	{From: Online, Act: Reopen, To: Developing, May: maker},
	{From: Online, Act: Retire, To: Retired, May: maker},
	{From: MassProduction, Act: Retire, To: Retired, May: maker},
}

// Diagrams draws the tables of states, by name, for the documents.
func Diagrams() map[string]string {
	return map[string]string{"product": moves.Mermaid(), "paper": paperMoves.Mermaid()}
}

// stands refuses what a measure against the product or its organisation refuses.
func (p *Product) stands(ctx context.Context, q store.Querier, what enforce.What) error {
	return enforce.Require(ctx, q, enforce.Chain{Product: p.ID, Organisation: p.Organisation}, what)
}

// Open lists what who may do with the product now.
func (p *Product) Open(who access.Actor) []Act { return moves.Open(p.State, who) }

// out says whether others may build on the product, and buy it.
func (s State) out() bool { return s == Online || s == MassProduction }

// inDesign says whether what a product is built of may still be changed.
func (s State) inDesign() bool { return s == Drafted || s == Developing || s == Debugging }

// A Lack is one thing that is missing before an act.
type Lack struct {
	Code string // stable: "icon"
	What string // "an icon"
	Fix  string // where to do it: a route
}

// Lacks is everything that is missing.
type Lacks []Lack

// Error implements error.
func (l Lacks) Error() string {
	var all []string
	for _, lack := range l {
		all = append(all, lack.What)
	}
	return strings.Join(all, "; ")
}

// Move carries out an act upon a product. The refusal of one that waits for something names all of it.
func (s *Service) Move(ctx context.Context, who access.Actor, id string, act Act, note string) (p Product, err error) {
	if err := allow(who, access.MoveProduct); err != nil {
		return Product{}, err
	}
	if err := checkNote(note); err != nil {
		return Product{}, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if p, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		to, err := moves.Next(p.State, act, who)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Publish); err != nil {
			return err
		}
		lacks, err := s.lacks(ctx, tx, &p, act)
		if err != nil {
			return err
		}
		if len(lacks) > 0 {
			return waits(&p, who, act, lacks)
		}
		p.State, p.Offered = to, to.out() && p.Kind != Terminal
		if err := s.save(ctx, tx, &p); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "product."+string(act), id, note)
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

func waits(p *Product, who access.Actor, act Act, lacks Lacks) error {
	things := fmt.Sprintf("%d things are", len(lacks))
	if len(lacks) == 1 {
		things = "one thing is"
	}
	others := slices.DeleteFunc(p.Open(who), func(a Act) bool { return a == act })
	f := fault.InState("product "+p.ID, fmt.Sprintf("%s waits: %s missing: %s", act, things, lacks.Error()), others)
	f.Got, f.Rule, f.Fix, f.Err = string(p.State), "", lacks[0].Fix, lacks
	return f
}

// A Step is one act on the way to mass production, for a checklist.
type Step struct {
	Act     Act
	To      State
	Done    bool  // the product has come that far
	Next    bool  // it is what comes next
	Missing Lacks // of the last step that is done: what holds no longer of what it needed
}

// Steps is the way of a product to mass production: what is done, and what each step still waits for.
func (s *Service) Steps(ctx context.Context, who access.Actor, id string) (steps []Step, err error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return nil, err
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		p, err := load(ctx, v, who, id)
		if err != nil {
			return err
		}
		steps, err = s.steps(ctx, v, &p)
		return err
	})
	return steps, err
}

func (s *Service) steps(ctx context.Context, q store.Querier, p *Product) ([]Step, error) {
	way := []Step{
		{Act: Develop, To: Developing},
		{Act: Debug, To: Debugging},
		{Act: Certify, To: Certifying},
		{Act: Publish, To: Online},
		{Act: Produce, To: MassProduction},
	}
	reached := -1 // of a draft
	for i := range way {
		if way[i].To == p.State {
			reached = i
		}
	}
	for i := range way {
		way[i].Done, way[i].Next = i <= reached, i == reached+1 && p.State != Retired
		if i < reached || p.State == Retired {
			continue
		}
		lacks, err := s.lacks(ctx, q, p, way[i].Act)
		if err != nil {
			return nil, err
		}
		way[i].Missing = lacks
	}
	return way, nil
}

// Ready refuses what a product is not ready for: triples to debug it, or to mass-produce it. The rooms above ask it in the
// transaction of their act, in who's name.
func (s *Service) Ready(ctx context.Context, q store.Querier, who access.Actor, id string, mass bool) error {
	p, err := find(ctx, q, id)
	if err != nil {
		return err
	}
	refuse := func(what string) error { return fault.InState("product "+id, "product "+id+" "+what, p.Open(who)) }
	switch {
	case p.Kind != Terminal:
		return fault.Conflict("product "+id, "product "+id+" is a "+string(p.Kind)+": only terminals have devices")
	case p.State == Retired:
		return refuse("is retired: it gets no more devices")
	case !mass:
		return nil
	case p.State != MassProduction:
		return refuse("is not in mass production, but in state " + string(p.State))
	case p.Flagged:
		return fault.Conflict("product "+id, "product "+id+" waits: "+p.Flag)
	}
	return nil
}

// lackOf turns a refusal into something missing, to be mended as fix says, or as the refusal does; other errors stay.
func lackOf(err error, code, fix string) (*Lack, error) {
	f := fault.Of(err)
	if err == nil || f == nil || fault.Passes(f) {
		return nil, err
	}
	if fix == "" {
		fix = f.Fix
	}
	return &Lack{code, f.Sentence(), fix}, nil
}

// save writes a product as it is now, if nobody was faster.
func (s *Service) save(ctx context.Context, tx *store.Tx, p *Product) error {
	p.Revision++
	p.ChangedAt = at(s.now().UnixMilli())
	res, err := tx.Exec(ctx, saveSQL, marshal(p.Names), p.search(), string(p.State), bit(p.Offered), p.BuiltOn, p.Solution, marshal(p.Protocols),
		marshal(p.Care), p.Icon, p.IconMedia, p.iconSize, bit(p.Flagged), p.Flag, millis(p.FlaggedAt), bit(p.Gateway), bit(p.Registration), p.secret, p.Revision, p.ChangedAt.UnixMilli(), p.ID, p.Revision-1)
	if err != nil {
		return fmt.Errorf("saving product %s: %w", p.ID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fault.Stale("product", p.ID), err)
	}
	tx.AfterCommit(func() { s.known.forget(p.ID) })
	return nil
}
