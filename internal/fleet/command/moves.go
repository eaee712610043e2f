package command

import (
	"lampworks/internal/infra/lifecycle"
)

// State is where a command is on its way.
type State string

// The states of a command. The last four are ends.
const (
	Accepted     State = "accepted"
	Sent         State = "sent"
	Acknowledged State = "acknowledged"
	Succeeded    State = "succeeded"
	Failed       State = "failed"
	Expired      State = "expired"
	Cancelled    State = "cancelled"
)

// Reason says why a command ended other than by success.
type Reason string

// The reasons.
const (
	Unconfirmed   Reason = "unconfirmed"   // it was sent and nobody knows whether it arrived
	Refused       Reason = "refused"       // the device answered with another code than 200
	Wrong         Reason = "wrong"         // the device says it did it and reports another value
	Offline       Reason = "offline"       // its deadline passed while it waited for the device
	Undeliverable Reason = "undeliverable" // the device does not take a packet such as it needs
	Replaced      Reason = "replaced"      // a newer set of the same property took its place
	Withdrawn     Reason = "withdrawn"     // somebody cancelled it
	Parted        Reason = "parted"        // the device left the home in which it was asked for
)

// Act is what moves a command.
type Act string

// The acts. Nobody but the platform itself does any but Revoke.
const (
	Send        Act = "send"
	Return      Act = "return" // nothing was written to the socket
	Acknowledge Act = "acknowledge"
	Confirm     Act = "confirm"
	Refuse      Act = "refuse"
	Drop        Act = "drop"       // the connection cannot carry it
	Lose        Act = "lose"       // the deadline passed after it was sent
	Contradict  Act = "contradict" // the device reports another value than it confirmed
	Lapse       Act = "lapse"      // the deadline passed before it was sent
	Replace     Act = "replace"
	Revoke      Act = "revoke"
)

// moves is the life of a command. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Accepted, Act: Send, To: Sent},
	{From: Accepted, Act: Lapse, To: Expired},
	{From: Accepted, Act: Replace, To: Cancelled},
	{From: Accepted, Act: Revoke, To: Cancelled},
	{From: Sent, Act: Return, To: Accepted},
	{From: Sent, Act: Acknowledge, To: Acknowledged},
	{From: Sent, Act: Confirm, To: Succeeded},
	{From: Sent, Act: Refuse, To: Failed},
	{From: Sent, Act: Drop, To: Failed},
	{From: Sent, Act: Lose, To: Failed},
	{From: Sent, Act: Contradict, To: Failed},
	{From: Acknowledged, Act: Confirm, To: Succeeded},
	{From: Acknowledged, Act: Refuse, To: Failed},
	{From: Acknowledged, Act: Lose, To: Failed},
	{From: Acknowledged, Act: Contradict, To: Failed},
}
