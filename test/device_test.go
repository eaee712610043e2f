package test

import (
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// A player is a process of `lampworks device`.
type player struct {
	cmd  *exec.Cmd
	in   io.Writer // what is typed
	says *lines
}

// play starts a virtual device and returns when it says that it is connected.
func play(t *testing.T, d triple, flags ...string) *player {
	t.Helper()
	args := append([]string{"device", "--triple", "1," + d.DeviceName + "," + d.DeviceSecret, "--product-key", d.ProductKey, "--category", "light"}, flags...)
	p := &player{cmd: exec.CommandContext(t.Context(), program, args...), says: &lines{}}
	p.cmd.Stdout, p.cmd.Stderr = p.says, p.says
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.in = in
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
	})
	p.says.line(t, "connected to ")
	return p
}

// TestDeviceSpeaks plays devices over every transport, in both versions, with every QoS: each carries out a command.
func TestDeviceSpeaks(t *testing.T) {
	dir := t.TempDir()
	flags := certify(t, dir, 1)
	s := own(t, "demo", append(flags, "--no-open", "--https", "127.0.0.1:0", "--mqtts", "127.0.0.1:0")...)
	ca := flags[1]
	for _, flags := range [][]string{
		{"--server", s.mqtt},
		{"--server", "mqtt://" + s.mqtt, "--mqtt", "5", "--qos", "0"},
		{"--server", "mqtts://" + s.mqtts, "--ca", ca, "--mqtt", "5", "--qos", "2"},
		{"--server", "ws" + strings.TrimPrefix(s.http, "http"), "--qos", "2"},
		{"--server", "wss" + strings.TrimPrefix(s.https, "https") + "/mqtt", "--ca", ca, "--mqtt", "5"},
		{"--server", s.mqtt, "--fault", "duplicate"},
	} {
		d := s.spare(t)
		play(t, d, flags...)
		id := s.device(t, d.DeviceName).ID
		s.reported(t, id, "powerstate", "0")
		if c := s.command(t, id, set("powerstate", 1)); c.State != "succeeded" {
			t.Errorf("%q: a command ended %s %s (%s)", flags, c.State, c.Reason, c.Note)
		}
	}
	d := s.spare(t)
	p := &player{cmd: exec.CommandContext(t.Context(), program, "device", "--triple", "1,"+d.DeviceName+","+d.DeviceSecret, "--product-key", d.ProductKey, "--server", "mqtts://"+s.mqtts), says: &lines{}}
	p.cmd.Stdout, p.cmd.Stderr = p.says, p.says
	_ = p.cmd.Run()
	if got := p.says.String(); p.cmd.ProcessState.ExitCode() != 1 || !strings.Contains(got, "--ca") || strings.Contains(got, "not connected") {
		t.Errorf("a certificate that is not trusted ends it with %s: %s", p.cmd.ProcessState, got)
	}
}

// TestDeviceStays ends a virtual device and starts it again: its session was kept, and what it left as its will was said only when
// it did not say goodbye.
func TestDeviceStays(t *testing.T) {
	s := shared(t)
	for _, version := range []string{"3.1.1", "5"} {
		d := s.spare(t)
		flags := []string{"--server", s.mqtt, "--mqtt", version, "--session", "1h", "--will", `{"brightness":7}`}
		p := play(t, d, flags...)
		id := s.device(t, d.DeviceName).ID
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
		s.sessionEnd(t, d.DeviceName)
		p = play(t, d, flags...)
		p.says.line(t, "its session was kept")
		s.reported(t, id, "brightness", "51")
		_ = p.cmd.Process.Kill()
		s.reported(t, id, "brightness", "7")
	}
}

// TestDeviceMisbehaves plays faults, and wants them told for what they are.
func TestDeviceMisbehaves(t *testing.T) {
	s := shared(t)
	for _, tt := range []struct{ fault, state, reason string }{
		{"silent", "failed", "unconfirmed"},
		{"wrong", "failed", "wrong"},
		{"wrong-type", "succeeded", ""}, // as its answer says, and no report that was taken contradicts
	} {
		d := s.spare(t)
		p := play(t, d, "--server", s.mqtt, "--fault", tt.fault)
		in := set("powerstate", 1)
		in.DeadlineMS = 1000
		t.Run(tt.fault, func(t *testing.T) { wantEnd(t, s.command(t, s.device(t, d.DeviceName).ID, in), tt.state, tt.reason) })
		if tt.fault == "wrong-type" {
			p.says.line(t, "refused 460 ", "powerstate")
		}
	}
	d := s.spare(t)
	p := play(t, d, "--server", s.mqtt, "--fault", "flapping")
	p.says.line(t, "trying again: the connection was cut")
	eventually(t, "the device back", func() (bool, any) { return strings.Count(p.says.String(), "connected to "+s.mqtt+":") > 1, p.says })
}
