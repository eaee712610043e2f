package scene

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Create adds a scene to a home.
func (s *Service) Create(ctx context.Context, who access.Actor, homeID string, d Draft) (Scene, error) {
	return s.keep(ctx, who, homeID, "", d)
}

// Change makes a scene what d says.
func (s *Service) Change(ctx context.Context, who access.Actor, homeID, id string, d Draft) (Scene, error) {
	return s.keep(ctx, who, homeID, id, d)
}

// tries is how often a change is tried again because the home changed while it was looked at.
const tries = 3

// errMoved says that the home changed between the look at it and the change.
var errMoved = errors.New("the home changed meanwhile")

func (s *Service) keep(ctx context.Context, who access.Actor, homeID, id string, d Draft) (sc Scene, err error) {
	if err := who.Check(access.WriteHome); err != nil {
		return Scene{}, err
	}
	if err := who.Check(access.ControlDevice); err != nil { // timers and automations run it, with nobody there
		return Scene{}, err
	}
	for range tries {
		if sc, err = s.keepOnce(ctx, who, homeID, id, d); !errors.Is(err, errMoved) {
			return sc, err
		}
	}
	return Scene{}, fault.Stale("home", homeID)
}

// keepOnce looks at the home, then writes if it is still as it was seen: reading a name with the home's own words takes
// longer than others should wait.
func (s *Service) keepOnce(ctx context.Context, who access.Actor, homeID, id string, d Draft) (Scene, error) {
	h, err := s.c.Homes.Load(ctx, who, homeID)
	if err != nil {
		return Scene{}, err
	}
	label, err := d.Checked()
	if err != nil {
		return Scene{}, err
	}
	phrases, err := checkPhrases(d.Phrases)
	if err != nil {
		return Scene{}, err
	}
	of, err := s.modelsOf(ctx, &h)
	if err != nil {
		return Scene{}, err
	}
	if err := checkActions("/actions", d.Actions, &h, of); err != nil {
		return Scene{}, err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	sc := Scene{ID: id, Home: homeID, Organisation: who.Organisation, Label: label, Phrases: phrases, Actions: d.Actions, Version: 1, CreatedAt: now, ChangedAt: now}
	if err := clash(&sc, &h); err != nil {
		return Scene{}, err
	}
	if !d.Anyway {
		if err := s.checkWords(ctx, &h, &sc); err != nil {
			return Scene{}, err
		}
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		version, err := home.Change(ctx, tx, who, homeID)
		if err != nil {
			return err
		}
		if version != h.Version+1 {
			return errMoved
		}
		return s.write(ctx, tx, who, &sc)
	})
	return sc, err
}

// write adds or replaces a scene that fits its home, if it fits the other scenes, too.
func (s *Service) write(ctx context.Context, tx *store.Tx, who access.Actor, sc *Scene) error {
	all, err := scenesOf(ctx, tx, sc.Home)
	if err != nil {
		return err
	}
	act := "scene.set"
	switch had := all[sc.ID]; {
	case sc.ID == "":
		if len(all) >= MaxScenes {
			return fault.Limit("scenes", strconv.Itoa(len(all)), fmt.Sprintf("%d scenes a home", MaxScenes), 0)
		}
		act, sc.ID = "scene.create", newID()
	case had == nil:
		return fault.NotFound("scene", sc.ID)
	default:
		sc.Version, sc.CreatedAt = had.Version+1, had.CreatedAt
	}
	if err := startsKnown(sc.Actions, all, sc.ID); err != nil {
		return err
	}
	others := make(map[string]home.Label)
	for id, other := range all {
		if id != sc.ID {
			other.words(func(_, _, word string) { others[home.Fold(word)] = other.Label })
		}
	}
	if err := sc.taken(others, "scene"); err != nil {
		return err
	}
	all[sc.ID] = sc
	if err := checkCircle(sc.ID, all); err != nil {
		return err
	}
	if err := insertScene(ctx, tx, sc); err != nil {
		return err
	}
	if err := link(ctx, tx, "scene", sc.ID, devicesOf(sc.Actions)); err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, act, sc.ID, "home "+sc.Home+" "+nameOf(sc.Label))
}

// Remove takes a scene away. Scenes that run it show it as broken.
func (s *Service) Remove(ctx context.Context, who access.Actor, homeID, id string) error {
	if err := who.Check(access.WriteHome); err != nil {
		return err
	}
	return s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := home.Change(ctx, tx, who, homeID); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, "DELETE FROM scene WHERE id = ? AND home = ?", id, homeID)
		if err != nil {
			return fmt.Errorf("removing scene %s: %w", id, err)
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return fault.NotFound("scene", id)
		}
		if err := link(ctx, tx, "scene", id, nil); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "scene.remove", id, "home "+homeID)
	})
}

// Load returns a scene of a home of who's organisation, with what it cannot do any more.
func (s *Service) Load(ctx context.Context, who access.Actor, homeID, id string) (Scene, error) {
	all, err := s.List(ctx, who, homeID)
	return oneOf(all, err, "scene", id, func(sc *Scene) string { return sc.ID })
}

// List returns the scenes of a home of who's organisation in the order they were made, with what they cannot do any more.
func (s *Service) List(ctx context.Context, who access.Actor, homeID string) ([]Scene, error) {
	var list []Scene
	err := s.within(ctx, who, homeID, func(_ *store.View, of models, byID map[string]*Scene) error {
		list = inOrder(byID)
		for i := range list {
			list[i].Broken = flaws(list[i].Actions, of, byID)
		}
		return nil
	})
	return list, err
}

// within reads in a home of who's organisation, with the models of its devices and its scenes.
func (s *Service) within(ctx context.Context, who access.Actor, homeID string, read func(v *store.View, of models, scenes map[string]*Scene) error) error {
	h, err := s.c.Homes.Load(ctx, who, homeID)
	if err != nil {
		return err
	}
	of, err := s.modelsOf(ctx, &h)
	if err != nil {
		return err
	}
	return s.c.Store.Read(ctx, func(v *store.View) error {
		scenes, err := scenesOf(ctx, v, homeID)
		if err != nil {
			return err
		}
		return read(v, of, scenes)
	})
}

// oneOf is the one of a home's things that is called id.
func oneOf[T any](all []T, err error, what, id string, idOf func(*T) string) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	for i := range all {
		if idOf(&all[i]) == id {
			return all[i], nil
		}
	}
	return none, fault.NotFound(what, id)
}

// Revision gives the version of a scene as q sees it: an edit may be held to the one that was read.
func Revision(ctx context.Context, q store.Querier, who access.Actor, homeID, id string) (int64, error) {
	all, err := scenesOf(ctx, q, homeID)
	if err != nil {
		return 0, err
	}
	if sc := all[id]; sc != nil && who.Sees(sc.Organisation) {
		return sc.Version, nil
	}
	return 0, fault.NotFound("scene", id)
}

func newID() string { return uuid.Must(uuid.NewV7()).String() }
