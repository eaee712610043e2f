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
	PlatformRole access.Role `json:"platform_role,omitempty" doc:"Of the operator's people."`
	Laboratory   string      `json:"laboratory,omitempty" doc:"Id, for the role laboratory."`
	Factor       bool        `json:"second_factor" doc:"Signs in with a code, too."`
	State        string      `json:"state" enum:"enabled,disabled"`
	CreatedAt    moment      `json:"created_at"`
}

func userOf(u *account.User) userView {
	v := userView{u.ID, u.Login, u.Email, u.PlatformRole, u.Laboratory, u.Factor, "enabled", moment(u.CreatedAt)}
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

type userRoleInput struct {
	User string `path:"user" maxLength:"64"`
	Body struct {
		Role       access.Role `json:"role" enum:",admin,reviewer,certifier,laboratory,platform_support" doc:"Empty takes it away."`
		Laboratory string      `json:"laboratory,omitempty" maxLength:"64" doc:"Id, for the role laboratory."`
		Note       string      `json:"note,omitempty" maxLength:"500" doc:"Why; for the audit."`
	}
}

func (a *API) userRoutes() {
	route(a, "PUT", "/api/v1/users/{user}/role", access.ManageUsers, ofPlatform, "Make a user one of the operator's people, or no longer", func(ctx context.Context, who access.Actor, in *userRoleInput) (nothing, error) {
		return nothing{}, a.Accounts.SetPlatformRole(ctx, who, in.User, in.Body.Role, in.Body.Laboratory, in.Body.Note)
	})
	route(a, "DELETE", "/api/v1/users/{user}/factor", access.ManageUsers, ofPlatform, "Reset a user's second factor, who lost it; ends their sessions", func(ctx context.Context, who access.Actor, in *struct {
		User string `path:"user" maxLength:"64"`
		Note string `query:"note" maxLength:"500" doc:"Why; for the audit."`
	},
	) (nothing, error) {
		return nothing{}, a.Accounts.ResetFactor(ctx, who, in.User, in.Note)
	})
	list(a, "/api/v1/users", access.ManageUsers, ofPlatform, "List users", func(ctx context.Context, who access.Actor, in *PageInput) (page[userView], error) {
		us, more, err := a.Accounts.Users(ctx, who, account.Page{After: in.Cursor, Limit: in.Limit})
		return pageOf(us, more, func(u *account.User) string { return u.ID }, userOf), err
	})
	// No Idempotency-Key: a login is taken once, and no quick hash of the password need be kept.
	op := secret(a.operation("POST", "/api/v1/users", access.ManageUsers, ofPlatform, "Make a user, without any role"))
	op.DefaultStatus = http.StatusCreated
	register(a, op, func(ctx context.Context, in *newUserInput) (userView, error) {
		who, _ := access.Of(ctx)
		u, err := a.Accounts.AddUser(ctx, who, account.NewUser{Login: in.Body.Login, Password: in.Body.Password, Email: in.Body.Email})
		return userOf(&u), err
	})
	route(a, "PUT", "/api/v1/users/{user}/state", access.ManageUsers, ofPlatform, "Take a user's right to act away, or give it back", func(ctx context.Context, who access.Actor, in *userStateInput) (nothing, error) {
		return nothing{}, a.Accounts.SetDisabled(ctx, who, in.User, in.Body.State == "disabled", in.Body.Note)
	})
}
