package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

type sceneCommand struct {
	List   sceneList   `cmd:"" help:"The scenes of a home."`
	Show   sceneShow   `cmd:"" help:"One scene, with its actions and what it cannot do any more."`
	New    sceneNew    `cmd:"" help:"Make a scene."`
	Set    sceneSet    `cmd:"" help:"Make a scene anew: what is not given is left away."`
	Remove sceneRemove `cmd:"" help:"Take a scene away."`
	Run    sceneRun    `cmd:"" help:"Run a scene."`
	Runs   sceneRuns   `cmd:"" help:"What was carried out in a home, newest first."`
	Result sceneResult `cmd:"" help:"One run, with what came of each of its steps."`
}

const scenePath = homePath + "/scenes/{}"

type sceneList struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (s *sceneList) Run(ctx context.Context) error {
	return s.list(ctx, at(homePath+"/scenes", s.Home), "id names actions broken changed_at")
}

type oneScene struct {
	client
	Home  string `arg:"" help:"Id of the home."`
	Scene string `arg:"" help:"Id of the scene."`
}

func (s *oneScene) path(rest string) string { return at(scenePath, s.Home, s.Scene) + rest }

type sceneShow struct{ oneScene }

func (s *sceneShow) Run(ctx context.Context) error { return s.do(ctx, "GET", s.path(""), nil) }

// sceneForm is what a scene is made of.
type sceneForm struct {
	Names   map[string]string `help:"What it is called, by language: zh-CN=观影; may be repeated." required:"" placeholder:"LANG=NAME" mapsep:"none"`
	Aliases map[string]string `help:"What else it is called, by language; several of one language are parted by |." placeholder:"LANG=NAME|NAME" mapsep:"none"`
	Phrases map[string]string `help:"Sentences that start it, by language; several of one language are parted by |." placeholder:"LANG=TEXT|TEXT" mapsep:"none"`
	Anyway  bool              `help:"Also if one of its words is a command already."`
	File    string            `arg:"" help:"Its actions: a JSON array; - is the standard input."`
}

func (s *sceneForm) body() (map[string]any, error) {
	actions, err := document(s.File)
	if err != nil {
		return nil, err
	}
	in := body("names", s.Names, "actions", actions)
	for name, words := range map[string]map[string]string{"aliases": s.Aliases, "phrases": s.Phrases} {
		if len(words) > 0 {
			in[name] = parted(words)
		}
	}
	if s.Anyway {
		in["anyway"] = true
	}
	return in, nil
}

type sceneNew struct {
	client
	Home string `arg:"" help:"Id of the home."`
	sceneForm
}

func (s *sceneNew) Help() string { return sceneHelp }

const sceneHelp = `An action is {"kind":"set","device":ID,"params":{"powerstate":1}}, {"kind":"adjust","device":ID,"property":"brightness","by":-10}, {"kind":"call","device":ID,"service":NAME,"params":{}}, {"kind":"wait","seconds":5} or {"kind":"scene","scene":ID}.`

func (s *sceneNew) Run(ctx context.Context) error {
	in, err := s.body()
	if err != nil {
		return err
	}
	return s.do(ctx, creates, at(homePath+"/scenes", s.Home), in)
}

type sceneSet struct {
	oneScene
	held
	sceneForm
}

func (s *sceneSet) Help() string { return sceneHelp }

func (s *sceneSet) Run(ctx context.Context) error {
	in, err := s.body()
	if err != nil {
		return err
	}
	return s.edit(ctx, s.held, "PUT", s.path(""), in)
}

type sceneRemove struct{ oneScene }

func (s *sceneRemove) Run(ctx context.Context) error { return s.do(ctx, "DELETE", s.path(""), nil) }

type sceneRun struct {
	oneScene
	Wait time.Duration `help:"Answer when it has ended, or after this time; up to 20s. Default: at once." placeholder:"DURATION" sends:"wait_ms" least:"1ms" most:"20s"`
}

func (s *sceneRun) Help() string {
	return "With --wait it exits 1 when something of it was not done; the answer names each device."
}

func (s *sceneRun) Run(ctx context.Context) error {
	var raw json.RawMessage
	if err := s.call(ctx, creates, s.path("/runs"), body("wait_ms", s.Wait.Milliseconds()), &raw); err != nil {
		return err
	}
	if err := printJSON(raw); err != nil {
		return err
	}
	var r struct {
		State string `json:"state"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if s.Wait > 0 && r.State != "done" {
		return exitError(1)
	}
	return nil
}

type sceneRuns struct {
	sorted
	Home  string `arg:"" help:"Id of the home."`
	Of    string `name:"scene" help:"Only those of this scene." placeholder:"ID" sends:"of"`
	State string `help:"running, done, partly, failed or late." placeholder:"STATE"`
}

func (s *sceneRuns) Run(ctx context.Context) error {
	return s.list(ctx, at(homePath+"/runs", s.Home), "id names asked state started_at ended_at", "of", s.Of, "state", s.State)
}

type sceneResult struct {
	client
	Home string `arg:"" help:"Id of the home."`
	ID   string `arg:"" name:"run" help:"Id of the run."`
}

func (s *sceneResult) Run(ctx context.Context) error {
	return s.do(ctx, "GET", at(homePath+"/runs/{}", s.Home, s.ID), nil)
}

// parted makes lists of words that are parted by |.
func parted(words map[string]string) map[string][]string {
	all := make(map[string][]string, len(words))
	for lang, list := range words {
		all[lang] = strings.Split(list, "|")
	}
	return all
}
