package virtual

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
)

// bindAgain is how long a device shows a bind token: less than the ten minutes for which the platform takes it.
const bindAgain = 9 * time.Minute

// bindTopics are what a device that announces bind tokens listens to besides, in its own branch.
var bindTopics = []string{"thing/awss/enrollee/match_reply", "_thing/event/notify"}

// errNoToken says that there is no button to press.
var errNoToken = errors.New("the device shows no bind token: it is not connected, or bound")

// PressButton announces the bind token that the device shows once more, with its button pressed: what a lock or a camera wants.
func (d *Device) PressButton(ctx context.Context) error {
	d.mu.Lock()
	client, token := d.client, d.token
	d.mu.Unlock()
	if client == nil || token == "" {
		return errNoToken
	}
	return d.announce(ctx, client, token, true)
}

// draw draws a bind token and announces it; it is shown when the platform has taken it.
func (d *Device) draw(ctx context.Context, client *mqtt.Client) error {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand
	token := hex.EncodeToString(b[:])
	d.mu.Lock()
	d.drawn, d.token = token, ""
	d.mu.Unlock()
	return d.announce(ctx, client, token, false)
}

// taken shows the bind token that the platform has taken, or tells why it has not.
func (d *Device) taken(payload []byte) {
	r, err := alink.ParseReply(payload)
	if err != nil || r.Code != alink.CodeOK {
		d.answered(payload)
		return
	}
	d.mu.Lock()
	fresh := d.drawn != d.token && !d.bound
	d.token = d.drawn
	token := d.token
	d.mu.Unlock()
	if fresh && d.c.OnToken != nil {
		d.c.OnToken(token)
	}
}

func (d *Device) announce(ctx context.Context, client *mqtt.Client, token string, button bool) error {
	params, err := json.Marshal(struct {
		Token  string `json:"token"`
		Button bool   `json:"button,omitempty"`
	}{token, button})
	if err != nil {
		return err // not reached: a text and a truth
	}
	return client.Publish(ctx, d.topic(alink.EnrolleeMatch, ""), alink.AppendRequest(nil, d.newID(), alink.EnrolleeMatch.Method(""), params), 1)
}

// binding is when a token is drawn anew, nil while none is wanted: the device shows none, or is bound as far as it was told.
func (d *Device) binding() <-chan time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.c.OnToken == nil || d.bound {
		return nil
	}
	if d.drawn == "" {
		return time.After(0)
	}
	return time.After(bindAgain)
}

// told acts on the platform's word that the device was placed in a home, or taken from it.
func (d *Device) told(payload []byte) {
	req, err := alink.ParseRequest(payload)
	if err != nil {
		return
	}
	var n struct {
		Identifier string `json:"identifier"`
		Value      struct {
			Operation string `json:"Operation"`
		} `json:"value"`
	}
	if json.Unmarshal(req.Params, &n) != nil || n.Identifier != "awss.BindNotify" {
		return
	}
	bound := n.Value.Operation == "Bind"
	d.mu.Lock()
	d.bound, d.drawn, d.token = bound, "", ""
	d.mu.Unlock()
	select {
	case d.turned <- struct{}{}:
	default:
	}
	if bound {
		d.news(Bound, 0, "")
	} else {
		d.news(Unbound, 0, "")
	}
}
