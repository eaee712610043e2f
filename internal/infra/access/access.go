// Package access decides who may do what.
//
// It owns the list of acts, the list of roles and the one table between them,
// and promises:
//   - what the table does not allow is refused;
//   - a token can do no more than the roles of its owner, and no more than its scopes;
//   - whoever holds a role of the operator does nothing without the second factor (第二因素), and nobody sees a secret
//     without having shown it in the last 15 minutes;
//   - a role in a home is of a resident only, and every other role of a user or token only;
//   - a refusal names the roles that would be enough, or how to show the second factor.
//
// Whose an object is the room says by its query ([OwnerOf]); a room also loads by id
// and organisation together, so that a foreign object is not found.
package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/fault"
)

// An Actor is who does something. The zero Actor may do nothing.
type Actor struct {
	Kind         string // "user", "token", "resident", "device", "clock", "system"
	ID           string // of the user, token, resident or device; the name of a clock or system part
	User         string // the person behind it, empty for devices and the platform itself
	Organisation string // in whose name; every load is limited to it. Of a resident: the home they act for
	Roles        []Role
	Scopes       []Act  // what a token is limited to; nil: all that Roles allow
	From         string // remote address, empty inside the program
	Login        string // how the person is called
	Laboratory   string // id of the laboratory that a person with that role works for
	Session      string // id of the session, empty for tokens and the program itself

	Strong bool      // the session or token was opened with the second factor; the operator's roles want it
	Proved time.Time // when this session last showed the second factor; zero: never, and always for a token
}

// The kinds of an actor.
const (
	KindUser     = "user"
	KindToken    = "token"
	KindResident = "resident"
	KindDevice   = "device"
	KindClock    = "clock"
	KindSystem   = "system"
)

// System is the program itself, acting for organisation (empty: the platform) in the part called name.
func System(name, organisation string) Actor {
	return Actor{Kind: KindSystem, ID: name, Organisation: organisation}
}

// Clock is the program acting because a time has come.
func Clock(name, organisation string) Actor {
	return Actor{Kind: KindClock, ID: name, Organisation: organisation}
}

// Platform says whether the program itself acts: a system part or a clock.
func (a Actor) Platform() bool { return a.Kind == KindSystem || a.Kind == KindClock }

// Everywhere says whether a sees the objects of all organisations: the program itself does, and the operator's people while
// they act for no organisation. What they may do with them is [Actor.May].
func (a Actor) Everywhere() bool {
	return a.Organisation == "" && (a.Platform() || slices.ContainsFunc(a.Roles, func(r Role) bool { return slices.Contains(PlatformRoles(), r) }))
}

// NeedsFactor says whether a holds a role of the operator and did not show the second factor: such an actor may do nothing.
func (a Actor) NeedsFactor() bool {
	return !a.Strong && slices.ContainsFunc(a.Roles, func(r Role) bool { return slices.Contains(PlatformRoles(), r) })
}

// Sees says whether an object of organisation exists for a.
func (a Actor) Sees(organisation string) bool {
	return a.Everywhere() || organisation != "" && a.Organisation == organisation
}

// Has says whether a holds the role.
func (a Actor) Has(r Role) bool { return slices.Contains(a.Roles, r) }

// May says whether a is allowed to do act. What shows a secret wants the second factor again: see [Actor.Check].
func (a Actor) May(act Act) bool {
	return a.Platform() || !a.NeedsFactor() && a.holds(act)
}

// Resident says whether a is one of those who live somewhere (住户), apart from makers' accounts.
func (a Actor) Resident() bool { return a.Kind == KindResident }

// MayRisk says whether a may do by a word what is confirmed first: open a lock, turn the gas on. Of a home's residents those may
// who may command its devices without a word, too.
func (a Actor) MayRisk() bool { return !a.Resident() || a.May(ControlDevice) }

// holds says whether roles and scopes of a allow act.
func (a Actor) holds(act Act) bool {
	if a.Kind != KindUser && a.Kind != KindToken && !a.Resident() {
		return false
	}
	if a.Scopes != nil && !slices.Contains(a.Scopes, act) {
		return false
	}
	return slices.ContainsFunc(a.Roles, func(r Role) bool {
		return slices.Contains(HomeRoles(), r) == a.Resident() && slices.Contains(Allowed(r), act)
	})
}

// Check gives nil if a may do act, and otherwise the fault that says what is missing.
func (a Actor) Check(act Act) error {
	switch {
	case a.Platform():
		return nil
	case a.holds(act) && a.NeedsFactor():
		return weakly(string(act), a.Kind)
	case a.holds(act) && ShowsSecrets(act):
		return a.CheckProved(string(act))
	case a.holds(act):
		return nil
	case a.Kind == "":
		return fault.Unauthenticated("nobody is signed in")
	case a.Scopes != nil && !slices.Contains(a.Scopes, act):
		return fault.Forbidden(string(act), "a token with the scope "+string(act))
	default:
		return fault.Forbidden(string(act), a.needs(act))
	}
}

// CheckProved gives nil if a showed the second factor in this session within the last 15 minutes, and otherwise the fault
// that says how to. What is to be done: "triple.download".
func (a Actor) CheckProved(what string) error {
	switch {
	case a.Platform():
		return nil
	case a.Kind != KindUser || a.Session == "":
		return fault.NeedsFactor(what+" shows secrets and needs a session in which the second factor was shown; a token has none",
			"sign in with login, password and a code of your second factor")
	case a.Proved.IsZero() || time.Since(a.Proved) > Fresh || time.Until(a.Proved) > Fresh:
		return fault.NeedsFactor(what+" shows secrets and needs a code of the second factor, shown in this session within the last 15 minutes",
			"show a code (PUT /api/v1/session/proof) and repeat the act; whoever has no second factor enrols it first (POST /api/v1/factor)")
	}
	return nil
}

func weakly(what, kind string) error {
	if kind == KindToken {
		return fault.NeedsFactor(what+" needs the second factor, and this token was made without it",
			"make another token in a session opened with a code of your second factor")
	}
	return fault.NeedsFactor(what+" needs a session opened with the second factor: roles of the operator do nothing without",
		"enrol it (POST /api/v1/factor, then PUT /api/v1/factor with a code), or sign in again with a code")
}

// needs names the roles that allow act: those that somebody of the kind of a can have.
func (a Actor) needs(act Act) string {
	var names []string
	roles := Roles()
	if a.Resident() {
		roles = HomeRoles()
	}
	for _, r := range roles {
		if slices.Contains(Allowed(r), act) {
			names = append(names, string(r))
		}
	}
	if len(names) == 0 && a.Resident() {
		return "an account of a maker or an operator"
	}
	if len(names) == 0 {
		return "the platform itself"
	}
	return "role " + strings.Join(names, " or ")
}

type contextKey struct{}

// With gives a context in which a acts. Only edges call it, after they have proof.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, contextKey{}, a)
}

// Of gives the actor of ctx.
func Of(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(contextKey{}).(Actor)
	return a, ok
}

// Require gives the actor of ctx if it may do act; otherwise a fault, unauthenticated or forbidden.
func Require(ctx context.Context, act Act) (Actor, error) {
	a, _ := Of(ctx)
	return a, a.Check(act)
}
