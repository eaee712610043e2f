package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"
	"unique"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
)

// identifyTimeout bounds how long a CONNECT may wait for its turn and for the database.
const identifyTimeout = 5 * time.Second

// Connect decides who a device is. A wrong signature and an unknown device get the same answer, so that names cannot be
// tried out.
func (c *conn) Connect(p *mqtt.Packet) mqtt.Welcome {
	before, judged := c.g.changes.Load(), c.g.judged.Load()
	var began *session.Began
	var claimed string // the device it says it is, if there is one
	code, why := c.admit(p.Connect, &claimed)
	if code == mqtt.Success && c.newcomer == nil {
		began, code, why = c.asks(p)
	}
	if code != mqtt.Success {
		c.device = "" // it has no session that could end
		c.g.Stats.Refused.Add(1)
		c.g.c.Logger.LogAttrs(context.Background(), slog.LevelInfo, "device refused", slog.String("address", c.from), slog.String("reason", why))
		c.mu.Lock()
		c.reason = "refused: " + why
		c.mu.Unlock()
		if claimed != "" {
			c.showOf(claimed, device.RefusedSubject, nil, device.Traffic{At: time.Now().UTC(), Why: why})
		}
		if code == mqtt.BadLogin { // which of the two it was is not told
			why = "the user name or the signature is wrong"
		}
		return mqtt.Welcome{Code: code, Text: why}
	}
	c.g.Stats.Accepted.Add(1)
	if c.newcomer != nil {
		return mqtt.Welcome{}
	}
	old, _ := c.g.sessions.enter(c, c.g.c.Devices.Epoch)
	if old != nil {
		c.g.Stats.TakenOver.Add(1)
		old.dismiss(mqtt.TakenOver, takenOver)
		c.fought(old)
	}
	var w mqtt.Welcome
	if began != nil {
		var err error
		if w, err = c.takeSession(began, old); err != nil {
			c.g.Stats.Refused.Add(1)
			c.g.missed(context.Background(), "taking the session of a device failed", err)
			return mqtt.Welcome{Code: mqtt.Unavailable, Text: "the session cannot be taken now"}
		}
	}
	w.ReceiveMax = uint16(max(c.most(quota.DeviceUnderWay), 1)) // 0 cannot be said
	if keep := p.Connect.KeepAlive; p.Connect.Version == mqtt.V5 && (keep == 0 || keep > maxKeepAlive) {
		w.KeepAlive = maxKeepAlive
	}
	c.presence(context.Background(), true, "connected")
	if c.g.changes.Load() != before { // a round passed between the reading of its right and its entry
		c.g.conns.Go(func() { c.g.recheck(context.Background(), []*conn{c}) })
	}
	if c.g.judged.Load() != judged { // the same of its standing
		c.g.conns.Go(func() { c.g.judge(context.Background(), []*conn{c}) })
	}
	if q, ok := p.Properties.Find(mqtt.SessionExpiry); ok {
		lasts := uint32(0)
		if c.stay != nil {
			lasts = uint32(c.stay.lasts / time.Second)
		}
		if q.Int != lasts { // less than it asked for
			w.Properties = w.Properties.Append(mqtt.Property{ID: mqtt.SessionExpiry, Int: lasts})
		}
	}
	return w
}

