package api

import (
	"context"
	"net/http"

	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/infra/access"
)

type claimView struct {
	ID        string        `json:"id"`
	State     pairing.State `json:"state" enum:"bound,waiting_for_button,refused,expired"`
	Reason    string        `json:"reason,omitempty" doc:"Why it was refused when the button was pressed."`
	Device    string        `json:"device" doc:"Id."`
	Room      string        `json:"room" doc:"Id; empty: in no room."`
	Names     home.Names    `json:"names"`
	Aliases   home.Aliases  `json:"aliases,omitempty"`
	MadeAt    moment        `json:"made_at"`
	ExpiresAt moment        `json:"expires_at" doc:"While the button is waited for: until then."`
}

func claimOf(c *pairing.Claim) claimView {
	return claimView{c.ID, c.State, c.Reason, c.Device, c.Room, c.Names, c.Aliases, moment(c.MadeAt), moment(c.ExpiresAt)}
}

type claimInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Token   string       `json:"token,omitempty" maxLength:"64" doc:"That the device announced: 32 hex digits."`
		QR      string       `json:"qr,omitempty" maxLength:"512" doc:"The text of the code that it shows, in place of the token."`
		Room    string       `json:"room,omitempty" maxLength:"64" doc:"Id; empty: in no room."`
		Names   home.Names   `json:"names"`
		Aliases home.Aliases `json:"aliases,omitempty"`
	}
}

type oneClaimInput struct {
	Home  string `path:"home" maxLength:"64"`
	Claim string `path:"claim" maxLength:"64"`
}

func (a *API) claimRoutes() {
	op := secret(a.operation("POST", "/api/v1/homes/{home}/devices/claim", access.WriteHome, ofHome, "Bind the device whose token one has (绑定); a lock or a camera waits for its button"))
	op.DefaultStatus = http.StatusAccepted
	register(a, op, func(ctx context.Context, in *claimInput) (claimView, error) {
		who, _ := access.Of(ctx)
		c, err := a.Pairing.Claim(ctx, who, in.Home, pairing.Want{
			Token: in.Body.Token, QR: in.Body.QR, Room: in.Body.Room, Label: home.Label{Names: in.Body.Names, Aliases: in.Body.Aliases},
		})
		return claimOf(&c), err
	})
	route(a, "GET", "/api/v1/homes/{home}/claims/{claim}", access.WriteHome, ofHome, "What became of a claim, for an hour", func(ctx context.Context, who access.Actor, in *oneClaimInput) (claimView, error) {
		c, err := a.Pairing.Load(ctx, who, in.Home, in.Claim)
		return claimOf(&c), err
	})
}
