package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/factory"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/internal/partner/verify"
)

// openLimits builds the gatekeepers, which know no room above them: what they must ask those is handed in.
func (n *Node) openLimits() {
	counts := issuance.Counts()
	counts[quota.Products] = func(ctx context.Context, q store.Querier, id string) (int64, error) {
		return n.Products.Count(ctx, q, id)
	}
	counts[quota.Storage], counts[quota.BurnLogs] = stored, factory.Count
	counts[quota.Children] = device.CountChildren
	n.Quota = quota.New(quota.Config{Store: n.Store, Logger: n.log, Counts: counts, Tell: n.tellLimit, Holds: n.held})
	n.Enforce = enforce.New(enforce.Config{
		Store: n.Store, Bus: n.Bus, Jobs: n.Jobs, Logger: n.log, Owner: n.ownerOf, Member: isMember, Hold: n.c.DeletionHold, Tell: n.tellMeasure, Service: entitlement.Enforced,
		Changed: func() { n.Entitlements.Forget("") },
	})
}

// held is what a device holds by its connection here.
func (n *Node) held(of quota.Subject, l quota.Limit) int64 {
	if n.Gateway == nil { // nobody is online yet
		return 0
	}
	return n.Gateway.Holds(of, l)
}

// isMember says whether a user is a member of an organisation.
func isMember(ctx context.Context, q store.Querier, organisation, user string) (bool, error) {
	role, err := account.RoleOf(ctx, q, organisation, user)
	return role != "", err
}

// stored counts the bytes of the files that all rooms keep for an organisation.
func stored(ctx context.Context, q store.Querier, organisation string) (all int64, err error) {
	for _, room := range []quota.Count{product.Stored, certify.Stored, verify.Stored, issuance.Stored, factory.Stored} {
		n, err := room(ctx, q, organisation)
		if err != nil {
			return 0, err
		}
		all += n
	}
	return all, nil
}

// ownerOf finds the organisation that the subject of a measure belongs to.
func (n *Node) ownerOf(ctx context.Context, of enforce.Subject) (string, error) {
	switch of.Kind {
	case enforce.KindOrganisation:
		o, err := n.Accounts.Organisation(ctx, access.System("enforcement", ""), of.ID)
		return o.ID, err
	case enforce.KindProduct:
		return n.Products.Owner(ctx, of.ID)
	case enforce.KindBatch:
		return n.Orders.Owner(ctx, of.ID)
	case enforce.KindDevice:
		return n.Devices.Owner(ctx, of.ID)
	}
	return "", fault.NotFound(of.Kind, of.ID)
}

// limitMessage takes one message of the limits of the person, the device and the organisation that it is for. What strangers
// ask for and what others write takes nothing of what the person asks for.
func limitMessage(ctx context.Context, tx *store.Tx, m outbox.Message) error {
	person := m.User
	if person == "" { // nobody we know: counted by the recipient, who is not named
		sum := sha256.Sum256([]byte(m.To))
		person = "recipient " + hex.EncodeToString(sum[:8])
	}
	of, limit := quota.User(person, m.Organisation), quota.UserMails
	switch {
	case m.Share == outbox.Binding: // bounded by the hour alone: nobody may use up what is told of a measure
		return nil
	case m.Share == outbox.Others:
		of, limit = quota.User(person, ""), quota.Received // whoever it comes from
	case m.Share == outbox.Strangers && m.Kind == outbox.SMS:
		limit = quota.StrangerTexts
	case m.Share == outbox.Strangers:
		limit = quota.StrangerMails
	case m.Kind == outbox.SMS:
		limit = quota.UserTexts
	}
	if err := quota.Take(ctx, tx, of, limit, 1); err != nil || m.Kind == outbox.Mail {
		return err
	}
	if m.Device != "" {
		if err := quota.Take(ctx, tx, quota.Device(m.Device, "", m.Organisation), quota.DeviceTexts, 1); err != nil {
			return err
		}
	}
	if m.Organisation == "" {
		return nil
	}
	return quota.Take(ctx, tx, quota.Organisation(m.Organisation), quota.Texts, 1)
}

// eraser is a room that deletes what it has of a subject.
type eraser interface {
	Erase(ctx context.Context, tx *store.Tx, kind, id string, limit int) (more bool, err error)
	Holds(ctx context.Context, q store.Querier, kind, id string) (int64, error)
}

// lister is a room whose ids others refer to.
type lister interface {
	IDs(ctx context.Context, q store.Querier, kind, id, after string, limit int) ([]string, error)
}

// guardRooms tells the deletion of every room that holds data of a subject, from the upper to the lower. What a room
// left out still had would be found by the proof, which then fails.
func (n *Node) guardRooms() {
	var rooms []enforce.Room
	for _, r := range []struct {
		name string
		room any
	}{
		{"voice", n.Voice},
		{"scene", n.Scenes},
		{"pairing", n.Pairing},
		{"home", n.Homes},
		{"timeline", n.Timelines},
		{"command", n.Commands},
		{"session", n.Sessions},
		{"shadow", n.Shadows},
		{"history", n.History},
		{"config", n.Configs},
		{"device", n.Devices},
		{"takeout", n.Takeout},
		{"factory", n.Factory},
		{"issuance", n.Orders},
		{"product", n.Products},
		{"certify", n.Certify},
		{"entitlement", n.Entitlements},
		{"verify", n.Verify},
		{"notice", n.Notices},
		{"agreement", n.Agreements},
		{"outbox", n.Outbox},
		{"account", n.Accounts},
		{"quota", n.Quota},
		{"job", n.Jobs},
		{"keyring", n.Keys},
	} {
		room := enforce.Room{Name: r.name}
		if e, ok := r.room.(eraser); ok {
			room.Erase, room.Holds = e.Erase, e.Holds
		}
		if l, ok := r.room.(lister); ok {
			room.Lists = l.IDs
		}
		if o, ok := r.room.(enforce.Outside); ok {
			room.Outside = o
		}
		rooms = append(rooms, room)
	}
	n.Enforce.Over(rooms...)
}
