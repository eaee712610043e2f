package home_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// TestSpeakersStandInRooms: a speaker has the room that somebody said, or that of the device it is, and none when the room is gone.
func TestSpeakersStandInRooms(t *testing.T) {
	rows := storetest.Open(t)
	s := home.New(rows)
	who := owner("o")
	h, err := s.Create(t.Context(), who, home.Names{"en": "Home"})
	if err != nil {
		t.Fatal(err)
	}
	hall, err := s.AddRoom(t.Context(), who, h.ID, zh("门厅"), nil)
	if err != nil {
		t.Fatal(err)
	}
	study, err := s.AddRoom(t.Context(), who, h.ID, zh("书房"), nil)
	if err != nil {
		t.Fatal(err)
	}
	device := issued(t, rows, "o", "p", 1)[0]
	if _, err := s.Bind(t.Context(), who, h.ID, study.ID, device, zh("音箱")); err != nil {
		t.Fatal(err)
	}
	stands := func(speaker string) string {
		t.Helper()
		now, err := s.Load(t.Context(), who, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now.RoomOf(speaker)
	}
	before, err := s.Version(t.Context(), who, h.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PlaceSpeaker(t.Context(), who, h.ID, "hall", hall.ID); err != nil {
		t.Fatal(err)
	}
	if now, err := s.Version(t.Context(), who, h.ID); err != nil || now <= before {
		t.Errorf("the home has version %d, %v: who compiled it does not learn of the speaker", now, err)
	}
	if got := stands("hall") + " " + stands(device) + stands("nobody"); got != hall.ID+" "+study.ID {
		t.Errorf("speakers stand in %q", got)
	}
	for what, err := range map[string]error{
		"no name":         s.PlaceSpeaker(t.Context(), who, h.ID, "", hall.ID),
		"a control":       s.PlaceSpeaker(t.Context(), who, h.ID, "a\nb", hall.ID),
		"no room":         s.PlaceSpeaker(t.Context(), who, h.ID, "x", ""),
		"a strange room":  s.PlaceSpeaker(t.Context(), who, h.ID, "x", "0197-none"),
		"a strange home":  s.PlaceSpeaker(t.Context(), owner("other"), h.ID, "x", hall.ID),
		"none to be gone": s.RemoveSpeaker(t.Context(), who, h.ID, "x"),
	} {
		if fault.Of(err) == nil {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
	if err := s.RemoveRoom(t.Context(), who, h.ID, hall.ID); err != nil {
		t.Fatal(err)
	}
	if got := stands("hall"); got != "" {
		t.Errorf("a speaker stands in %q, which is gone", got)
	}
	for i := range home.MaxSpeakers {
		if err := s.PlaceSpeaker(t.Context(), who, h.ID, fmt.Sprint(i), study.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PlaceSpeaker(t.Context(), who, h.ID, "more", study.ID); !fault.Is(err, fault.OverLimit) {
		t.Errorf("one speaker too many: %v", err)
	}
}

// TestFavouritesAreOnesOwn: each keeps the order they gave, and what leaves the home leaves them.
func TestFavouritesAreOnesOwn(t *testing.T) {
	rows := storetest.Open(t)
	s := home.New(rows)
	who := owner("o")
	other := who
	other.ID, other.User = "second", "second"
	h, err := s.Create(t.Context(), who, home.Names{"en": "Home"})
	if err != nil {
		t.Fatal(err)
	}
	ids := issued(t, rows, "o", "p", home.MaxFavourites+1)
	for i, id := range ids {
		if _, err := s.Bind(t.Context(), who, h.ID, "", id, zh(fmt.Sprint("灯", i))); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{ids[2], ids[0], ids[1]}
	if err := s.SetFavourites(t.Context(), who, h.ID, want); err != nil {
		t.Fatal(err)
	}
	has := func(a access.Actor) []string {
		t.Helper()
		got, err := s.Favourites(t.Context(), a, h.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := has(who); !slices.Equal(got, want) || len(has(other)) != 0 {
		t.Errorf("favourites are %q and %q", got, has(other))
	}
	for what, list := range map[string][]string{"twice": {ids[0], ids[0]}, "not there": {"0197-none"}, "too many": ids} {
		if err := s.SetFavourites(t.Context(), who, h.ID, list); fault.Of(err) == nil {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
	if got := has(who); !slices.Equal(got, want) {
		t.Errorf("a refused act made them %q", got)
	}
	wishes := func() (n int) {
		t.Helper()
		err := rows.Read(t.Context(), func(v *store.View) error {
			return v.QueryRow(t.Context(), "SELECT COUNT(*) FROM shadow_desired WHERE value <> ''").Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, id := range ids[:3] {
		err := rows.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), "INSERT INTO shadow_desired (device, property, value, version, updated_at) VALUES (?, 'powerstate', '1', 1, 0)", id)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Unbind(t.Context(), who, h.ID, ids[0]); err != nil {
		t.Fatal(err)
	}
	if n := wishes(); n != 2 {
		t.Errorf("after an unbinding there are %d wishes, want those of the two others", n)
	}
	if err := rows.Write(t.Context(), func(tx *store.Tx) error { return s.Leave(t.Context(), tx, ids[1], time.Now().Add(time.Hour)) }); err != nil {
		t.Fatal(err)
	}
	if got := has(who); !slices.Equal(got, ids[2:3]) {
		t.Errorf("after an unbinding and a reset: %q", got)
	}
	if err := s.SetFavourites(t.Context(), access.System("x", "o"), h.ID, nil); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("favourites of nobody: %v", err)
	}
}
