package takeout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/store"
)

// A State is where an export stands.
type State string

// The states of an export.
const (
	Collecting State = "collecting"
	Ready      State = "ready"
	Failed     State = "failed"
	Cancelled  State = "cancelled"
	Discarded  State = "discarded"
	Expired    State = "expired"
)

// An Act moves an export.
type Act string

// The acts upon an export.
const (
	Finish Act = "finish"
	Fail   Act = "fail"
	Cancel Act = "cancel"
	Throw  Act = "discard"
	Lapse  Act = "lapse"
)

func clock(who access.Actor) bool { return who.Platform() }

func owner(who access.Actor) bool { return who.Platform() || who.May(act) }

// moves is the life of an export. What is not listed is refused; nothing else decides.
var moves = lifecycle.Table[State, Act]{
	{From: Collecting, Act: Finish, To: Ready, May: clock},
	{From: Collecting, Act: Fail, To: Failed, May: clock},
	{From: Collecting, Act: Cancel, To: Cancelled, May: owner},
	{From: Ready, Act: Throw, To: Discarded, May: owner},
	{From: Ready, Act: Lapse, To: Expired, May: clock},
}

// Moves is the life of an export, for documents.
func Moves() lifecycle.Table[State, Act] { return moves }

// An Export is one that was ordered.
type Export struct {
	ID           string
	Organisation string
	State        State
	Reason       string
	By           string // user id
	Created      time.Time
	Job          string
	Ended        time.Time // when it left collecting
	Expires      time.Time // when the file of one that is ready goes
	File         string    // blob
	Bytes        int64
	Files        int64
	Rows         int64
	SHA256       string
	Failure      string
}

// Open lists the acts that who may do with the export now.
func (e *Export) Open(who access.Actor) []Act { return moves.Open(e.State, who) }

// move takes an export to its next state, if nobody was faster. Where that ends its file, the file goes after the commit.
func (s *Service) move(ctx context.Context, tx *store.Tx, who access.Actor, e *Export, do Act) error {
	from, file := e.State, e.File
	to, err := moves.Next(from, do, who)
	if err != nil {
		return err
	}
	e.State = to
	if from == Collecting {
		e.Ended = moment(s.c.Now().UnixMilli())
	} else {
		e.File = ""
		tx.AfterCommit(func() { s.remove(ctx, file) })
	}
	r, err := tx.Exec(ctx, updateSQL, to, ms(e.Ended), ms(e.Expires), e.File, e.Bytes, e.Files, e.Rows, e.SHA256, e.Failure, e.ID, from)
	if err != nil {
		return fmt.Errorf("moving export %s: %w", e.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fault.Stale("export", e.ID), err)
	}
	return nil
}
