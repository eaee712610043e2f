package wording

import (
	"encoding/json"
	"strconv"
	"strings"
)

// A Difference is one change between two documents.
type Difference struct {
	Path string `json:"path"`
	Kind string `json:"kind"` // added, removed, changed
	Text string `json:"text"`
}

// Diff lists the changes from before to after by path. None breaks a device; a word that is gone is one that people may go on saying.
func Diff(before, after *Document) []Difference {
	was, is := before.flat(), after.flat()
	all := map[string]bool{}
	for at := range was {
		all[at] = true
	}
	for at := range is {
		all[at] = true
	}
	var changes []Difference
	for _, at := range sorted(all) {
		old, had := was[at]
		now, has := is[at]
		c := Difference{Path: at, Kind: "changed", Text: "was " + old + ", is " + now}
		switch {
		case had && has && old == now:
			continue
		case !had:
			c.Kind, c.Text = "added", now
		case !has:
			c.Kind, c.Text = "removed", "was "+old
		}
		changes = append(changes, c)
	}
	return changes
}

// flat is a document as texts by path, the words of one thing in one language together.
func (d *Document) flat() map[string]string {
	out := map[string]string{}
	d.Every(func(where, _, word string) {
		at := where[:strings.LastIndexByte(where, '/')]
		if out[at] != "" {
			out[at] += ", "
		}
		out[at] += strconv.Quote(word)
	})
	for id, p := range d.Properties {
		if p.Confirm {
			out["/properties"+pointer(id)+"/confirm"] = "true"
		}
	}
	for id, s := range d.Services {
		if s.Confirm {
			out["/services"+pointer(id)+"/confirm"] = "true"
		}
	}
	for id, r := range d.Replies {
		for lang, text := range r.Done {
			out["/replies"+pointer(id)+"/done"+pointer(lang)] = strconv.Quote(text)
		}
	}
	return out
}

// Bytes is a document as it is kept.
func (d *Document) Bytes() json.RawMessage {
	b, err := json.Marshal(d)
	if err != nil { // maps of texts have a form in JSON
		return json.RawMessage("{}")
	}
	return b
}
