package test

import (
	"slices"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/uplink"
	"lampworks/internal/node"
	"lampworks/mqtt"
)

// TestWhatWaitedReachesWhoSubscribedByConnecting: with _ss=1 a device never sends SUBSCRIBE, and what waited for it comes
// after its CONNACK all the same, also when every event is lost.
func TestWhatWaitedReachesWhoSubscribedByConnecting(t *testing.T) {
	h := newHouse(t, node.Config{Bus: deaf{}}, 2)
	d, other := h.devices[0], h.devices[1]
	h.obedient(t, other)
	c := h.order(t, d, `{"brightness":7}`, time.Minute)
	h.end(t, h.order(t, other, `{"brightness":7}`, time.Minute), command.Succeeded, "") // the round that looks for lost events has passed c
	tr := h.triple(t, d)
	a := credentials(t, tr, "|securemode=3,signmethod=hmacsha256,_ss=1|")
	a.OnMessage = func(client *mqtt.Client, m mqtt.Message) {
		if req, err := alink.ParseRequest(m.Payload); err == nil {
			_ = client.PublishAsync(tr.topic("thing/service/property/set_reply"), alink.AppendReply(nil, req.ID, 200, "success", nil, ""), nil)
		}
	}
	dial(t, h.Addresses().MQTT, a)
	h.end(t, c, command.Succeeded, "")
}

// TestWhatIsAcknowledgedIsStored also holds on topics of the table that the platform does nothing with yet.
func TestWhatIsAcknowledgedIsStored(t *testing.T) {
	h := newHouse(t, node.Config{}, 1)
	tr := h.triple(t, h.devices[0])
	client := dial(t, h.Addresses().MQTT, credentials(t, tr, plain))
	for _, topic := range []string{
		"/" + tr.ProductKey + "/" + tr.DeviceName + "/user/update",
		tr.topic("thing/model/up_raw"),
		tr.topic("thing/awss/enrollee/found"), // its reply is not subscribed to, so that a refusal would not be heard
	} {
		before := h.Log.Tail()
		payload := "\x00\xff not JSON, on " + topic
		if err := client.Publish(within(t), topic, []byte(payload), 1); err != nil {
			t.Fatal(err)
		}
		records, err := h.Log.Read(t.Context(), before, 10)
		records = slices.DeleteFunc(records, func(r uplink.Record) bool { return r.Kind != uplink.Message })
		if err != nil || len(records) != 1 {
			t.Errorf("after the PUBACK on %s the Log has %v, %v; want one message more", topic, records, err)
			continue
		}
		if m, err := device.DecodeMessage(records[0].Body); err != nil || string(m.Payload) != payload {
			t.Errorf("the Log has %q, %v; want %q", m.Payload, err, payload)
		}
	}
}
