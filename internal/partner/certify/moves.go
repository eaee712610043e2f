package certify

import (
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/lifecycle"
)

// A State is where a case stands.
type State string

// The states of a case.
const (
	Open      State = "open"
	Assigned  State = "assigned" // to the operator's own certifiers or to a laboratory
	Passed    State = "passed"
	Failed    State = "failed"
	Withdrawn State = "withdrawn"
)

// An Act moves a case.
type Act string

// The acts upon a case.
const (
	Assign   Act = "assign"
	Pass     Act = "pass"
	Fail     Act = "fail"
	Withdraw Act = "withdraw"
)

func maker(who access.Actor) bool {
	return !who.Everywhere() && who.May(access.ApplyCertification)
}

// withdrawer is the maker, or the room of products when what was to be certified is another thing now.
func withdrawer(who access.Actor) bool { return who.Kind == access.KindSystem || maker(who) }

func certifier(who access.Actor) bool {
	_, limited := laboratoryOf(who)
	return who.Everywhere() && !limited && who.May(access.RecordCertification)
}

func revoker(who access.Actor) bool { return who.Kind == access.KindSystem || certifier(who) }

func recorder(who access.Actor) bool { return who.Everywhere() && who.May(access.RecordCertification) }

func clock(who access.Actor) bool { return who.Kind == access.KindClock }

// moves is the life of a case (认证申请). What is not listed is refused.
var moves = lifecycle.Table[State, Act]{
	{From: Open, Act: Assign, To: Assigned, May: certifier},
	{From: Open, Act: Withdraw, To: Withdrawn, May: withdrawer},
	{From: Assigned, Act: Assign, To: Assigned, May: certifier},
	{From: Assigned, Act: Pass, To: Passed, May: recorder},
	{From: Assigned, Act: Fail, To: Failed, May: recorder},
	{From: Assigned, Act: Withdraw, To: Withdrawn, May: withdrawer},
}

// A CertificateState is where a certificate stands. What is in force is decided by its times; the clock moves the state
// behind them.
type CertificateState string

// The states of a certificate.
const (
	Pending CertificateState = "pending" // its first moment is still to come
	Valid   CertificateState = "valid"
	Expired CertificateState = "expired"
	Revoked CertificateState = "revoked"
)

// A CertificateAct moves a certificate.
type CertificateAct string

// The acts upon a certificate.
const (
	Begin  CertificateAct = "begin"
	Expire CertificateAct = "expire"
	Revoke CertificateAct = "revoke"
)

// certificateMoves is the life of a certificate (证书).
var certificateMoves = lifecycle.Table[CertificateState, CertificateAct]{
	{From: Pending, Act: Begin, To: Valid, May: clock},
	{From: Pending, Act: Revoke, To: Revoked, May: revoker},
	{From: Valid, Act: Expire, To: Expired, May: clock},
	{From: Valid, Act: Revoke, To: Revoked, May: revoker},
}

// An AppointmentState is where a laboratory's appointment stands.
type AppointmentState string

// The states of an appointment.
const (
	Appointed AppointmentState = "appointed"
	Ended     AppointmentState = "ended"
)

// An AppointmentAct moves an appointment.
type AppointmentAct string

// The acts upon an appointment.
const (
	Change AppointmentAct = "change"
	End    AppointmentAct = "end"
)

func appointer(who access.Actor) bool {
	return who.Everywhere() && who.May(access.AppointLaboratory)
}

// appointmentMoves is the life of a laboratory's appointment (实验室委任). It also rests by its dates.
var appointmentMoves = lifecycle.Table[AppointmentState, AppointmentAct]{
	{From: Appointed, Act: Change, To: Appointed, May: appointer},
	{From: Appointed, Act: End, To: Ended, May: appointer},
}

// Diagrams draws the tables of states, by name, for the documents.
func Diagrams() map[string]string {
	return map[string]string{"certification": moves.Mermaid(), "certificate": certificateMoves.Mermaid(), "laboratory": appointmentMoves.Mermaid()}
}
