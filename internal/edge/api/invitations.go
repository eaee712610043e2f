package api

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

type invitationView struct {
	ID           string      `json:"id"`
	Organisation string      `json:"organisation"`
	Kind         string      `json:"kind" enum:"mail,sms,user"`
	To           string      `json:"to,omitempty" doc:"Address, number, or id of the user; gone when it has ended."`
	Role         access.Role `json:"role"`
	InvitedBy    string      `json:"invited_by" doc:"Id of the user."`
	MadeAt       moment      `json:"made_at"`
	ExpiresAt    moment      `json:"expires_at"`
	State        string      `json:"state" enum:"open,accepted,declined,revoked,expired"`
	Revision     int64       `json:"revision" doc:"Grows with each change; the ETag is made of it."`
	EndedAt      moment      `json:"ended_at,omitzero"`
}

func (v invitationView) revision() int64 { return v.Revision }

func invitationOf(i *account.Invitation) invitationView {
	return invitationView{i.ID, i.Organisation, i.Kind, i.To, i.Role, i.InvitedBy, moment(i.MadeAt), moment(i.ExpiresAt), i.State, i.Revision, moment(i.EndedAt)}
}

type invitationsInput struct {
	ListInput
	Organisation string      `path:"organisation" maxLength:"64"`
	State        string      `query:"state" enum:"open,accepted,declined,revoked,expired"`
	Role         access.Role `query:"role" enum:"owner,engineer,factory,market,support,query"`
}

type newInvitationInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Contact string      `json:"contact,omitempty" maxLength:"254" doc:"E-mail address or phone number: gets a code."`
		Login   string      `json:"login,omitempty" maxLength:"128" doc:"Of somebody who has an account: sees it when signed in."`
		Role    access.Role `json:"role" enum:"owner,engineer,factory,market,support,query"`
	}
}

type invitationInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Invitation   string `path:"invitation" maxLength:"64"`
}

type acceptInput struct {
	Body struct {
		Invitation string       `json:"invitation,omitempty" maxLength:"64" doc:"Id, of one to one's login."`
		Code       account.Code `json:"code,omitempty" doc:"That came to a contact."`
	}
}

type transferInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		User string `json:"user" maxLength:"64" doc:"Id of the member who becomes an owner."`
	}
}

func (a *API) invitationRoutes() {
	const path = "/api/v1/organisations/{organisation}/invitations"
	list(a, path, access.ReadMembers, ofOrganisation, "List invitations, the ended ones too", func(ctx context.Context, who access.Actor, in *invitationsInput) (page[invitationView], error) {
		p, err := a.Accounts.Invitations(ctx, who, in.Organisation, in.ask(map[string]string{"state": in.State, "role": string(in.Role)}))
		return pageFrom(p, invitationOf), err
	})
	route(a, "GET", path+"/{invitation}", access.ReadMembers, ofOrganisation, "An invitation", func(ctx context.Context, who access.Actor, in *invitationInput) (invitationView, error) {
		i, err := a.Accounts.Invitation(ctx, who, in.Organisation, in.Invitation)
		return invitationOf(&i), err
	})
	create(a, path, access.ManageMembers, ofOrganisation, "Invite somebody to become a member", func(ctx context.Context, who access.Actor, in *newInvitationInput) (invitationView, error) {
		i, err := a.Accounts.Invite(ctx, who, in.Organisation, account.NewInvitation{
			Contact: in.Body.Contact, Login: in.Body.Login, Role: in.Body.Role, Lang: callOf(ctx).language,
		})
		return invitationOf(&i), err
	})
	route(a, "DELETE", path+"/{invitation}", access.ManageMembers, ofOrganisation, "Take an open invitation back", func(ctx context.Context, who access.Actor, in *invitationInput) (nothing, error) {
		return nothing{}, a.Accounts.RevokeInvitation(ctx, who, in.Organisation, in.Invitation)
	})
	edit(a, "PUT", path+"/{invitation}/sending", access.ManageMembers, ofOrganisation, func(ctx context.Context, q store.Querier, who access.Actor, in *invitationInput) (int64, error) {
		return a.Accounts.InvitationRevision(ctx, q, who, in.Organisation, in.Invitation)
	}, "Send an open invitation again, for seven more days", func(ctx context.Context, who access.Actor, in *invitationInput) (nothing, error) {
		return nothing{}, a.Accounts.ResendInvitation(ctx, who, in.Organisation, in.Invitation, callOf(ctx).language)
	})
	list(a, "/api/v1/invitations", anybody, ofPerson, "Open invitations to one's login", func(ctx context.Context, who access.Actor, in *ListInput) (page[invitationView], error) {
		p, err := a.Accounts.Invited(ctx, who, in.ask(nil))
		return pageFrom(p, invitationOf), err
	})
	personal(a, "PUT", "/api/v1/invitations/acceptance", "Become a member by an invitation", func(ctx context.Context, who access.Actor, in *acceptInput) (membershipView, error) {
		m, err := a.Accounts.Accept(ctx, who, in.Body.Invitation, in.Body.Code)
		return membershipView{organisationOf(&m.Organisation), m.Role}, err
	})
	register(a, open("PUT", "/api/v1/invitations/refusal", "Decline an invitation, by its code without an account too; its organisation sends no more for 30 days"), func(ctx context.Context, in *acceptInput) (nothing, error) {
		who, known := access.Of(ctx)
		if !known {
			who.From = callOf(ctx).address
		}
		return nothing{}, a.Accounts.Decline(ctx, who, in.Body.Invitation, in.Body.Code)
	})
	route(a, "DELETE", "/api/v1/memberships/{organisation}", anybody, ofOrganisation, "Leave an organisation", func(ctx context.Context, who access.Actor, in *organisationInput) (nothing, error) {
		return nothing{}, a.Accounts.Leave(ctx, who, in.Organisation)
	})
	route(a, "PUT", "/api/v1/organisations/{organisation}/owner", access.ManageMembers, ofOrganisation, "Make another member an owner in one's own place", func(ctx context.Context, who access.Actor, in *transferInput) (nothing, error) {
		return nothing{}, a.Accounts.Transfer(ctx, who, in.Organisation, in.Body.User)
	})
}
