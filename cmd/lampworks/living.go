package main

import "context"

// What concerns who lives in a home of residents.

type homeMembers struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (h *homeMembers) Run(ctx context.Context) error {
	return h.list(ctx, at(homePath+"/members", h.Home), "resident name role joined_at")
}

type homeRole struct {
	oneHome
	Resident string `arg:"" help:"Id of the member."`
	Role     string `arg:"" help:"householder, adult, child or guest."`
}

func (h *homeRole) Run(ctx context.Context) error {
	return h.do(ctx, "PUT", at(homePath+"/members/{}", h.Home, h.Resident), body("role", h.Role))
}

type homeLeave struct {
	oneHome
	Resident string `arg:"" help:"Id of the member: one's own, or, as householder, another's."`
}

func (h *homeLeave) Run(ctx context.Context) error {
	return h.do(ctx, "DELETE", at(homePath+"/members/{}", h.Home, h.Resident), nil)
}

type homeTransfer struct {
	oneHome
	Resident string `arg:"" help:"Id of the member who becomes householder."`
}

func (h *homeTransfer) Run(ctx context.Context) error {
	return h.do(ctx, "POST", h.path("/transfer"), body("resident", h.Resident))
}

type homeInvite struct {
	oneHome
	Role string `arg:"" help:"householder, adult, child or guest."`
}

func (h *homeInvite) Run(ctx context.Context) error {
	return h.do(ctx, creates, h.path("/invitations"), body("role", h.Role))
}

type homeInvitations struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (h *homeInvitations) Run(ctx context.Context) error {
	return h.list(ctx, at(homePath+"/invitations", h.Home), "id role made_at expires_at")
}

type homeWithdraw struct {
	oneHome
	Invitation string `arg:"" help:"Id of the invitation."`
}

func (h *homeWithdraw) Run(ctx context.Context) error {
	return h.do(ctx, "DELETE", at(homePath+"/invitations/{}", h.Home, h.Invitation), nil)
}

type homeClaim struct {
	oneHome
	Token   string            `arg:"" optional:"" help:"Token that the device announced. Default: it is asked for, or read from standard input."`
	QR      string            `name:"qr" help:"Text of the code that the device shows, in place of the token." placeholder:"TEXT"`
	Room    string            `help:"Id of the room. Default: in no room." placeholder:"ID"`
	Names   map[string]string `help:"What it is called, by language: zh-CN=吊灯; may be repeated." required:"" placeholder:"LANG=NAME" mapsep:"none"`
	Aliases map[string]string `help:"What else it is called, by language; several of one language are parted by |." placeholder:"LANG=NAME|NAME" mapsep:"none"`
}

func (h *homeClaim) Help() string {
	return "A lock or a camera answers waiting_for_button: press its button within two minutes, and ask with home claimed."
}

func (h *homeClaim) Run(ctx context.Context) error {
	in := body("qr", h.QR, "room", h.Room, "names", h.Names)
	if h.QR == "" {
		token, err := textOf(h.Token, "token")
		if err != nil {
			return err
		}
		in["token"] = token
	}
	if len(h.Aliases) > 0 {
		in["aliases"] = parted(h.Aliases)
	}
	return h.do(ctx, "POST", h.path("/devices/claim"), in)
}

type homeClaimed struct {
	oneHome
	Claim string `arg:"" help:"Id of the claim."`
}

func (h *homeClaimed) Run(ctx context.Context) error {
	return h.do(ctx, "GET", at(homePath+"/claims/{}", h.Home, h.Claim), nil)
}

type homeUnbind struct {
	oneHome
	Device string `arg:"" help:"Id of the device."`
}

func (h *homeUnbind) Run(ctx context.Context) error {
	return h.do(ctx, "DELETE", at(homePath+"/devices/{}", h.Home, h.Device), nil)
}

type homeSpeakers struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (h *homeSpeakers) Run(ctx context.Context) error {
	return h.list(ctx, at(homePath+"/speakers", h.Home), "speaker room")
}

type homeSpeaker struct {
	oneHome
	Speaker string `arg:"" help:"As it calls itself with a sentence."`
	Room    string `arg:"" optional:"" help:"Id of the room it stands in. Default: that is forgotten."`
}

func (h *homeSpeaker) Run(ctx context.Context) error {
	path := at(homePath+"/speakers/{}", h.Home, h.Speaker)
	if h.Room == "" {
		return h.do(ctx, "DELETE", path, nil)
	}
	return h.do(ctx, "PUT", path, body("room", h.Room))
}

type homeHide struct {
	oneHome
	Device string `arg:"" help:"Id of the device."`
	Show   bool   `help:"Show it again."`
}

func (h *homeHide) Run(ctx context.Context) error {
	return h.do(ctx, "PUT", at(homePath+"/devices/{}/visibility", h.Home, h.Device), map[string]any{"hidden": !h.Show})
}

type homeFavourites struct{ oneHome }

func (h *homeFavourites) Run(ctx context.Context) error {
	return h.do(ctx, "GET", h.path("/favourites"), nil)
}

type homeLike struct {
	oneHome
	Devices []string `arg:"" optional:"" help:"Ids of devices, in their order. Default: none."`
}

func (h *homeLike) Run(ctx context.Context) error {
	return h.do(ctx, "PUT", h.path("/favourites"), map[string]any{"devices": append([]string{}, h.Devices...)})
}

type homeWarnings struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (h *homeWarnings) Run(ctx context.Context) error {
	return h.list(ctx, at(homePath+"/name-warnings", h.Home), "kind lang name of other other_of")
}
