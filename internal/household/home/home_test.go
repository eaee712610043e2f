package home_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func zh(name string, aliases ...string) home.Label {
	l := home.Label{Names: home.Names{"zh-CN": name}}
	if len(aliases) > 0 {
		l.Aliases = home.Aliases{"zh-CN": aliases}
	}
	return l
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// audited lists the acts of the audit, oldest first.
func audited(t *testing.T, s *store.Store) []string {
	t.Helper()
	var acts []string
	err := s.Read(t.Context(), func(v *store.View) error {
		rows, err := v.Query(t.Context(), "SELECT act FROM audit_entry ORDER BY seq")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var act string
			if err := rows.Scan(&act); err != nil {
				return err
			}
			acts = append(acts, act)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return acts
}

// must gives the value of a step that a test stands on.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestLifeOfAHome(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	devices := issued(t, s, "org", "p", 2)

	h := must(homes.Create(ctx, who, home.Names{"zh-CN": "我家", "en": "Home"}))
	living := must(homes.AddRoom(ctx, who, h.ID, zh("客厅", "大厅"), nil))
	bedroom := must(homes.AddRoom(ctx, who, h.ID, zh("卧室"), nil))
	must(homes.Bind(ctx, who, h.ID, living.ID, devices[0], zh("灯", "主灯")))
	must(homes.Bind(ctx, who, h.ID, "", devices[1], zh("空调")))
	for i, err := range []error{
		homes.Rename(ctx, who, h.ID, home.Names{"zh-CN": "新家"}),
		homes.SetRoom(ctx, who, h.ID, bedroom.ID, zh("主卧"), nil),
		homes.SetDevice(ctx, who, h.ID, devices[1], bedroom.ID, zh("挂机")),
		homes.Unbind(ctx, who, h.ID, devices[0]),
		homes.RemoveRoom(ctx, who, h.ID, living.ID),
	} {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}

	got := must(homes.Load(ctx, who, h.ID))
	want := home.Home{
		ID: h.ID, Organisation: "org", Names: home.Names{"zh-CN": "新家"}, Version: got.Version,
		Rooms:   []home.Room{{ID: bedroom.ID, Label: zh("主卧")}},
		Devices: []home.Device{{ID: devices[1], Room: bedroom.ID, Product: "p", DeviceName: fmt.Sprintf("%.12s", devices[1][24:]), Label: zh("挂机")}},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(home.Home{}, "CreatedAt"), cmpopts.IgnoreFields(home.Device{}, "BoundAt"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("Load: want → got:\n%s", diff)
	}
	if err := homes.Remove(ctx, who, h.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := homes.Load(ctx, who, h.ID); !fault.Is(err, fault.Missing) {
		t.Errorf("loading a removed home: %v", err)
	}
	other := must(homes.Create(ctx, who, home.Names{"en": "Other"}))
	must(homes.Bind(ctx, who, other.ID, "", devices[1], zh("挂机"))) // free again
}

// Every accepted change raises the version and leaves one entry; a refused one does neither.
func TestVersionAndAudit(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	devices := issued(t, s, "org", "p", 2)
	h := must(homes.Create(ctx, who, home.Names{"zh-CN": "家"}))
	var room home.Room
	for _, tt := range []struct {
		act  string
		do   func() error
		want string
	}{
		{"home.room.add", func() (err error) { room, err = homes.AddRoom(ctx, who, h.ID, zh("客厅"), nil); return err }, ""},
		{"", func() error { _, err := homes.AddRoom(ctx, who, h.ID, zh("客 厅"), nil); return err }, `the name "客 厅" is taken in this home by the room "客厅"`},
		{"home.device.bind", func() error { _, err := homes.Bind(ctx, who, h.ID, room.ID, devices[0], zh("灯", "Lamp")); return err }, ""},
		{"", func() error { _, err := homes.Bind(ctx, who, h.ID, room.ID, devices[0], zh("灯2")); return err }, fmt.Sprintf("device %q stands in a home already", devices[0])},
		{"", func() error {
			_, err := homes.Bind(ctx, who, h.ID, room.ID, devices[1], zh("主灯", "ＬＡＭＰ"))
			return err
		}, `the name "ＬＡＭＰ" is taken in this room by the device "灯"`},
		{"", func() error { _, err := homes.Bind(ctx, who, h.ID, "nowhere", devices[1], zh("主灯")); return err }, `there is no room "nowhere"`},
		{"", func() error { _, err := homes.Bind(ctx, who, h.ID, room.ID, "nothing", zh("主灯")); return err }, `there is no device "nothing"`},
		{"home.device.bind", func() error { _, err := homes.Bind(ctx, who, h.ID, "", devices[1], zh("灯")); return err }, ""}, // another room
		{"", func() error { return homes.SetDevice(ctx, who, h.ID, devices[1], room.ID, zh("灯")) }, `the name "灯" is taken in this room by the device "灯"`},
		{"home.device.set", func() error { return homes.SetDevice(ctx, who, h.ID, devices[0], room.ID, zh("灯", "主灯")) }, ""}, // its own name is no clash
		{"", func() error { return homes.RemoveRoom(ctx, who, h.ID, room.ID) }, `room "ROOM" still has devices (1)`},
		{"home.device.unbind", func() error { return homes.Unbind(ctx, who, h.ID, devices[0]) }, ""},
		{"", func() error { return homes.Unbind(ctx, who, h.ID, devices[0]) }, fmt.Sprintf("there is no device %q", devices[0])},
		{"home.room.set", func() error { return homes.SetRoom(ctx, who, h.ID, room.ID, zh("大厅"), nil) }, ""},
		{"", func() error { return homes.SetRoom(ctx, who, h.ID, "nowhere", zh("阳台"), nil) }, `there is no room "nowhere"`},
		{"home.room.remove", func() error { return homes.RemoveRoom(ctx, who, h.ID, room.ID) }, ""},
		{"home.rename", func() error { return homes.Rename(ctx, who, h.ID, home.Names{"en": "Home"}) }, ""},
		{"", func() error { return homes.Rename(ctx, who, h.ID, nil) }, `/names is empty, want a name in "zh-CN" or "en"`},
	} {
		before, entries := must(homes.Version(ctx, who, h.ID)), len(audited(t, s))
		err := tt.do()
		want := strings.Replace(tt.want, "ROOM", room.ID, 1) // not known yet when the table was made
		if text(err) != want {
			t.Errorf("%s\n got %v\nwant %s", tt.act, err, want)
		}
		after, acts := must(homes.Version(ctx, who, h.ID)), audited(t, s)
		if tt.act == "" && (after != before || len(acts) != entries) {
			t.Errorf("a refused change (%s) changed something", want)
		}
		if tt.act != "" && (after != before+1 || len(acts) != entries+1 || acts[len(acts)-1] != tt.act) {
			t.Errorf("%s: version %d → %d, audit %v", tt.act, before, after, acts[entries:])
		}
	}
}

// A foreign home, room or device is not found, and a role that only looks changes nothing.
func TestForeignHomesAreNotFound(t *testing.T) {
	s := storetest.Open(t)
	homes, who, thief, ctx := home.New(s), owner("org"), owner("other"), t.Context()
	mine, theirs := issued(t, s, "org", "p", 1)[0], issued(t, s, "other", "p", 1)[0]
	h := must(homes.Create(ctx, who, home.Names{"en": "Home"}))
	room := must(homes.AddRoom(ctx, who, h.ID, zh("客厅"), nil))
	second := must(homes.Create(ctx, who, home.Names{"en": "Second"}))
	must(homes.Bind(ctx, who, h.ID, room.ID, mine, zh("灯")))
	connected(t, s, true, mine)
	looker := who
	looker.Roles = []access.Role{access.Query}
	err2 := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"load":                 err2(homes.Load(ctx, thief, h.ID)),
		"version":              err2(homes.Version(ctx, thief, h.ID)),
		"rename":               homes.Rename(ctx, thief, h.ID, home.Names{"en": "x"}),
		"remove":               homes.Remove(ctx, thief, h.ID),
		"add room":             err2(homes.AddRoom(ctx, thief, h.ID, zh("x"), nil)),
		"bind":                 err2(homes.Bind(ctx, thief, h.ID, "", theirs, zh("x"))),
		"unbind":               homes.Unbind(ctx, thief, h.ID, mine),
		"foreign device":       err2(homes.Bind(ctx, who, h.ID, "", theirs, zh("x"))),
		"room of another home": homes.SetRoom(ctx, who, second.ID, room.ID, zh("x"), nil),
		"same, removed":        homes.RemoveRoom(ctx, who, second.ID, room.ID),
		"device elsewhere":     homes.SetDevice(ctx, who, second.ID, mine, "", zh("x")),
		"same, unbound":        homes.Unbind(ctx, who, second.ID, mine),
	} {
		if !fault.Is(err, fault.Missing) {
			t.Errorf("%s: got %v, want not found", name, err)
		}
	}
	if online := must(homes.Online(ctx, thief, h.ID)); len(online) != 0 {
		t.Errorf("a stranger sees %v", online)
	}
	if list, _, err := homes.List(ctx, thief, home.Page{}); err != nil || len(list) != 0 {
		t.Errorf("a stranger lists %v, %v", list, err)
	}
	for name, err := range map[string]error{
		"create": err2(homes.Create(ctx, looker, home.Names{"en": "x"})),
		"rename": homes.Rename(ctx, looker, h.ID, home.Names{"en": "x"}),
		"bind":   err2(homes.Bind(ctx, looker, h.ID, "", mine, zh("x"))),
	} {
		if !fault.Is(err, fault.NotAllowed) {
			t.Errorf("%s by one who only looks: %v", name, err)
		}
	}
	if _, err := homes.Load(ctx, looker, h.ID); err != nil {
		t.Errorf("one who may look: %v", err)
	}
	if _, err := homes.Load(ctx, access.Actor{}, h.ID); !fault.Is(err, fault.NotAllowed) && !fault.Is(err, fault.NoActor) {
		t.Errorf("nobody: %v", err)
	}
}

func TestOnline(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	devices := issued(t, s, "org", "p", 3)
	h := must(homes.Create(ctx, who, home.Names{"en": "Home"}))
	for i, d := range devices[:2] {
		must(homes.Bind(ctx, who, h.ID, "", d, zh(fmt.Sprintf("灯%d", i))))
	}
	connected(t, s, true, devices[0], devices[2])
	connected(t, s, false, devices[1])
	if diff := cmp.Diff(map[string]bool{devices[0]: true}, must(homes.Online(ctx, who, h.ID))); diff != "" {
		t.Errorf("want → got:\n%s", diff)
	}
	nine := slices.Repeat(devices, 3)
	for _, tt := range []struct {
		ask  []string
		want int
	}{{devices[:1], 1}, {devices[1:2], 0}, {devices, 1}, {devices[2:], 0}, {nine, 1}, {append(nine[1:2:2], slices.Repeat(devices[1:2], 9)...), 0}} {
		if got := must(homes.Online(ctx, who, h.ID, tt.ask...)); len(got) != tt.want || got[devices[0]] != (tt.want == 1) {
			t.Errorf("of %d devices: %v, want %d", len(tt.ask), got, tt.want)
		}
	}
}

func TestListIsPaged(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	var ids []string
	for i := range 5 {
		ids = append(ids, must(homes.Create(ctx, who, home.Names{"en": fmt.Sprint("Home ", i)})).ID)
	}
	var got []string
	for p := (home.Page{Limit: 2}); ; {
		page, more, err := homes.List(ctx, who, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range page {
			got = append(got, h.ID)
		}
		if !more {
			break
		}
		p.After = page[len(page)-1].ID
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("want → got:\n%s", diff)
	}
	for _, limit := range []int{-1, 201} {
		if _, _, err := homes.List(ctx, who, home.Page{Limit: limit}); text(err) != fmt.Sprintf("/limit is %d, want an integer from 1 to 200", limit) {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
}

func TestLimits(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	h := must(homes.Create(ctx, who, home.Names{"en": "Home"}))
	for i := range home.MaxRooms {
		must(homes.AddRoom(ctx, who, h.ID, zh(fmt.Sprint("房间", i)), nil))
	}
	if _, err := homes.AddRoom(ctx, who, h.ID, zh("多一间"), nil); text(err) != "rooms is 100, the limit is 100 rooms a home" {
		t.Errorf("one room more: %v", err)
	}
	devices := issued(t, s, "org", "p", home.MaxDevices+1)
	fill(t, s, "INSERT INTO home_device (device, home, room, names, aliases, bound_at) VALUES (?, ?, 'x', '{}', '{}', 0)", devices[:home.MaxDevices-1], h.ID)
	must(homes.Bind(ctx, who, h.ID, "", devices[home.MaxDevices-1], zh("灯")))
	if _, err := homes.Bind(ctx, who, h.ID, "", devices[home.MaxDevices], zh("多一盏")); text(err) != "devices is 1000, the limit is 1000 devices a home" {
		t.Errorf("one device more: %v", err)
	}
	names := make([]string, home.MaxHomes-1)
	for i := range names {
		names[i] = fmt.Sprint("h", i)
	}
	fill(t, s, "INSERT INTO home (id, organisation, names, version, created_at) VALUES (?, ?, '{}', 1, 0)", names, "org")
	if _, err := homes.Create(ctx, who, home.Names{"en": "x"}); text(err) != "homes is 1000, the limit is 1000 homes an organisation" {
		t.Errorf("one home more: %v", err)
	}
}

func fill(t *testing.T, s *store.Store, statement string, keys []string, arg string) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		for _, k := range keys {
			if _, err := tx.Exec(t.Context(), statement, k, arg); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Of many who bind one device at once, one does.
func TestOneHomeOfADevice(t *testing.T) {
	s := storetest.Open(t)
	homes, who := home.New(s), owner("org")
	device := issued(t, s, "org", "p", 1)[0]
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		h := must(homes.Create(t.Context(), who, home.Names{"en": fmt.Sprint("Home ", i)}))
		wg.Go(func() { _, errs[i] = homes.Bind(t.Context(), who, h.ID, "", device, zh("灯")) })
	}
	wg.Wait()
	bound := 0
	for _, err := range errs {
		if err == nil {
			bound++
		} else if !fault.Is(err, fault.Clash) {
			t.Errorf("got %v, want a conflict", err)
		}
	}
	var rows int
	err := s.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(context.WithoutCancel(t.Context()), "SELECT COUNT(*) FROM home_device WHERE device = ?", device).Scan(&rows)
	})
	if err != nil && err != sql.ErrNoRows {
		t.Fatal(err)
	}
	if bound != 1 || rows != 1 {
		t.Errorf("%d bound it, %d rows", bound, rows)
	}
}
