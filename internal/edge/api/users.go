package api

import (
	"context"
	"net/http"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
)

type userView struct {
	ID           string      `json:"id"`
	Login        string      `json:"login"`
	Email        string      `json:"email,omitempty"`
	PlatformRole access.Role `json:"platform_role,omitempty" doc:"admin: operates the platform."`
	State        string      `json:"state" enum:"enabled,disabled"`
	CreatedAt    moment      `json:"created_at"`
}

func userOf(u *account.User) userView {
	v := userView{u.ID, u.Login, u.Email, u.PlatformRole, "enabled", moment(u.CreatedAt)}
	if u.Disabled {
		v.State = "disabled"
	}
	return v
}

type newUserInput struct {
	Body struct {
		Login    string           `json:"login" maxLength:"128"`
		Password account.Password `json:"password"`
		Email    string           `json:"email,omitempty" maxLength:"254"`
	}
}

type userStateInput struct {
	User string `path:"user" maxLength:"64"`
	Body struct {
		State string `json:"state" enum:"enabled,disabled"`
		Note  string `json:"note,omitempty" maxLength:"500" doc:"Why; for the audit."`
	}
}

func (a *API) userRoutes() {
	list(a, "/api/v1/users", access.ManageOrganisations, ofPlatform, "List users", func(ctx context.Context, who access.Actor, in *PageInput) (page[userView], error) {
		us, more, err := a.Accounts.Users(ctx, who, account.Page{After: in.Cursor, Limit: in.Limit})
		return pageOf(us, more, func(u *account.User) string { return u.ID }, userOf), err
	})
	// No Idempotency-Key: a login is taken once, and no quick hash of the password need be kept.
	op := secret(a.operation("POST", "/api/v1/users", access.ManageOrganisations, ofPlatform, "Make a user, without any role"))
	op.DefaultStatus = http.StatusCreated
	register(a, op, func(ctx context.Context, in *newUserInput) (userView, error) {
		who, _ := access.Of(ctx)
		u, err := a.Accounts.AddUser(ctx, who, account.NewUser{Login: in.Body.Login, Password: in.Body.Password, Email: in.Body.Email})
		return userOf(&u), err
	})
	route(a, "PUT", "/api/v1/users/{user}/state", access.ManageOrganisations, ofPlatform, "Take a user's right to act away, or give it back", func(ctx context.Context, who access.Actor, in *userStateInput) (nothing, error) {
		return nothing{}, a.Accounts.SetDisabled(ctx, who, in.User, in.Body.State == "disabled", in.Body.Note)
	})
}
