package node

import (
	"context"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
)

const (
	agreementJob = "agreement.tell"
	tellAtOnce   = 50 // organisations of one transaction
)

// agreementNews is what organisations are told of a version that was published.
type agreementNews struct {
	Data map[string]string `json:"data"`
}

// announceAgreement queues telling every organisation of a version: there may be many, and each is a message of its own.
func (n *Node) announceAgreement(ctx context.Context, tx *store.Tx, g *agreement.Agreement, v *agreement.Version) error {
	news := agreementNews{map[string]string{
		"agreement": g.ID, "number": strconv.Itoa(v.Number), "effective": fault.Stamp(v.EffectiveAt),
		"name_en": g.Names["en"], "name_zh": g.Names["zh-CN"], "changes_en": v.Texts["en"].Changes, "changes_zh": v.Texts["zh-CN"].Changes,
	}}
	_, err := n.Jobs.Submit(ctx, tx, access.System("agreements", ""), job.Spec{Kind: agreementJob, Object: v.ID, Input: news})
	return err
}

// tellAgreement is the job of it. How many were told stands in its progress, so that after a crash it goes on behind them.
func (n *Node) tellAgreement(ctx context.Context, t *job.Task) error {
	var news agreementNews
	if err := t.Input(&news); err != nil {
		return err
	}
	var seen int64
	for after := ""; ; {
		all, err := n.Accounts.Walk(ctx, access.System("agreements", ""), after, tellAtOnce)
		if err != nil || len(all) == 0 {
			return err
		}
		after = all[len(all)-1].ID
		if seen += int64(len(all)); seen > t.Job.Done {
			if err := n.tellAll(ctx, t, all, seen, news); err != nil {
				return err
			}
		}
	}
}

// tellAll tells some organisations, in one transaction with the progress. Those that were deleted are left out.
func (n *Node) tellAll(ctx context.Context, t *job.Task, all []account.Organisation, seen int64, news agreementNews) error {
	return n.Store.Write(ctx, func(tx *store.Tx) error {
		for i := range all {
			if len(all[i].Names) == 0 {
				continue
			}
			if err := n.Notices.Send(ctx, tx, all[i].ID, "agreement.published", news.Data); err != nil {
				return err
			}
		}
		return t.Progress(ctx, tx, seen, 0)
	})
}
