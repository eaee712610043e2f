package api

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/partner/account"
)

type factorView struct {
	State       account.FactorState `json:"state" enum:"none,pending,active"`
	ConfirmedAt moment              `json:"confirmed_at,omitzero"`
	CodesLeft   int                 `json:"recovery_codes_left"`
	ProvedUntil moment              `json:"proved_until,omitzero" doc:"Until then this session may see secrets."`
}

type factorSecretView struct {
	Secret string `json:"secret" doc:"Base32, to be typed into an authenticator; shown once."`
	URL    string `json:"otpauth_url" doc:"The same for a QR code or a link; shown once."`
}

type recoveryView struct {
	Codes []string `json:"recovery_codes" nullable:"false" doc:"Each is good once instead of a code of the authenticator; shown once."`
}

type provedView struct {
	Until moment `json:"proved_until"`
}

type codeInput struct {
	Body struct {
		Code account.Code `json:"code" doc:"Six digits of the authenticator."`
	}
}

func (a *API) factorRoutes() {
	const path = "/api/v1/factor"
	route(a, "GET", path, anybody, ofPerson, "One's own second factor", func(ctx context.Context, who access.Actor, _ *struct{}) (factorView, error) {
		f, err := a.Accounts.Factor(ctx, who)
		return factorView{f.State, moment(f.ConfirmedAt), f.CodesLeft, moment(f.ProvedUntil)}, err
	})
	personal(a, "POST", path, "Begin to enrol a second factor; its secret is shown once", func(ctx context.Context, who access.Actor, _ *struct{}) (factorSecretView, error) {
		f, err := a.Accounts.EnrolFactor(ctx, who)
		return factorSecretView{f.Secret.Reveal(), f.URL.Reveal()}, err
	})
	personal(a, "PUT", path, "Put the second factor in force by a code of it; recovery codes are shown once", func(ctx context.Context, who access.Actor, in *codeInput) (recoveryView, error) {
		codes, err := a.Accounts.ConfirmFactor(ctx, who, in.Body.Code)
		return recoveryOf(codes), err
	})
	personal(a, "DELETE", path, "Remove one's own second factor", func(ctx context.Context, who access.Actor, _ *struct{}) (nothing, error) {
		return nothing{}, a.Accounts.RemoveFactor(ctx, who)
	})
	personal(a, "POST", path+"/recovery-codes", "Replace the recovery codes; the new ones are shown once", func(ctx context.Context, who access.Actor, _ *struct{}) (recoveryView, error) {
		codes, err := a.Accounts.RenewRecoveryCodes(ctx, who)
		return recoveryOf(codes), err
	})
	personal(a, "PUT", "/api/v1/session/proof", "Show a code of the second factor in this session; for 15 minutes what shows secrets is open", func(ctx context.Context, who access.Actor, in *codeInput) (provedView, error) {
		until, err := a.Accounts.Prove(ctx, who, in.Body.Code)
		return provedView{moment(until)}, err
	})
}

// personal is a route about the caller's own secrets: nothing of its body is repeated.
func personal[I, B any](a *API, method, path, summary string, do func(context.Context, access.Actor, *I) (B, error)) {
	register(a, secret(a.operation(method, path, anybody, ofPerson, summary)), func(ctx context.Context, in *I) (B, error) {
		who, _ := access.Of(ctx)
		return do(ctx, who, in)
	})
}

func recoveryOf(codes []account.Code) recoveryView {
	v := recoveryView{make([]string, 0, len(codes))}
	for _, c := range codes {
		v.Codes = append(v.Codes, c.Reveal())
	}
	return v
}
