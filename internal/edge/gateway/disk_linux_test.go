package gateway_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
)

// smallDisk has what a test writes be on a file system of its own. Only who may mount has one.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "disk") //nolint:usetesting // the directories of the test are to be in it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Remove(dir) })
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	t.Setenv("TMPDIR", dir)
	return dir
}

// eat takes what is left of a disk.
func eat(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		if _, err := f.Write(chunk); err != nil {
			chunk = chunk[:len(chunk)/2]
		}
	}
}

// TestDeviceOnFullDisk fills the disk: a device of MQTT 5 is told so and stays, one of 3.1.1 is closed without an
// acknowledgement. With the disk freed posts are taken again, on the same connection, and what was acknowledged is in the Log.
func TestDeviceOnFullDisk(t *testing.T) {
	dir := smallDisk(t, "96m")
	h := newHouse(t, 2, nil, gateway.Limits{})
	five, three := h.raw(t, h.Lights[0], mqtt.V5), h.raw(t, h.Lights[1], mqtt.V311)
	acked, id := 0, uint16(0)
	post := func() mqtt.Reason {
		id++
		five.send(t, mqtt.AppendPublish(nil, mqtt.V5, h.post(h.Lights[0]), brightness, 1, id, false, false))
		p := five.await(t, mqtt.PUBACK, 1)
		if p.ID != id {
			t.Fatalf("PUBACK of %d, want %d", p.ID, id)
		}
		if p.Code == 0 {
			acked++
		}
		return mqtt.Reason(p.Code)
	}
	for range 10 {
		if r := post(); r != mqtt.Success {
			t.Fatalf("with room on the disk: %s", r)
		}
	}
	ballast := filepath.Join(dir, "ballast")
	var told mqtt.Reason
	devicetest.Eventually(t, "a refusal", func() (bool, any) {
		eat(t, ballast)
		for range 100 { // what the file of the Log has room for
			if told = post(); told != mqtt.Success {
				break
			}
		}
		return told != mqtt.Success, acked
	})
	if told != mqtt.QuotaExceeded {
		t.Errorf("on the full disk a post is answered %s, want %s", told, mqtt.QuotaExceeded)
	}
	three.send(t, mqtt.AppendPublish(nil, mqtt.V311, h.post(h.Lights[1]), brightness, 1, 1, false, false))
	isClosed(t, three.nc)
	if n := h.messages(t, h.Lights[1], 0); n != 0 {
		t.Errorf("%d messages without acknowledgement are in the Log", n)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	devicetest.Eventually(t, "a post on the freed disk", func() (bool, any) { r := post(); return r == mqtt.Success, r })
	t.Logf("taken again %s after the disk was freed", time.Since(began).Round(time.Millisecond))
	if n := h.messages(t, h.Lights[0], 0); n != acked {
		t.Errorf("%d messages were acknowledged, %d are in the Log", acked, n)
	}
}
