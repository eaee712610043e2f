package verify

import (
	"slices"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where the verification of an organisation stands.
type State string

// The states.
const (
	Unverified State = "unverified" // 未认证
	Pending    State = "pending"    // 待审核: submitted, and nothing holds meanwhile
	Verified   State = "verified"   // 已认证
	Renewing   State = "renewing"   // verified, and a new submission waits for its review
	Rejected   State = "rejected"   // 已驳回, with reasons
	Recheck    State = "recheck"    // 待复核: verified, and a spot check asks for papers again by a date
	Supplement State = "supplement" // 待补充: verified, and supplements are asked for by a date
	Answered   State = "answered"   // verified, and what was asked for waits for its review
	Expired    State = "expired"    // 已过期: a paper has expired, or a date has passed unanswered
	Revoked    State = "revoked"    // 已撤销: the papers were false
)

// An Act moves a verification.
type Act string

// The acts upon a verification.
const (
	Submit        Act = "submit"
	Withdraw      Act = "withdraw"
	Approve       Act = "approve"
	Reject        Act = "reject"
	AskRecheck    Act = "ask_recheck"
	AskSupplement Act = "ask_supplement"
	Clear         Act = "clear" // what was asked for is not needed any more
	Revoke        Act = "revoke"
	Reinstate     Act = "reinstate"
	Expire        Act = "expire"
	Lapse         Act = "lapse"
)

// moves is the life of a verification. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Unverified, Act: Submit, To: Pending, May: applicant},
	{From: Pending, Act: Withdraw, To: Unverified, May: applicant},
	{From: Pending, Act: Approve, To: Verified, May: reviewer},
	{From: Pending, Act: Reject, To: Rejected, May: reviewer},
	{From: Pending, Act: Revoke, To: Revoked, May: reviewer},
	{From: Rejected, Act: Submit, To: Pending, May: applicant},
	{From: Rejected, Act: Revoke, To: Revoked, May: reviewer},

	{From: Verified, Act: Submit, To: Renewing, May: applicant},
	{From: Verified, Act: AskRecheck, To: Recheck, May: asker},
	{From: Verified, Act: AskSupplement, To: Supplement, May: reviewer},
	{From: Verified, Act: Expire, To: Expired, May: clock},
	{From: Verified, Act: Revoke, To: Revoked, May: reviewer},
	{From: Renewing, Act: Withdraw, To: Verified, May: applicant},
	{From: Renewing, Act: Approve, To: Verified, May: reviewer},
	{From: Renewing, Act: Reject, To: Verified, May: reviewer},
	{From: Renewing, Act: AskRecheck, To: Recheck, May: reviewer},
	{From: Renewing, Act: AskSupplement, To: Supplement, May: reviewer},
	{From: Renewing, Act: Expire, To: Pending, May: clock},
	{From: Renewing, Act: Revoke, To: Revoked, May: reviewer},

	{From: Recheck, Act: Submit, To: Answered, May: applicant},
	{From: Recheck, Act: Clear, To: Verified, May: reviewer},
	{From: Recheck, Act: Lapse, To: Expired, May: clock},
	{From: Recheck, Act: Expire, To: Expired, May: clock},
	{From: Recheck, Act: Revoke, To: Revoked, May: reviewer},
	{From: Supplement, Act: Submit, To: Answered, May: applicant},
	{From: Supplement, Act: Clear, To: Verified, May: reviewer},
	{From: Supplement, Act: Lapse, To: Expired, May: clock},
	{From: Supplement, Act: Expire, To: Expired, May: clock},
	{From: Supplement, Act: Revoke, To: Revoked, May: reviewer},
	{From: Answered, Act: Approve, To: Verified, May: reviewer},
	{From: Answered, Act: Reject, To: Supplement, May: reviewer},
	{From: Answered, Act: Expire, To: Pending, May: clock},
	{From: Answered, Act: Revoke, To: Revoked, May: reviewer},

	{From: Expired, Act: Submit, To: Pending, May: applicant},
	{From: Expired, Act: Revoke, To: Revoked, May: reviewer},
	{From: Revoked, Act: Reinstate, To: Unverified, May: reviewer},
}

// Diagram draws the life of a verification for the documents (Mermaid).
func Diagram() string { return moves.Mermaid() }

func applicant(who access.Actor) bool {
	return who.Organisation != "" && who.May(access.SubmitVerification)
}

func reviewer(who access.Actor) bool {
	return who.Everywhere() && who.May(access.ReviewVerification)
}

// asker is a reviewer, or the platform when an organisation has changed what was approved.
func asker(who access.Actor) bool { return reviewer(who) || clock(who) }

func clock(who access.Actor) bool { return who.Platform() }

// Holds says whether what was approved holds in state s.
func (s State) Holds() bool {
	return slices.Contains([]State{Verified, Renewing, Recheck, Supplement, Answered}, s)
}

// waits says whether a submission waits for a reviewer in state s.
func (s State) waits() bool { return slices.Contains([]State{Pending, Renewing, Answered}, s) }

// asked says whether something is asked of the organisation by a date in state s.
func (s State) asked() bool { return s == Recheck || s == Supplement }

// settles says whether act ends what is asked for: it came, it is not needed any more, or what was to follow has.
func (a Act) settles() bool {
	return slices.Contains([]Act{Approve, Clear, Lapse, Revoke, Reinstate}, a)
}

// States lists every state.
func States() []State { return moves.States() }
