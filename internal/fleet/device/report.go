package device

import (
	"slices"
	"time"

	"lampworks/alink"
	"lampworks/internal/infra/uplink"
	"lampworks/tsl"
)

// reporting are the topics whose messages hold values of properties.
var reporting = []alink.Template{alink.PropertyPost, alink.BatchPost, alink.PackPost, alink.HistoryPost, alink.ShadowUpdate, alink.PropertyGetReply}

// Reports says whether the message holds values of properties.
func (m *Message) Reports() bool { return slices.Contains(reporting, m.Template) }

// Past says whether the values that the message reports are past ones: they never speak of now.
func (m *Message) Past() bool { return m.Template == alink.HistoryPost }

// Values calls each for every value of a property that the message reports, in their order. What the thing model does not
// take was refused when it came; of a model published since then it is passed over. An answer to a question for properties
// was not refused: one that is wrong anywhere reports nothing.
func (m *Message) Values(model *tsl.Model, each tsl.Each) {
	if !m.Reports() {
		return
	}
	if m.Template == alink.ShadowUpdate {
		if req, err := alink.ParseShadow(m.Payload); err == nil && req.Reported != nil {
			model.CheckPost(req.Reported, each)
		}
		return
	}
	if m.Template == alink.PropertyGetReply {
		if reply, err := alink.ParseReply(m.Payload); err == nil && reply.Code == alink.CodeOK && model.CheckPost(reply.Data, nil) == nil {
			model.CheckPost(reply.Data, each)
		}
		return
	}
	req, err := alink.ParseRequest(m.Payload)
	if err != nil {
		return
	}
	if m.Template == alink.PropertyPost {
		model.CheckPost(req.Params, each)
		return
	}
	entries, err := alink.Entries(req.Params)
	if err != nil {
		return
	}
	for i := range entries {
		_ = model.CheckBatch(entries[i].Properties, nil, nil, each)
	}
}

// PastSpan is what the times of past values must lie in, for a message received at a time: from the year 2000 to a day ahead.
func PastSpan(received time.Time) *tsl.Span {
	first := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return &tsl.Span{
		From: first.UnixMilli(), To: received.Add(24 * time.Hour).UnixMilli(),
		Rule: "milliseconds since 1970 UTC, from the year 2000 to a day ahead of now",
	}
}

// Products lists the products that reports among the records are of, and messages on other topics, each once, so that a reader
// of the Log can open their thing models before it begins to write.
func Products(records []uplink.Record, also ...alink.Template) []string {
	var out []string
	for i := range records {
		if records[i].Kind != uplink.Message {
			continue
		}
		m, err := DecodeMessage(records[i].Body)
		if err == nil && (m.Reports() || slices.Contains(also, m.Template)) && !slices.Contains(out, m.Product) {
			out = append(out, m.Product)
		}
	}
	return out
}
