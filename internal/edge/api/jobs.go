package api

import (
	"context"
	"encoding/json"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
)

type jobView struct {
	ID          string          `json:"id"`
	Kind        string          `json:"kind"`
	Object      string          `json:"object,omitempty" doc:"Id of what it works on."`
	State       job.State       `json:"state" enum:"queued,running,done,failed,cancelled"`
	Done        int64           `json:"done" doc:"Progress, in units of the kind."`
	Total       int64           `json:"total,omitempty" doc:"Absent: not known."`
	Result      json.RawMessage `json:"result,omitempty"`
	Error       string          `json:"error,omitempty"`
	Cancelling  bool            `json:"cancelling,omitempty" doc:"It was asked to stop."`
	Attempts    int             `json:"attempts"`
	RequestedBy string          `json:"requested_by,omitempty" doc:"Login."`
	CreatedAt   moment          `json:"created_at"`
	DueAt       moment          `json:"due_at" doc:"It does not start before."`
	StartedAt   moment          `json:"started_at,omitzero"`
	EndedAt     moment          `json:"ended_at,omitzero"`
}

func jobOf(j *job.Job) jobView {
	return jobView{
		j.ID, j.Kind, j.Object, j.State, j.Done, j.Total, j.Result, j.Error, j.Cancelling, j.Attempts, j.Who.Login,
		moment(j.Created), moment(j.Due), moment(j.Started), moment(j.Ended),
	}
}

type jobsInput struct {
	PageInput
	Kind   string `query:"kind" maxLength:"64"`
	Object string `query:"object" maxLength:"64"`
}

type jobInput struct {
	Job string `path:"job" maxLength:"64"`
}

func (a *API) jobRoutes() {
	list(a, "/api/v1/jobs", access.ReadJob, ofCaller, "Jobs, newest first", func(ctx context.Context, who access.Actor, in *jobsInput) (page[jobView], error) {
		var p page[jobView]
		err := a.Store.Read(ctx, func(v *store.View) error {
			js, next, err := job.List(ctx, v, who, job.Filter{Kind: in.Kind, Object: in.Object, Cursor: in.Cursor, Limit: in.Limit})
			p = pageTo(js, next, jobOf)
			return err
		})
		return p, err
	})
	route(a, "GET", "/api/v1/jobs/{job}", access.ReadJob, ofJob, "A job", func(ctx context.Context, who access.Actor, in *jobInput) (j jobView, err error) {
		err = a.Store.Read(ctx, func(v *store.View) error {
			loaded, err := job.Load(ctx, v, who, in.Job)
			j = jobOf(&loaded)
			return err
		})
		return j, err
	})
	route(a, "DELETE", "/api/v1/jobs/{job}", access.ManageJob, ofJob, "Ask a job to stop", func(ctx context.Context, who access.Actor, in *jobInput) (jobView, error) {
		j, err := a.Jobs.Cancel(ctx, who, in.Job)
		return jobOf(&j), err
	})
}
