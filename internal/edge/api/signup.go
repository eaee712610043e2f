package api

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/account"
)

type contactInput struct {
	Body struct {
		Contact string `json:"contact" maxLength:"254" doc:"E-mail address, or phone number as +8613800000000."`
	}
}

type codeSent struct {
	ID   string `json:"id" doc:"To be sent back with the code. It says nothing about whether there is an account. Every code that the contact got for this is good until its end: if no new message comes, the newest one."`
	Wait int    `json:"wait_seconds,omitempty" doc:"So many codes were asked for from this address that one is sent only to who signed in from here before; others ask again after this time."`
}

func codeSentOf(a account.Asked, err error) (codeSent, error) {
	return codeSent{a.ID, int(math.Ceil(a.Wait.Seconds()))}, err
}

type contactView struct {
	Kind       string `json:"kind" enum:"mail,sms"`
	Address    string `json:"address"`
	VerifiedAt moment `json:"verified_at"`
}

type contactCodeInput struct {
	Body struct {
		ID   string       `json:"id" maxLength:"64" doc:"Of the code."`
		Code account.Code `json:"code" doc:"That came to the contact: eight letters and digits, as k7dm-2qxw."`
	}
}

type signUpInput struct {
	Body struct {
		ID           string              `json:"id,omitempty" maxLength:"64" doc:"Of the code that was sent to the contact."`
		Code         account.Code        `json:"code,omitempty" doc:"That came to the contact: eight letters and digits, as k7dm-2qxw."`
		Invitation   account.Code        `json:"invitation,omitempty" doc:"Code of an invitation, instead of the two above."`
		Login        string              `json:"login" maxLength:"128"`
		Password     account.Password    `json:"password"`
		Organisation *signUpOrganisation `json:"organisation,omitempty" doc:"Of which one becomes the owner."`
		Person       bool                `json:"person,omitempty" doc:"The organisation is a person on their own."`
		BirthDate    string              `json:"birth_date,omitempty" format:"date" doc:"Of a person on their own; what is kept is, of who is under 18, the month in which they turn 18."`
	}
}

type signUpOrganisation struct {
	Names account.Names  `json:"names"`
	Kinds []account.Kind `json:"kinds" nullable:"false" maxItems:"20"`
}

type resetInput struct {
	Body struct {
		ID       string           `json:"id" maxLength:"64" doc:"Of the code."`
		Code     account.Code     `json:"code" doc:"That came to the contact: eight letters and digits, as k7dm-2qxw."`
		Password account.Password `json:"password" doc:"The new one."`
	}
}

type signUpState struct {
	Open bool `json:"open" doc:"Whether people may make accounts without an invitation."`
}

type deleteUserInput struct {
	Body struct {
		Password account.Password `json:"password"`
	}
}

func (a *API) signUpRoutes() {
	register(a, open("GET", "/api/v1/sign-up", "Whether people may make accounts themselves"), func(context.Context, *struct{}) (signUpState, error) {
		return signUpState{a.Accounts.SignUpOpen()}, nil
	})
	register(a, sends("/api/v1/sign-up/codes", "Send a code to the contact of a new account"), func(ctx context.Context, in *contactInput) (codeSent, error) {
		c := callOf(ctx)
		return codeSentOf(a.Accounts.AskSignUp(ctx, in.Body.Contact, c.address, c.language))
	})
	respond(a, secret(open("POST", "/api/v1/sign-up", "Make an account, by a code or an invitation, and sign in")), a.signUp)
	register(a, sends("/api/v1/password-reset/codes", "Send a code for a new password to a verified contact"), func(ctx context.Context, in *contactInput) (codeSent, error) {
		c := callOf(ctx)
		return codeSentOf(a.Accounts.AskReset(ctx, in.Body.Contact, c.address, c.language))
	})
	register(a, secret(open("POST", "/api/v1/password-reset", "Set a new password by a code; ends all sessions")), func(ctx context.Context, in *resetInput) (nothing, error) {
		c := callOf(ctx)
		return nothing{}, a.Accounts.Reset(ctx, in.Body.ID, in.Body.Code, in.Body.Password, c.address, c.language)
	})
	a.contactRoutes()
	a.preferenceRoutes()
}

