package pairing

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is the room with lamps of a maker, a clock of its own, and sessions that are said.
type rig struct {
	*Service
	t      *testing.T
	works  *devicetest.Works
	homes  *home.Service
	clock  time.Time
	epochs map[string]uint64
	rooms  map[string]string // of the room that each home has
}

func newRig(t *testing.T, lights int) *rig {
	t.Helper()
	w := devicetest.New(t, lights)
	r := &rig{t: t, works: w, homes: home.New(w.Store), clock: time.Now(), epochs: make(map[string]uint64), rooms: make(map[string]string)}
	r.Service = New(Config{Store: w.Store, Homes: r.homes, Products: w.Products, Logger: slog.New(slog.DiscardHandler), Epoch: func(device string) (uint64, bool) {
		e, ok := r.epochs[device]
		return e, ok
	}})
	r.now = func() time.Time { return r.clock }
	return r
}

// moves in makes a home of a resident.
func (r *rig) movesIn(resident string) (who access.Actor, homeID string) {
	r.t.Helper()
	h, err := r.homes.Settle(r.t.Context(), access.Actor{Kind: access.KindResident, ID: resident, User: resident}, home.Names{"en": "Nest"})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.as(resident, h.ID, "192.0.2.1:1"), h.ID
}

func (r *rig) as(resident, homeID, from string) access.Actor {
	r.t.Helper()
	who, err := r.homes.Enter(r.t.Context(), access.Actor{Kind: access.KindResident, ID: resident, User: resident, From: from}, homeID)
	if err != nil {
		r.t.Fatal(err)
	}
	return who
}

// announces says a token in the session of that epoch, which is the device's from now on.
func (r *rig) announces(d *device.Device, epoch uint64, token string, more ...string) {
	r.t.Helper()
	r.epochs[d.ID] = epoch
	rest := ""
	if len(more) > 0 {
		rest = more[0]
	}
	if err := r.Announce(r.t.Context(), d.ID, epoch, []byte(fmt.Sprintf(`{"token":%q%s}`, token, rest))); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) claims(who access.Actor, token string) (Claim, error) {
	return r.Claim(r.t.Context(), who, who.Organisation, Want{Token: token, Label: home.Label{Names: home.Names{"en": "lamp " + token[28:]}}})
}

// token is the nth that a test draws.
func token(n int) string { return fmt.Sprintf("%032x", n) }

const button = `,"button":true`

func TestWhoShowsTheTokenHasTheDevice(t *testing.T) {
	r := newRig(t, 2)
	mei, nest := r.movesIn("mei")
	lamp, other := &r.works.Lights[0], &r.works.Lights[1]
	r.announces(lamp, 3, token(1))
	c, err := r.claims(mei, token(1))
	if err != nil || c.State != Bound || c.Device != lamp.ID {
		t.Fatalf("claimed %+v, %v", c, err)
	}
	if h, err := r.homes.Load(t.Context(), mei, nest); err != nil || len(h.Devices) != 1 || h.Devices[0].ID != lamp.ID {
		t.Errorf("the home has %+v, %v", h.Devices, err)
	}
	if got, err := r.Load(t.Context(), mei, nest, c.ID); err != nil || got.State != Bound {
		t.Errorf("the claim is %+v, %v", got, err)
	}
	r.announces(other, 1, token(2))
	qr := Tell("https://lamps.example/", r.works.Product.ProductKey, other.Name, token(2))
	if _, err := r.Claim(t.Context(), mei, nest, Want{QR: qr, Label: home.Label{Names: home.Names{"en": "other"}}}); err != nil {
		t.Errorf("by the code %s: %v", qr, err)
	}
}

