// Package device knows every device of the platform: which product it is of, whose it is, whether its triple is in force,
// and when it was last seen (设备).
//
// It owns the tables device, device_change, device_presence, device_run, device_cursor, device_tag, device_firmware, device_line
// and device_child, and the form of the uplink records that speak of devices.
// It promises:
//   - a device exists from the transaction that issued its triple, and can connect only once its order is issued;
//   - the secret of a device is derived when it is needed and never stored; it is one of those that are in force, and with the
//     first login the only one;
//   - whoever holds sessions learns of every change of a device's right to connect;
//   - presence follows the uplink Log: an end of session older than the newest session changes nothing;
//   - what a device says of itself beside its thing model is bounded: tags, versions, and the newest lines of its log;
//   - a device is carried by one gateway (网关) at most, of its own organisation, and what carries it changes with the consent of one
//     of the two who may: the device, by its secret, or the maker;
//   - nobody loads a device of another organisation: it is not found.
//
// It holds no connection: the gateway asks [Service.Identify] and writes presence to the Log.
package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/product"
	"lampworks/triple"
)

// State says whether the triple of a device is in force.
type State string

// The states of a device.
const (
	Enabled  State = "enabled"
	Disabled State = "disabled"
)

// A Device is one unit of a product.
type Device struct {
	ID           string
	Organisation string
	Product      string // UUID
	Name         string // DeviceName (设备名称): the MAC in lower-case hex
	Order        string // the order it was issued by
	Generation   uint32 // of its secret
	State        State
	CreatedAt    time.Time
	ActivatedAt  time.Time // first session; zero before it
	ResetAt      time.Time // when somebody reset it last, as it says; zero if nobody has
	Online       bool
	SeenAt       time.Time // last message or change of session; zero before the first
	Reason       string    // why the last session ended, or "connected"
	Address      string    // remote address of the last session
	Gateway      string    // that carries it; empty: it connects by itself
}

// An Identity is what the gateway needs to know of a device that connects.
type Identity struct {
	ID           string
	Organisation string
	Product      string // UUID
	ProductKey   string
	Name         string
	State        State
	Order        string        // it was issued by
	Gateway      bool          // it may carry others
	Measured     bool          // a measure is open against it or what it belongs to: only then its standing is to be asked for
	LastReason   string        // why its last session ended, as far as the Log was followed; or "connected"
	Secret       triple.Secret // the newest that is in force; zero if none is

	mac     triple.MAC
	fixed   bool // it has logged in with the only secret that is in force
	secrets []candidate
}

// candidate is a secret that a device may log in with.
type candidate struct {
	generation uint32
	secret     triple.Secret
}

// Match tries every secret that is in force, whichever fits, and returns the generation of the one that does.
func (id *Identity) Match(fits func(secret string) bool) (generation uint32, ok bool) {
	for _, c := range id.secrets {
		if fits(c.secret.Reveal()) {
			generation, ok = c.generation, true
		}
	}
	return generation, ok
}

// Service answers for devices. It is safe for concurrent use.
type Service struct {
	store    *store.Store
	products *product.Service
	keys     *keyring.Keyring
	bus      bus.Bus
	log      *slog.Logger

	resets Reset // nil: nobody asks

	run      atomic.Uint64 // number of this run; 0 until Begin
	sessions atomic.Uint64 // epochs given in this run
}

// Reset is a hook: somebody reset a device at a time, as it said itself. It is called in the transaction that notes it, more
// than once where the same message is read again.
type Reset func(ctx context.Context, tx *store.Tx, device string, at time.Time) error

// OnReset has do called for every reset. It is called before [Service.Follow].
func (s *Service) OnReset(do Reset) { s.resets = do }

// New returns the service over a migrated store.
func New(s *store.Store, products *product.Service, keys *keyring.Keyring, b bus.Bus, log *slog.Logger) *Service {
	return &Service{store: s, products: products, keys: keys, bus: b, log: log}
}

// runShift parts an epoch: above it the number of the run, below it that of the session in the run.
const runShift = 40

// Epoch gives the epoch of a session that begins: greater than every one given before, in this run and in those before
// it, whatever the clock says. See [Service.Begin].
func (s *Service) Epoch() uint64 { return s.run.Load()<<runShift + s.sessions.Add(1) }

// FirstEpoch is below every epoch of this run and above those of the runs before it.
func (s *Service) FirstEpoch() uint64 { return s.run.Load() << runShift }

// StateSubject is the Bus subject, completed by the device's id, of a change of [State]. It may be lost; see
// [Service.Disabled].
const StateSubject = "device.state."