func (c *conn) admit(in *mqtt.Connect, claimed *string) (code mqtt.Reason, why string) {
	id, err := alink.ParseClientID(string(in.ClientID))
	if err != nil {
		return mqtt.BadClientID, err.Error()
	}
	name, key, err := alink.ParseUserName(string(in.Username))
	if err != nil {
		return mqtt.BadLogin, err.Error()
	}
	if id.AuthType != "" {
		return c.registers(&id, name, key, in.Password)
	}
	if !c.secure && !c.loopback() && !c.g.plain[key] {
		return mqtt.NotAuthorised, "plain TCP from another machine is not allowed for product key " + key
	}
	who, standing, err := c.ask(key, name, func(secret string) bool { return alink.Verify(in.Password, id.SignMethod, secret, id, name, key) })
	*claimed = who.ID
	switch {
	case fault.Is(err, fault.Missing):
		return mqtt.BadLogin, "unknown product or device"
	case errors.Is(err, errSignature):
		return mqtt.BadLogin, err.Error()
	case fault.Is(err, fault.Clash):
		return mqtt.BadLogin, "the secret is not in force any more"
	case err != nil:
		c.g.c.Logger.LogAttrs(context.Background(), slog.LevelError, "identifying a device failed", slog.Any("error", err))
		return mqtt.Unavailable, "the platform cannot identify devices now"
	case who.State != device.Enabled:
		return mqtt.NotAuthorised, "device is disabled"
	case !standing.Allows(enforce.Connect):
		return mqtt.NotAuthorised, standing.Check(enforce.Connect).Error()
	}
	c.of = unique.Make(origin{organisation: who.Organisation, product: who.Product, batch: who.Order, key: who.ProductKey, gateway: who.Gateway})
	if used := c.usedUp(who.ID); used != "" {
		return mqtt.QuotaExceeded, used
	}
	if over := c.tooMany(); over != "" {
		return mqtt.ConnectRateExceeded, over
	}
	if wait := c.g.fights.wait(who.ID, time.Now()); wait > 0 && c.comesBetween(who.ID) {
		return mqtt.Busy, fmt.Sprintf("two connections throw each other out; the one that is there stays for %s", wait.Round(time.Second))
	}
	c.device, c.name = who.ID, who.Name
	c.barred.Store(barred(who.LastReason))
	if id.SubscribeAll {
		all := everything()
		c.filters.Store(&all)
	}
	return mqtt.Success, ""
}

// comesBetween reports whether the session of a device is live, and of another host.
func (c *conn) comesBetween(id string) bool {
	live := c.g.sessions.find(id)
	return live != nil && host(live.from) != host(c.from)
}

var errSignature = errors.New("wrong signature")

// ask identifies, a few at a time. A device that is enabled, that no measure refuses, and whose signature fits is let in.
func (c *conn) ask(key, name string, fits func(secret string) bool) (who device.Identity, standing enforce.Standing, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	select {
	case c.g.identify <- struct{}{}:
		defer func() { <-c.g.identify }()
	case <-ctx.Done():
		return who, standing, ctx.Err()
	}
	if who, err = c.g.c.Devices.Identify(ctx, key, name); err != nil {
		return who, standing, err
	}
	generation, ok := who.Match(fits)
	if !ok {
		c.alarm(ctx, &who, fits)
		return who, standing, errSignature
	}
	if c.g.c.Enforce != nil && who.Measured {
		if standing, err = c.g.c.Enforce.Standing(ctx, chainOf(&who)); err != nil {
			return who, standing, err
		}
	}
	if who.State == device.Enabled && standing.Allows(enforce.Connect) {
		err = c.g.c.Devices.Admit(ctx, &who, generation)
	}
	return who, standing, err
}

func (c *conn) loopback() bool {
	a, err := netip.ParseAddrPort(c.from)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// outlived ends a clean session of which nothing could be written down, because of err, if an earlier connection left
// something, or may have: that would outlive it.
func (c *conn) outlived(err error) {
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	if left, unknown := c.g.c.Sessions.Left(ctx, c.g.c.Log, c.device); left || unknown != nil {
		c.because("not stored: " + err.Error())
		c.dismiss(mqtt.QuotaExceeded, notStored)
	}
}

// presence tells the Log that the session began or ended. Nothing else says that a clean session began.
func (c *conn) presence(ctx context.Context, online bool, reason string) {
	e := end{at: time.Now(), device: c.device, presence: device.Presence{Online: online, Epoch: c.epoch, Reason: reason, Address: c.from}}
	if !online {
		c.g.sayEnd(ctx, e)
		return
	}
	c.g.store(ctx, e.record(c.g), func(err error) {
		c.g.c.Logger.LogAttrs(context.Background(), slog.LevelWarn, "presence was not stored", slog.String("device", c.device), slog.Any("error", err))
		if c.stay == nil && c.g.c.Sessions != nil {
			c.g.conns.Go(func() { c.outlived(err) })
		}
	})
}