func TestATokenIsGoodOnceForAWhileInItsSession(t *testing.T) {
	r := newRig(t, 3)
	mei, nest := r.movesIn("mei")
	lamp := &r.works.Lights[0]
	refused := func(what, token string) {
		t.Helper()
		if _, err := r.claims(mei, token); !fault.Is(err, fault.Missing) {
			t.Errorf("%s: %v, want no such token", what, err)
		}
		if err := r.forgive(t.Context(), mei); err != nil { // counted elsewhere
			t.Fatal(err)
		}
	}
	refused("announced by nobody", token(1))
	r.announces(lamp, 1, token(1))
	r.clock = r.clock.Add(TokenLife)
	refused("too late", token(1))
	r.announces(lamp, 1, token(2))
	r.announces(lamp, 1, token(3))
	refused("another took its place", token(2))
	r.epochs[lamp.ID] = 2
	refused("another session", token(3))
	delete(r.epochs, lamp.ID)
	refused("no session", token(3))
	r.announces(lamp, 2, token(4))
	if _, err := r.claims(mei, token(4)); err != nil {
		t.Fatal(err)
	}
	if err := r.homes.Unbind(t.Context(), mei, nest, lamp.ID); err != nil {
		t.Fatal(err)
	}
	refused("used before", token(4))
	if err := r.Announce(t.Context(), lamp.ID, 2, []byte(`{"token":"`+token(4)+`"}`)); !fault.Is(err, fault.Clash) {
		t.Errorf("a used token is announced again: %v", err)
	}
	r.announces(&r.works.Lights[1], 1, token(5))
	if err := r.Announce(t.Context(), lamp.ID, 2, []byte(`{"token":"`+token(5)+`"}`)); !fault.Is(err, fault.Clash) {
		t.Errorf("another device's token is announced: %v", err)
	}
	for _, params := range []string{``, `[]`, `{}`, `{"token":"1234"}`, `{"token":"` + token(1) + `0"}`, `{"token":"x0000000000000000000000000000000"}`} {
		if err := r.Announce(t.Context(), lamp.ID, 2, []byte(params)); !fault.Is(err, fault.Malformed) {
			t.Errorf("announcing %s: %v", params, err)
		}
	}
	r.announces(lamp, 2, token(6))
	for _, qr := range []string{
		"https://lamps.example/bind", Tell("https://lamps.example", "other", lamp.Name, token(6)), Tell("https://lamps.example", r.works.Product.ProductKey, "other", token(6)),
	} {
		if _, err := r.Claim(t.Context(), mei, nest, Want{QR: qr, Label: home.Label{Names: home.Names{"en": "x"}}}); err == nil {
			t.Errorf("claimed by %s", qr)
		}
	}
}

func TestABoundDeviceIsNeverBoundOver(t *testing.T) {
	r := newRig(t, 1)
	lamp := &r.works.Lights[0]
	mei, _ := r.movesIn("mei")
	r.announces(lamp, 1, token(1))
	if _, err := r.claims(mei, token(1)); err != nil {
		t.Fatal(err)
	}
	lu, den := r.movesIn("lu")
	r.announces(lamp, 1, token(2))
	if _, err := r.claims(lu, token(2)); !fault.Is(err, fault.Clash) {
		t.Errorf("bound over: %v", err)
	}
	if err := r.homes.Unbind(t.Context(), lu, den, lamp.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("unbound from a home of others: %v", err)
	}
	at := r.clock.Add(time.Hour)
	if err := r.works.Store.Write(t.Context(), func(tx *store.Tx) error { return r.homes.Leave(t.Context(), tx, lamp.ID, at) }); err != nil {
		t.Fatal(err)
	}
	r.announces(lamp, 2, token(3))
	if _, err := r.claims(lu, token(3)); err != nil {
		t.Errorf("after a reset: %v", err)
	}
}

func TestOfTwoOneGetsIt(t *testing.T) {
	r := newRig(t, 1)
	lamp := &r.works.Lights[0]
	all := make([]access.Actor, 6)
	for i := range all {
		all[i], _ = r.movesIn(fmt.Sprint("r", i))
		all[i].From = fmt.Sprintf("192.0.2.%d:1", i)
	}
	r.announces(lamp, 1, token(1))
	var wg sync.WaitGroup
	errs := make([]error, len(all))
	for i := range all {
		wg.Go(func() { _, errs[i] = r.claims(all[i], token(1)) })
	}
	wg.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else if fault.Of(err) == nil {
			t.Error(err)
		}
	}
	if won != 1 {
		t.Errorf("%d have it, want one", won)
	}
}

