package pairing

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// State is what became of a claim.
type State string

// The states of a claim.
const (
	Waiting State = "waiting_for_button"
	Bound   State = "bound"
	Refused State = "refused"
	Expired State = "expired" // nobody pressed the button
)

// A Want is a device that somebody wants in a home.
type Want struct {
	Token string // 32 hex digits; or
	QR    string // the text of the code that the device shows
	Room  string // id; empty: in no room
	home.Label
}

// A Claim is what became of it.
type Claim struct {
	ID, Home, Resident string
	Device             string // id
	Room               string
	home.Label
	State     State
	Reason    string // of Refused
	MadeAt    time.Time
	ExpiresAt time.Time // of Waiting: then it is Expired
}

// token gives the token of w, and whose the QR code says it is.
func (w *Want) token() (token, productKey, deviceName string, err error) {
	if w.QR != "" {
		m := told.FindStringSubmatch(strings.TrimSpace(w.QR))
		if m == nil || w.Token != "" {
			return "", "", "", fault.Invalid("/qr", "not shown", "the text of a bind code, and no token beside it", "scan the code that the device shows")
		}
		return strings.ToLower(m[3]), m[1], m[2], nil
	}
	token = strings.ToLower(strings.TrimSpace(w.Token))
	if !tokenForm.MatchString(token) {
		return "", "", "", fault.Invalid("/token", "not shown", "32 hex digits", "read it from the device again")
	}
	return token, "", "", nil
}

// Claim binds the device whose token who shows in a home, or, of a lock or a camera, waits for its button.
func (s *Service) Claim(ctx context.Context, who access.Actor, homeID string, w Want) (c Claim, err error) {
	if !who.Resident() {
		return c, fault.Forbidden("a home of residents", "a resident's session")
	}
	if err := who.Check(access.WriteHome); err != nil {
		return c, err
	}
	token, pk, dn, err := w.token()
	if err != nil {
		return c, err
	}
	if w.Label, err = w.Label.Checked(); err != nil {
		return c, err
	}
	if err := s.try(ctx, who); err != nil {
		return c, err
	}
	right := false
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		u, err := s.unit(ctx, tx, tokenHash(token))
		if err != nil {
			return err
		}
		if pk != "" {
			if err := s.isOf(ctx, u, pk, dn); err != nil {
				return err
			}
		}
		right = true
		c, err = s.take(ctx, tx, who, homeID, u, &w)
		return err
	})
	if right { // whatever came of it
		if gone := s.forgive(ctx, who); err == nil {
			err = gone
		}
	}
	return c, err
}

// unit is a device whose token holds.
type unit struct {
	id, name, product, organisation string

	hash  [32]byte // of the token
	epoch int64    // of the session that announced it
}

// unit finds the device that announced a token, in the session that it has now. Whatever is wrong with a token, the answer is one.
func (s *Service) unit(ctx context.Context, q store.Querier, hash [32]byte) (u unit, err error) {
	u.hash = hash
	var expires, used int64
	err = q.QueryRow(ctx, tokenSQL, hash[:]).Scan(&u.id, &u.epoch, &expires, &used, &u.name, &u.product, &u.organisation)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return u, fmt.Errorf("looking for a bind token: %w", err)
	}
	now := s.now()
	good := err == nil && used == 0 && expires > now.UnixMilli() && expires <= now.Add(TokenLife).UnixMilli()
	if !good || !s.holds(u.id, u.epoch) {
		return u, errToken()
	}
	return u, nil
}

// holds says whether a session is the one that a device has now.
func (s *Service) holds(deviceID string, epoch int64) bool {
	held, connected := s.c.Epoch(deviceID)
	return connected && int64(held) == epoch //nolint:gosec // an epoch counts sessions
}

func errToken() error {
	f := fault.NotFound("bind token", "")
	f.What, f.Where = "no device that is connected has announced this token within the last ten minutes, or it was used", "/token"
	f.Fix = "have the device show a new one, and claim it at once"
	return f
}

// isOf holds a device against what its QR code says.
func (s *Service) isOf(ctx context.Context, u unit, productKey, deviceName string) error {
	p, err := s.c.Products.Load(ctx, access.System("pairing", ""), u.product)
	if err != nil {
		return err
	}
	if p.ProductKey != productKey || u.name != deviceName {
		return errToken()
	}
	return nil
}

// take binds a device, or writes down that its button is waited for.
func (s *Service) take(ctx context.Context, tx *store.Tx, who access.Actor, homeID string, u unit, w *Want) (Claim, error) {
	now := s.now().UTC().Truncate(time.Millisecond)
	c := Claim{ID: newID(), Home: homeID, Resident: who.ID, Device: u.id, Room: w.Room, Label: w.Label, State: Bound, MadeAt: now, ExpiresAt: now.Add(ButtonLife)}
	category, err := s.c.Products.Category(ctx, u.product)
	if err != nil {
		return c, fmt.Errorf("looking up the category of product %s: %w", u.product, err)
	}
	if mustPress(category) {
		c.State = Waiting
		if err := s.waits(ctx, tx, who, &c); err != nil {
			return c, err
		}
	} else if err := s.bind(ctx, tx, who, &c); err != nil {
		return c, err
	}
	_, err = tx.Exec(ctx, insertClaimSQL, c.ID, c.Home, c.Resident, c.Device, c.Room, encode(c.Names), encode(c.Aliases), c.State, "", c.MadeAt.UnixMilli(), c.ExpiresAt.UnixMilli(),
		u.hash[:], u.epoch)
	if err != nil {
		return c, fmt.Errorf("noting a claim on device %s: %w", c.Device, err)
	}
	return c, nil
}

