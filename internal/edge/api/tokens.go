package api

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
)

type tokenView struct {
	ID           string       `json:"id"`
	Prefix       string       `json:"prefix" doc:"The token begins with lw_prefix_."`
	Name         string       `json:"name"`
	Organisation string       `json:"organisation,omitempty"`
	Scopes       []access.Act `json:"scopes,omitempty" nullable:"false" doc:"Absent: all that the maker's role allows."`
	CreatedAt    moment       `json:"created_at"`
	ExpiresAt    moment       `json:"expires_at"`
	UsedAt       moment       `json:"used_at,omitzero"`
	UsedFrom     string       `json:"used_from,omitempty"`
	RevokedAt    moment       `json:"revoked_at,omitzero"`
	State        string       `json:"state" enum:"in_force,expired,revoked"`
	Strong       bool         `json:"strong" doc:"Made in a session opened with the second factor: only such a token carries a role of the operator."`
	Token        string       `json:"token,omitempty" doc:"The token itself: in the first answer that makes it, and never again."`
}

// kept implements fleeting: a repetition of the call learns the id, to revoke what was lost, and not the token.
func (t tokenView) kept() any {
	t.Token = ""
	return t
}

func tokenOf(t *account.APIToken) tokenView {
	return tokenView{
		ID: t.ID, Prefix: t.Prefix, Name: t.Name, Organisation: t.Organisation, Scopes: t.Scopes, CreatedAt: moment(t.CreatedAt),
		ExpiresAt: moment(t.ExpiresAt), UsedAt: moment(t.UsedAt), UsedFrom: t.UsedFrom, RevokedAt: moment(t.RevokedAt), State: t.State, Strong: t.Strong,
	}
}

type tokensInput struct {
	ListInput
	State string `query:"state" enum:"in_force,expired,revoked"`
	Name  string `query:"name" maxLength:"400" doc:"Its beginning."`
}

type newTokenInput struct {
	Body struct {
		Name      string       `json:"name" maxLength:"100"`
		Scopes    []access.Act `json:"scopes,omitempty" nullable:"false" maxItems:"100" doc:"What it may do at most; absent: all that the maker's role allows."`
		ExpiresAt time.Time    `json:"expires_at,omitzero" doc:"At most 366 days ahead; in 90 days if not given."`
	}
}

type tokenInput struct {
	Token string `path:"token" maxLength:"64" doc:"Its id."`
}

func (a *API) tokenRoutes() {
	list(a, "/api/v1/tokens", access.ManageTokens, ofPerson, "One's own API tokens", func(ctx context.Context, who access.Actor, in *tokensInput) (page[tokenView], error) {
		p, err := a.Accounts.Tokens(ctx, who, in.ask(map[string]string{"state": in.State, "name": in.Name}))
		return pageFrom(p, tokenOf), err
	})
	route(a, "GET", "/api/v1/tokens/{token}", access.ManageTokens, ofPerson, "One of one's own API tokens, without the token itself", func(ctx context.Context, who access.Actor, in *tokenInput) (tokenView, error) {
		t, err := a.Accounts.Token(ctx, who, in.Token)
		return tokenOf(&t), err
	})
	create(a, "/api/v1/tokens", access.ManageTokens, ofPerson, "Make an API token; it is shown once", func(ctx context.Context, who access.Actor, in *newTokenInput) (tokenView, error) {
		t, secret, err := a.Accounts.MakeToken(ctx, who, account.NewToken{Name: in.Body.Name, Scopes: in.Body.Scopes, ExpiresAt: in.Body.ExpiresAt})
		v := tokenOf(&t)
		v.Token = secret.Reveal()
		return v, err
	})
	route(a, "DELETE", "/api/v1/tokens/{token}", access.ManageTokens, ofPerson, "Revoke an API token, with the sessions opened with it", func(ctx context.Context, who access.Actor, in *tokenInput) (nothing, error) {
		return nothing{}, a.Accounts.RevokeToken(ctx, who, in.Token)
	})
}
