package command

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/tsl"
)

// Kinds lists the kinds of commands.
func Kinds() []Kind { return []Kind{PropertySet, PropertyGet, Service, Raw, Message, PermitJoin} }

// A Payload is what a command of kind [Raw] or [Message] carries: its Params are {"base64":"…"} or {"text":"…"}, of a message
// with "qos", 0 or 1.
type Payload struct {
	Bytes []byte
	QoS   uint8
}

// Payload is what the command carries.
func (c *Command) Payload() (Payload, error) { return payloadOf(c.Params) }

func payloadOf(params json.RawMessage) (p Payload, err error) {
	var in struct {
		Base64 *string `json:"base64"`
		Text   *string `json:"text"`
		QoS    int     `json:"qos"`
	}
	const form = `{"base64":"…"} or {"text":"…"}`
	if err := json.Unmarshal(params, &in); err != nil {
		return p, fault.Invalid("/params", string(params), form, "send one of the two")
	}
	switch {
	case (in.Base64 == nil) == (in.Text == nil):
		return p, fault.Invalid("/params", string(params), form, "send one of the two")
	case in.QoS != 0 && in.QoS != 1:
		return p, fault.Invalid("/params/qos", strconv.Itoa(in.QoS), "0 or 1", "send one of the two")
	case in.Text != nil:
		p.Bytes = []byte(*in.Text)
	default:
		if p.Bytes, err = base64.StdEncoding.DecodeString(*in.Base64); err != nil {
			return p, fault.Invalid("/params/base64", *in.Base64, "base64 of RFC 4648, with its padding", "encode the bytes again")
		}
	}
	p.QoS = uint8(in.QoS)
	return p, nil
}

// A Window is the Params of a command of kind [PermitJoin]: how long sub-devices may join, of one product or of any.
type Window struct {
	Seconds    int    `json:"time"` // 0: it is closed
	ProductKey string `json:"productKey,omitempty"`
}

// MaxWindow is the longest that sub-devices may join.
const MaxWindow = 600 // s

func checkWindow(params json.RawMessage) error {
	var w Window
	if err := json.Unmarshal(params, &w); err != nil {
		return fault.Invalid("/params", string(params), `{"time":60}`, "send the seconds, and a productKey if only one product may join")
	}
	if w.Seconds < 0 || w.Seconds > MaxWindow {
		return fault.Invalid("/time", strconv.Itoa(w.Seconds), fmt.Sprintf("0 to %d seconds", MaxWindow), "open it again when it is over")
	}
	return nil
}

// mayCarry refuses devices of a product that are no gateways.
func (s *Commands) mayCarry(ctx context.Context, product string) error {
	gateway, err := s.products.Gateway(ctx, product)
	if err == nil && !gateway {
		f := fault.Conflict("", "the device is not a gateway")
		f.Fix = "ask a device of a product that is one; a product says so in gateway"
		return f
	}
	return err
}

// resultOf is bytes that a device answered with, as the result of a command.
func resultOf(b []byte) json.RawMessage {
	out := append(make([]byte, 0, base64.StdEncoding.EncodedLen(len(b))+16), `{"base64":"`...)
	out = base64.StdEncoding.AppendEncode(out, b)
	return append(out, `"}`...)
}

// checkNames holds the properties that are asked for against the model.
func checkNames(model *tsl.Model, params json.RawMessage) error {
	var names []string
	if err := json.Unmarshal(params, &names); err != nil || len(names) == 0 {
		return fault.Invalid("/params", string(params), "a list of properties", `send a list, such as ["brightness"]`)
	}
	for i, name := range names {
		p, ok := model.Property(name)
		switch where := "/params/" + strconv.Itoa(i); {
		case !ok:
			return fault.Invalid(where, name, "a property of the thing model", "leave it out, or publish a model version that has it")
		case !p.Readable:
			return fault.Invalid(where, name, "a property that can be read", "leave it out")
		}
	}
	return nil
}

// checkMessage holds a message against what a topic and a payload may be.
func checkMessage(r *Request) error {
	if r.Topic == "" || len(r.Topic) > MaxTopic || strings.ContainsAny(r.Topic, "+#\x00") || strings.HasPrefix(r.Topic, "/") {
		return fault.Invalid("/topic", r.Topic, fmt.Sprintf("1 to %d bytes behind /user/, without + and #", MaxTopic), `send what stands behind /user/, such as "get"`)
	}
	_, err := payloadOf(r.Params)
	return err
}

// drawCall draws the id of a synchronous call, unless too many of the device are open; empty if the request is none.
func drawCall(ctx context.Context, tx *store.Tx, r *Request) (string, error) {
	if !r.Sync {
		return "", nil
	}
	var n int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM command WHERE device = ? AND ended_at IS NULL AND call <> ''", r.Device).Scan(&n); err != nil {
		return "", fmt.Errorf("counting the calls of device %s: %w", r.Device, err)
	}
	if n >= MaxCalls {
		return "", &fault.Fault{
			Code: fault.OverLimit, What: fmt.Sprintf("%d synchronous calls of the device are open already", n), Where: r.Device,
			Rule: fmt.Sprintf("at most %d at once", MaxCalls), Fix: "wait until one has ended, or call without sync", RetryAfter: MaxCall,
		}
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return strconv.FormatUint(binary.BigEndian.Uint64(b[:]), 10), nil
}
