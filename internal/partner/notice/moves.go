package notice

import (
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where an announcement stands.
type State string

// The states of an announcement.
const (
	Draft      State = "draft"
	Published  State = "published"
	Superseded State = "superseded" // another took its place
	Withdrawn  State = "withdrawn"
)

// An Act moves an announcement.
type Act string

// The acts upon an announcement.
const (
	Publish   Act = "publish"
	Supersede Act = "supersede" // by publishing the one that takes its place
	Withdraw  Act = "withdraw"
)

// moves is the life of an announcement. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Draft, Act: Publish, To: Published, May: manager},
	{From: Draft, Act: Withdraw, To: Withdrawn, May: manager},
	{From: Published, Act: Supersede, To: Superseded, May: manager},
	{From: Published, Act: Withdraw, To: Withdrawn, May: manager},
}

func manager(who access.Actor) bool { return who.May(access.ManageNotices) }
