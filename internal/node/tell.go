package node

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
)

// subjects are what limits and measures lie on, as people read it.
var subjects = map[string]map[string]string{
	enforce.KindOrganisation: {"en": "the organisation", "zh-CN": "组织"},
	enforce.KindProduct:      {"en": "product", "zh-CN": "产品"},
	enforce.KindBatch:        {"en": "batch", "zh-CN": "批次"},
	enforce.KindDevice:       {"en": "device", "zh-CN": "设备"},
	quota.KindUser:           {"en": "the user", "zh-CN": "用户"},
}

// name puts a field into the data of a message, in every language that titles has.
func name(data map[string]string, field, plain string, titles map[string]string, behind string) {
	data[field] = plain
	for lang, title := range titles {
		data[field+":"+lang] = title + behind
	}
}

// tellLimit writes a notice of a limit into the inbox of its organisation.
func (n *Node) tellLimit(ctx context.Context, of quota.Notice) error {
	data := map[string]string{
		"percent": strconv.FormatInt(of.Percent, 10), "used": strconv.FormatInt(of.Used, 10), "value": strconv.FormatInt(of.Value, 10), "note": of.Note,
	}
	name(data, "subject", of.Subject.Kind+" "+of.Subject.ID, subjects[of.Subject.Kind], " "+of.Subject.ID)
	name(data, "limit", of.Limit.String(), of.Limit.Spec().Title, " ("+of.Limit.String()+")")
	return n.Store.Write(ctx, func(tx *store.Tx) error {
		return n.Notices.Send(ctx, tx, of.Organisation, "quota."+of.Kind, data)
	})
}

// tellMeasure writes what happened to a measure, an appeal or a deletion into the inbox of its organisation.
func (n *Node) tellMeasure(ctx context.Context, of enforce.Event) error {
	data := map[string]string{"measure": of.Measure, "subject": of.Organisation, "reason": of.Note, "note": of.Note}
	m, err := n.Enforce.Measure(ctx, access.System("enforcement", ""), of.Measure)
	switch {
	case err == nil:
		data["reason"], data["id"] = m.Reason, m.ID
		name(data, "measure", string(m.Kind), m.Kind.Titles(), "")
		name(data, "subject", m.Subject.String(), subjects[m.Subject.Kind], " "+m.Subject.ID)
	case !fault.Is(err, fault.Missing): // one that is missing is a deletion without a measure
		return err
	}
	kind := measureNotice(of.Kind)
	if m.Kind == enforce.OrderDeletion && (of.Kind == "imposed" || of.Kind == "started") {
		kind, data["until"], data["confirm"] = "enforcement.ordered", fault.Stamp(m.Due), m.Subject.ID
	}
	return n.Store.Write(ctx, func(tx *store.Tx) error {
		return n.Notices.Send(ctx, tx, of.Organisation, kind, data)
	})
}

// measureNotice is the kind of message that tells of an event of enforcement.
func measureNotice(event string) string {
	decision, appeal := strings.CutPrefix(event, "appeal ")
	if appeal && decision == string(enforce.AppealLifted) {
		decision = "granted" // that the measure is lifted is told beside it
	}
	return "enforcement." + decision
}

// told hands on what came of a sentence after it was answered. Who does not watch the home is not told.
func (n *Node) told(t voice.Telling) {
	if payload, err := json.Marshal(t); err == nil {
		n.Bus.Publish(voice.ToldSubject+t.Home, payload)
	}
}
