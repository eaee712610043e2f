package home_test

import (
	"strings"
	"testing"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/store/storetest"
)

func TestPlace(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	h := must(homes.Create(ctx, who, home.Names{"zh-CN": "家"}))
	if zone := homes.Zone(&h).String(); zone != "UTC" {
		t.Errorf("a home without a time zone is in %s", zone)
	}
	if err := homes.UseZone("Asia/Shanghai"); err != nil {
		t.Fatal(err)
	}
	if zone := homes.Zone(&h).String(); zone != "Asia/Shanghai" {
		t.Errorf("a home without a time zone is in %s, want the platform's", zone)
	}
	const rule = "the IANA name of a time zone"
	for _, tt := range []struct {
		place home.Place
		want  string
	}{
		{home.Place{TimeZone: "Europe/Berlin", Located: true, Latitude: 52_520_000, Longitude: -13_405_000}, ""},
		{home.Place{TimeZone: "Mars/Olympus"}, "/time_zone is Mars/Olympus, want " + rule},
		{home.Place{TimeZone: "Local"}, "/time_zone is Local, want " + rule},
		{home.Place{TimeZone: "../../etc/passwd"}, "/time_zone is ../../etc/passwd, want " + rule},
		{home.Place{TimeZone: strings.Repeat("x", 65)}, "/time_zone is " + strings.Repeat("x", 61) + "…, want " + rule},
		{home.Place{Located: true, Latitude: 90_000_001}, "/location/latitude_e6 is 90000001, want an integer from -90000000 to 90000000, millionths of a degree"},
		{home.Place{Located: true, Longitude: -180_000_001}, "/location/longitude_e6 is -180000001, want an integer from -180000000 to 180000000, millionths of a degree"},
	} {
		if got := text(homes.SetPlace(ctx, who, h.ID, tt.place)); got != tt.want {
			t.Errorf("SetPlace(%+v)\n got %q\nwant %q", tt.place, got, tt.want)
		}
	}
	got := must(homes.Load(ctx, who, h.ID))
	if want := (home.Place{TimeZone: "Europe/Berlin", Located: true, Latitude: 52_520_000, Longitude: -13_405_000}); got.Place != want || got.Version != h.Version+1 {
		t.Errorf("the home is at %+v, version %d after %d", got.Place, got.Version, h.Version)
	}
	if zone := homes.Zone(&got).String(); zone != "Europe/Berlin" {
		t.Errorf("its zone is %s", zone)
	}
	if got := text(homes.SetPlace(ctx, owner("others"), h.ID, home.Place{})); !strings.Contains(got, "there is no home") {
		t.Errorf("a stranger placed it: %q", got)
	}
	if err := homes.SetPlace(ctx, who, h.ID, home.Place{}); err != nil {
		t.Fatal(err)
	}
	if got := must(homes.Load(ctx, who, h.ID)); got.Place != (home.Place{}) {
		t.Errorf("what was left out is still there: %+v", got.Place)
	}
}

func TestFloors(t *testing.T) {
	s := storetest.Open(t)
	homes, who, ctx := home.New(s), owner("org"), t.Context()
	h := must(homes.Create(ctx, who, home.Names{"zh-CN": "家"}))
	room := must(homes.AddRoom(ctx, who, h.ID, zh("书房"), home.Names{"zh-CN": " 二楼 ", "en": "upstairs"}))
	if got := must(homes.Load(ctx, who, h.ID)).Rooms[0].Floor; got["zh-CN"] != "二楼" || got["en"] != "upstairs" {
		t.Errorf("the floor is %v", got)
	}
	if got := text(homes.SetRoom(ctx, who, h.ID, room.ID, zh("书房"), home.Names{"fr": "premier"})); got != `/floor/fr is fr, want the language "zh-CN" or "en"` {
		t.Error(got)
	}
	if err := homes.SetRoom(ctx, who, h.ID, room.ID, zh("书房"), nil); err != nil {
		t.Fatal(err)
	}
	if got := must(homes.Load(ctx, who, h.ID)).Rooms[0].Floor; len(got) != 0 {
		t.Errorf("the floor is still %v", got)
	}
}
