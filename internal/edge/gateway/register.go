package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/quota"
	"lampworks/mqtt"
	"lampworks/triple"
)

// RegisterPath is where devices ask for a secret over HTTPS (动态注册).
const RegisterPath = "/auth/register/device"

// The ways in which a device registers.
const (
	byHTTPS = "https"
	byMQTT  = "mqtt"
	byHub   = "gateway"
)

// errRegistered ends a connection that was for registration alone, once its answer has left.
var errRegistered = errors.New("registered")

// newcomer is a connection that asks for a secret and does nothing else.
type newcomer struct{ answer []byte }

// register gives a device a secret of its own, if its product, its maker and its signature let it. What refuses an attempt for a device
// that there is, is kept in the Log, for its maker to see. Who does not know the secret of the product learns of no name whether it is
// there, neither by the answer nor by how long it takes or how often it is asked for.
func (g *Gateway) register(ctx context.Context, in *alink.Register, way, from string) (secret triple.Secret, r *refusal) {
	select {
	case g.identify <- struct{}{}:
		defer func() { <-g.identify }()
	case <-ctx.Done():
		return secret, &refusal{alink.CodeServer, "the platform could not do it now"}
	}
	p, err := g.c.Products.ByKey(ctx, in.ProductKey)
	switch {
	case fault.Is(err, fault.Missing) || err == nil && !p.Registration:
		return secret, &refusal{alink.CodeRegistrationOff, "devices of the product may not register"}
	case err != nil || g.c.Orders == nil:
		return secret, g.cannotRegister(ctx, err)
	}
	of, err := g.c.Products.RegistrationSecret(ctx, &p)
	if err != nil {
		return secret, g.cannotRegister(ctx, err)
	}
	if !in.Verify(of.Reveal()) {
		r = &refusal{alink.CodeSign, "the signature is wrong"}
		g.noteImpostor(ctx, in, way, from, r)
		return secret, r
	}
	who, err := g.c.Devices.Identify(ctx, in.ProductKey, in.DeviceName)
	switch {
	case fault.Is(err, fault.Missing):
		return secret, &refusal{alink.CodeUnknown, "the product has no such device"}
	case err != nil:
		return secret, g.cannotRegister(ctx, err)
	}
	if r := g.attempt(&who); r != nil {
		g.over(quota.Registrations)
		if g.impostors.first(who.ID, time.Now()) {
			g.noteRegistration(ctx, &who, way, from, r)
		}
		return secret, r
	}
	secret, r = g.admitNew(ctx, &who, way, from)
	g.noteRegistration(ctx, &who, way, from, r)
	return secret, r
}

// noteImpostor tells the maker of an attempt that was signed wrong, if there is such a device: once a minute, and never while others wait to be
// identified. The answer does not wait for it, so that it is the same for every name.
func (g *Gateway) noteImpostor(ctx context.Context, in *alink.Register, way, from string, r *refusal) {
	if g.stopping.Load() {
		return
	}
	key, name := in.ProductKey, in.DeviceName
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), identifyTimeout)
	g.conns.Go(func() {
		defer cancel()
		select {
		case g.identify <- struct{}{}:
			defer func() { <-g.identify }()
		default:
			return
		}
		who, err := g.c.Devices.Identify(ctx, key, name)
		if err == nil && g.impostors.first(who.ID, time.Now()) {
			g.noteRegistration(ctx, &who, way, from, r)
		}
	})
}

// attempt counts an attempt of a device to register.
func (g *Gateway) attempt(who *device.Identity) *refusal {
	if g.c.Quota == nil {
		return nil
	}
	d := g.c.Quota.Charge(quota.Device(who.ID, who.Product, who.Organisation), quota.Registrations, 1)
	if d.OK {
		return nil
	}
	return &refusal{alink.CodeTooMany, fmt.Sprintf("%d attempts an hour are all; the next in %d min", d.Limit, int(d.Wait/time.Minute)+1)}
}

// admitNew registers a device whose signature was right.
func (g *Gateway) admitNew(ctx context.Context, who *device.Identity, way, from string) (secret triple.Secret, r *refusal) {
	if who.State != device.Enabled {
		return secret, &refusal{alink.CodeShut, "the device is disabled"}
	}
	if g.c.Enforce != nil {
		standing, err := g.c.Enforce.Standing(ctx, chainOf(who))
		if err != nil {
			return secret, g.cannotRegister(ctx, err)
		}
		if !standing.Allows(enforce.Connect) {
			return secret, &refusal{alink.CodeShut, standing.Check(enforce.Connect).Error()}
		}
	}
	secret, _, err := g.c.Orders.Register(ctx, issuance.Registration{
		Order: who.Order, Organisation: who.Organisation, Product: who.Product, MAC: who.MAC(), Way: way, Address: from,
	})
	switch {
	case errors.Is(err, issuance.ErrClosed), errors.Is(err, issuance.ErrFull):
		return secret, &refusal{alink.CodeRegistrationOff, err.Error()}
	case errors.Is(err, issuance.ErrRegistered):
		return secret, &refusal{alink.CodeRegistered, err.Error()}
	case err != nil:
		return secret, g.cannotRegister(ctx, err)
	}
	return secret, nil
}

