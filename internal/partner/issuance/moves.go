package issuance

import (
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where an order stands.
type State string

// The states. The last three are ends.
const (
	StateRequested State = "requested" // waits for approval
	StateIssuing   State = "issuing"   // its triples are being registered; none is usable
	StateIssued    State = "issued"    // all are usable, and can be downloaded
	StateFailed    State = "failed"    // none is usable; Reason says why
	StateCancelled State = "cancelled" // none is usable
)

// Ended says whether the state is an end.
func (s State) Ended() bool { return s == StateIssued || s == StateFailed || s == StateCancelled }

// An Act moves an order.
type Act string

// The acts.
const (
	Approve Act = "approve"
	Cancel  Act = "cancel"
	Finish  Act = "finish"
	Fail    Act = "fail"
)

// moves is the life of an order. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: StateRequested, Act: Approve, To: StateIssuing, May: issuer}, // the review comes between the two
	{From: StateRequested, Act: Cancel, To: StateCancelled, May: issuer},
	{From: StateIssuing, Act: Cancel, To: StateCancelled, May: issuer},
	{From: StateIssuing, Act: Finish, To: StateIssued, May: access.Actor.Platform},
	{From: StateIssuing, Act: Fail, To: StateFailed, May: access.Actor.Platform},
}

func issuer(who access.Actor) bool { return who.May(access.IssueTriples) }
