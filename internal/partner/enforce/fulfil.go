package enforce

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// Fulfil does what an order to delete demands, at the word of an owner of what is to be deleted: the order ends, and a deletion
// of the subject begins at once, without a hold. The id of the subject is said once more, because nobody can undo it.
func (s *Service) Fulfil(ctx context.Context, who access.Actor, id, confirm string) (m Measure, err error) {
	if err := who.Check(access.Appeal); err != nil {
		return m, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if m, err = s.load(ctx, tx, who, id); err != nil {
			return err
		}
		waits, err := appealed(ctx, tx, m.ID)
		switch {
		case err != nil:
			return err
		case m.Kind != OrderDeletion:
			return fault.Conflict("measure", "only an order to delete is fulfilled")
		case m.State != InForce:
			return fault.Closed("fulfil", string(m.State), m.Open(who, s.c.Now()))
		case confirm != m.Subject.ID:
			return fault.Invalid("/confirm", confirm, "the id of what will be deleted", "")
		case waits:
			return fault.InState("measure", "an appeal against this measure is open: withdraw it first", []AppealAct{Withdraw})
		}
		next := m
		if err := s.close(ctx, tx, access.Clock("enforcement", ""), &m, End, "fulfilled: the owner had it deleted"); err != nil {
			return err
		}
		now := moment(s.c.Now().UnixMilli())
		next.ID, next.Kind, next.By, next.Starts, next.Created, next.Due, next.AppealUntil = newID(), DeleteData, who.User, now, now, now, now
		next.Ends, next.Reason = time.Time{}, "the owner fulfils an order to delete: "+m.Reason
		if err := s.impose(ctx, tx, who, next); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "enforcement.fulfil", m.ID, m.Subject.String())
	})
	return m, err
}
