package api

import (
	"context"
	"net/http"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
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
	Revision     int64       `json:"revision" doc:"Grows with each change; the ETag is made of it."`
	CreatedAt    moment      `json:"created_at"`
}

func (v userView) revision() int64 { return v.Revision }

func userOf(u *account.User) userView {
	v := userView{u.ID, u.Login, u.Email, u.PlatformRole, u.Laboratory, u.Factor, "enabled", u.Revision, moment(u.CreatedAt)}
	if u.Disabled {
		v.State = "disabled"
	}
	return v
}

type usersInput struct {
	ListInput
	State string      `query:"state" enum:"enabled,disabled"`
	Role  access.Role `query:"role" enum:"admin,reviewer,certifier,laboratory,platform_support" doc:"Of the operator's people."`
	Login string      `query:"login" maxLength:"128" doc:"Its beginning."`
}

type userInput struct {
	User string `path:"user" maxLength:"64"`
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

// userRevision finds the revision of the user that an edit is about.
func userRevision[I any](a *API, user func(*I) string) revision[I] {
	return func(ctx context.Context, q store.Querier, _ access.Actor, in *I) (int64, error) {
		return a.Accounts.UserRevision(ctx, q, user(in))
	}
}

func (a *API) userRoutes() {
	edit(a, "PUT", "/api/v1/users/{user}/role", access.ManageUsers, ofPlatform, userRevision(a, func(in *userRoleInput) string { return in.User }), "Make a user one of the operator's people, or no longer", func(ctx context.Context, who access.Actor, in *userRoleInput) (nothing, error) {
		return nothing{}, a.Accounts.SetPlatformRole(ctx, who, in.User, in.Body.Role, in.Body.Laboratory, in.Body.Note)
	})
	route(a, "DELETE", "/api/v1/users/{user}/factor", access.ManageUsers, ofPlatform, "Reset a user's second factor, who lost it; ends their sessions", func(ctx context.Context, who access.Actor, in *struct {
		User string `path:"user" maxLength:"64"`
		Note string `query:"note" maxLength:"500" doc:"Why; for the audit."`
	},
	) (nothing, error) {
		return nothing{}, a.Accounts.ResetFactor(ctx, who, in.User, in.Note)
	})
	list(a, "/api/v1/users", access.ManageUsers, ofPlatform, "List users", func(ctx context.Context, who access.Actor, in *usersInput) (page[userView], error) {
		p, err := a.Accounts.Users(ctx, who, in.ask(map[string]string{"state": in.State, "role": string(in.Role), "login": in.Login}))
		return pageFrom(p, userOf), err
	})
	route(a, "GET", "/api/v1/users/{user}", access.ManageUsers, ofPlatform, "A user", func(ctx context.Context, who access.Actor, in *userInput) (userView, error) {
		u, err := a.Accounts.User(ctx, who, in.User)
		return userOf(&u), err
	})
	// No Idempotency-Key: a login is taken once, and no quick hash of the password need be kept.
	op := secret(a.operation("POST", "/api/v1/users", access.ManageUsers, ofPlatform, "Make a user, without any role"))
	op.DefaultStatus = http.StatusCreated
	register(a, op, func(ctx context.Context, in *newUserInput) (userView, error) {
		who, _ := access.Of(ctx)
		u, err := a.Accounts.AddUser(ctx, who, account.NewUser{Login: in.Body.Login, Password: in.Body.Password, Email: in.Body.Email})
		return userOf(&u), err
	})
	edit(a, "PUT", "/api/v1/users/{user}/state", access.ManageUsers, ofPlatform, userRevision(a, func(in *userStateInput) string { return in.User }), "Take a user's right to act away, or give it back", func(ctx context.Context, who access.Actor, in *userStateInput) (nothing, error) {
		return nothing{}, a.Accounts.SetDisabled(ctx, who, in.User, in.Body.State == "disabled", in.Body.Note)
	})
}
