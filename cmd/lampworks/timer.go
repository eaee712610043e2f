package main

import (
	"context"
	"strings"
)

type timerCommand struct {
	List   timerList   `cmd:"" help:"The timers of a home: those that are pending, then those that have ended."`
	Show   timerShow   `cmd:"" help:"One timer."`
	Set    timerSet    `cmd:"" help:"Set a timer: after some seconds, or at a time of day."`
	Change timerChange `cmd:"" help:"Set a timer anew that is pending: what is not given is left away."`
	Cancel timerCancel `cmd:"" help:"Cancel a timer that is pending."`
}

const timerPath = homePath + "/timers/{}"

type timerList struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (t *timerList) Run(ctx context.Context) error {
	return t.list(ctx, at(homePath+"/timers", t.Home), "id label state due_at days actions last")
}

type oneTimer struct {
	client
	Home  string `arg:"" help:"Id of the home."`
	Timer string `arg:"" help:"Id of the timer."`
}

func (t *oneTimer) path() string { return at(timerPath, t.Home, t.Timer) }

type timerShow struct{ oneTimer }

func (t *timerShow) Run(ctx context.Context) error { return t.do(ctx, "GET", t.path(), nil) }

// timerForm is what a timer is made of.
type timerForm struct {
	Label   string `help:"What it is called." placeholder:"TEXT"`
	Seconds int    `help:"After so many seconds." placeholder:"N"`
	At      string `help:"At this time of day in the home, as 07:30." placeholder:"HH:MM"`
	Day     string `help:"On this day, with --at; default: the next time it is so late." placeholder:"YYYY-MM-DD"`
	Days    string `help:"Again and again on these weekdays, with --at: monday,friday." placeholder:"DAY,…"`
	Actions string `help:"File with its actions, a JSON array as of a scene. Default: it only rings." placeholder:"FILE" type:"existingfile"`
}

func (t *timerForm) body() (map[string]any, error) {
	in := body("label", t.Label, "at", t.At, "day", t.Day)
	if t.Seconds != 0 {
		in["seconds"] = t.Seconds
	}
	if t.Days != "" {
		in["days"] = strings.Split(t.Days, ",")
	}
	if t.Actions != "" {
		actions, err := document(t.Actions)
		if err != nil {
			return nil, err
		}
		in["actions"] = actions
	}
	return in, nil
}

type timerSet struct {
	client
	Home string `arg:"" help:"Id of the home."`
	timerForm
}

func (t *timerSet) Run(ctx context.Context) error {
	in, err := t.body()
	if err != nil {
		return err
	}
	return t.do(ctx, creates, at(homePath+"/timers", t.Home), in)
}

type timerChange struct {
	oneTimer
	held
	timerForm
}

func (t *timerChange) Run(ctx context.Context) error {
	in, err := t.body()
	if err != nil {
		return err
	}
	return t.edit(ctx, t.held, "PUT", t.path(), in)
}

type timerCancel struct{ oneTimer }

func (t *timerCancel) Run(ctx context.Context) error { return t.do(ctx, "DELETE", t.path(), nil) }
