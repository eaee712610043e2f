package api

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/outbox"
)

type deadView struct {
	ID           string `json:"id"`
	Kind         string `json:"kind" enum:"mail,sms"`
	Organisation string `json:"organisation,omitempty" doc:"On whose account it was."`
	MadeAt       moment `json:"made_at"`
	EndedAt      moment `json:"ended_at"`
	Tries        int    `json:"tries"`
	Error        string `json:"error" doc:"Of the last try."`
}

type deadInput struct {
	ListInput
	Kind         string `query:"kind" enum:"mail,sms"`
	Organisation string `query:"organisation" maxLength:"64"`
}

func (a *API) outboxRoutes() {
	list(a, "/api/v1/dead-messages", access.OperatePlatform, ofPlatform, "Mail and text messages that were given up in the last 30 days", func(ctx context.Context, who access.Actor, in *deadInput) (page[deadView], error) {
		p, err := a.Outbox.Dead(ctx, who, in.ask(map[string]string{"kind": in.Kind, "organisation": in.Organisation}))
		return pageFrom(p, func(d *outbox.Dead) deadView {
			return deadView{d.ID, d.Kind, d.Organisation, moment(d.MadeAt), moment(d.EndedAt), d.Tries, d.Error}
		}), err
	})
}
