package verify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// profileTime is how long an organisation that has changed its names or kinds has to submit itself again.
const profileTime = 30 * day

// Kinds is what an organisation is in the trade: what was approved last, and what it says of itself until something is.
func (s *Service) Kinds(ctx context.Context, q store.Querier, organisation string) (kinds []account.Kind, err error) {
	var approved int
	var list string
	err = q.QueryRow(ctx, "SELECT approved, kinds FROM verify_case WHERE organisation = ?", organisation).Scan(&approved, &list)
	switch {
	case errors.Is(err, store.ErrNoRows) || err == nil && approved == 0:
		return account.KindsOf(ctx, q, organisation)
	case err != nil:
		return nil, fmt.Errorf("reading the kinds of organisation %s: %w", organisation, err)
	}
	return kinds, json.Unmarshal([]byte(list), &kinds)
}

// Reprofiled is told, in the transaction that does it, that an organisation has other names or kinds. One that is verified is
// to submit itself again by a date; one whose submission is under review keeps what is reviewed.
func (s *Service) Reprofiled(ctx context.Context, tx *store.Tx, organisation string) error {
	who := access.Clock("verify", "")
	c, err := s.load(ctx, tx, who, organisation)
	if err != nil || !c.State.Holds() {
		return err
	}
	if c.State.waits() {
		f := fault.Conflict("names", "the names and kinds of a verified organisation stay while a submission waits for its review")
		f.Got, f.Fix = string(c.State), "wait for the review, or withdraw the submission"
		return f
	}
	if c.owes() { // what comes is reviewed with the names and kinds as they are then
		return nil
	}
	if err := c.move(AskRecheck, who); err != nil {
		return err
	}
	c.DueAt = s.now().Add(profileTime)
	c.Ask = &Ask{
		Text: "名称或类型已变更，请重新提交认证 / names or kinds have changed: submit the verification again", Papers: []string{},
		Consequence: LevelDrops, At: ms(s.now()),
	}
	if err := s.save(ctx, tx, c); err != nil {
		return err
	}
	err = s.tell(ctx, tx, organisation, "verification.supplement", map[string]string{
		"until": fault.Stamp(c.DueAt), "reason": c.Ask.Text, "consequence": c.Ask.Consequence,
	})
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, who, "verification."+string(AskRecheck), organisation, "names or kinds have changed, due "+fault.Stamp(c.DueAt))
}
