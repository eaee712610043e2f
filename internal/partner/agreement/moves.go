package agreement

import (
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where a version stands.
type State string

// The states of a version.
const (
	Draft      State = "draft"
	Published  State = "published"  // announced, and in force from its date
	Superseded State = "superseded" // a newer version is in force
	Withdrawn  State = "withdrawn"
)

// An Act moves a version.
type Act string

// The acts upon a version.
const (
	Publish   Act = "publish"
	Withdraw  Act = "withdraw"
	Supersede Act = "supersede"
)

// moves is the life of a version. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Draft, Act: Publish, To: Published, May: manager},
	{From: Draft, Act: Withdraw, To: Withdrawn, May: manager},
	{From: Published, Act: Supersede, To: Superseded, May: access.Actor.Platform},
	{From: Published, Act: Withdraw, To: Withdrawn, May: manager},
}

func manager(who access.Actor) bool { return who.May(access.ManageAgreements) }

// A ConsentState is where a guardian's consent stands.
type ConsentState string

// The states of a consent.
const (
	Requested        ConsentState = "requested" // named, not confirmed
	Confirmed        ConsentState = "confirmed"
	Refused          ConsentState = "refused"
	ConsentWithdrawn ConsentState = "withdrawn"
	Lapsed           ConsentState = "lapsed" // the person came of age
)

// A ConsentAct moves a consent.
type ConsentAct string

// The acts upon a consent.
const (
	Confirm         ConsentAct = "confirm" // a reviewer saw the paper
	Prove           ConsentAct = "prove"   // the code that the guardian got was shown
	Refuse          ConsentAct = "refuse"
	WithdrawConsent ConsentAct = "withdraw"
	Lapse           ConsentAct = "lapse"
)

// consentMoves is the life of a guardian's consent.
var consentMoves = lifecycle.Table[ConsentState, ConsentAct]{
	{From: Requested, Act: Confirm, To: Confirmed, May: reviewer},
	{From: Requested, Act: Prove, To: Confirmed},
	{From: Requested, Act: Refuse, To: Refused, May: reviewer},
	{From: Requested, Act: WithdrawConsent, To: ConsentWithdrawn},
	{From: Confirmed, Act: WithdrawConsent, To: ConsentWithdrawn},
	{From: Requested, Act: Lapse, To: Lapsed, May: access.Actor.Platform},
	{From: Confirmed, Act: Lapse, To: Lapsed, May: access.Actor.Platform},
}

func reviewer(who access.Actor) bool { return who.May(access.ReviewVerification) }
