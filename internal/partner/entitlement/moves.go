package entitlement

import (
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where an application stands.
type State string

// The states of an application. The last three are ends.
const (
	Requested State = "requested"
	Granted   State = "granted"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
	Ended     State = "ended"
)

// An Act moves an application.
type Act string

// The acts upon an application.
const (
	Grant    Act = "grant"
	Refuse   Act = "refuse"
	Withdraw Act = "withdraw" // by who applied
	End      Act = "end"      // by either side
	Lapse    Act = "lapse"    // its time is over
)

// moves is the life of an application. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Requested, Act: Grant, To: Granted, May: decider},
	{From: Requested, Act: Refuse, To: Refused, May: decider},
	{From: Requested, Act: Withdraw, To: Withdrawn, May: applicant},
	{From: Granted, Act: End, To: Ended, May: either},
	{From: Granted, Act: Lapse, To: Ended, May: access.Actor.Platform},
}

func decider(who access.Actor) bool { return who.Everywhere() && who.May(access.DecideEntitlement) }

func applicant(who access.Actor) bool {
	return who.Organisation != "" && who.May(access.ApplyEntitlement)
}

func either(who access.Actor) bool { return decider(who) || applicant(who) }
