package notice

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	maxData  = 20   // fields
	maxField = 1000 // bytes of one; what is longer is cut
)

// Send tells everybody in an organisation something, within the transaction of what it tells. The kind names a text of the
// catalogue, data fills its places: name those of every text, "name:zh-CN" and "name:en" instead those of one language. A kind
// that the catalogue does not know is shown with its data as they are: an act does not fail because of words.
func (s *Service) Send(ctx context.Context, tx *store.Tx, organisation, kind string, data map[string]string) error {
	return s.SendTo(ctx, tx, organisation, "", kind, data)
}

// SendTo tells one person something, of an organisation or, where none is named, whatever they act for; see Send.
func (s *Service) SendTo(ctx context.Context, tx *store.Tx, organisation, user, kind string, data map[string]string) error {
	if organisation == "" && user == "" {
		return fault.Invalid("organisation", "", "the organisation or the person to tell", "")
	}
	fields := make(map[string]string, len(data))
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if len(fields) < maxData {
			fields[name] = cut(data[name])
		}
	}
	_, err := tx.Exec(ctx, insertMessageSQL, newID(), organisation, user, kind, marshal(fields), s.now().UnixMilli())
	if err != nil {
		return fmt.Errorf("telling %s of %s: %w", whom(organisation, user), kind, err)
	}
	if organisation == "" {
		err = trim(ctx, tx, "organisation = '' AND user_id = ?", user, maxPersonal)
	} else {
		err = trim(ctx, tx, "organisation = ?", organisation, maxMessages)
	}
	if err != nil {
		return err
	}
	return s.copy(ctx, tx, Letter{Organisation: organisation, User: user, Kind: kind}, fields)
}

// copy sends what the catalogue says is to be sent.
func (s *Service) copy(ctx context.Context, tx *store.Tx, l Letter, data map[string]string) error {
	all, err := catalogue()
	if err != nil {
		return fmt.Errorf("reading the catalogue of messages: %w", err)
	}
	mail := all[l.Kind].Mail
	if s.Copy == nil || mail == "" {
		return nil
	}
	if _, l.Texts, err = render(l.Kind, data); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(l.Organisation + " " + l.Kind + " " + marshal(data)))
	l.About, l.Always = l.Kind+" "+hex.EncodeToString(sum[:8]), mail == mailAlways
	if err := s.Copy(ctx, tx, l); err != nil {
		return fmt.Errorf("copying %s to %s: %w", l.Kind, whom(l.Organisation, l.User), err)
	}
	return nil
}

// whom names who is told, for errors.
func whom(organisation, user string) string {
	if organisation == "" {
		return "user " + user
	}
	return "organisation " + organisation
}

func cut(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxField {
		return s
	}
	return strings.ToValidUTF8(s[:maxField], "") + "…"
}

// trim lets the oldest messages give way of those that are for id, beyond the newest.
func trim(ctx context.Context, tx *store.Tx, whose, id string, newest int) error {
	rows, err := tx.Query(ctx, "SELECT sent_at, id FROM notice_message WHERE "+whose+" ORDER BY sent_at DESC, id DESC LIMIT 1 OFFSET ?", id, newest)
	if err != nil {
		return fmt.Errorf("counting the messages of %s: %w", id, err)
	}
	defer rows.Close()
	if !rows.Next() {
		return rows.Err()
	}
	var sent int64
	var last string
	if err := errors.Join(rows.Scan(&sent, &last), rows.Close()); err != nil {
		return err
	}
	old := whose + " AND (sent_at, id) <= (?, ?)"
	for _, statement := range []string{
		"DELETE FROM notice_receipt WHERE notice IN (SELECT id FROM notice_message WHERE " + old + ")",
		"DELETE FROM notice_message WHERE " + old,
	} {
		if _, err := tx.Exec(ctx, statement, id, sent, last); err != nil {
			return fmt.Errorf("removing the oldest messages of %s: %w", id, err)
		}
	}
	return nil
}

//go:embed catalogue.json
var catalogueFile embed.FS

// A template is what a kind of message says, with {places}.
type template struct {
	Severity Severity        `json:"severity"`
	Mail     string          `json:"mail"` // empty: it stays in the inbox
	Texts    map[string]Text `json:"texts"`
}

// How a message is sent as well.
const (
	mailAlways = "always" // to everybody it is for
	mailWanted = "wanted" // to those who did not decline
)

var catalogue = sync.OnceValues(func() (map[string]template, error) {
	b, err := catalogueFile.ReadFile("catalogue.json")
	if err != nil {
		return nil, err
	}
	var all map[string]template
	return all, json.Unmarshal(b, &all)
})

// Kinds lists the kinds of messages that the catalogue has texts for.
func Kinds() ([]string, error) {
	all, err := catalogue()
	return slices.Sorted(maps.Keys(all)), err
}

// render fills the texts of a kind, in every language.
func render(kind string, data map[string]string) (Severity, map[string]Text, error) {
	all, err := catalogue()
	if err != nil {
		return "", nil, fmt.Errorf("reading the catalogue of messages: %w", err)
	}
	t, ok := all[kind]
	if !ok {
		return Info, plainly(kind, data), nil
	}
	out := make(map[string]Text, len(t.Texts))
	for lang, text := range t.Texts {
		fill := replacer(lang, data)
		out[lang] = Text{fill.Replace(text.Title), fill.Replace(text.Body)}
	}
	return t.Severity, out, nil
}

// replacer fills a text of one language: what has a value of its own in it takes that.
func replacer(lang string, data map[string]string) *strings.Replacer {
	pairs := make([]string, 0, 2*len(data))
	for _, name := range slices.Sorted(maps.Keys(data)) {
		value, own := data[name+":"+lang]
		if !own {
			value = data[name]
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...)
}

// plainly is what is shown of a kind without a text: its name and its data.
func plainly(kind string, data map[string]string) map[string]Text {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(data)) {
		lines = append(lines, name+": "+data[name])
	}
	t := Text{kind, strings.Join(lines, "\n")}
	return map[string]Text{"en": t, "zh-CN": t}
}
