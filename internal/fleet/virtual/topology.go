package virtual

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"lampworks/alink"
	"lampworks/mqtt"
)

// A Happening is what became of a device that a gateway carries, or of the device itself.
type Happening string

// What may happen.
const (
	LoggedIn   Happening = "logged in"
	Refused    Happening = "refused"     // with code and reason; told again only when the code is another
	Attached   Happening = "attached"    // by its maker
	Unknown    Happening = "unknown"     // attached, but nobody has told the gateway its secret
	Detached   Happening = "detached"    // by its maker, or because another gateway carries it now
	Disabled   Happening = "disabled"    // by its maker, or by a measure
	Enabled    Happening = "enabled"     // it may be there again
	Bound      Happening = "bound"       // it was placed in a home
	Unbound    Happening = "unbound"     // it was taken from its home
	PermitJoin Happening = "permit-join" // the gateway may let others join; Why is for how long, as it was told
)

// News is what a [Config.OnNews] is told.
type News struct {
	Device string // DeviceName (设备名称)
	What   Happening
	Code   int // of a refusal
	Why    string
}

func (d *Device) news(what Happening, code int, why string) {
	if d.c.OnNews != nil {
		d.c.OnNews(News{Device: d.name, What: what, Code: code, Why: why})
	}
}

// Denied is what the platform answers a gateway when it does not take a child.
type Denied struct {
	Child   string // DeviceName (设备名称)
	Code    int
	Message string
}

// Error names the child, the code and what the platform says about it.
func (e *Denied) Error() string {
	return fmt.Sprintf("device %s was refused with code %d: %s", e.Child, e.Code, e.Message)
}

// Permanent reports whether asking again is of no use: the gateway is none, or what it says of the child is wrong.
func (e *Denied) Permanent() bool {
	switch e.Code {
	case alink.CodeBadRequest, alink.CodeSign, alink.CodeUnknown, alink.CodeItself:
		return true
	}
	return false
}

// What topo/change says of a child, by the numbers of Alibaba Cloud.
const (
	isNew  = 0
	isGone = 1
	isBack = 2
	isShut = 8
	isSent = -1 // in topo/add/notify, which has no number
)

// A change of a child is what the gateway was told and has not acted upon.
type change struct {
	status int
	names  string // "{pk}/{dn}"
	name   string
}

// topology takes what a gateway is told of its children, for [Device.tend]; on the client's goroutine.
func (d *Device) topology(client *mqtt.Client, t alink.Template, payload []byte) {
	type child struct {
		ProductKey string `json:"productKey"`
		DeviceName string `json:"deviceName"`
	}
	var told struct {
		Status int     `json:"status"`
		List   []child `json:"subList"`
	}
	req, err := alink.ParseRequest(payload)
	if err == nil && t == alink.TopoAddNotify {
		told.Status = isSent
		err = json.Unmarshal(req.Params, &told.List)
	} else if err == nil {
		err = json.Unmarshal(req.Params, &told)
	}
	if err != nil {
		d.c.Log.LogAttrs(context.Background(), slog.LevelWarn, "virtual gateway was told of its topology what it cannot read", slog.String("device", d.name), slog.Any("error", err))
		return
	}
	d.mu.Lock()
	for _, k := range told.List {
		d.changes = append(d.changes, change{told.Status, k.ProductKey + "/" + k.DeviceName, k.DeviceName})
	}
	d.mu.Unlock()
	select {
	case d.changed <- struct{}{}:
	default:
	}
	d.publish(client, d.topic(t.Reply(), ""), alink.AppendReply(nil, bytes.Clone(req.ID), alink.CodeOK, "success", nil, t.Method("")))
}

// tend acts upon what the gateway was told of its children. A child that is refused leaves the others as they are.
func (d *Device) tend(ctx context.Context, client *mqtt.Client) error {
	d.mu.Lock()
	changes := d.changes
	d.changes = nil
	d.mu.Unlock()
	for _, c := range changes {
		k := d.named(c.names)
		if k == nil {
			d.stranger(c)
			continue
		}
		if err := d.follow(ctx, client, k, c.status); err != nil {
			return err
		}
	}
	return nil
}

// stranger tells of a device that the gateway is to carry and cannot, as it has no secret to sign with.
func (d *Device) stranger(c change) {
	if c.status == isSent && d.c.OnNews != nil {
		d.c.OnNews(News{Device: c.name, What: Unknown})
	}
}

// follow acts upon what the gateway was told of a child.
func (d *Device) follow(ctx context.Context, client *mqtt.Client, k *Device, status int) error {
	switch status {
	case isSent:
		k.news(Attached, 0, "")
		if k.standing != inside {
			return d.again(ctx, client, k)
		}
	case isNew:
		if k.standing != inside {
			return d.again(ctx, client, k)
		}
	case isBack:
		k.news(Enabled, 0, "")
		return d.again(ctx, client, k)
	case isGone:
		k.standing, k.code = detached, 0
		k.news(Detached, 0, "")
	case isShut:
		k.standing, k.code = wanted, 0
	}
	return nil
}

// again logs children in that were not, while the others are. What is refused for good is out until the gateway connects again.
func (d *Device) again(ctx context.Context, client *mqtt.Client, some ...*Device) error {
	for {
		err := d.enterAll(ctx, client, some)
		denied, ok := errors.AsType[*Denied](err)
		if !ok {
			return err
		}
		some = slices.DeleteFunc(slices.Clone(some), func(k *Device) bool {
			if k.name == denied.Child {
				k.standing = refused
			}
			return k.standing != wanted
		})
	}
}

// wanting are the children that may be logged in later, though they were refused.
func (d *Device) wanting() (some []*Device) {
	for _, k := range d.children {
		if k.standing == wanted {
			some = append(some, k)
		}
	}
	return some
}

// retry is when to try those again that were refused; nil if there are none.
func (d *Device) retry(p *pauses) <-chan time.Time {
	if len(d.wanting()) == 0 {
		*p = pauses{}
		return nil
	}
	return time.After(p.next())
}
