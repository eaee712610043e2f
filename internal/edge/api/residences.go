package api

import (
	"context"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
)

type residenceView struct {
	ID       string      `json:"id" doc:"Of the home."`
	Names    home.Names  `json:"names"`
	Role     access.Role `json:"role" enum:"householder,adult,child,guest" doc:"What one is there."`
	JoinedAt moment      `json:"joined_at"`
}

func residenceOf(r *home.Residence) residenceView {
	return residenceView{r.Home.ID, r.Home.Names, r.Role, moment(r.JoinedAt)}
}

type memberHere struct {
	Resident string      `json:"resident" doc:"Id."`
	Name     string      `json:"name" doc:"As they call themselves; may be empty."`
	Role     access.Role `json:"role" enum:"householder,adult,child,guest"`
	JoinedAt moment      `json:"joined_at"`
}

type homeInviteView struct {
	ID        string      `json:"id"`
	Code      string      `json:"code,omitempty" doc:"Given once, to be told to whom it is for."`
	Role      access.Role `json:"role" enum:"householder,adult,child,guest"`
	MadeAt    moment      `json:"made_at"`
	ExpiresAt moment      `json:"expires_at"`
}

// kept implements fleeting: the code is given once.
func (v homeInviteView) kept() any {
	v.Code = ""
	return v
}

func homeInviteOf(i *home.Invite) homeInviteView {
	return homeInviteView{i.ID, i.Code, i.Role, moment(i.MadeAt), moment(i.ExpiresAt)}
}

type livingInput struct {
	PageInput
	Home string `path:"home" maxLength:"64"`
}

type newInviteInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Role access.Role `json:"role" enum:"householder,adult,child,guest"`
	}
}

type homeInviteInput struct {
	Home       string `path:"home" maxLength:"64"`
	Invitation string `path:"invitation" maxLength:"64"`
}

type joinInput struct {
	Body struct {
		Code string `json:"code" maxLength:"64" doc:"Of the invitation."`
	}
}

type oneLivingInput struct {
	Home     string `path:"home" maxLength:"64"`
	Resident string `path:"resident" maxLength:"64"`
}

type setLivingInput struct {
	Home     string `path:"home" maxLength:"64"`
	Resident string `path:"resident" maxLength:"64"`
	Body     struct {
		Role access.Role `json:"role" enum:"householder,adult,child,guest"`
	}
}

type handOnInput struct {
	Home string `path:"home" maxLength:"64"`
	Body struct {
		Resident string `json:"resident" maxLength:"64" doc:"Id of a member."`
	}
}

func (a *API) residenceRoutes() {
	list(a, "/api/v1/resident/homes", anybody, ofResident, "The homes that one is a member of, at most 10", func(ctx context.Context, who access.Actor, in *PageInput) (page[residenceView], error) {
		all, err := a.Homes.Residences(ctx, who)
		if err != nil {
			return page[residenceView]{}, err
		}
		return pageWithin(all, in, func(r *home.Residence) string { return r.Home.ID }, residenceOf)
	})
	create(a, "/api/v1/resident/homes", anybody, ofResident, "Make a home, as its householder (户主)", func(ctx context.Context, who access.Actor, in *newHomeInput) (homeBrief, error) {
		h, err := a.Homes.Settle(ctx, who, in.Body.Names)
		return briefOf(&h), err
	})
	create(a, "/api/v1/resident/memberships", anybody, ofResident, "Become a member of a home, by an invitation", func(ctx context.Context, who access.Actor, in *joinInput) (residenceView, error) {
		r, err := a.Homes.Join(ctx, who, in.Body.Code)
		return residenceOf(&r), err
	})
	list(a, "/api/v1/homes/{home}/members", access.ReadHome, ofHome, "Who lives in a home of residents, at most 20", func(ctx context.Context, who access.Actor, in *livingInput) (page[memberHere], error) {
		all, err := a.Homes.Members(ctx, who, in.Home)
		if err != nil {
			return page[memberHere]{}, err
		}
		return pageWithin(all, &in.PageInput, func(m *home.Member) string { return m.Resident }, func(m *home.Member) memberHere {
			return memberHere{m.Resident, m.Name, m.Role, moment(m.JoinedAt)}
		})
	})
	route(a, "PUT", "/api/v1/homes/{home}/members/{resident}", access.ManageHome, ofHome, "Give a member another role", func(ctx context.Context, who access.Actor, in *setLivingInput) (nothing, error) {
		return nothing{}, a.Homes.SetMember(ctx, who, in.Home, in.Resident, in.Body.Role)
	})
	route(a, "DELETE", "/api/v1/homes/{home}/members/{resident}", access.ReadHome, ofHome, "Leave a home, or, as its householder, end a membership", func(ctx context.Context, who access.Actor, in *oneLivingInput) (nothing, error) {
		return nothing{}, a.Homes.RemoveMember(ctx, who, in.Home, in.Resident)
	})
	route(a, "POST", "/api/v1/homes/{home}/transfer", access.ManageHome, ofHome, "Hand a home on to another member (转让)", func(ctx context.Context, who access.Actor, in *handOnInput) (nothing, error) {
		return nothing{}, a.Homes.Transfer(ctx, who, in.Home, in.Body.Resident)
	})
	const invitations = "/api/v1/homes/{home}/invitations"
	list(a, invitations, access.ManageHome, ofHome, "The open invitations to a home, without their codes", func(ctx context.Context, who access.Actor, in *livingInput) (page[homeInviteView], error) {
		all, err := a.Homes.Invites(ctx, who, in.Home)
		if err != nil {
			return page[homeInviteView]{}, err
		}
		return pageWithin(all, &in.PageInput, func(i *home.Invite) string { return i.ID }, homeInviteOf)
	})
	create(a, invitations, access.ManageHome, ofHome, "Make an invitation to a home: a code that is good once, for 7 days", func(ctx context.Context, who access.Actor, in *newInviteInput) (homeInviteView, error) {
		i, err := a.Homes.Invite(ctx, who, in.Home, in.Body.Role)
		return homeInviteOf(&i), err
	})
	route(a, "DELETE", invitations+"/{invitation}", access.ManageHome, ofHome, "Withdraw an invitation", func(ctx context.Context, who access.Actor, in *homeInviteInput) (nothing, error) {
		return nothing{}, a.Homes.Withdraw(ctx, who, in.Home, in.Invitation)
	})
}