func TestWrongTokensAreBounded(t *testing.T) {
	r := newRig(t, 2)
	mei, nest := r.movesIn("mei")
	lu, _ := r.movesIn("lu")
	lamp := &r.works.Lights[0]
	r.announces(lamp, 1, token(1))
	for i := range MaxTries {
		if _, err := r.claims(mei, token(100+i)); !fault.Is(err, fault.Missing) {
			t.Fatalf("wrong token %d: %v", i, err)
		}
	}
	_, err := r.claims(mei, token(1))
	if f := fault.Of(err); f == nil || f.Code != fault.OverLimit || f.RetryAfter != TryWindow {
		t.Errorf("the right token after five wrong ones: %v", err)
	}
	if _, err := r.claims(lu, token(1)); !fault.Is(err, fault.OverLimit) {
		t.Errorf("another resident at that address: %v", err)
	}
	if _, err := r.claims(r.as("mei", nest, "198.51.100.1:1"), token(1)); !fault.Is(err, fault.OverLimit) {
		t.Errorf("the resident at another address: %v", err)
	}
	lu.From = "198.51.100.2:1"
	r.clock = r.clock.Add(TokenLife / 2)
	if _, err := r.claims(lu, token(1)); err != nil {
		t.Errorf("another resident at another address: %v", err)
	}
	r.clock = r.clock.Add(TryWindow)
	r.announces(&r.works.Lights[1], 1, token(2))
	for i := range 2 * MaxTries { // what is refused for another reason was no wrong token
		_, err := r.Claim(t.Context(), mei, nest, Want{Token: token(2), Room: "0197-none", Label: home.Label{Names: home.Names{"en": "x"}}})
		if !fault.Is(err, fault.Missing) {
			t.Fatalf("try %d into a room that is not there: %v", i, err)
		}
	}
	if _, err := r.claims(mei, token(2)); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// lock makes a door lock of the maker's.
func (r *rig) lock() *device.Device {
	r.t.Helper()
	p, err := r.works.Products.Create(r.t.Context(), r.works.Maker, product.NewProduct{Category: "door_lock", Names: product.Names{"en": "Lock"}})
	if err != nil {
		r.t.Fatal(err)
	}
	id := newID()
	err = r.works.Store.Write(r.t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(r.t.Context(), `
			INSERT INTO device (id, organisation, product, name, batch, generation, state, created_at)
			SELECT ?, organisation, ?, '78da07c11fff', batch, 0, 'enabled', 0 FROM device WHERE id = ?`, id, p.ID, r.works.Lights[0].ID)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return &device.Device{ID: id, Name: "78da07c11fff", Product: p.ID}
}

func TestALockWantsItsButton(t *testing.T) {
	r := newRig(t, 1)
	lock := r.lock()
	mei, nest := r.movesIn("mei")
	state := func(c Claim) State {
		t.Helper()
		now, err := r.Load(t.Context(), mei, nest, c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now.State
	}
	r.announces(lock, 1, token(1), button) // before anybody asked: worth nothing
	c, err := r.claims(mei, token(1))
	if err != nil || c.State != Waiting {
		t.Fatalf("claimed %+v, %v", c, err)
	}
	if h, err := r.homes.Load(t.Context(), mei, nest); err != nil || len(h.Devices) != 0 {
		t.Fatalf("bound without the button: %+v, %v", h.Devices, err)
	}
	lu, _ := r.movesIn("lu")
	lu.From = "198.51.100.1:1"
	if _, err := r.claims(lu, token(1)); !fault.Is(err, fault.Clash) {
		t.Errorf("a second claim while the button is waited for: %v", err)
	}
	r.announces(lock, 1, token(1)) // again, without the button
	if state(c) != Waiting {
		t.Errorf("the claim is %s", state(c))
	}
	r.clock = r.clock.Add(ButtonLife)
	r.announces(lock, 1, token(1), button)
	if state(c) != Expired {
		t.Errorf("pressed too late: %s", state(c))
	}
	if c, err = r.claims(mei, token(1)); err != nil {
		t.Fatal(err)
	}
	if err := r.Announce(t.Context(), lock.ID, 0, []byte(`{"token":"`+token(1)+`"`+button+`}`)); err == nil {
		t.Error("pressed in a session that is over, and taken")
	}
	r.announces(lock, 1, token(1), button)
	if state(c) != Bound {
		t.Errorf("pressed in time: %s", state(c))
	}
}

// TestTheButtonOfAnotherTokenOrSessionConfirmsNothing: a claim is ended by what comes in place of its token, and says so.
func TestTheButtonOfAnotherTokenOrSessionConfirmsNothing(t *testing.T) {
	r := newRig(t, 1)
	lock := r.lock()
	mei, nest := r.movesIn("mei")
	r.announces(lock, 1, token(1))
	last := token(1)
	for _, step := range []struct {
		what  string
		epoch uint64
		token string
		more  string
		want  State
	}{
		{"the same, without the button", 1, token(1), "", Waiting},
		{"another token and its button", 1, token(2), button, Refused},
		{"another token", 1, token(3), "", Refused},
		{"the same token in another session, and its button", 2, token(3), button, Refused},
		{"another token in another session", 3, token(4), "", Refused},
		{"the same, with the button", 3, token(4), button, Bound},
	} {
		c, err := r.claims(mei, last)
		if err != nil || c.State != Waiting {
			t.Fatalf("%s: claimed %+v, %v", step.what, c, err)
		}
		r.announces(lock, step.epoch, step.token, step.more)
		last = step.token
		now, err := r.Load(t.Context(), mei, nest, c.ID)
		if err != nil || now.State != step.want || (now.Reason == overtaken) != (step.want == Refused) {
			t.Errorf("%s: the claim is %s (%s), %v, want %s", step.what, now.State, now.Reason, err, step.want)
		}
	}
}

// TestASessionThatIsOverEndsNoClaim: what is still on its way from it says nothing of the next.
func TestASessionThatIsOverEndsNoClaim(t *testing.T) {
	r := newRig(t, 1)
	lock := r.lock()
	mei, nest := r.movesIn("mei")
	r.announces(lock, 2, token(1))
	c, err := r.claims(mei, token(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Announce(t.Context(), lock.ID, 1, []byte(`{"token":"`+token(2)+`"}`)); !fault.Is(err, fault.Missing) {
		t.Errorf("a token of a session that is over: %v", err)
	}
	r.announces(lock, 2, token(1), button)
	if now, err := r.Load(t.Context(), mei, nest, c.ID); err != nil || now.State != Bound {
		t.Errorf("the claim is %+v, %v", now, err)
	}
}

func TestWhoIsOutMeanwhileBindsNothing(t *testing.T) {
	r := newRig(t, 1)
	lock := r.lock()
	mei, nest := r.movesIn("mei")
	in, err := r.homes.Invite(t.Context(), mei, nest, access.Adult)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.homes.Join(t.Context(), access.Actor{Kind: access.KindResident, ID: "an", User: "an"}, in.Code); err != nil {
		t.Fatal(err)
	}
	an := r.as("an", nest, "192.0.2.9:1")
	r.announces(lock, 1, token(1))
	c, err := r.claims(an, token(1))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.homes.SetMember(t.Context(), mei, nest, "an", access.Child); err != nil {
		t.Fatal(err)
	}
	r.announces(lock, 1, token(1), button)
	if now, err := r.Load(t.Context(), mei, nest, c.ID); err != nil || now.State != Refused || now.Reason == "" {
		t.Errorf("the claim is %+v, %v", now, err)
	}
	if h, err := r.homes.Load(context.WithoutCancel(t.Context()), mei, nest); err != nil || len(h.Devices) != 0 {
		t.Errorf("bound by a child: %+v, %v", h.Devices, err)
	}
	if _, err := r.claims(r.as("an", nest, ""), token(1)); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("a child claims: %v", err)
	}
	if _, err := r.claims(r.works.Maker, token(1)); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("a maker claims: %v", err)
	}
}