// Register makes devices of the rows of an order, in the transaction that issues them. It is the hook issuance.Issued.
func (s *Service) Register(ctx context.Context, tx *store.Tx, order issuance.Order, rows []issuance.Row) error {
	return insert(ctx, tx, order, rows, time.Now())
}

// Identify finds the device that says it is deviceName of productKey, with the secrets its signature may be made with: see
// [issuance.InForce]. How long it takes depends on how many there are, never on which of them fits.
// An unknown product or device, and one whose order is not issued, is the same [fault.NotFound].
func (s *Service) Identify(ctx context.Context, productKey, deviceName string) (Identity, error) {
	p, err := s.products.ByKey(ctx, productKey)
	if err != nil {
		return Identity{}, fmt.Errorf("finding product key %.32q: %w", productKey, err)
	}
	mac, err := triple.ParseMAC(deviceName)
	if err != nil {
		return Identity{}, fault.NotFound("device", deviceName)
	}
	id := Identity{Product: p.ID, ProductKey: productKey, Name: deviceName, Gateway: p.Gateway, mac: mac}
	var held issuance.Held
	dest := append(held.Dest(), &id.Measured, &id.ID, &id.Organisation, &id.Order, &id.State, &id.LastReason)
	err = s.store.Look(ctx, identifySQL, []any{time.Now().UnixMilli(), mac.Uint64(), p.ID, deviceName}, dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return Identity{}, fault.NotFound("device", deviceName)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("reading device %s: %w", deviceName, err)
	}
	standing, err := held.Standing()
	if err != nil {
		return Identity{}, fmt.Errorf("reading device %s: %w", deviceName, err)
	}
	key, err := s.key(ctx, p.ID)
	if err != nil {
		return Identity{}, err
	}
	id.fixed = standing.Fixed
	id.secrets = make([]candidate, len(standing.Generations))
	for i, g := range standing.Generations {
		id.secrets[i] = candidate{g, triple.Derive(key.Reveal(), p.ID, mac, g)}
	}
	if len(id.secrets) > 0 {
		id.Secret = id.secrets[0].secret
	}
	return id, nil
}

// key opens the key of a product, which is most often open.
func (s *Service) key(ctx context.Context, product string) (key keyring.Key32, err error) {
	if key, ok := s.keys.OpenedKey(product); ok {
		return key, nil
	}
	err = s.store.Read(ctx, func(v *store.View) error {
		key, err = s.keys.ProductKey(ctx, v, product)
		return err
	})
	if err != nil {
		return key, fmt.Errorf("opening the key of product %s: %w", product, err)
	}
	return key, nil
}

// Admit lets a device in that has proved the secret of a generation: with its first login that one becomes the only one. It
// refuses, as a conflict, a secret that was taken out of force meanwhile.
func (s *Service) Admit(ctx context.Context, id *Identity, generation uint32) error {
	if id.fixed {
		return nil
	}
	return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		if err := issuance.Fix(ctx, tx, id.Order, id.mac, generation, time.Now()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE device SET generation = ? WHERE id = ? AND generation <> ?", generation, id.ID, generation); err != nil {
			return fmt.Errorf("noting the generation of device %s: %w", id.ID, err)
		}
		return nil
	})
}

// Load returns a device of who's organisation.
func (s *Service) Load(ctx context.Context, who access.Actor, id string) (Device, error) {
	var d Device
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		d, err = Load(ctx, v, who, id)
		return err
	})
	return d, err
}

// Load returns a device of who's organisation as q sees it; for rooms that act on devices within a transaction of their own.
func Load(ctx context.Context, q store.Querier, who access.Actor, id string) (Device, error) {
	query, args := loadSQL, []any{id}
	if !who.Everywhere() {
		query, args = query+" AND d.organisation = ?", append(args, who.Organisation)
	}
	d, err := scan(q.QueryRow(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		return Device{}, fault.NotFound("device", id)
	}
	if err != nil {
		return Device{}, fmt.Errorf("reading device %s: %w", id, err)
	}
	return d, nil
}

// SetState puts the triple of a device in or out of force. Live sessions are the gateway's to end: it hears of it on
// [StateSubject], and asks every two seconds for what it did not hear.
func (s *Service) SetState(ctx context.Context, who access.Actor, id string, to State, note string) error {
	if to != Enabled && to != Disabled {
		return fault.Invalid("/state", string(to), `"enabled" or "disabled"`, "send one of the two")
	}
	if to == Disabled {
		ctx = store.Urgent(ctx)
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		if _, err := Load(ctx, tx, who, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "UPDATE device SET state = ? WHERE id = ?", to, id); err != nil {
			return fmt.Errorf("setting the state of device %s: %w", id, err)
		}
		if err := s.changed(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "device."+string(to), id, note)
	})
}

