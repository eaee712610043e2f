// Package scene keeps what a home does by itself or at a word: scenes (场景), timers (定时) and automations (自动化).
//
// It owns the tables scene, scene_run, scene_timer, scene_automation, scene_trace, scene_cursor and scene_device, and promises:
//   - a scene's name or phrase means nothing else in its home: no room, device or other scene has it, and it is no command, unless
//     whoever makes it was told so and wants it all the same;
//   - actions are held against the thing models of their devices before they are kept; scenes run scenes, in no circle and
//     [MaxDepth] deep at most;
//   - each step of a run is carried out once, also when the process is killed in between or two nodes work on one database: its
//     commands and the step it has come to are one transaction;
//   - a run tells of each device what came of it, and is done only if all of it is confirmed; what left the home is skipped, and
//     shown as broken;
//   - a timer fires once for each time it is due, whoever is killed and however many nodes look; one that is up to [MaxLate] late
//     fires when the program runs again, an older one is told as missed and does nothing;
//   - a time of day is one of the home: one that daylight saving leaves out, or has twice, is there once;
//   - an automation is looked at once for each thing that happens, as the uplink Log has it, and each time leaves a trace of why it
//     ran or did not; automations set off each other [MaxCauses] deep at most, and run [MaxPerMinute] times a minute at most;
//   - a condition is held against the thing models when it is kept, and costs little whatever it says;
//   - a refused change changes nothing, an accepted one leaves one audit entry in its transaction.
//
// It knows no sentence: voice starts scenes by their names.
package scene

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/product"
)

// Limits of scenes and their runs.
const (
	MaxScenes  = 100              // of one home
	MaxPhrases = 8                // in one language
	MaxActions = 50               // of one scene
	MaxSteps   = 200              // of one run, with those of the scenes that it runs
	MaxDepth   = 4                // scenes that run scenes
	MaxParams  = 2048             // bytes of what one action sends
	MaxWait    = 5 * time.Minute  // of one action
	MaxWaits   = 15 * time.Minute // of one run
	MaxRuns    = 200              // kept of one home, and of those under way as many
	KeepRuns   = 30 * 24 * time.Hour
	MaxLate    = 5 * time.Minute // what is due longer is told, and not carried out any more
)

// Commands is what a scene asks of the room command.
type Commands interface {
	Submit(ctx context.Context, who access.Actor, reqs ...command.Request) ([]command.Command, error)
	Wait(ctx context.Context, ids ...string) ([]command.Command, error)
}

// Config is what the room stands on.
type Config struct {
	Store    *store.Store
	Homes    *home.Service
	Products *product.Service
	Shadows  *shadow.Service
	Commands Commands
	Bus      bus.Bus // nil: nobody is told of timers
	// Live reports whether a device has a session now; presence rows may be behind. nil: the rows alone are asked.
	Live   func(device string) bool
	Logger *slog.Logger

	Every time.Duration // how long a clock that was set, or another node's work, can hold up what is due; default 2 s
}

// Service answers for scenes. It is safe for concurrent use.
type Service struct {
	c    Config
	log  *slog.Logger
	wake chan struct{} // one place: something is due

	lag      uplink.Lag                                                                             // of the cursor; of Follow only
	followed uplink.Position                                                                        // what is behind it is to be dealt with; of Follow only
	announce func(ctx context.Context, who access.Actor, homeID, text string, rooms []string) error // nil: nobody does
	watched  atomic.Pointer[watching]

	mu         sync.Mutex // guards the fields below
	conditions map[string]*condition
	work       work
	ends       map[string][]chan struct{} // who waits for the end of a run, by its id
}

// New returns the service over a migrated store. [Service.Run] must run for runs to go on.
func New(c Config) *Service {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Every <= 0 {
		c.Every = lookEvery
	}
	return &Service{c: c, log: c.Logger, wake: make(chan struct{}, 1), work: work{homes: make(map[string]string), busy: make(map[string]int), waiting: make(map[string]bool)}, ends: make(map[string][]chan struct{})}
}

// A Scene is a list of actions under a name.
type Scene struct {
	ID, Home     string
	Organisation string
	home.Label
	Phrases   home.Aliases // sentences that start it, by language
	Actions   []Action
	Version   int64 // grows with each change
	CreatedAt time.Time
	ChangedAt time.Time
	Broken    []Flaw // what it cannot do any more
}

// A Draft is what somebody wants a scene to be.
type Draft struct {
	home.Label
	Phrases home.Aliases
	Actions []Action
	Anyway  bool // also if its name is a command: who says so was asked
}

// A Flaw is an action that cannot be carried out as things are.
type Flaw struct {
	Action int    `json:"action" doc:"Its place in the list, from 0."`
	Why    string `json:"why" enum:"gone,no_scene,not_in_model" doc:"gone: the device left the home; no_scene: there is no such scene any more; not_in_model: its thing model does not allow it any more."`
}

// Why an action cannot be carried out.
const (
	Gone       = "gone"
	NoScene    = "no_scene"
	NotInModel = "not_in_model"
)
