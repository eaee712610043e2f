// Package wording reads how the devices of a product are spoken of and answered for (语音配置): the names people use, words for its
// properties, their values and services, and replies of its own.
//
// It owns the document's form and what is wrong with one. It promises:
//   - no document makes it panic, and none longer than [MaxBytes] is looked at;
//   - a problem names its place by JSON Pointer, what stands there, the rule and what to do;
//   - a document without problems names nothing that the product's thing model does not have, and takes no word that means something
//     else already: to understanding, or to the same product;
//   - it can ask for a confirmation, and has no way to ask for its absence.
package wording

import (
	"slices"

	"lampworks/nlu"
)

// Limits of a document.
const (
	MaxBytes  = 64 << 10
	MaxWords  = 1000 // all of a document
	MaxList   = 16   // words of one thing in one language
	MaxThings = 200  // properties, or services, or values of one property
	MaxReply  = 120  // characters
)

// Words are what something is called, by language: "zh-CN", "en".
type Words map[string][]string

// Document is a voice configuration.
type Document struct {
	Names      Words               `json:"names,omitempty"` // what people call such a device
	Properties map[string]Property `json:"properties,omitempty"`
	Services   map[string]Service  `json:"services,omitempty"`
	Replies    map[string]Reply    `json:"replies,omitempty"` // by the identifier of a property or service
}

// Property is how a property is spoken of.
type Property struct {
	Names   Words            `json:"names,omitempty"`
	Values  map[string]Words `json:"values,omitempty"` // of an enum, by the number as the thing model has it
	Verbs   *Verbs           `json:"verbs,omitempty"`
	Confirm bool             `json:"confirm,omitempty"` // setting it is asked back first
}

// Verbs have a number go up or down.
type Verbs struct {
	Raise Words `json:"raise,omitempty"`
	Lower Words `json:"lower,omitempty"`
}

// Service is how a service is spoken of.
type Service struct {
	Phrases Words `json:"phrases,omitempty"`
	Confirm bool  `json:"confirm,omitempty"` // calling it is asked back first
}

// Reply is said instead of the standard sentence.
type Reply struct {
	Done map[string]string `json:"done,omitempty"` // by language, with the slots {device} and {value}
}

// Slots of replies.
const (
	SlotDevice = "{device}"
	SlotValue  = "{value}"
)

// Languages that a configuration speaks.
var languages = []string{nlu.Chinese, nlu.English}

// Wording is a document made ready: for understanding, and for replies. It never changes.
type Wording struct {
	Version int
	Voice   *nlu.Voice
	replies map[string]Reply
}

// Done is what is said when a property was set or a service called, "" if there is nothing of its own in the language.
func (w *Wording) Done(id, lang string) string {
	if w == nil {
		return ""
	}
	return w.replies[id].Done[lang]
}

// Phrases are the words for a service in a language.
func (w *Wording) Phrases(service, lang string) []string {
	if w == nil {
		return nil
	}
	return w.Voice.Services[service].Phrases[lang]
}

// Ready makes a document ready; version is what its words came with.
func (d *Document) Ready(version int) *Wording {
	v := &nlu.Voice{Names: d.Names, Properties: map[string]nlu.VoiceProperty{}, Services: map[string]nlu.VoiceService{}}
	for id, p := range d.Properties {
		to := nlu.VoiceProperty{Names: p.Names, Confirm: p.Confirm, Values: map[int64]map[string][]string{}}
		for key, words := range p.Values {
			if n, ok := enumKey(key); ok {
				to.Values[n] = words
			}
		}
		if p.Verbs != nil {
			to.Raise, to.Lower = p.Verbs.Raise, p.Verbs.Lower
		}
		v.Properties[id] = to
	}
	for id, s := range d.Services {
		v.Services[id] = nlu.VoiceService{Phrases: s.Phrases, Confirm: s.Confirm}
	}
	return &Wording{Version: version, Voice: v, replies: d.Replies}
}

// Every calls do with every word of a document, in order: where it stands, its language, and what it is for.
func (d *Document) Every(do func(where, lang, word string)) {
	list := func(at string, words Words) {
		for _, lang := range languages {
			for i, w := range words[lang] {
				do(at+pointer(lang)+"/"+index(i), lang, w)
			}
		}
	}
	list("/names", d.Names)
	for _, id := range sorted(d.Properties) {
		p, at := d.Properties[id], "/properties"+pointer(id)
		list(at+"/names", p.Names)
		for _, key := range sorted(p.Values) {
			list(at+"/values"+pointer(key), p.Values[key])
		}
		if p.Verbs != nil {
			list(at+"/verbs/raise", p.Verbs.Raise)
			list(at+"/verbs/lower", p.Verbs.Lower)
		}
	}
	for _, id := range sorted(d.Services) {
		list("/services"+pointer(id)+"/phrases", d.Services[id].Phrases)
	}
}

func sorted[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
