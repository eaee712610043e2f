package api

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/issuance"
)

type windowView struct {
	Order      string `json:"order"`
	Open       bool   `json:"open" doc:"Devices may register now."`
	OpenedAt   moment `json:"opened_at"`
	ClosesAt   moment `json:"closes_at"`
	Names      int    `json:"names" doc:"How many are allowed by name; 0: all of the order."`
	Registered int    `json:"registered" doc:"Devices of the order that have registered, in this window and before."`
	Reason     string `json:"reason"`
	MadeBy     string `json:"made_by" doc:"User."`
}

func windowOf(w *issuance.Window) windowView {
	return windowView{w.Order, w.Open(time.Now()), moment(w.OpenedAt), moment(w.ClosesAt), w.Names, w.Registered, w.Reason, w.MadeBy}
}

type newWindowInput struct {
	Order string `path:"order" maxLength:"64"`
	Body  struct {
		Minutes int      `json:"minutes" minimum:"1" maximum:"10080" doc:"How long devices may register, from now."`
		Names   []string `json:"names,omitempty" maxItems:"10000" doc:"DeviceNames that may; all of the order, if none is named."`
		Reason  string   `json:"reason" minLength:"1" maxLength:"500" doc:"Stays on record." example:"the line has no way to burn secrets"`
	}
}

type windowInput struct {
	Order string `path:"order" maxLength:"64"`
}

type productSecretInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"Stays on record."`
		Renew  bool   `json:"renew,omitempty" doc:"Make another, from which on no other is in force."`
	}
}

type productSecretView struct {
	ProductSecret string `json:"product_secret" doc:"What devices of the product sign with that register."`
}

type registrationResetInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   reasonBody
}

// registrationRoutes are about devices that ask for their secrets themselves (动态注册).
func (a *API) registrationRoutes() {
	const window = "/api/v1/orders/{order}/registration-window"
	create(a, window, access.DownloadTriples, ofOrder, "Let devices of an issued order register for a while, in the place of the window before", func(ctx context.Context, who access.Actor, in *newWindowInput) (windowView, error) {
		w, err := a.Orders.OpenWindow(ctx, who, in.Order, issuance.NewWindow{Names: in.Body.Names, For: time.Duration(in.Body.Minutes) * time.Minute, Reason: in.Body.Reason})
		return windowOf(&w), err
	})
	route(a, "GET", window, access.ReadOrder, ofOrder, "The newest window in which devices of an order may register", func(ctx context.Context, who access.Actor, in *windowInput) (windowView, error) {
		w, err := a.Orders.Window(ctx, who, in.Order)
		return windowOf(&w), err
	})
	route(a, "DELETE", window, access.RevokeTriples, ofOrder, "Let devices of an order register no longer", func(ctx context.Context, who access.Actor, in *windowInput) (nothing, error) {
		return nothing{}, a.Orders.CloseWindow(ctx, who, in.Order)
	})
	route(a, "POST", "/api/v1/products/{product}/secret", access.DownloadTriples, ofProduct, "The ProductSecret, with which devices of a product register", func(ctx context.Context, who access.Actor, in *productSecretInput) (productSecretView, error) {
		secret, err := a.Products.Secret(ctx, who, in.Product, in.Body.Renew, in.Body.Reason)
		if err != nil {
			return productSecretView{}, err
		}
		return productSecretView{secret.Reveal()}, nil
	})
	route(a, "POST", "/api/v1/devices/{device}/registration-reset", access.RevokeTriples, ofDevice, "Let a device register once more; what it was handed so far is out of force", func(ctx context.Context, who access.Actor, in *registrationResetInput) (nothing, error) {
		return nothing{}, a.Devices.ResetRegistration(ctx, who, in.Device, in.Body.Reason)
	})
}
