package audit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// MaxPage is the most entries that List gives at once.
const MaxPage = 200

// A Filter limits a list. Empty fields do not limit.
type Filter struct {
	Act    string // "order.issue", or with a dot at its end all acts of a room: "order."
	Object string
	Actor  string // id of a person, token, device or part of the program
	Since  string // time, included
	Until  string // time, excluded
	Cursor string // where the page before ended
	Limit  int    // 1..MaxPage; 0 is 50
}

// Platform stands for the platform's own entries where an organisation is named.
const Platform = "platform"

// entries is how entries are listed. The time comes first, so that a range of it is found; entries of one millisecond
// stand in the order of their numbers.
var entries = &listing.List[Entry]{
	Object: "audit entry",
	Columns: `e.seq, e.id, e.at, e.organisation, e.actor_kind, e.actor, e.actor_user, e.actor_login, e.actor_from, e.act, e.object, e.note,
e.seal IS NOT NULL, COALESCE(p.person, ''), COALESCE(p.login, ''), COALESCE(a.address, ''), COALESCE(o.person, '')`,
	From: `audit_entry e
LEFT JOIN audit_person p ON p.reference = e.actor_user
LEFT JOIN audit_address a ON a.reference = e.actor_from
LEFT JOIN audit_person o ON o.reference = e.object`,
	Key: "e.seq", Newest: true,
	Fields: []listing.Field{
		{Name: "organisation", Column: "e.organisation", Parse: func(s string) (any, error) { return strings.TrimSuffix(s, Platform), nil }},
		{Name: "actor", Column: "e.actor"},
		{Name: "person", Column: "e.actor_user"},
		{Name: "act", Column: "e.act"},
		{Name: "area", Column: "e.area"},
		{Name: "object", Column: "e.object"},
		{Name: "at", Column: "e.at", Parse: moment},
	},
	Ways: []listing.Way{
		{Sort: "at"},
		{Filters: []string{"organisation"}, Sort: "at"},
		{Filters: []string{"object"}, Rest: []string{"organisation", "act", "area", "actor", "person"}, Sort: "at", Bound: "one object has some hundreds of entries"},
		{Filters: []string{"organisation", "person"}, Rest: []string{"act", "area"}, Sort: "at", Bound: "one person does some thousands of acts a year"},
		{Filters: []string{"organisation", "actor"}, Rest: []string{"act", "area"}, Sort: "at", Bound: "one actor does some thousands of acts a year"},
		{Filters: []string{"organisation", "act"}, Sort: "at"},
		{Filters: []string{"organisation", "area"}, Sort: "at"},
	},
	Scan: scanEntry,
}

func moment(s string) (any, error) {
	t, err := fault.Time("time", s)
	if err != nil {
		return nil, err
	}
	return t.UnixMilli(), nil
}

func scanEntry(s listing.Scanner) (Entry, error) {
	var e Entry
	var at int64
	var user, from, person, login, address, object string
	err := s.Scan(&e.Seq, &e.ID, &at, &e.Organisation, &e.Actor.Kind, &e.Actor.ID, &user, &e.Actor.Login, &from, &e.Act, &e.Object, &e.Note,
		&e.Sealed, &person, &login, &address, &object)
	if err != nil {
		return Entry{}, err
	}
	e.At, e.Actor.Organisation = time.UnixMilli(at).UTC(), e.Organisation
	e.Actor.User, e.Actor.From = user, from
	if strings.HasPrefix(user, personMark) {
		e.Deleted = person == ""
		if e.Actor.ID == user && !e.Deleted {
			e.Actor.ID = person
		}
		e.Actor.User, e.Actor.Login = person, login
	}
	if strings.HasPrefix(from, addressMark) {
		e.Actor.From = address
	}
	if object != "" {
		e.Object = object
	}
	return e, nil
}

// List gives entries of an organisation (empty: those of the platform itself), newest
// first, and the cursor of the next page, empty after the last.
func List(ctx context.Context, q store.Querier, organisation string, f Filter) ([]Entry, string, error) {
	if organisation == "" {
		organisation = Platform
	}
	return list(ctx, q, organisation, f)
}

// Search gives the entries that who may see: those of its organisation; an operator's people see those of the organisation they
// name, of the platform itself ([Platform]), or all.
func Search(ctx context.Context, q store.Querier, who access.Actor, organisation string, f Filter) ([]Entry, string, error) {
	if err := who.Check(access.ReadAudit); err != nil {
		return nil, "", err
	}
	if !who.Everywhere() {
		if organisation != "" && organisation != who.Organisation {
			return nil, "", fault.NotFound("organisation", organisation)
		}
		organisation = who.Organisation
	}
	return list(ctx, q, organisation, f)
}

func list(ctx context.Context, q store.Querier, organisation string, f Filter) ([]Entry, string, error) {
	if f.Limit == 0 {
		f.Limit = 50
	}
	if f.Limit < 1 || f.Limit > MaxPage {
		return nil, "", fault.Invalid("limit", strconv.Itoa(f.Limit), fmt.Sprintf("1 to %d", MaxPage), "")
	}
	filters, err := f.resolve(ctx, q, organisation)
	if err != nil {
		return nil, "", err
	}
	page, err := entries.Read(ctx, q, listing.Ask{Filters: filters, Sort: "-at", Since: f.Since, Until: f.Until, Cursor: f.Cursor, Limit: f.Limit})
	return page.Items, page.Next, err
}

// resolve turns persons into the references by which they stand in entries.
func (f *Filter) resolve(ctx context.Context, q store.Querier, organisation string) (map[string]string, error) {
	filters := map[string]string{"organisation": organisation, "object": f.Object, "actor": f.Actor}
	if area, whole := strings.CutSuffix(f.Act, "."); whole {
		filters["area"] = area
	} else {
		filters["act"] = f.Act
	}
	for _, name := range []string{"actor", "object"} {
		reference, err := referenceOf(ctx, q, organisation, filters[name])
		if err != nil || reference == "" {
			if err != nil {
				return nil, err
			}
			continue
		}
		if filters[name] = reference; name == "actor" {
			filters["actor"], filters["person"] = "", reference
		}
	}
	if f.Actor != "" && strings.HasPrefix(f.Actor, personMark) {
		filters["actor"], filters["person"] = "", f.Actor
	}
	return filters, nil
}

// referenceOf gives the reference of a person in an organisation, empty if id is no person who is known there.
func referenceOf(ctx context.Context, q store.Querier, organisation, id string) (reference string, err error) {
	if id == "" || organisation == "" {
		return "", nil
	}
	var login string
	err = q.QueryRow(ctx, selectPerson, id, strings.TrimSuffix(organisation, Platform)).Scan(&reference, &login)
	if errors.Is(err, store.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("looking up a person of the audit: %w", err)
	}
	return reference, nil
}
