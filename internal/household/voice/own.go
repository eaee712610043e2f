package voice

import (
	"slices"
	"strings"

	"lampworks/internal/partner/product/wording"
	"lampworks/nlu"
)

// own is what the maker of the devices has said when an action was done, "" if it has nothing, or nothing that fits: devices of several
// products, a value that nobody knows, what was so before. What failed is never told in a maker's words.
func (w *teller) own(a nlu.Action, ids []string, steps []*step) string {
	of := func(id string) string {
		if d := w.home.devices[id]; d != nil {
			return d.Product
		}
		return ""
	}
	product, id := of(ids[0]), a.Prop
	if a.Op == nlu.OpCall {
		id = a.Service
	}
	text := w.home.said[product].Wording.Done(id, w.lang)
	if text == "" || slices.ContainsFunc(ids, func(id string) bool { return of(id) != product }) || slices.ContainsFunc(steps, func(st *step) bool { return st.outcome != Done }) {
		return ""
	}
	value, known := "", false
	if a.Op == nlu.OpCall {
		value, known = w.asked(a, nil)
	} else {
		value, known = w.result(a, w.home.property(ids[0], a.Prop), steps)
	}
	if !known && strings.Contains(text, wording.SlotValue) {
		return ""
	}
	said := strings.NewReplacer(wording.SlotDevice, w.names(ids), wording.SlotValue, value).Replace(text)
	w.last = strings.Join(ids, " ")
	return strings.TrimRight(said, "。.！! ")
}
