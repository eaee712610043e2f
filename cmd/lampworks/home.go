package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
)

type homeCommand struct {
	List  homeList  `cmd:"" help:"List homes."`
	Show  homeShow  `cmd:"" help:"One home, with its rooms and devices and what those report."`
	Place homePlace `cmd:"" help:"Say where a home lies: what is not given is forgotten."`

	Claim       homeClaim       `cmd:"" help:"Bind the device whose token one has (绑定)."`
	Claimed     homeClaimed     `cmd:"" help:"What became of a claim."`
	Unbind      homeUnbind      `cmd:"" help:"Unbind a device (解绑)."`
	Speakers    homeSpeakers    `cmd:"" help:"In which rooms speakers (音箱) stand."`
	Speaker     homeSpeaker     `cmd:"" help:"Say in which room a speaker stands: what it hears is meant there."`
	Hide        homeHide        `cmd:"" help:"Hide a bound device from what is said, or show it again."`
	Favourites  homeFavourites  `cmd:"" help:"The devices that one keeps at hand (常用设备)."`
	Like        homeLike        `cmd:"" help:"Say which devices one keeps at hand, in which order."`
	Warnings    homeWarnings    `cmd:"" help:"Names of a home that sound alike, or are commands."`
	Members     homeMembers     `cmd:"" help:"Who lives in a home of residents."`
	Role        homeRole        `cmd:"" help:"Give a member another role."`
	Leave       homeLeave       `cmd:"" help:"Leave a home, or, as its householder, end a membership."`
	Transfer    homeTransfer    `cmd:"" help:"Hand a home on to another member (转让)."`
	Invite      homeInvite      `cmd:"" help:"Make an invitation to a home: a code that is good once, for 7 days."`
	Invitations homeInvitations `cmd:"" help:"The open invitations to a home."`
	Withdraw    homeWithdraw    `cmd:"" help:"Withdraw an invitation."`
}

const homePath = "/api/v1/homes/{}"

type homeList struct{ pages }

func (h *homeList) Run(ctx context.Context) error {
	return h.list(ctx, "/api/v1/homes", "id names created_at")
}

type oneHome struct {
	client
	Home string `arg:"" help:"Id of the home."`
}

func (h *oneHome) path(rest string) string { return at(homePath, h.Home) + rest }

type homeShow struct{ oneHome }

func (h *homeShow) Run(ctx context.Context) error { return h.do(ctx, "GET", h.path(""), nil) }

type homePlace struct {
	oneHome
	held
	TimeZone string `help:"IANA name of the time zone, as Asia/Shanghai. Default: that of the platform." placeholder:"ZONE"`
	Location string `help:"Degrees north and east, as 31.2304,121.4737: for sunrise and sunset." placeholder:"LAT,LON"`
}

func (h *homePlace) Run(ctx context.Context) error {
	location, err := parseLocation(h.Location)
	if err != nil {
		return err
	}
	return h.edit(ctx, h.held, "PUT", h.path("/place"), body("time_zone", h.TimeZone, "location", location))
}

// parseLocation reads degrees as people write them; empty is none.
func parseLocation(text string) (map[string]any, error) {
	if text == "" {
		return nil, nil
	}
	north, east, ok := strings.Cut(text, ",")
	latitude, err := strconv.ParseFloat(strings.TrimSpace(north), 64)
	longitude, also := strconv.ParseFloat(strings.TrimSpace(east), 64)
	if !ok || err != nil || also != nil || !(math.Abs(latitude) <= 90) || !(math.Abs(longitude) <= 180) {
		return nil, usageError{errorText(say(fmt.Sprintf("--location %s: want degrees north and east, as 31.2304,121.4737", text),
			fmt.Sprintf("--location %s：应为纬度和经度，如 31.2304,121.4737", text)))}
	}
	return map[string]any{"latitude_e6": int64(math.Round(latitude * 1e6)), "longitude_e6": int64(math.Round(longitude * 1e6))}, nil
}
