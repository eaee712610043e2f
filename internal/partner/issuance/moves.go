package issuance

import (
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where an order stands.
type State string

// The states. All but the first two are ends.
const (
	StateRequested State = "requested" // waits for a reviewer
	StateIssuing   State = "issuing"   // its triples are being registered; none is usable
	StateIssued    State = "issued"    // all are usable, and can be downloaded
	StateFailed    State = "failed"    // none is usable; Reason says why
	StateRejected  State = "rejected"  // by a reviewer; Reason says why
	StateWithdrawn State = "withdrawn" // by the maker, before anybody decided
	StateCancelled State = "cancelled" // while it was being issued; none is usable
)

// Ended says whether the state is an end.
func (s State) Ended() bool { return s != StateRequested && s != StateIssuing }

// An Act moves an order.
type Act string

// The acts.
const (
	Approve  Act = "approve"
	Reject   Act = "reject"
	Withdraw Act = "withdraw"
	Cancel   Act = "cancel"
	Finish   Act = "finish"
	Fail     Act = "fail"
)

// moves is the life of an order. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: StateRequested, Act: Approve, To: StateIssuing, May: reviewer},
	{From: StateRequested, Act: Reject, To: StateRejected, May: reviewer},
	{From: StateRequested, Act: Withdraw, To: StateWithdrawn, May: issuer},
	{From: StateIssuing, Act: Cancel, To: StateCancelled, May: issuer},
	{From: StateIssuing, Act: Finish, To: StateIssued, May: access.Actor.Platform},
	{From: StateIssuing, Act: Fail, To: StateFailed, May: access.Actor.Platform},
}

func issuer(who access.Actor) bool   { return who.May(access.IssueTriples) }
func reviewer(who access.Actor) bool { return who.May(access.ReviewOrder) }
