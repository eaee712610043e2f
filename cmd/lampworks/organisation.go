package main

import (
	"context"
)

type organisationCommand struct {
	List  organisationList  `cmd:"" help:"The organisations one is a member of."`
	All   organisationAll   `cmd:"" help:"All organisations there are; operators only."`
	Kinds organisationKinds `cmd:"" help:"The kinds an organisation may be of."`
	Show  organisationShow  `cmd:"" help:"One organisation."`
	Use   organisationUse   `cmd:"" help:"Act for another organisation in this session."`
	New   organisationNew   `cmd:"" help:"Make an organisation with its first owner; operators only."`
	Edit  organisationEdit  `cmd:"" help:"Give an organisation other names and kinds."`
	Leave organisationLeave `cmd:"" help:"End an organisation: everything of it is deleted after a hold."`
	Stay  organisationStay  `cmd:"" help:"Call the end back, while it is held."`
}

const organisationPath = "/api/v1/organisations/{}"

type organisationList struct {
	sorted
	Role string `help:"Only those where one has this role." placeholder:"ROLE"`
}

func (o *organisationList) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/memberships", "organisation.id role organisation.form organisation.kinds organisation.names", "role", o.Role)
}

type organisationAll struct {
	sorted
	Kind string `help:"Only those of this kind." placeholder:"KIND"`
	Form string `help:"company or person." placeholder:"FORM"`
	Name string `help:"Only those whose name begins so." placeholder:"TEXT"`
	Lang string `help:"Of the names that are found and sorted by: zh-CN or en." placeholder:"LANG"`
}

func (o *organisationAll) Run(ctx context.Context) error {
	return o.list(ctx, "/api/v1/organisations", "id form kinds created_at revision names", "kind", o.Kind, "form", o.Form, "name", o.Name, "lang", o.Lang)
}

type organisationKinds struct{ pages }

func (o *organisationKinds) Run(ctx context.Context) error {
	o.open = true // who signs up chooses one
	return o.list(ctx, "/api/v1/organisation-kinds", "kind names")
}

// oneOrganisation names an organisation.
type oneOrganisation struct {
	client
	Organisation string `arg:"" help:"Id of the organisation."`
}

func (o *oneOrganisation) path(rest string, ids ...string) string {
	return at(at(organisationPath, o.Organisation)+rest, ids...)
}

type organisationShow struct{ oneOrganisation }

func (o *organisationShow) Run(ctx context.Context) error {
	return o.do(ctx, "GET", at(organisationPath, o.Organisation), nil)
}

type organisationUse struct {
	client
	Organisation string `arg:"" optional:"" help:"Id of the organisation. Without it, none: the operator's people act for the platform."`
}

func (o *organisationUse) Run(ctx context.Context) error {
	return o.do(ctx, "PUT", "/api/v1/session/organisation", map[string]any{"organisation": o.Organisation})
}

// nameAndKind are what an organisation is made of.
type nameAndKind struct {
	Name map[string]string `help:"Name in a language: zh-CN=名称; may be repeated." required:"" mapsep:"none" placeholder:"LANG=NAME"`
	Kind []string          `help:"What it is; may be repeated." required:"" placeholder:"KIND"`
}

type organisationNew struct {
	client
	nameAndKind
	Owner string `help:"Id of the user who becomes its owner. Default: who makes it." placeholder:"USER"`
}

func (o *organisationNew) Run(ctx context.Context) error {
	return o.do(ctx, creates, "/api/v1/organisations", body("names", o.Name, "kinds", o.Kind, "owner", o.Owner))
}

type organisationEdit struct {
	oneOrganisation
	nameAndKind
	held
}

func (o *organisationEdit) Run(ctx context.Context) error {
	return o.edit(ctx, o.held, "PUT", at(organisationPath, o.Organisation), body("names", o.Name, "kinds", o.Kind))
}

type organisationLeave struct {
	oneOrganisation
	Confirm string `help:"The organisation's id once more, so that it is not ended by mistake." required:"" placeholder:"ID"`
	Reason  string `help:"Why." placeholder:"TEXT"`
}

func (o *organisationLeave) Run(ctx context.Context) error {
	return o.do(ctx, creates, o.path("/leave"), body("confirm", o.Confirm, "reason", o.Reason))
}

type organisationStay struct {
	oneOrganisation
	Deletion string `arg:"" help:"Id of the deletion that leaving began."`
	Reason   string `help:"Why." placeholder:"TEXT"`
}

func (o *organisationStay) Run(ctx context.Context) error {
	return o.do(ctx, "DELETE", query(o.path("/leave"), "deletion", o.Deletion, "reason", o.Reason), nil)
}

type memberCommand struct {
	List   memberList   `cmd:"" help:"Members of an organisation."`
	Show   memberShow   `cmd:"" help:"One member."`
	Add    memberAdd    `cmd:"" help:"Make a user a member at once: the operator. Owners invite."`
	Role   memberRole   `cmd:"" help:"Give a member another role."`
	Remove memberRemove `cmd:"" help:"End a membership, with the sessions and tokens that rest on it."`
	Owner  memberOwner  `cmd:"" help:"Make another member an owner in one's own place."`
	Leave  memberLeave  `cmd:"" help:"End one's own membership."`
}

type memberList struct {
	sorted
	Organisation string `arg:"" help:"Id of the organisation."`
	Role         string `help:"Only those with this role." placeholder:"ROLE"`
	Login        string `help:"Only those whose login begins so." placeholder:"TEXT"`
}

func (m *memberList) Run(ctx context.Context) error {
	return m.list(ctx, at(organisationPath+"/members", m.Organisation), "user role created_at revision login", "role", m.Role, "login", m.Login)
}

type memberShow struct {
	oneOrganisation
	User string `arg:"" help:"Id of the user."`
}

