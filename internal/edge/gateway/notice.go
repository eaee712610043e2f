package gateway

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/household/home"
	"lampworks/internal/partner/enforce"
	"lampworks/mqtt"
)

// Why sessions end by the platform's will.
const (
	disabled  = "disabled"
	takenOver = "taken over"
	byMeasure = "refused by measure " // and which
)

// barred reports whether a session that ended for the reason was kept from its device.
func barred(reason string) bool { return reason == disabled || strings.HasPrefix(reason, byMeasure) }

// noticeOf is what a device is told when a measure ends its session.
func noticeOf(k enforce.Kind) alink.Template {
	if k == enforce.DeleteData || k == enforce.Terminate {
		return alink.Delete
	}
	return alink.Disable
}

// farewell ends the session by the platform's will, and tells the device so, if it listens.
func (c *conn) farewell(t alink.Template, reason string) {
	c.because(reason)
	if c.via != nil {
		_ = c.notify(t, notice(t.Method(""), nil)) // its gateway is told, too
		c.part(reason)
		c.via.tellTopology(topologyShut, device.Name{ProductKey: c.of.Value().key, DeviceName: c.name})
		return
	}
	if c.notify(t, notice(t.Method(""), nil)) != nil || c.s.Version() == mqtt.V5 {
		c.dismiss(mqtt.Administrative, reason)
		return
	}
	c.cut.Store(true)
	if c.gone.Swap(true) {
		c.close(reason)
		return
	}
	c.g.conns.Go(func() {
		c.finish()
		c.close(reason)
	})
}

// notice is a request that waits for no answer.
func notice(method string, params []byte) []byte {
	return alink.AppendRequest(nil, strconv.FormatInt(time.Now().UnixMilli(), 10), method, params)
}

// welcomeBack tells a device that its last session was kept from it, and that it may be there again, once it listens.
func (c *conn) welcomeBack() {
	if c.barred.Load() && c.subscribed(alink.Enable, "") && c.barred.Swap(false) {
		_ = c.notify(alink.Enable, notice(alink.Enable.Method(""), nil)) // it has gone: the next session is told nothing, and is there
	}
}

// tellBinding tells a device that it was placed in a home, or taken from it.
func (g *Gateway) tellBinding(id string, payload []byte) {
	c := g.sessions.find(id)
	if c == nil {
		return
	}
	operation := "Bind"
	if string(payload) == home.Unbound {
		operation = "Unbind"
	}
	params, err := json.Marshal(map[string]any{"identifier": "awss.BindNotify", "value": map[string]string{"Operation": operation}})
	if err != nil {
		g.missed(context.Background(), "telling a device of its home failed", err)
		return
	}
	_ = c.notify(alink.CloudNotify, notice("_thing.event.notify", params)) // who does not listen looks for itself
}
