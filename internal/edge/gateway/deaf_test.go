package gateway_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/mqtt"
)

// TestDeafDevice: a device that sends and takes no answer is dropped in time, whatever it sends, and another one goes on as
// ever meanwhile.
func TestDeafDevice(t *testing.T) {
	h := newHouse(t, 2, nil, gateway.Limits{Write: time.Second, MaxOut: 32 << 10})
	d, other := h.Lights[0], h.Lights[1]
	refused := []byte(`{"id":"1","version":"1.0","params":{"brightness":5000}}`)
	for _, v := range versions {
		for name, packet := range map[string][]byte{
			"pings":         {0xc0, 0},
			"refused posts": mqtt.AppendPublish(nil, v, h.post(d), refused, 0, 0, false, false),
			"releases":      {0x62, 2, 0, 9},
		} {
			deaf, well := h.raw(t, d, v), h.raw(t, other, v)
			if tcp, ok := deaf.nc.(*net.TCPConn); ok {
				_ = tcp.SetReadBuffer(4096)
			}
			deaf.send(t, subscribe(1, v, h.topic(d, "thing/event/#")))
			flood := make([]byte, 0, 64<<10)
			for len(flood) < 60<<10 {
				flood = append(flood, packet...)
			}
			ended := make(chan error, 1)
			go func() {
				_ = deaf.nc.SetWriteDeadline(time.Now().Add(2 * patience))
				for {
					if _, err := deaf.nc.Write(flood); err != nil {
						ended <- err
						return
					}
				}
			}()
			for id := range uint16(20) {
				well.send(t, mqtt.AppendPublish(nil, v, h.post(other), brightness, 1, id+1, false, false))
				well.await(t, mqtt.PUBACK, 1)
			}
			if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s, %s: it is taken for ever", v, name)
			}
			devicetest.Eventually(t, "its session to end", func() (bool, any) { return !h.Live(d.ID), name })
			if !h.Live(other.ID) {
				t.Errorf("%s, %s: the other device was dropped, too", v, name)
			}
		}
	}
}