// waits refuses a claim that could not be carried out, or that another stands in the way of.
func (s *Service) waits(ctx context.Context, tx *store.Tx, who access.Actor, c *Claim) error {
	if err := s.c.Homes.MayTake(ctx, tx, who, c.Home, c.Room, c.Device, c.Label); err != nil {
		return err
	}
	other, err := scanClaim(tx.QueryRow(ctx, waitingSQL, c.Device, c.MadeAt.UnixMilli()))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("looking for other claims on device %s: %w", c.Device, err)
	case other.Home == c.Home && other.Resident == c.Resident: // asked again: the newest holds
		return s.end(ctx, tx, &other, Refused, "claimed again")
	}
	f := fault.Conflict("device", "somebody has claimed the device, and its button is waited for")
	f.Fix = "wait two minutes, and claim it again"
	return f
}

// bind puts the device into the home, and uses its token up.
func (s *Service) bind(ctx context.Context, tx *store.Tx, who access.Actor, c *Claim) error {
	if err := s.c.Homes.Take(ctx, tx, who, c.Home, c.Room, c.Device, c.Label); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, "UPDATE pairing_token SET used_at = ? WHERE device = ?", s.now().UnixMilli(), c.Device); err != nil {
		return fmt.Errorf("using the bind token of device %s up: %w", c.Device, err)
	}
	return nil
}

// overtaken is what a claim tells that waited for the button when the device announced anew.
const overtaken = "the device has announced another token, or connected anew; claim it by the token that it shows now"

// overtake ends the claims that wait for the button of a device by another token than it has announced now, or another session's.
func (s *Service) overtake(ctx context.Context, tx *store.Tx, deviceID string, hash [32]byte, epoch int64) error {
	if _, err := tx.Exec(ctx, overtakeSQL, overtaken, deviceID, s.now().UnixMilli(), hash[:], epoch); err != nil {
		return fmt.Errorf("ending claims on device %s: %w", deviceID, err)
	}
	return nil
}

// pressed carries out the claim that waits for the button of a device, by the token and in the session in which it is pressed. What stands in its way ends it; the device has announced all the same.
func (s *Service) pressed(ctx context.Context, tx *store.Tx, deviceID string, hash [32]byte, epoch int64) error {
	c, err := scanClaim(tx.QueryRow(ctx, pressedSQL, deviceID, s.now().UnixMilli(), hash[:], epoch))
	if errors.Is(err, sql.ErrNoRows) {
		return nil // pressed before anybody asked
	}
	if err != nil {
		return fmt.Errorf("looking for the claim on device %s: %w", deviceID, err)
	}
	if _, err := s.unit(ctx, tx, hash); err != nil {
		return err
	}
	who, err := home.Within(ctx, tx, access.Actor{Kind: access.KindResident, ID: c.Resident, User: c.Resident}, c.Home)
	if err == nil {
		err = s.c.Homes.MayTake(ctx, tx, who, c.Home, c.Room, c.Device, c.Label)
	}
	if f := fault.Of(err); f != nil && !fault.Passes(err) {
		return s.end(ctx, tx, &c, Refused, f.Sentence())
	}
	if err != nil {
		return err
	}
	if err := s.bind(ctx, tx, who, &c); err != nil {
		return err
	}
	return s.end(ctx, tx, &c, Bound, "")
}

func (s *Service) end(ctx context.Context, tx *store.Tx, c *Claim, to State, reason string) error {
	_, err := tx.Exec(ctx, "UPDATE pairing_claim SET state = ?, reason = ? WHERE id = ?", to, reason, c.ID)
	if err != nil {
		return fmt.Errorf("ending claim %s: %w", c.ID, err)
	}
	return nil
}

// Load says what became of a claim in a home; for an hour.
func (s *Service) Load(ctx context.Context, who access.Actor, homeID, id string) (c Claim, err error) {
	if err := who.Check(access.WriteHome); err != nil {
		return c, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		if _, err := home.Revision(ctx, v, who, homeID); err != nil {
			return err
		}
		c, err = scanClaim(v.QueryRow(ctx, "SELECT "+claimColumns+" FROM pairing_claim WHERE id = ? AND home = ?", id, homeID))
		return err
	})
	if errors.Is(err, sql.ErrNoRows) {
		return c, fault.NotFound("claim", id)
	}
	if err != nil {
		return c, err
	}
	if c.State == Waiting && !s.now().Before(c.ExpiresAt) {
		c.State = Expired
	}
	return c, nil
}

func scanClaim(row interface{ Scan(dest ...any) error }) (c Claim, err error) {
	var names, aliases string
	var made, expires int64
	err = row.Scan(&c.ID, &c.Home, &c.Resident, &c.Device, &c.Room, &names, &aliases, &c.State, &c.Reason, &made, &expires)
	if err != nil {
		return c, err
	}
	c.MadeAt, c.ExpiresAt = time.UnixMilli(made).UTC(), time.UnixMilli(expires).UTC()
	return c, errors.Join(json.Unmarshal([]byte(names), &c.Names), json.Unmarshal([]byte(aliases), &c.Aliases))
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil || string(b) == "null" {
		return "{}"
	}
	return string(b)
}
