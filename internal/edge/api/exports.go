package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
	"lampworks/internal/partner/takeout"
)

type exportView struct {
	ID           string        `json:"id"`
	Organisation string        `json:"organisation"`
	State        takeout.State `json:"state" enum:"collecting,ready,failed,cancelled,discarded,expired"`
	Reason       string        `json:"reason,omitempty"`
	OrderedBy    string        `json:"ordered_by" doc:"User."`
	CreatedAt    moment        `json:"created_at"`
	Job          string        `json:"job" doc:"That collects it: GET /api/v1/jobs/{job} says how far it is, in rows."`
	EndedAt      moment        `json:"ended_at,omitzero" doc:"It is collected, or is not any more."`
	ExpiresAt    moment        `json:"expires_at,omitzero" doc:"The file is removed then."`
	Size         int64         `json:"size_bytes,omitempty"`
	Files        int64         `json:"files,omitempty"`
	Rows         int64         `json:"rows,omitempty"`
	SHA256       string        `json:"sha256,omitempty" doc:"Of the file."`
	Failure      string        `json:"failure,omitempty"`
	Open         []takeout.Act `json:"open" nullable:"false" doc:"What who asks may do with it now: DELETE cancels or discards."`
}

func exportOf(who access.Actor) func(*takeout.Export) exportView {
	return func(e *takeout.Export) exportView {
		return exportView{
			e.ID, e.Organisation, e.State, e.Reason, e.By, moment(e.Created), e.Job, moment(e.Ended), moment(e.Expires), e.Bytes, e.Files, e.Rows,
			e.SHA256, e.Failure, append([]takeout.Act{}, e.Open(who)...),
		}
	}
}

type newExportInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Reason string `json:"reason,omitempty" maxLength:"1000" doc:"Stays on record." example:"we leave at the end of the year"`
	}
}

type exportsInput struct {
	ListInput
	Organisation string `path:"organisation" maxLength:"64"`
	State        string `query:"state" enum:"collecting,ready,failed,cancelled,discarded,expired"`
}

type exportInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Export       string `path:"export" maxLength:"64"`
}

func (a *API) exportRoutes() {
	const all, one = "/api/v1/organisations/{organisation}/exports", "/api/v1/organisations/{organisation}/exports/{export}"
	create(a, all, access.LeaveOrganisation, ofOrganisation, "Collect everything that the platform has of the organisation, as one file (数据导出)", func(ctx context.Context, who access.Actor, in *newExportInput) (exportView, error) {
		e, err := a.Takeout.Order(ctx, who, in.Organisation, in.Body.Reason)
		return exportOf(who)(&e), err
	})
	list(a, all, access.LeaveOrganisation, ofOrganisation, "Exports of the organisation, newest first", func(ctx context.Context, who access.Actor, in *exportsInput) (page[exportView], error) {
		p, err := a.Takeout.List(ctx, who, in.Organisation, in.ask(map[string]string{"state": in.State}))
		return pageFrom(p, exportOf(who)), err
	})
	route(a, "GET", one, access.LeaveOrganisation, ofOrganisation, "An export", func(ctx context.Context, who access.Actor, in *exportInput) (exportView, error) {
		e, err := a.Takeout.Load(ctx, who, in.Organisation, in.Export)
		return exportOf(who)(&e), err
	})
	route(a, "DELETE", one, access.LeaveOrganisation, ofOrganisation, "Cancel an export that is being collected, or discard its file", func(ctx context.Context, who access.Actor, in *exportInput) (exportView, error) {
		e, err := a.Takeout.Discard(ctx, who, in.Organisation, in.Export)
		return exportOf(who)(&e), err
	})
	op := a.operation("GET", one+"/file", access.LeaveOrganisation, ofOrganisation, "The file of an export, for who showed the second factor; each time is recorded")
	op.Middlewares = append(huma.Middlewares{a.onlyGet}, op.Middlewares...)
	op.Responses["200"] = &huma.Response{
		Description: "A zip of JSON lines, CSV and the files themselves, with a manifest.",
		Content:     map[string]*huma.MediaType{string(blob.ZIP): {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	huma.Register(a.huma, op, a.exportFile)
}

// exportFile hands the file of an export out. What is found wrong on the way breaks the connection.
func (a *API) exportFile(ctx context.Context, in *exportInput) (*huma.StreamResponse, error) {
	who, _ := access.Of(ctx)
	e, content, err := a.Takeout.Fetch(ctx, who, in.Organisation, in.Export)
	if err != nil {
		return nil, a.problem(ctx, err)
	}
	return a.attachment(ctx, "lampworks-export-"+e.ID+blob.ZIP.Extension(), blob.ZIP, e.Bytes, content), nil
}
