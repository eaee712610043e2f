// Package audit records who did what.
//
// It owns the table audit_entry and promises:
//   - an entry is written in the transaction of the act, so that there is neither without the other;
//   - an entry is never changed or missing from the middle: numbers grow, the database refuses to change a row;
//   - it holds no secret: callers pass names and ids, never values of credentials.
package audit

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Limits of an entry, in bytes. What is longer is cut: a record may not stop an act.
const (
	maxNote  = 2000
	maxField = 200
)

// MaxPage is the most entries that List gives at once.
const MaxPage = 200

// An Entry is one act of somebody.
type Entry struct {
	Seq          int64 // grows by at least one
	ID           string
	At           time.Time
	Organisation string // in whose name; empty: the platform
	Actor        access.Actor
	Act          string
	Object       string
	Note         string
}

// Record writes that who did act on object, within the transaction of the act.
// Act may be an [access.Act] or a name of the room's own ("certification.approve").
func Record[A ~string](ctx context.Context, tx *store.Tx, who access.Actor, act A, object, note string) error {
	_, err := tx.Exec(ctx, insertEntry,
		uuid.Must(uuid.NewV7()).String(), time.Now().UnixMilli(), who.Organisation,
		who.Kind, who.ID, who.User, cut(who.Login, maxField), cut(who.From, maxField),
		cut(string(act), maxField), cut(object, maxField), cut(note, maxNote))
	if err != nil {
		return fmt.Errorf("recording %s of %s: %w", act, object, err)
	}
	return nil
}

// A Filter limits a list. Empty fields do not limit.
type Filter struct {
	Act    string
	Object string
	Actor  string // id
	Cursor string // where the page before ended
	Limit  int    // 1..MaxPage; 0 is 50
}

// List gives entries of an organisation (empty: those of the platform itself), newest
// first, and the cursor of the next page, empty after the last.
func List(ctx context.Context, q store.Querier, organisation string, f Filter) ([]Entry, string, error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	if f.Limit < 1 || f.Limit > MaxPage {
		return nil, "", fault.Invalid("limit", strconv.Itoa(f.Limit), fmt.Sprintf("1 to %d", MaxPage), "")
	}
	before := int64(1<<63 - 1)
	if f.Cursor != "" {
		var err error
		if before, err = strconv.ParseInt(f.Cursor, 10, 64); err != nil {
			return nil, "", fault.Invalid("cursor", f.Cursor, "the next_cursor of a list", "begin without a cursor")
		}
	}
	rows, err := q.Query(ctx, selectEntries, organisation, before,
		f.Act, f.Act, f.Object, f.Object, f.Actor, f.Actor, f.Limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("listing audit entries: %w", err)
	}
	defer rows.Close()
	var entries []Entry
	for rows.Next() {
		var e Entry
		var at int64
		err := rows.Scan(&e.Seq, &e.ID, &at, &e.Organisation, &e.Actor.Kind, &e.Actor.ID, &e.Actor.User,
			&e.Actor.Login, &e.Actor.From, &e.Act, &e.Object, &e.Note)
		if err != nil {
			return nil, "", fmt.Errorf("reading an audit entry: %w", err)
		}
		e.At, e.Actor.Organisation = time.UnixMilli(at).UTC(), e.Organisation
		entries = append(entries, e)
	}
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("listing audit entries: %w", err)
	}
	if len(entries) <= f.Limit {
		return entries, "", nil
	}
	entries = entries[:f.Limit]
	return entries, strconv.FormatInt(entries[f.Limit-1].Seq, 10), nil
}