// sends is a route that sends a code to a contact: nothing of the contact is repeated.
func sends(path, summary string) huma.Operation {
	op := secret(open("POST", path, summary))
	op.DefaultStatus = http.StatusAccepted
	return op
}

func (a *API) contactRoutes() {
	list(a, "/api/v1/contacts", anybody, ofPerson, "One's own verified contacts, at most one of a kind", func(ctx context.Context, who access.Actor, in *PageInput) (page[contactView], error) {
		all, err := a.Accounts.Contacts(ctx, who)
		if err != nil {
			return page[contactView]{}, err
		}
		return pageWithin(all, in, func(c *account.Contact) string { return c.Kind }, contactOf)
	})
	personal(a, "POST", "/api/v1/contacts/codes", "Send a code to a contact one wants to have", func(ctx context.Context, who access.Actor, in *contactInput) (codeSent, error) {
		return codeSentOf(a.Accounts.AskContact(ctx, who, in.Body.Contact, callOf(ctx).language))
	})
	personal(a, "PUT", "/api/v1/contacts", "Have the contact that a code was sent to, in place of the one of that kind, which is told", func(ctx context.Context, who access.Actor, in *contactCodeInput) (contactView, error) {
		c, err := a.Accounts.ChangeContact(ctx, who, in.Body.ID, in.Body.Code, callOf(ctx).language)
		return contactOf(&c), err
	})
	personal(a, "POST", "/api/v1/session/user/deletion", "End one's own account for ever", func(ctx context.Context, who access.Actor, in *deleteUserInput) (nothing, error) {
		return nothing{}, a.Accounts.DeleteUser(ctx, who, in.Body.Password)
	})
}

type preferencesBody struct {
	Lang        string `json:"lang,omitempty" enum:"zh-CN,en" doc:"Of what is sent to one; absent: both languages."`
	MailNotices bool   `json:"mail_notices" doc:"false: by mail only what nobody may decline, such as measures. All is in the inbox."`
}

type preferencesInput struct{ Body preferencesBody }

func (a *API) preferenceRoutes() {
	const path = "/api/v1/session/user/preferences"
	route(a, "GET", path, anybody, ofPerson, "How one wants to be written to", func(ctx context.Context, who access.Actor, _ *struct{}) (preferencesBody, error) {
		p, err := a.Accounts.Preferences(ctx, who)
		return preferencesBody{p.Lang, p.MailNotices}, err
	})
	route(a, "PUT", path, anybody, ofPerson, "Say how one wants to be written to", func(ctx context.Context, who access.Actor, in *preferencesInput) (preferencesBody, error) {
		return in.Body, a.Accounts.SetPreferences(ctx, who, account.Preferences{Lang: in.Body.Lang, MailNotices: in.Body.MailNotices})
	})
}

func contactOf(c *account.Contact) contactView {
	return contactView{c.Kind, c.Address, moment(c.VerifiedAt)}
}

func (a *API) signUp(ctx context.Context, in *signUpInput) (*sessionOutput, error) {
	c, b := callOf(ctx), &in.Body
	user := account.NewUser{Login: b.Login, Password: b.Password}
	var err error
	if b.Invitation.Reveal() != "" {
		_, err = a.Accounts.SignUpInvited(ctx, user, b.Invitation, c.address)
	} else {
		s := account.SignUp{User: user, Code: b.ID, Proof: b.Code, Person: b.Person, From: c.address, Lang: c.language}
		if s.BirthDate, err = dayOf("/birth_date", b.BirthDate); err != nil {
			return nil, err
		}
		if o := b.Organisation; o != nil {
			s.Organisation = &account.NewOrganisation{Names: o.Names, Kinds: o.Kinds}
		}
		_, err = a.Accounts.SignUp(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	return a.signedIn(ctx)(a.Accounts.SignIn(ctx, credentials(ctx, b.Login, b.Password, account.Code{})))
}

// dayOf reads a date; empty is none.
func dayOf(where, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	return fault.Date(where, text)
}
