package device

import (
	"context"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

// The names that a list of devices is filtered by.
const (
	ByProduct = "product" // UUID
	ByOrder   = "order"   // the order that issued it
	ByName    = "name"    // beginning of the DeviceName
	ByOnline  = "online"  // "true", or "false": it had a session and has none now
	ByTag     = "tag"     // key=value, which it carries
)

const scope = "organisation"

// List returns a page of the devices of who's organisation, or of all for who sees all: by id, in which order they were
// made, or by name. Devices whose order is not issued are not there yet.
func (s *Service) List(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Device], err error) {
	filters := map[string]string{}
	for name, value := range ask.Filters {
		filters[name] = value
	}
	if !who.Everywhere() {
		if who.Organisation == "" {
			return page, fault.Forbidden(string(access.ReadDevice), "an organisation to act for")
		}
		filters[scope] = who.Organisation
	}
	ask.Filters = filters
	list := listOf(ask)
	err = s.store.Read(ctx, func(v *store.View) error {
		page, err = list.Read(ctx, v, ask)
		return err
	})
	return page, err
}

// listOf is the table that serves an ask: presence is a table of its own, because it changes all the time.
func listOf(ask listing.Ask) *listing.List[Device] {
	switch {
	case ask.Filters[ByTag] != "":
		return taggedList()
	case ask.Filters[ByOnline] != "":
		return presenceList()
	case ask.Filters[ByName] != "" || ask.Sort == ByName || ask.Sort == "-"+ByName:
		return nameList()
	}
	return idList()
}

const (
	issued    = "COALESCE(o.state, '') = 'issued'" // not by the index of states: the list is walked in its own order
	withOrder = "JOIN issuance_order o ON o.id = d.batch"
	all       = "device d " + withOrder + " LEFT JOIN device_presence p ON p.device = d.id"
)

func fields() []listing.Field {
	return []listing.Field{{Name: scope, Column: "d.organisation"}, {Name: ByProduct, Column: "d.product"}, {Name: ByOrder, Column: "d.batch"}}
}

const oneOwner = "a product, and an order, is of one organisation"

func idList() *listing.List[Device] {
	return &listing.List[Device]{
		Object: "device", Columns: columns, From: all, Where: issued, Key: "d.id", Fields: fields(),
		Ways: []listing.Way{
			{},
			{Filters: []string{scope}},
			{Filters: []string{ByProduct}, Rest: []string{scope}, Bound: oneOwner},
			{Filters: []string{ByOrder}, Rest: []string{scope, ByProduct}, Bound: oneOwner},
		},
		Scan: func(row listing.Scanner) (Device, error) { return scan(row) },
	}
}

func nameList() *listing.List[Device] {
	return &listing.List[Device]{
		Object: "device", Columns: columns, From: all, Where: issued, Key: "d.name",
		Fields: append(fields(), listing.Field{Name: ByName, Column: "d.name", Prefix: true}),
		Ways: []listing.Way{
			{Filters: []string{scope, ByName}, Sort: ByName},
			{Filters: []string{scope}, Sort: ByName},
			{Filters: []string{ByProduct, ByName}, Rest: []string{scope}, Sort: ByName, Bound: oneOwner},
			{Filters: []string{ByProduct}, Rest: []string{scope}, Sort: ByName, Bound: oneOwner},
			{Filters: []string{scope, ByName}},
			{Filters: []string{ByProduct, ByName}, Rest: []string{scope}, Bound: oneOwner},
		},
		Scan: func(row listing.Scanner) (Device, error) { return scan(row) },
	}
}

func presenceList() *listing.List[Device] {
	return &listing.List[Device]{
		Object: "device", Columns: columns, From: "device_presence p JOIN device d ON d.id = p.device " + withOrder, Where: issued, Key: "p.device",
		Fields: []listing.Field{{Name: scope, Column: "p.organisation"}, {Name: ByProduct, Column: "p.product"}, {Name: ByOnline, Column: "p.online", Parse: onlineOf}},
		Ways: []listing.Way{
			{Filters: []string{ByProduct, ByOnline}, Rest: []string{scope}, Bound: oneOwner},
			{Filters: []string{scope, ByOnline}},
			{Filters: []string{ByOnline}},
		},
		Scan: func(row listing.Scanner) (Device, error) { return scan(row) },
	}
}

func onlineOf(text string) (any, error) {
	switch text {
	case "true":
		return 1, nil
	case "false":
		return 0, nil
	}
	return nil, fault.Invalid("/online", text, `"true" or "false"`, "send one of the two")
}
