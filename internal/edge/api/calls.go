package api

import (
	"context"
	"encoding/json"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/infra/access"
)

type callInput struct {
	Device  string `path:"device" maxLength:"64"`
	Service string `path:"service" maxLength:"64"`
	Body    struct {
		Params     json.RawMessage `json:"params,omitempty" doc:"Input parameter to value; default: none."`
		Sync       bool            `json:"sync,omitempty" doc:"A synchronous call (RRPC): to the session that is there, which alone may answer, once, within 8 s; the answer of the request is how it ended."`
		DeadlineMS int64           `json:"deadline_ms,omitempty" minimum:"0" maximum:"604800000" doc:"How long it may take; of a synchronous call at most 8,000, which is its default, else 10,000."`
		WaitMS     int64           `json:"wait_ms,omitempty" minimum:"0" maximum:"20000" doc:"Answer when it has ended, or after this time."`
	}
}

type messageInput struct {
	Device string `path:"device" maxLength:"64"`
	Body   struct {
		Topic      string  `json:"topic" minLength:"1" maxLength:"128" doc:"What stands behind /{ProductKey}/{DeviceName}/user/."`
		Text       *string `json:"text,omitempty" maxLength:"49152"`
		Base64     *string `json:"base64,omitempty" maxLength:"65000" doc:"Bytes, in the place of text."`
		QoS        int     `json:"qos,omitempty" minimum:"0" maximum:"1"`
		Sync       bool    `json:"sync,omitempty" doc:"A synchronous call on /ext/rrpc/…: the result has the bytes that the device answered."`
		DeadlineMS int64   `json:"deadline_ms,omitempty" minimum:"0" maximum:"604800000" doc:"How long it may wait for the device; of a synchronous call at most 8,000, which is its default, else 10,000."`
		WaitMS     int64   `json:"wait_ms,omitempty" minimum:"0" maximum:"20000" doc:"Answer when it has ended, or after this time."`
	}
}

// callRoutes are about calls and messages, which are commands of their kinds.
func (a *API) callRoutes() {
	create(a, "/api/v1/devices/{device}/services/{service}", access.ControlDevice, ofDevice, "Call a service of a device", a.call)
	create(a, "/api/v1/devices/{device}/messages", access.ControlDevice, ofDevice, "Publish to a device on a topic of its own below /user/", a.message)
}

// settled is how long a call that has ended may take to be known as such.
const settled = 2 * time.Second

// lasts is how long the answer to a request for a command waits.
func lasts(sync bool, waitMS, deadlineMS int64) time.Duration {
	if !sync {
		return time.Duration(waitMS) * time.Millisecond
	}
	if deadlineMS == 0 {
		return command.MaxCall + settled
	}
	return time.Duration(deadlineMS)*time.Millisecond + settled
}

func (a *API) call(ctx context.Context, who access.Actor, in *callInput) (commandView, error) {
	params := in.Body.Params
	if params == nil {
		params = json.RawMessage("{}")
	}
	return a.order(ctx, who, lasts(in.Body.Sync, in.Body.WaitMS, in.Body.DeadlineMS), command.Request{
		Device: in.Device, Kind: command.Service, Service: in.Service, Params: params, Sync: in.Body.Sync,
		Deadline: time.Duration(in.Body.DeadlineMS) * time.Millisecond,
	})
}

func (a *API) message(ctx context.Context, who access.Actor, in *messageInput) (commandView, error) {
	params, err := json.Marshal(struct {
		Base64 *string `json:"base64,omitempty"`
		Text   *string `json:"text,omitempty"`
		QoS    int     `json:"qos"`
	}{in.Body.Base64, in.Body.Text, in.Body.QoS})
	if err != nil {
		return commandView{}, err
	}
	return a.order(ctx, who, lasts(in.Body.Sync, in.Body.WaitMS, in.Body.DeadlineMS), command.Request{
		Device: in.Device, Kind: command.Message, Topic: in.Body.Topic, Params: params, Sync: in.Body.Sync,
		Deadline: time.Duration(in.Body.DeadlineMS) * time.Millisecond,
	})
}
