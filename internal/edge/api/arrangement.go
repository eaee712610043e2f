package api

import (
	"context"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
)

// What a home has beside rooms and devices: speakers in rooms, hidden devices, favourites, and names that are heard badly.

type speakerHere struct {
	Speaker string `json:"speaker" doc:"As it calls itself with a sentence: a name, or the id of a device."`
	Room    string `json:"room" doc:"Id."`
}

type placeSpeakerInput struct {
	Home    string `path:"home" maxLength:"64"`
	Speaker string `path:"speaker" maxLength:"64"`
	Body    struct {
		Room string `json:"room" maxLength:"64" doc:"Id."`
	}
}

type speakerInput struct {
	Home    string `path:"home" maxLength:"64"`
	Speaker string `path:"speaker" maxLength:"64"`
}

type visibilityInput struct {
	Home   string `path:"home" maxLength:"64"`
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		Hidden bool `json:"hidden" doc:"Nothing that is said reaches it; scenes, timers and automations do."`
	}
}

type favouritesBody struct {
	Devices []string `json:"devices" nullable:"false" maxItems:"1000" doc:"Ids, in their order; at most 50."`
}

type favouritesInput struct {
	Home string `path:"home" maxLength:"64"`
	Body favouritesBody
}

type nameWarningView struct {
	Kind    string `json:"kind" enum:"sounds_alike,is_command" doc:"sounds_alike: with another name; is_command: said alone, it is one."`
	Lang    string `json:"lang" enum:"zh-CN,en"`
	Name    string `json:"name"`
	Of      string `json:"of" doc:"Id of the room or device that has it."`
	Other   string `json:"other,omitempty" doc:"The name that it sounds like."`
	OtherOf string `json:"other_of,omitempty" doc:"Whose that is."`
}

func (a *API) arrangementRoutes() {
	const path = "/api/v1/homes/{home}/speakers"
	list(a, path, access.ReadHome, ofHome, "In which rooms speakers (音箱) stand", func(ctx context.Context, who access.Actor, in *livingInput) (page[speakerHere], error) {
		h, err := a.Homes.Load(ctx, who, in.Home)
		if err != nil {
			return page[speakerHere]{}, err
		}
		all := make([]speakerHere, len(h.Speakers))
		for i := range h.Speakers {
			all[i] = speakerHere{h.Speakers[i].ID, h.Speakers[i].Room}
		}
		return pageWithin(all, &in.PageInput, func(s *speakerHere) string { return s.Speaker }, func(s *speakerHere) speakerHere { return *s })
	})
	route(a, "PUT", path+"/{speaker}", access.WriteHome, ofHome, "Say in which room a speaker stands: what it hears is meant there", func(ctx context.Context, who access.Actor, in *placeSpeakerInput) (nothing, error) {
		return nothing{}, a.Homes.PlaceSpeaker(ctx, who, in.Home, in.Speaker, in.Body.Room)
	})
	route(a, "DELETE", path+"/{speaker}", access.WriteHome, ofHome, "Forget in which room a speaker stands", func(ctx context.Context, who access.Actor, in *speakerInput) (nothing, error) {
		return nothing{}, a.Homes.RemoveSpeaker(ctx, who, in.Home, in.Speaker)
	})
	route(a, "PUT", "/api/v1/homes/{home}/devices/{device}/visibility", access.WriteHome, ofHome, "Hide a bound device from what is said, or show it again", func(ctx context.Context, who access.Actor, in *visibilityInput) (nothing, error) {
		return nothing{}, a.Homes.Hide(ctx, who, in.Home, in.Device, in.Body.Hidden)
	})
	route(a, "GET", "/api/v1/homes/{home}/favourites", access.ReadHome, ofHome, "The devices that one keeps at hand (常用设备)", func(ctx context.Context, who access.Actor, in *homeInput) (favouritesBody, error) {
		ids, err := a.Homes.Favourites(ctx, who, in.Home)
		return favouritesBody{ids}, err
	})
	route(a, "PUT", "/api/v1/homes/{home}/favourites", access.ReadHome, ofHome, "Say which devices one keeps at hand, in which order", func(ctx context.Context, who access.Actor, in *favouritesInput) (nothing, error) {
		return nothing{}, a.Homes.SetFavourites(ctx, who, in.Home, in.Body.Devices)
	})
	list(a, "/api/v1/homes/{home}/name-warnings", access.ReadHome, ofHome, "Names that sound alike, or are commands: allowed, and not understood well", func(ctx context.Context, who access.Actor, in *livingInput) (page[nameWarningView], error) {
		all, err := a.Voice.Warnings(ctx, who, in.Home)
		if err != nil {
			return page[nameWarningView]{}, err
		}
		return pageTo(all, "", func(w *voice.Warning) nameWarningView {
			return nameWarningView{w.Kind, w.Lang, w.Name, w.Of, w.Other, w.OtherOf}
		}), nil
	})
}