func (g *Gateway) cannotRegister(ctx context.Context, err error) *refusal {
	g.missed(ctx, "registering a device failed", err)
	return &refusal{alink.CodeServer, "the platform could not do it now; ask again later"}
}

// noteRegistration tells the maker of an attempt, by the Log: of one that was refused as of a message that was. It holds no secret.
func (g *Gateway) noteRegistration(ctx context.Context, who *device.Identity, way, from string, r *refusal) {
	subject, why := device.RegisteredFact, "registered by "+way+" from "+from
	if r != nil {
		subject, why = device.RefusalFact, fmt.Sprintf("registration by %s from %s: %d %s", way, from, r.code, r.text)
	}
	kept := device.Refusal{Why: why}
	if err := g.c.Log.Append(ctx, uplink.Record{At: time.Now(), Kind: uplink.Fact, Device: who.ID, Subject: subject, Body: kept.Append(nil)}, nil); err != nil {
		g.missed(ctx, "an attempt to register was not stored", err)
	}
}

// ServeRegistration answers a device that asks for a secret over HTTPS, in the form of Alibaba Cloud. r.TLS and r.RemoteAddr are taken as
// in [Gateway.ServeHTTP].
func (g *Gateway) ServeRegistration(w http.ResponseWriter, r *http.Request) {
	const maxForm = 4 << 10
	from := addrOf(r)
	switch {
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "devices register here, with POST", http.StatusMethodNotAllowed)
		return
	case r.TLS == nil && (passedOn(r) || !addressOf(from).IsLoopback()):
		http.Error(w, "devices register over HTTPS only", http.StatusForbidden)
		return
	}
	if why, ok := g.welcomes(from, nil); !ok {
		g.turned(r.Context(), from, why, "")
		w.Header().Set("Retry-After", "10")
		http.Error(w, "there are too many connections now; come back later", http.StatusServiceUnavailable)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		answerRegistration(w, nil, &refusal{alink.CodeBadRequest, "the body is no form of at most 4,096 bytes"})
		return
	}
	in, err := alink.ParseRegister(r.PostForm)
	if err != nil {
		answerRegistration(w, nil, &refusal{alink.CodeParam, err.Error()})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), identifyTimeout)
	defer cancel()
	secret, no := g.register(ctx, &in, byHTTPS, from.String())
	if no != nil {
		answerRegistration(w, nil, no)
		return
	}
	answerRegistration(w, registrationData(in.ProductKey, in.DeviceName, secret), nil)
}

// registrationData is what a device is handed: the one place besides a workbook where its secret leaves.
func registrationData(key, name string, secret triple.Secret) []byte {
	data := alink.AppendChild(nil, key, name)
	return append(append(append(data[:len(data)-1], `,"deviceSecret":"`...), secret.Reveal()...), `"}`...)
}

