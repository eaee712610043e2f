package store

import "context"

type urgentKey struct{}

// Urgent marks the writes under a context as needed even when the disk is full: logins, the end of sessions, revocations,
// what cuts a device or an organisation off. A store that has a reserve keeps it for them and refuses other writes early.
func Urgent(ctx context.Context) context.Context { return context.WithValue(ctx, urgentKey{}, true) }

// IsUrgent says whether [Urgent] marked ctx. Adapters ask.
func IsUrgent(ctx context.Context) bool {
	is, _ := ctx.Value(urgentKey{}).(bool)
	return is
}
