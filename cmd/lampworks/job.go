package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"
)

type jobCommand struct {
	List   jobList   `cmd:"" help:"Jobs, newest first."`
	Show   jobShow   `cmd:"" help:"One job."`
	Wait   jobWait   `cmd:"" help:"Wait until a job has ended, telling how far it is."`
	Cancel jobCancel `cmd:"" help:"Ask a job to stop."`
}

const jobPath = "/api/v1/jobs/{}"

type jobList struct {
	pages
	Kind   string `help:"Only those of this kind." placeholder:"KIND"`
	Object string `help:"Only those that work on this." placeholder:"ID"`
}

func (j *jobList) Run(ctx context.Context) error {
	return j.list(ctx, "/api/v1/jobs", "id state kind done total created_at object", "kind", j.Kind, "object", j.Object)
}

type oneJob struct {
	client
	Job string `arg:"" help:"Id of the job."`
}

type jobShow struct{ oneJob }

func (j *jobShow) Run(ctx context.Context) error { return j.do(ctx, "GET", at(jobPath, j.Job), nil) }

type jobCancel struct{ oneJob }

func (j *jobCancel) Run(ctx context.Context) error {
	return j.do(ctx, "DELETE", at(jobPath, j.Job), nil)
}

type jobWait struct {
	oneJob
	Within time.Duration `help:"Give up after this time; the job goes on. Default: never." placeholder:"DURATION" least:"1ms"`
}

func (j *jobWait) Help() string {
	return "Exits 0 when the job is done, 1 when it failed or was cancelled."
}

func (j *jobWait) Run(ctx context.Context) error {
	if j.Within > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, j.Within)
		defer stop()
	}
	raw, err := j.await(ctx, j.Job)
	if len(raw) > 0 {
		err = joined(err, printJSON(raw))
	}
	return err
}

// joined is the first of two errors that is one.
func joined(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// await waits until a job has ended, and gives its last state.
func (c *client) await(ctx context.Context, id string) (json.RawMessage, error) {
	told := ""
	for pause := shortest; ; pause = min(2*pause, longest) {
		var raw json.RawMessage
		if err := c.call(ctx, "GET", at(jobPath, id), nil, &raw); err != nil {
			return nil, err
		}
		var j struct {
			Kind, State, Error string
			Done, Total        int64
		}
		if err := json.Unmarshal(raw, &j); err != nil {
			return nil, fmt.Errorf("reading the job: %w", err)
		}
		switch j.State {
		case "done":
			return raw, nil
		case "failed", "cancelled":
			return raw, fmt.Errorf(say("the job is %s: %s", "作业的状态为 %s：%s"), j.State, j.Error)
		}
		text := fmt.Sprintf(say("%s %s: %d", "%s %s：%d"), j.Kind, j.State, j.Done)
		if j.Total > 0 {
			text += fmt.Sprintf(say(" of %d", "，共 %d"), j.Total)
		}
		if text != told {
			note("%s", text)
			told = text
		}
		if err := rest(ctx, pause); err != nil {
			return nil, fmt.Errorf("waiting for the job: %w", err)
		}
	}
}

// reading is whether a verb waits until the file that it sent has been read.
type reading struct {
	Wait bool `help:"Wait until the file has been read, telling how far it is. --no-wait: exit once it was sent." default:"true" negatable:""`
}

// follow looks until the file has been read, if that is wanted.
func (r *reading) follow(ctx context.Context, look func() (state, text string, err error)) error {
	told := ""
	for pause := shortest; r.Wait; pause = min(2*pause, longest) {
		state, text, err := look()
		if err != nil || state != "uploading" && state != "checking" {
			return err
		}
		if text != told {
			note("%s", text)
			told = text
		}
		if err := rest(ctx, pause); err != nil {
			return fmt.Errorf("waiting until the file has been read: %w", err)
		}
	}
	return nil
}

// How long is waited between two looks.
const (
	shortest = 100 * time.Millisecond
	longest  = 2 * time.Second
)

// rest waits a moment.
func rest(ctx context.Context, pause time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// note tells something beside the outcome.
func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