func answerRegistration(w http.ResponseWriter, data json.RawMessage, no *refusal) {
	out := struct {
		Code    int             `json:"code"`
		Data    json.RawMessage `json:"data,omitempty"`
		Message string          `json:"message"`
	}{alink.CodeOK, data, "success"}
	if no != nil {
		out.Code, out.Message = no.code, no.text
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(out) // who went away hears nothing; its maker resets it
}

// registers asks for a secret in the place of a session.
func (c *conn) registers(id *alink.ClientID, name, key string, password []byte) (code mqtt.Reason, why string) {
	if !c.secure && !c.loopback() {
		return mqtt.NotAuthorised, "devices register over TLS only"
	}
	if id.AuthType != "register" {
		return mqtt.NotAuthorised, "authType is not register, which is the one that is served"
	}
	in, err := alink.RegisterOf(id, name, key, password)
	if err != nil {
		return mqtt.BadLogin, err.Error()
	}
	ctx, cancel := context.WithTimeout(context.Background(), identifyTimeout)
	defer cancel()
	secret, r := c.g.register(ctx, &in, byMQTT, c.from)
	switch {
	case r == nil:
		c.newcomer = &newcomer{registrationData(in.ProductKey, in.DeviceName, secret)}
		return mqtt.Success, ""
	case r.code == alink.CodeSign || r.code == alink.CodeUnknown:
		return mqtt.BadLogin, r.text
	case r.code == alink.CodeServer:
		return mqtt.Unavailable, r.text
	case r.code == alink.CodeTooMany:
		return mqtt.QuotaExceeded, r.text
	}
	return mqtt.NotAuthorised, r.text
}

// registerChildren hands a gateway the secrets of sub-devices of its organisation whose maker lets them register, each once. Those that may
// not are left out; if none may, it hears why of the first.
func (c *conn) registerChildren(ctx context.Context, req *alink.Request) (told, *refusal, error) {
	children, err := alink.ParseChildren(req.Params, false)
	switch {
	case err != nil:
		return told{}, &refusal{alink.CodeParam, err.Error()}, nil
	case !req.Ack || !c.subscribed(alink.SubRegisterReply, ""):
		return told{}, &refusal{alink.CodeBadRequest, "nobody would hear the secrets: subscribe to the topic of the reply first"}, nil
	case !c.secure && !c.loopback():
		return told{}, &refusal{alink.CodeBadRequest, "secrets are handed out over TLS only"}, nil
	}
	var first *refusal
	data := []byte("[")
	for i := range children {
		secret, r, err := c.registerChild(ctx, &children[i])
		if err != nil && len(data) > 1 {
			c.g.missed(ctx, "registering a sub-device failed", err)
			break // what was handed out must arrive
		}
		if err != nil {
			return told{}, nil, err
		}
		if r != nil {
			if first == nil {
				first = r
			}
			continue
		}
		if len(data) > 1 {
			data = append(data, ',')
		}
		data = append(data, registrationData(children[i].ProductKey, children[i].DeviceName, secret)...)
	}
	if len(data) == 1 {
		return told{}, first, nil
	}
	return told{data: append(data, ']')}, nil, nil
}

func (c *conn) registerChild(ctx context.Context, in *alink.Child) (secret triple.Secret, r *refusal, err error) {
	who, _, r, err := c.prove(ctx, in)
	if r != nil || err != nil {
		return secret, r, err
	}
	on, err := c.g.c.Products.Registers(ctx, who.Product)
	switch {
	case err != nil:
		return secret, nil, err
	case !on || c.g.c.Orders == nil:
		return secret, &refusal{alink.CodeRegistrationOff, "devices of the product may not register"}, nil
	}
	if r := c.g.attempt(&who); r != nil {
		return secret, r, nil
	}
	secret, r = c.g.admitNew(ctx, &who, byHub, c.from)
	c.g.noteRegistration(ctx, &who, byHub, c.from, r)
	return secret, r, nil
}

// farewellNew hands a newcomer its secret, behind the CONNACK, and ends the connection.
func (c *conn) farewellNew() error {
	m := mqtt.Outgoing{Topic: alink.Registered.String(), Payload: c.newcomer.answer}
	c.newcomer.answer = nil
	if _, err := c.s.Send(&m); err != nil {
		return err
	}
	return errRegistered
}

// alarms remembers of which devices an alarm was raised lately.
type alarms struct {
	mu sync.Mutex
	of map[string]time.Time
}

// first reports whether no alarm of the device was raised within a minute, and notes this one.
func (a *alarms) first(device string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.of == nil {
		a.of = make(map[string]time.Time)
	}
	if now.Sub(a.of[device]) < time.Minute || len(a.of) >= maxFights {
		return false
	}
	a.of[device] = now
	return true
}

func (a *alarms) forget(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for device, at := range a.of {
		if now.Sub(at) >= time.Minute {
			delete(a.of, device)
		}
	}
}

// alarm tells the maker of a device that signed with a secret which is in force no longer: another may have registered, or logged in, in
// its place.
func (c *conn) alarm(ctx context.Context, who *device.Identity, fits func(string) bool) {
	if !c.g.alarms.first(who.ID, time.Now()) {
		return
	}
	generation, ok, err := c.g.c.Devices.Superseded(ctx, who, fits)
	if err != nil || !ok {
		return // a wrong signature like any other
	}
	c.g.Stats.Clones.Add(1)
	kept := device.Refusal{Why: fmt.Sprintf("a login from %s with generation %d of the secret, which is not in force any more: another device may have registered, or logged in, in its place", c.from, generation)}
	c.show(device.RefusedSubject, "", nil, kept.Why)
	r := uplink.Record{At: time.Now(), Kind: uplink.Fact, Device: who.ID, Subject: device.CloneFact, Body: kept.Append(nil)}
	if err := c.g.c.Log.Append(ctx, r, nil); err != nil {
		c.g.missed(ctx, "an alarm was not stored", err)
	}
}
