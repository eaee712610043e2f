package gateway

import (
	"math"
	"strconv"
	"sync"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/mqtt"
)

// carried are the topics that commands are sent on.
var carried = alink.FiltersOf(alink.PropertySet, alink.PropertyGet, alink.ServiceInvoke, alink.RawDown, alink.RRPCRequest, alink.User, alink.ExtRRPC, alink.GatewayPermit)

// route is the topic that a command is sent on.
func (c *conn) route(cmd *command.Command) (t alink.Template, arg string) {
	switch cmd.Kind {
	case command.PropertySet:
		return alink.PropertySet, ""
	case command.PropertyGet:
		return alink.PropertyGet, ""
	case command.Raw:
		return alink.RawDown, ""
	case command.PermitJoin:
		return alink.GatewayPermit, ""
	case command.Service:
		if cmd.Call != "" {
			return alink.RRPCRequest, cmd.Call
		}
		return alink.ServiceInvoke, cmd.Service
	case command.Message:
		if cmd.Call != "" {
			return alink.ExtRRPC, cmd.Call + "/" + c.of.Value().key + "/" + c.name + "/user/" + cmd.Topic
		}
		return alink.User, cmd.Topic
	}
	return 0, ""
}

// wish is the greatest QoS that a command wants.
func wish(cmd *command.Command) uint8 {
	if !plainMessage(cmd) {
		return 1
	}
	p, err := cmd.Payload()
	if err != nil {
		return 0 // outgoing says so
	}
	return p.QoS
}

// content is the payload of a command.
func (c *conn) content(cmd *command.Command, t alink.Template, arg string) ([]byte, error) {
	switch cmd.Kind {
	case command.Raw, command.Message:
		p, err := cmd.Payload()
		return p.Bytes, err
	case command.Service:
		return alink.AppendRequest(nil, strconv.FormatInt(cmd.Seq, 10), alink.ServiceInvoke.Method(cmd.Service), cmd.Params), nil
	case command.PropertySet, command.PropertyGet, command.PermitJoin:
	}
	return alink.AppendRequest(nil, strconv.FormatInt(cmd.Seq, 10), t.Method(arg), cmd.Params), nil
}

// outgoing is a command as a packet. Its identifier follows from the command, so that it is the same every time.
func (c *conn) outgoing(cmd *command.Command, f *subscriptions, again bool) (*mqtt.Outgoing, error) {
	t, arg := c.route(cmd)
	payload, err := c.content(cmd, t, arg)
	if err != nil {
		return nil, err
	}
	return &mqtt.Outgoing{
		Topic: t.Topic(c.of.Value().key, c.name, arg), Payload: payload, QoS: cmd.QoS, Properties: c.properties(cmd, f, t, arg),
		ID: uint16(cmd.Seq%math.MaxUint16) + 1, Dup: again,
	}, nil
}

// plainMessage reports whether nothing answers the command: it ends when it has arrived.
func plainMessage(cmd *command.Command) bool { return cmd.Kind == command.Message && cmd.Call == "" }

// calls are the synchronous calls that wait for an answer, each of the session it went to.
type calls struct {
	mu sync.Mutex
	of map[string]call
}

type call struct {
	c     *conn
	until time.Time
}

// open notes that a call goes to a session.
func (o *calls) open(id string, c *conn, until time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil {
		o.of = make(map[string]call)
	}
	o.of[id] = call{c, until}
}

// answered ends a call, and reports whether it was one that went to the session and is not over.
func (o *calls) answered(id string, c *conn, now time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	one, ok := o.of[id]
	if !ok || one.c != c {
		return false
	}
	delete(o.of, id)
	return now.Before(one.until)
}

// forget ends a call that did not leave.
func (o *calls) forget(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.of, id)
}

// sweep forgets what is over, and the calls of sessions that are.
func (o *calls) sweep(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, one := range o.of {
		if !now.Before(one.until) || one.c.gone.Load() {
			delete(o.of, id)
		}
	}
}

// checkCall takes the answer to a synchronous call: from the session it went to, once, in time.
func (c *conn) checkCall(t alink.Template, arg, payload []byte) *refusal {
	if t == alink.RRPCResponse {
		if _, err := alink.ParseReply(payload); err != nil {
			return &refusal{alink.CodeBadRequest, err.Error()}
		}
	}
	if !c.g.calls.answered(callID(arg), c, time.Now()) {
		return &refusal{alink.CodeBadRequest, "no call of this id waits for an answer of this session"}
	}
	return nil
}

// callID is the id of a call in the argument of its topic.
func callID(arg []byte) string {
	for i, b := range arg {
		if b == '/' {
			return string(arg[:i])
		}
	}
	return string(arg)
}