func (m *memberShow) Run(ctx context.Context) error {
	return m.do(ctx, "GET", m.path("/members/{}", m.User), nil)
}

type memberAdd struct {
	oneOrganisation
	Login string `arg:"" help:"Of the user."`
	Role  string `arg:"" help:"owner, engineer, factory, market, support or query." enum:"owner,engineer,factory,market,support,query"`
}

func (m *memberAdd) Run(ctx context.Context) error {
	return m.do(ctx, creates, m.path("/members"), body("login", m.Login, "role", m.Role))
}

type memberRole struct {
	oneOrganisation
	held
	User string `arg:"" help:"Id of the user."`
	Role string `arg:"" help:"owner, engineer, factory, market, support or query." enum:"owner,engineer,factory,market,support,query"`
}

func (m *memberRole) Run(ctx context.Context) error {
	return m.edit(ctx, m.held, "PATCH", m.path("/members/{}", m.User), body("role", m.Role))
}

type memberRemove struct {
	oneOrganisation
	User string `arg:"" help:"Id of the user."`
}

func (m *memberRemove) Run(ctx context.Context) error {
	return m.do(ctx, "DELETE", m.path("/members/{}", m.User), nil)
}

type memberOwner struct {
	oneOrganisation
	User string `arg:"" help:"Id of the member."`
}

func (m *memberOwner) Run(ctx context.Context) error {
	return m.do(ctx, "PUT", m.path("/owner"), body("user", m.User))
}

type memberLeave struct{ oneOrganisation }

func (m *memberLeave) Run(ctx context.Context) error {
	return m.do(ctx, "DELETE", at("/api/v1/memberships/{}", m.Organisation), nil)
}

type inviteCommand struct {
	List     inviteList     `cmd:"" help:"Invitations of an organisation, the ended ones too."`
	Mine     inviteMine     `cmd:"" help:"Open invitations to oneself."`
	Show     inviteShow     `cmd:"" help:"One invitation."`
	New      inviteNew      `cmd:"" help:"Invite somebody to become a member."`
	Again    inviteAgain    `cmd:"" help:"Send an open invitation again, for seven more days."`
	Withdraw inviteWithdraw `cmd:"" help:"Take an open invitation back."`
	Accept   inviteAccept   `cmd:"" help:"Become a member by an invitation."`
	Decline  inviteDecline  `cmd:"" help:"Turn an invitation down; its organisation sends no more for 30 days."`
}

const invitationColumns = "id state role kind expires_at organisation to"

type inviteList struct {
	sorted
	Organisation string `arg:"" help:"Id of the organisation."`
	State        string `help:"open, accepted, declined, revoked or expired." placeholder:"STATE"`
	Role         string `help:"Only those to become this." placeholder:"ROLE"`
}

func (i *inviteList) Run(ctx context.Context) error {
	return i.list(ctx, at(organisationPath+"/invitations", i.Organisation), invitationColumns, "state", i.State, "role", i.Role)
}

type inviteMine struct{ sorted }

func (i *inviteMine) Run(ctx context.Context) error {
	return i.list(ctx, "/api/v1/invitations", invitationColumns)
}

type inviteShow struct {
	oneOrganisation
	Invitation string `arg:"" help:"Its id."`
}

func (i *inviteShow) Run(ctx context.Context) error {
	return i.do(ctx, "GET", i.path("/invitations/{}", i.Invitation), nil)
}

type inviteNew struct {
	oneOrganisation
	Role    string `arg:"" help:"owner, engineer, factory, market, support or query." enum:"owner,engineer,factory,market,support,query"`
	Contact string `help:"E-mail address or phone number, which gets a code." placeholder:"CONTACT" xor:"whom" required:""`
	Login   string `help:"Of somebody who has an account and sees it there." placeholder:"LOGIN" xor:"whom" required:""`
}

func (i *inviteNew) Run(ctx context.Context) error {
	return i.do(ctx, creates, i.path("/invitations"), body("role", i.Role, "contact", i.Contact, "login", i.Login))
}

type inviteAgain struct {
	oneOrganisation
	held
	Invitation string `arg:"" help:"Its id."`
}

func (i *inviteAgain) Run(ctx context.Context) error {
	return i.edit(ctx, i.held, "PUT", i.path("/invitations/{}/sending", i.Invitation), nil)
}

type inviteWithdraw struct {
	oneOrganisation
	Invitation string `arg:"" help:"Its id."`
}

func (i *inviteWithdraw) Run(ctx context.Context) error {
	return i.do(ctx, "DELETE", i.path("/invitations/{}", i.Invitation), nil)
}

type inviteAccept struct {
	client
	Invitation string `help:"Id, of one to one's login." placeholder:"ID" xor:"which" required:""`
	Code       string `help:"That came to a contact." placeholder:"CODE" xor:"which" required:""`
}

func (i *inviteAccept) Run(ctx context.Context) error {
	return i.do(ctx, "PUT", "/api/v1/invitations/acceptance", body("invitation", i.Invitation, "code", i.Code))
}

type inviteDecline struct {
	client
	Invitation string `help:"Id, of one to one's login." placeholder:"ID" xor:"which" required:""`
	Code       string `help:"That came to a contact; it needs no account." placeholder:"CODE" xor:"which" required:""`
}

func (i *inviteDecline) Run(ctx context.Context) error {
	const path = "/api/v1/invitations/refusal"
	if i.Code == "" {
		return i.do(ctx, "PUT", path, body("invitation", i.Invitation))
	}
	if _, err := i.server.exchange(ctx, "PUT", path, body("code", i.Code), nil); err != nil {
		return err
	}
	note(say("done: PUT %s", "已完成：PUT %s"), path)
	return nil
}
