package api

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/store"
)

type auditView struct {
	ID     string     `json:"id"`
	At     moment     `json:"at"`
	Actor  auditActor `json:"actor"`
	Act    string     `json:"act"`
	Object string     `json:"object,omitempty"`
	Note   string     `json:"note,omitempty"`
}

type auditActor struct {
	Kind  string `json:"kind" enum:"user,token,device,clock,system"`
	ID    string `json:"id"`
	User  string `json:"user,omitempty" doc:"Id of the person behind it."`
	Login string `json:"login,omitempty"`
	From  string `json:"from,omitempty" doc:"Remote address."`
}

func auditOf(e *audit.Entry) auditView {
	return auditView{e.ID, moment(e.At), auditActor{e.Actor.Kind, e.Actor.ID, e.Actor.User, e.Actor.Login, e.Actor.From}, e.Act, e.Object, e.Note}
}

type auditInput struct {
	PageInput
	Act    string `query:"act" maxLength:"64"`
	Object string `query:"object" maxLength:"64"`
	Actor  string `query:"actor" maxLength:"64" doc:"Id of who acted."`
}

func (a *API) auditRoutes() {
	list(a, "/api/v1/audit", access.ReadAudit, ofCaller, "Who did what in the organisation acted for, newest first; an operator sees the platform's own acts", func(ctx context.Context, who access.Actor, in *auditInput) (page[auditView], error) {
		var p page[auditView]
		err := a.Store.Read(ctx, func(v *store.View) error {
			es, next, err := audit.List(ctx, v, who.Organisation, audit.Filter{Act: in.Act, Object: in.Object, Actor: in.Actor, Cursor: in.Cursor, Limit: in.Limit})
			p = pageTo(es, next, auditOf)
			return err
		})
		return p, err
	})
}