// OfBatch stands before the id of an order, for all of its devices, among those whose right to connect changed.
const OfBatch = "batch:"

// changed tells whoever holds sessions that the right of a device, or of those [OfBatch], may have changed. The newest change stands for those
// before it: gateways make as many as they like.
func (s *Service) changed(ctx context.Context, tx *store.Tx, id string) error {
	var seq int64
	err := tx.QueryRow(ctx, "INSERT INTO device_change (device, at) VALUES (?, ?) RETURNING seq", id, time.Now().UnixMilli()).Scan(&seq)
	if err != nil {
		return fmt.Errorf("noting the change of device %s: %w", id, err)
	}
	if _, err := tx.Exec(ctx, "DELETE FROM device_change WHERE device = ? AND seq < ?", id, seq); err != nil {
		return fmt.Errorf("forgetting the changes of device %s: %w", id, err)
	}
	tx.AfterCommit(func() { s.bus.Publish(StateSubject+id, nil) })
	return nil
}

// Revoke takes every secret of a device that was handed out so far out of force; its session ends. The next download of its
// order hands out another.
func (s *Service) Revoke(ctx context.Context, who access.Actor, id, reason string) error {
	if err := who.Check(access.RevokeTriples); err != nil {
		return err
	}
	if strings.TrimSpace(reason) == "" || utf8.RuneCountInString(reason) > 500 {
		return fault.Invalid("/reason", reason, "1 to 500 characters", "say why")
	}
	return s.store.Write(store.Urgent(ctx), func(tx *store.Tx) error {
		d, err := Load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		mac, err := triple.ParseMAC(d.Name)
		if err != nil {
			return fmt.Errorf("reading the name of device %s: %w", id, err)
		}
		switch changed, err := issuance.RevokeOne(ctx, tx, d.Order, mac, time.Now()); {
		case err != nil:
			return err
		case !changed:
			return fault.Conflict("device", "every secret of the device that was handed out is revoked already; there is nothing to revoke")
		}
		if err := s.changed(ctx, tx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "device.revoke", id, reason)
	})
}

// Revoked lets the live sessions of an order show that their secret is in force, when many of it were revoked. It is the hook
// issuance.Revoked.
func (s *Service) Revoked(ctx context.Context, tx *store.Tx, order string) error {
	return s.changed(ctx, tx, OfBatch+order)
}

// Changes lists the devices whose right to connect changed after seq, some as [OfBatch], and the newest seq there is; for the gateway, so
// that a lost event delays the end of a session and never prevents it.
func (s *Service) Changes(ctx context.Context, after int64) (devices []string, newest int64, err error) {
	newest = after
	err = s.store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT seq, device FROM device_change WHERE seq > ? ORDER BY seq LIMIT 10000", after)
		if err != nil {
			return fmt.Errorf("reading changes of devices: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var device string
			if err := rows.Scan(&newest, &device); err != nil {
				return fmt.Errorf("reading changes of devices: %w", err)
			}
			devices = append(devices, device)
		}
		return rows.Err()
	})
	return devices, newest, err
}

// NewestChange is the newest seq that [Service.Changes] knows.
func (s *Service) NewestChange(ctx context.Context) (int64, error) {
	var seq int64
	err := s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, "SELECT COALESCE(MAX(seq), 0) FROM device_change").Scan(&seq)
	})
	if err != nil {
		return 0, fmt.Errorf("reading the newest change of a device: %w", err)
	}
	return seq, nil
}

// Disabled lists those of ids whose triple is not in force, or that are no more.
func (s *Service) Disabled(ctx context.Context, ids []string) ([]string, error) {
	var out []string
	err := s.store.Read(ctx, func(v *store.View) error {
		for _, id := range ids {
			live, err := inForce(ctx, v, id)
			if err != nil {
				return err
			}
			if !live {
				out = append(out, id)
			}
		}
		return nil
	})
	return out, err
}

// inForce reports whether a device that has a session may keep it.
func inForce(ctx context.Context, q store.Querier, id string) (bool, error) {
	var state State
	var order, name string
	err := q.QueryRow(ctx, "SELECT state, batch, name FROM device WHERE id = ?", id).Scan(&state, &order, &name)
	if errors.Is(err, sql.ErrNoRows) || err == nil && state != Enabled {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reading the state of device %s: %w", id, err)
	}
	mac, err := triple.ParseMAC(name)
	if err != nil {
		return false, fmt.Errorf("reading the name of device %s: %w", id, err)
	}
	standing, err := issuance.InForce(ctx, q, order, mac, time.Now())
	return !standing.Lost, err
}
