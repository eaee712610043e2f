package api

import (
	"cmp"
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

type organisationView struct {
	ID        string         `json:"id"`
	Names     account.Names  `json:"names"`
	Kinds     []account.Kind `json:"kinds" nullable:"false"`
	Form      string         `json:"form" enum:"company,person" doc:"person: somebody on their own."`
	Revision  int64          `json:"revision" doc:"Grows with each change of names and kinds; the ETag is made of it."`
	CreatedAt moment         `json:"created_at"`
}

func (v organisationView) revision() int64 { return v.Revision }

func organisationOf(o *account.Organisation) organisationView {
	return organisationView{o.ID, o.Names, o.Kinds, o.Form, o.Revision, moment(o.CreatedAt)}
}

type membershipView struct {
	Organisation organisationView `json:"organisation"`
	Role         access.Role      `json:"role"`
}

type memberView struct {
	User      string      `json:"user"`
	Login     string      `json:"login"`
	Role      access.Role `json:"role"`
	Revision  int64       `json:"revision" doc:"Grows with each change of the role; the ETag is made of it."`
	CreatedAt moment      `json:"created_at" doc:"When they joined."`
}

func (v memberView) revision() int64 { return v.Revision }

func memberOf(m *account.Member) memberView {
	return memberView{m.User, m.Login, m.Role, m.Revision, moment(m.CreatedAt)}
}

type kindView struct {
	Kind  account.Kind  `json:"kind"`
	Names account.Names `json:"names"`
}

type organisationInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
}

type newOrganisationInput struct {
	Body struct {
		Names account.Names  `json:"names"`
		Kinds []account.Kind `json:"kinds" nullable:"false" maxItems:"20"`
		Owner string         `json:"owner,omitempty" maxLength:"64" doc:"Id of the user who becomes its owner; whoever makes it if not given."`
	}
}

type setOrganisationInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Names account.Names  `json:"names"`
		Kinds []account.Kind `json:"kinds" nullable:"false" maxItems:"20"`
	}
}

type organisationsInput struct {
	ListInput
	Kind account.Kind `query:"kind" maxLength:"64"`
	Form string       `query:"form" enum:"company,person"`
	Name string       `query:"name" maxLength:"400" doc:"Its beginning, whatever case and width."`
	Lang string       `query:"lang" enum:"zh-CN,en" doc:"Of the names that are found and sorted by; where there is none, the other counts. That of the request if not given."`
}

type membershipsInput struct {
	ListInput
	Role access.Role `query:"role" enum:"owner,engineer,factory,market,support,query"`
}

type membersInput struct {
	ListInput
	Organisation string      `path:"organisation" maxLength:"64"`
	Role         access.Role `query:"role" enum:"owner,engineer,factory,market,support,query"`
	Login        string      `query:"login" maxLength:"128" doc:"Its beginning."`
}

type newMemberInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	Body         struct {
		Login string      `json:"login" maxLength:"128"`
		Role  access.Role `json:"role" enum:"owner,engineer,factory,market,support,query"`
	}
}

type setMemberInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	User         string `path:"user" maxLength:"64"`
	Body         struct {
		Role access.Role `json:"role" enum:"owner,engineer,factory,market,support,query"`
	}
}

type memberInput struct {
	Organisation string `path:"organisation" maxLength:"64"`
	User         string `path:"user" maxLength:"64"`
}

