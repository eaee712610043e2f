package api

import (
	"context"
	"time"

	"lampworks/internal/fleet/session"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

type deviceSessionView struct {
	Online        bool               `json:"online"`
	Protocol      string             `json:"protocol,omitempty" example:"MQTT 5"`
	Secure        bool               `json:"secure" doc:"The connection is TLS."`
	KeepAlive     int64              `json:"keep_alive_seconds" doc:"0: the device wants no watching."`
	Inflight      int                `json:"inflight" doc:"Messages for the device that it has not acknowledged."`
	Unstored      int                `json:"unstored" doc:"Messages of the device that are not on disk yet."`
	Lasts         int64              `json:"lasts_seconds" doc:"How long the session stays after its connection; 0: it ends with it."`
	ExpiresAt     moment             `json:"expires_at,omitzero" doc:"While it waits for its device."`
	Held          int                `json:"held" doc:"Messages of QoS 2 that were taken and not released yet."`
	Subscriptions []subscriptionView `json:"subscriptions" nullable:"false"`
	Will          *willView          `json:"will,omitempty"`
}

type subscriptionView struct {
	Filter     string `json:"filter"`
	QoS        uint8  `json:"qos"`
	Identifier uint32 `json:"identifier,omitempty" doc:"MQTT 5."`
}

type willView struct {
	Topic    string `json:"topic" doc:"With its placeholders."`
	Argument string `json:"argument,omitempty" doc:"Event or service identifier."`
	Delay    int64  `json:"delay_seconds"`
	DueAt    moment `json:"due_at,omitzero" doc:"When it is said; after the device went without goodbye."`
	Payload  string `json:"payload" doc:"Cut at 4,096 bytes."`
}

const maxWillShown = 4096

func willOf(k *session.Kept) *willView {
	w := k.Will
	if w == nil {
		return nil
	}
	return &willView{
		Topic: w.Template.String(), Argument: w.Arg, Delay: int64(w.Delay / time.Second), DueAt: moment(k.WillAt),
		Payload: string(w.Payload[:min(len(w.Payload), maxWillShown)]),
	}
}

// deviceSession shows what the connection of a device has, and what would outlive it.
func (a *API) deviceSession(ctx context.Context, who access.Actor, in *deviceInput) (deviceSessionView, error) {
	if _, err := a.Devices.Load(ctx, who, in.Device); err != nil {
		return deviceSessionView{}, err
	}
	kept, found, err := a.Sessions.Show(ctx, in.Device)
	if err != nil {
		return deviceSessionView{}, err
	}
	live, online := a.Gateway.Session(in.Device)
	if !found && !online {
		return deviceSessionView{}, fault.NotFound("session of device", in.Device)
	}
	v := deviceSessionView{
		Online: online, Protocol: live.Protocol, Secure: live.Secure, KeepAlive: int64(live.KeepAlive / time.Second), Inflight: live.Inflight, Unstored: live.Unacked,
		Lasts: int64(kept.Lasts / time.Second), ExpiresAt: moment(kept.ExpiresAt), Held: kept.Held, Will: willOf(&kept),
		Subscriptions: []subscriptionView{},
	}
	filters := kept.Filters
	if online {
		filters = live.Filters
	}
	for _, f := range filters {
		v.Subscriptions = append(v.Subscriptions, subscriptionView{f.Text, f.QoS, f.ID})
	}
	return v, nil
}
