package api

import (
	"context"
	"net/http"

	"lampworks/internal/household/resident"
	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
)

type residentView struct {
	ID        string `json:"id"`
	Kind      string `json:"kind" enum:"mail,sms" doc:"Of the contact."`
	Contact   string `json:"contact"`
	Name      string `json:"name" doc:"How others in a home see one; may be empty."`
	Lang      string `json:"lang,omitempty" enum:"zh-CN,en" doc:"Of what is sent to one; absent: as one asks."`
	CreatedAt moment `json:"created_at"`
}

func residentOf(r *resident.Resident) residentView {
	return residentView{r.ID, r.Contact.Kind, r.Contact.Address, r.Name, r.Lang, moment(r.CreatedAt)}
}

type residentSignIn struct {
	Body struct {
		Contact string       `json:"contact" maxLength:"254" doc:"The code was sent to."`
		Code    account.Code `json:"code" doc:"Six digits."`
		Name    string       `json:"name,omitempty" maxLength:"128" doc:"Of who is new."`
		Lang    string       `json:"lang,omitempty" enum:"zh-CN,en" doc:"Of who is new: of what is sent to them."`
	}
}

type residentSignedIn struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      residentView
}

type residentInput struct {
	Body struct {
		Name string `json:"name,omitempty" maxLength:"128" doc:"At most 32 characters; empty: none."`
		Lang string `json:"lang,omitempty" enum:"zh-CN,en"`
	}
}

type residentContactInput struct {
	Body struct {
		Contact string       `json:"contact" maxLength:"254" doc:"The code was sent to."`
		Code    account.Code `json:"code" doc:"Six digits."`
		Present account.Code `json:"present_code" doc:"Six digits that were sent to the contact that one has."`
	}
}

type residentCodeInput struct {
	Body struct {
		Code account.Code `json:"code" doc:"Six digits that were sent to one's contact."`
	}
}

type residentSession struct {
	ID        string `json:"id"`
	Current   bool   `json:"current" doc:"The one that asks."`
	Agent     string `json:"agent,omitempty" doc:"What the program said of itself."`
	Address   string `json:"address"`
	CreatedAt moment `json:"created_at"`
	UsedAt    moment `json:"used_at"`
	EndsAt    moment `json:"ends_at" doc:"If it is not used."`
}

type residentSessionInput struct {
	Session string `path:"session" maxLength:"64"`
}

func (a *API) residentRoutes() {
	register(a, sends("/api/v1/resident/codes", "Send six digits to a contact, for a resident (住户) to sign in with"), func(ctx context.Context, in *contactInput) (nothing, error) {
		c := callOf(ctx)
		return nothing{}, a.Residents.AskCode(ctx, in.Body.Contact, c.address, c.language)
	})
	respond(a, secret(open("POST", "/api/v1/resident/session", "Sign in as a resident; who is new gets an account")), a.residentSignIn)
	route(a, "GET", "/api/v1/resident", anybody, ofResident, "The resident who is signed in", func(ctx context.Context, who access.Actor, _ *struct{}) (residentView, error) {
		r, err := a.Residents.Load(ctx, who)
		return residentOf(&r), err
	})
	route(a, "PUT", "/api/v1/resident", anybody, ofResident, "Say one's name and language", func(ctx context.Context, who access.Actor, in *residentInput) (residentView, error) {
		r, err := a.Residents.Set(ctx, who, in.Body.Name, in.Body.Lang)
		return residentOf(&r), err
	})
	register(a, secret(a.operation("PUT", "/api/v1/resident/contact", anybody, ofResident, "Have the contact that a code was sent to, in place of the one before, which is told; all other sessions end")),
		func(ctx context.Context, in *residentContactInput) (residentView, error) {
			who, _ := access.Of(ctx)
			r, err := a.Residents.ChangeContact(ctx, who, resident.Change{
				Contact: in.Body.Contact, Code: in.Body.Code.Reveal(), PresentCode: in.Body.Present.Reveal(), Lang: callOf(ctx).language,
			})
			return residentOf(&r), err
		})
	register(a, secret(a.operation("POST", "/api/v1/resident/deletion", anybody, ofResident, "End one's own account as a resident for ever")),
		func(ctx context.Context, in *residentCodeInput) (nothing, error) {
			who, _ := access.Of(ctx)
			return nothing{}, a.Residents.Delete(ctx, who, in.Body.Code.Reveal())
		})
	a.residentSessionRoutes()
}

func (a *API) residentSessionRoutes() {
	list(a, "/api/v1/resident/sessions", anybody, ofResident, "A resident's own sessions, newest first, at most 20", func(ctx context.Context, who access.Actor, in *PageInput) (page[residentSession], error) {
		all, err := a.Residents.Sessions(ctx, who)
		if err != nil {
			return page[residentSession]{}, err
		}
		return pageWithin(all, in, func(s *resident.Session) string { return s.ID }, func(s *resident.Session) residentSession {
			return residentSession{s.ID, s.Current, s.Agent, s.Place, moment(s.CreatedAt), moment(s.UsedAt), moment(s.EndsAt)}
		})
	})
	route(a, "DELETE", "/api/v1/resident/sessions", anybody, ofResident, "End all of a resident's own sessions but this one", func(ctx context.Context, who access.Actor, _ *struct{}) (nothing, error) {
		return nothing{}, a.Residents.EndOtherSessions(ctx, who)
	})
	route(a, "DELETE", "/api/v1/resident/sessions/{session}", anybody, ofResident, "End one of a resident's own sessions", func(ctx context.Context, who access.Actor, in *residentSessionInput) (nothing, error) {
		return nothing{}, a.Residents.EndSession(ctx, who, in.Session)
	})
}

func (a *API) residentSignIn(ctx context.Context, in *residentSignIn) (*residentSignedIn, error) {
	c, b := callOf(ctx), &in.Body
	s, err := a.Residents.SignIn(ctx, resident.Credentials{Contact: b.Contact, Code: b.Code.Reveal(), Name: b.Name, Lang: b.Lang, From: c.address, Agent: c.agent})
	if err != nil {
		return nil, err
	}
	r, err := a.Residents.Load(ctx, s.Actor)
	if err != nil {
		return nil, err
	}
	return &residentSignedIn{cookie(ctx, s.Token.Reveal(), 30*24*3600), residentOf(&r)}, nil
}