func (a *API) organisationRoutes() {
	list(a, "/api/v1/organisation-kinds", anybody, ofNobody, "The kinds an organisation may be of: a catalogue of the program", func(_ context.Context, _ access.Actor, in *PageInput) (page[kindView], error) {
		return pageWithin(account.Kinds(), in, func(k *account.KindName) string { return string(k.Kind) }, func(k *account.KindName) kindView { return kindView{k.Kind, k.Names} })
	})
	list(a, "/api/v1/memberships", anybody, ofPerson, "The organisations one is a member of", func(ctx context.Context, who access.Actor, in *membershipsInput) (page[membershipView], error) {
		p, err := a.Accounts.Memberships(ctx, who, in.ask(map[string]string{"role": string(in.Role)}))
		return pageFrom(p, func(m *account.Membership) membershipView {
			return membershipView{organisationOf(&m.Organisation), m.Role}
		}), err
	})
	list(a, "/api/v1/organisations", access.ManageOrganisations, ofPlatform, "List organisations", func(ctx context.Context, who access.Actor, in *organisationsInput) (page[organisationView], error) {
		p, err := a.Accounts.Organisations(ctx, who, in.ask(map[string]string{
			"kind": string(in.Kind), "form": in.Form, "name": in.Name, "lang": cmp.Or(in.Lang, callOf(ctx).language),
		}))
		return pageFrom(p, organisationOf), err
	})
	create(a, "/api/v1/organisations", access.ManageOrganisations, ofPlatform, "Make an organisation with its first owner", func(ctx context.Context, who access.Actor, in *newOrganisationInput) (organisationView, error) {
		o, err := a.Accounts.CreateOrganisation(ctx, who, account.NewOrganisation{Names: in.Body.Names, Kinds: in.Body.Kinds, Owner: in.Body.Owner})
		return organisationOf(&o), err
	})
	route(a, "GET", "/api/v1/organisations/{organisation}", access.ReadOrganisation, ofOrganisation, "An organisation", func(ctx context.Context, who access.Actor, in *organisationInput) (organisationView, error) {
		o, err := a.Accounts.Organisation(ctx, who, in.Organisation)
		return organisationOf(&o), err
	})
	edit(a, "PUT", "/api/v1/organisations/{organisation}", access.WriteOrganisation, ofOrganisation, func(ctx context.Context, q store.Querier, who access.Actor, in *setOrganisationInput) (int64, error) {
		return a.Accounts.OrganisationRevision(ctx, q, who, in.Organisation)
	}, "Give an organisation other names and kinds", func(ctx context.Context, who access.Actor, in *setOrganisationInput) (nothing, error) {
		return nothing{}, a.Accounts.SetOrganisation(ctx, who, in.Organisation, in.Body.Names, in.Body.Kinds)
	})
	a.memberRoutes()
}

func (a *API) memberRoutes() {
	const members = "/api/v1/organisations/{organisation}/members"
	list(a, members, access.ReadMembers, ofOrganisation, "List members", func(ctx context.Context, who access.Actor, in *membersInput) (page[memberView], error) {
		p, err := a.Accounts.Members(ctx, who, in.Organisation, in.ask(map[string]string{"role": string(in.Role), "login": in.Login}))
		return pageFrom(p, memberOf), err
	})
	route(a, "GET", members+"/{user}", access.ReadMembers, ofOrganisation, "A member", func(ctx context.Context, who access.Actor, in *memberInput) (memberView, error) {
		m, err := a.Accounts.Member(ctx, who, in.Organisation, in.User)
		return memberOf(&m), err
	})
	create(a, members, access.ManageOrganisations, ofOrganisation, "Make a user a member at once; owners invite", func(ctx context.Context, who access.Actor, in *newMemberInput) (memberView, error) {
		m, err := a.Accounts.AddMember(ctx, who, in.Organisation, in.Body.Login, in.Body.Role)
		return memberOf(&m), err
	})
	edit(a, "PATCH", members+"/{user}", access.ManageMembers, ofOrganisation, func(ctx context.Context, q store.Querier, who access.Actor, in *setMemberInput) (int64, error) {
		return a.Accounts.MemberRevision(ctx, q, who, in.Organisation, in.User)
	}, "Give a member another role", func(ctx context.Context, who access.Actor, in *setMemberInput) (nothing, error) {
		return nothing{}, a.Accounts.SetRole(ctx, who, in.Organisation, in.User, in.Body.Role)
	})
	route(a, "DELETE", members+"/{user}", access.ManageMembers, ofOrganisation, "End a membership, with the sessions and tokens that rest on it", func(ctx context.Context, who access.Actor, in *memberInput) (nothing, error) {
		return nothing{}, a.Accounts.RemoveMember(ctx, who, in.Organisation, in.User)
	})
}
