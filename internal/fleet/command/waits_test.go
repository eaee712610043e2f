package command_test

import (
	"context"
	"testing"
	"time"

	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
)

// remembers waits until it is known for whom commands wait: then nobody is guessed to be waited for.
func (r *room) remembers(t *testing.T) {
	t.Helper()
	devicetest.Eventually(t, "it to be known for whom commands wait", func() (bool, any) {
		return !r.commands.Waits("nobody"), "unknown"
	})
}

func (r *room) waits(t *testing.T, when string, d device.Device, want bool) {
	t.Helper()
	if got := r.commands.Waits(d.ID); got != want {
		t.Errorf("%s Waits is %v, want %v", when, got, want)
	}
}

// TestMemoryOfWhoIsWaitedFor follows a device through what makes commands wait and what takes them: nobody waits unseen.
func TestMemoryOfWhoIsWaitedFor(t *testing.T) {
	r := newRoom(t, 2)
	d, other := r.Lights[0], r.Lights[1]
	r.remembers(t)
	r.waits(t, "before any command", d, false)
	r.submit(t, identify(d, time.Minute))
	r.waits(t, "with a command", d, true)
	r.waits(t, "with a command for another", other, false)
	if cs, err := r.commands.Take(t.Context(), d.ID, 1, 100, func(*command.Command) bool { return false }); err != nil || len(cs) != 0 {
		t.Fatalf("taking nothing gives %v, %v", cs, err)
	}
	r.waits(t, "with a command that was not taken", d, true)
	cs := r.take(t, d)
	r.waits(t, "with a command that was taken", d, false)
	if err := r.commands.Return(t.Context(), 1, cs); err != nil {
		t.Fatal(err)
	}
	r.waits(t, "with a command that came back", d, true)
	r.submit(t, identify(d, time.Minute))
	if cs, err := r.commands.Take(t.Context(), d.ID, 1, 1, nil); err != nil || len(cs) != 1 {
		t.Fatalf("taking one of two gives %v, %v", cs, err)
	}
	r.waits(t, "with one of two taken", d, true)
	if cs := r.take(t, d); len(cs) != 1 {
		t.Errorf("the second of two is %v", cs)
	}
	r.waits(t, "with both taken", d, false)
}

// TestCommandDuringTaking: a command that is accepted after a taking looked, and before its commit is told of, stays known.
func TestCommandDuringTaking(t *testing.T) {
	r := newRoom(t, 1)
	d := r.Lights[0]
	r.remembers(t)
	for range 200 {
		done := make(chan error, 1)
		go func() {
			_, err := r.commands.Submit(context.Background(), r.Maker, identify(d, time.Minute))
			done <- err
		}()
		n := len(r.take(t, d))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n += len(r.take(t, d)); n != 1 {
			t.Fatalf("%d commands were taken, want the one", n)
		}
	}
}

// TestMemoryAfterStart: until the rows of before are read everybody is taken to be waited for; then those are who are, and by
// [command.Commands.Due] those too for whom another program made a command.
func TestMemoryAfterStart(t *testing.T) {
	r := newRoom(t, 2)
	d, other := r.Lights[0], r.Lights[1]
	r.submit(t, identify(d, time.Minute))
	last, err := r.commands.Newest(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := command.New(r.Store, r.Products, r.shadows, r.Bus, r.Quiet)
	if !before.Waits(other.ID) {
		t.Error("before the rows were read it is sure that nobody is waited for")
	}
	if cs, err := before.Take(t.Context(), other.ID, 1, 100, nil); err != nil || len(cs) != 0 {
		t.Errorf("taking what is not there gives %v, %v", cs, err)
	}
	elsewhere := r.commands
	r.start(t)
	r.remembers(t)
	r.waits(t, "after a restart", d, true)
	r.waits(t, "after a restart", other, false)
	if _, err := elsewhere.Submit(t.Context(), r.Maker, identify(other, time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.commands.Due(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	r.waits(t, "with a command by another program", other, true)
	if cs := r.take(t, other); len(cs) != 1 {
		t.Errorf("the command of another program is %v", cs)
	}
}
