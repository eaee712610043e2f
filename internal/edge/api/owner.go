package api

import (
	"context"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// An owner says whose the object of a request is. Every route has one: it is asked after the act was allowed and before
// the request is decoded, and who does not see that organisation finds nothing.
type owner struct {
	param  string // names the object in the path; empty: the route has none
	object string // what it is called
	of     func(ctx context.Context, a *API, id string) (organisation string, err error)
}

// Owners of routes without an object that could be somebody else's.
var (
	ofCaller   = owner{object: "caller"}   // lists and new things of the organisation, or the platform, that who acts for
	ofPerson   = owner{object: "person"}   // the caller's own sessions, tokens, password: the room finds them by the person
	ofPlatform = owner{object: "platform"} // the operator's: the act belongs to the operator's roles only
	ofResident = owner{object: "resident"} // a resident's own: the room finds it by the resident, and nobody else passes
	ofNobody   = owner{object: "nobody"}   // what everybody who is signed in may know, but residents
	ofShown    = owner{object: "shown"}    // what everybody who is signed in may know, and residents where a home of theirs shows it: the handler asks
)

// Owners of objects.
var (
	ofOrganisation = owner{"organisation", "organisation", func(_ context.Context, _ *API, id string) (string, error) { return id, nil }}
	ofProduct      = owner{"product", "product", func(ctx context.Context, a *API, id string) (string, error) { return a.Products.Owner(ctx, id) }}
	ofOrder        = owner{"order", "order", func(ctx context.Context, a *API, id string) (string, error) { return a.Orders.Owner(ctx, id) }}
	ofDownload     = owner{"download", "download", func(ctx context.Context, a *API, id string) (string, error) { return a.Orders.DownloadOwner(ctx, id) }}
	ofBurnLog      = owner{"log", "burn log", func(ctx context.Context, a *API, id string) (string, error) { return a.Factory.Owner(ctx, id) }}
	ofMACList      = owner{"list", "MAC list", func(ctx context.Context, a *API, id string) (string, error) { return a.Orders.ListOwner(ctx, id) }}
	ofDevice       = owner{"device", "device", func(ctx context.Context, a *API, id string) (string, error) { return a.Devices.Owner(ctx, id) }}
	ofCommand      = owner{"command", "command", func(ctx context.Context, a *API, id string) (string, error) { return a.Commands.Owner(ctx, id) }}
	ofHome         = owner{"home", "home", func(ctx context.Context, a *API, id string) (string, error) { return a.Homes.Owner(ctx, id) }}
	ofJob          = owner{"job", "job", func(ctx context.Context, a *API, id string) (string, error) { return a.Jobs.Owner(ctx, id) }}
)

const maxID = 64 // characters

// belongs lets nobody pass to an object that is another organisation's. It is not found, as if there were none.
func (a *API) belongs(o owner) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		if o.of == nil {
			next(hc)
			return
		}
		ctx, id := hc.Context(), hc.Param(o.param)
		who, _ := access.Of(ctx)
		if len(id) > maxID {
			a.refuse(hc, fault.Invalid("/path/"+o.param, id, fmt.Sprintf("an id, at most %d characters", maxID), ""))
			return
		}
		organisation, err := o.of(ctx, a, id)
		if err == nil && !who.Sees(organisation) {
			err = fault.NotFound(o.object, id)
		}
		if err != nil {
			a.refuse(hc, err)
			return
		}
		next(hc)
	}
}

// A Gate refuses somebody who may do an act, for a reason that is not their role: an agreement not accepted, a suspension,
// a service that is not theirs. It is asked at every request, so it answers from memory.
type Gate func(ctx context.Context, who access.Actor, act access.Act) error

// gate asks every gate in order. Routes for everybody who is signed in have none: they are how one gets through.
func (a *API) gate(act access.Act) func(huma.Context, func(huma.Context)) {
	return func(hc huma.Context, next func(huma.Context)) {
		ctx := hc.Context()
		who, _ := access.Of(ctx)
		if err := a.gated(ctx, who, act); err != nil {
			a.refuse(hc, err)
			return
		}
		next(hc)
	}
}

// gated asks the gates. They are about what a maker has with the operator: a resident has none of it.
func (a *API) gated(ctx context.Context, who access.Actor, act access.Act) error {
	if who.Resident() {
		return nil
	}
	for _, refuses := range a.Gates {
		if err := refuses(ctx, who, act); err != nil {
			return err
		}
	}
	return nil
}
