// Package audit records who did what, so that nobody can change it unseen (审计).
//
// It owns the tables audit_entry, audit_checkpoint, audit_person and audit_address and promises:
//   - an entry is written in the transaction of the act, so that there is neither without the other;
//   - an entry is never changed or missing from the middle: numbers grow, the database refuses to change a row, and a second
//     later the entry is sealed into a chain; whoever changes, removes, adds or moves one then is found by [Verify];
//   - a minute later the chain is signed by a key that is not in the database; with a checkpoint kept elsewhere a cut end is found;
//   - writers never wait for the sealing but for one short turn among their own;
//   - it holds no secret: callers pass names and ids, never values of credentials;
//   - persons stand in it by reference; [Forget] removes what the references stand for, and the chain still verifies;
//   - nothing is removed before 180 days, and only from the beginning on.
package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/store"
)

// Limits of an entry, in bytes. What is longer is cut: a record may not stop an act.
const (
	maxNote  = 2000
	maxField = 200
)

// An Entry is one act of somebody, with its references resolved.
type Entry struct {
	Seq          int64 // grows by at least one
	ID           string
	At           time.Time
	Organisation string // in whose name; empty: the platform
	Actor        access.Actor
	Deleted      bool // the person was forgotten: Actor has a reference for an id, the same in all entries of one organisation
	Act          string
	Object       string
	Note         string
	Sealed       bool
}

// Record writes that who did act on object, within the transaction of the act.
// Act may be an [access.Act] or a name of the room's own ("certification.approve").
func Record[A ~string](ctx context.Context, tx *store.Tx, who access.Actor, act A, object, note string) error {
	actor, user, from, err := stands(ctx, tx, who)
	if err != nil {
		return fmt.Errorf("recording %s of %s: %w", act, object, err)
	}
	_, err = tx.Exec(ctx, insertEntry,
		uuid.Must(uuid.NewV7()).String(), time.Now().UnixMilli(), who.Organisation, who.Kind, actor, user, from,
		cut(string(act), maxField), cut(object, maxField), cut(note, maxNote))
	if err != nil {
		return fmt.Errorf("recording %s of %s: %w", act, object, err)
	}
	return nil
}
