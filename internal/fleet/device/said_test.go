package device_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"lampworks/alink"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/device/devicetest"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

func followed(t *testing.T, w *devicetest.Works) {
	t.Helper()
	devicetest.Eventually(t, "the Log to be followed", func() (bool, any) {
		at := w.Log.Cursors()["device.presence"]
		return at == w.Log.Tail(), at
	})
}

// texts is a page as a test reads it.
func texts[T any](page listing.Page[T], err error) string {
	out := make([]string, len(page.Items))
	for i, item := range page.Items {
		switch v := any(item).(type) {
		case device.Tag:
			out[i] = v.Key + "=" + v.Value
		case device.Firmware:
			out[i] = v.Module + " " + v.Version
		case device.Line:
			out[i] = v.Level + " " + v.Module + " " + v.Text
		case device.Device:
			out[i] = v.ID
		}
	}
	if err != nil {
		return err.Error()
	}
	return strings.Join(out, ", ")
}

// TestTags: a device gives itself tags, at most so many, and is found by them, by its own organisation only.
func TestTags(t *testing.T) {
	w := devicetest.New(t, 2)
	id, other := w.Lights[0].ID, w.Lights[1].ID
	set := func(id string, pairs ...string) error {
		var tags []alink.Tag
		for _, p := range pairs {
			key, value, _ := strings.Cut(p, "=")
			tags = append(tags, alink.Tag{Key: key, Value: value})
		}
		return w.Devices.SetTags(t.Context(), id, tags)
	}
	tags := func() string { return texts(w.Devices.Tags(t.Context(), w.Maker, id, listing.Ask{})) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(set(id, "room=2", "colour=红"))
	must(set(id, "room=3", "x=a=b"))
	must(set(other, "room=3"))
	must(set("nobody", "room=3"))
	if got, want := tags(), "colour=红, room=3, x=a=b"; got != want {
		t.Errorf("tags are %s, want %s", got, want)
	}
	for _, tt := range []struct {
		who     string
		filters map[string]string
		want    string
	}{
		{"maker", map[string]string{device.ByTag: "colour=红"}, id},
		{"maker", map[string]string{device.ByTag: "x=a=b"}, id},
		{"maker", map[string]string{device.ByTag: "room=2"}, ""},
		{"maker", map[string]string{device.ByTag: "room=3", device.ByProduct: w.Product.ID}, texts(w.Devices.List(t.Context(), w.Maker, listing.Ask{}))},
		{"stranger", map[string]string{device.ByTag: "room=3"}, ""},
		{"stranger", map[string]string{device.ByTag: "room=3", device.ByProduct: w.Product.ID}, ""},
	} {
		who := w.Maker
		if tt.who == "stranger" {
			who = w.Stranger
		}
		if got := texts(w.Devices.List(t.Context(), who, listing.Ask{Filters: tt.filters})); got != tt.want {
			t.Errorf("%s by %v finds %s, want %s", tt.who, tt.filters, got, tt.want)
		}
	}
	if _, err := w.Devices.Tags(t.Context(), w.Stranger, id, listing.Ask{}); !fault.Is(err, fault.Missing) {
		t.Errorf("a stranger reads tags: %v", err)
	}
	must(w.Devices.DropTags(t.Context(), id, []alink.Tag{{Key: "room"}, {Key: "x"}, {Key: "nothing"}}))
	must(w.Devices.DropTags(t.Context(), id, nil))
	if got, want := tags(), "colour=红"; got != want {
		t.Errorf("tags are %s, want %s", got, want)
	}
	var many []string
	for i := range device.MaxTags {
		many = append(many, fmt.Sprintf("k%02d=v", i))
	}
	if err := set(id, many...); !fault.Is(err, fault.OverLimit) || tags() != "colour=红" {
		t.Errorf("%d tags and one more: %v, %s", len(many), err, tags())
	}
	must(set(id, many[1:]...))
	must(set(id, many[1:]...)) // again is no more
}

// TestSaid: versions, resets and the lines of a device's log come from the Log; of the lines the newest stay.
func TestSaid(t *testing.T) {
	w := devicetest.New(t, 2)
	d := w.Lights[0]
	stop := devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	inform := func(params string) { w.Says(t, d, alink.OTAInform, "", `{"id":"1","params":`+params+`}`) }
	inform(`{"version":"1.0.0"}`)
	inform(`{"version":"7","module":"MCU"}`)
	inform(`{"version":"1.0.1","module":"default"}`)
	for i := range device.MaxModules {
		inform(fmt.Sprintf(`{"version":"1","module":"part%02d"}`, i))
	}
	inform(`{"version":"8","module":"MCU"}`)
	followed(t, w)
	versions, err := w.Devices.Firmware(t.Context(), w.Maker, d.ID, listing.Ask{})
	if got := texts(versions, err); len(versions.Items) != device.MaxModules || !strings.HasPrefix(got, "MCU 8, default 1.0.1, part00 1") {
		t.Errorf("%d versions: %s", len(versions.Items), got)
	}
	lines := func(filters map[string]string) string {
		return texts(w.Devices.Lines(t.Context(), w.Maker, d.ID, listing.Ask{Filters: filters, Limit: 4}))
	}
	w.Says(t, d, alink.LogPost, "", `{"id":"1","params":[{"utcTime":"2026-03-14T20:00:00.000+0800","logLevel":"ERROR","module":"wifi","logContent":"Lost the AP"},{"logLevel":"INFO","module":"wifi","logContent":"Found the ap"}]}`)
	w.Says(t, d, alink.LogPost, "", `{"id":"1","params":[{"logLevel":"INFO","module":"mcu","logContent":"50 % of 100_000"}]}`)
	w.Says(t, w.Lights[1], alink.LogPost, "", `{"id":"1","params":[{"logContent":"of another"}]}`)
	stop()
	stop = devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	followed(t, w)
	for _, tt := range []struct {
		filters map[string]string
		want    string
	}{
		{nil, "INFO mcu 50 % of 100_000, INFO wifi Found the ap, ERROR wifi Lost the AP"},
		{map[string]string{device.ByText: "THE AP"}, "INFO wifi Found the ap, ERROR wifi Lost the AP"},
		{map[string]string{device.ByText: "the ap", device.ByLevel: "ERROR"}, "ERROR wifi Lost the AP"},
		{map[string]string{device.ByModule: "mcu"}, "INFO mcu 50 % of 100_000"},
		{map[string]string{device.ByText: "%"}, "INFO mcu 50 % of 100_000"},
	} {
		if got := lines(tt.filters); got != tt.want {
			t.Errorf("lines by %v are %s\nwant %s", tt.filters, got, tt.want)
		}
	}
	line := `{"logContent":"again"},`
	for range device.MaxLines/alink.MaxLines + 1 {
		w.Says(t, d, alink.LogPost, "", `{"id":"1","params":[`+strings.TrimSuffix(strings.Repeat(line, alink.MaxLines), ",")+`]}`)
	}
	followed(t, w)
	page, err := w.Devices.Lines(t.Context(), w.Maker, d.ID, listing.Ask{Total: true})
	if err != nil || page.Total.Count != device.MaxLines || page.Items[0].Text != "again" {
		t.Errorf("kept are %+v, %v; want %d lines", page.Total, err, device.MaxLines)
	}
	w.Says(t, d, alink.Reset, "", `{"id":"1","params":{}}`)
	followed(t, w)
	if got, err := w.Devices.Load(t.Context(), w.Maker, d.ID); err != nil || time.Since(got.ResetAt) > time.Hour {
		t.Errorf("the reset is not known: %+v, %v", got, err)
	}
	stop()
	err = w.Store.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), "UPDATE device_line SET received_at = ? WHERE device = ?", time.Now().Add(-device.KeepLines-time.Minute).UnixMilli(), d.ID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	devicetest.Run(t, func(ctx context.Context) error { return w.Devices.Follow(ctx, w.Log) })
	w.Says(t, d, alink.LogPost, "", `{"id":"1","params":[{"logContent":"new"}]}`)
	devicetest.Eventually(t, "old lines to go", func() (bool, any) { got := lines(nil); return got == "OTHER  new", got })
	if got := texts(w.Devices.Lines(t.Context(), w.Maker, w.Lights[1].ID, listing.Ask{})); got != "OTHER  of another" {
		t.Errorf("the other device has %s", got)
	}
}
