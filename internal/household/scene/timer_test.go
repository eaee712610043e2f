package scene_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lampworks/internal/household/home"
	"lampworks/internal/household/scene"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/bus/inproc"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

// bubble runs a test in a house whose time is a test's, on SQLite: another database is outside of the bubble. It begins on the
// first of January 2000 at midnight UTC, a Saturday.
func bubble(t *testing.T, do func(t *testing.T, h *house)) {
	t.Helper()
	storetest.SQLiteOnly(t, "the time of a bubble is a test's, and another database has its own")
	synctest.Test(t, func(t *testing.T) {
		h := houseOn(t, storetest.OpenAt(t, filepath.Join(t.TempDir(), "lampworks.db")))
		h.config.Every = time.Hour
		h.scenes = scene.New(h.config)
		h.homes.OnChanged(h.scenes.Moved)
		do(t, h)
	})
}

func (h *house) timer(n scene.NewTimer) scene.Timer {
	h.t.Helper()
	timer, err := h.scenes.SetTimer(h.t.Context(), h.who, h.id, n)
	if err != nil {
		h.t.Fatal(err)
	}
	return timer
}

// timerNow is a timer as it stands.
func (h *house) timerNow(id string) scene.Timer {
	h.t.Helper()
	timer, err := h.scenes.LoadTimer(h.t.Context(), h.who, h.id, id)
	if err != nil {
		h.t.Fatal(err)
	}
	return timer
}

func TestTimersFireOnce(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		var rung []string
		var mu sync.Mutex
		events := inproc.New()
		defer events.Close()
		h.config.Bus = events
		for range 3 { // nodes on one database, that look often, as nobody wakes them
			c := h.config
			c.Every = 10 * time.Minute
			h.work(scene.New(c))
		}
		h.scenes = scene.New(h.config)
		h.work(h.scenes)
		defer events.Subscribe(scene.RangSubject+h.id, func(_ string, b []byte) {
			mu.Lock()
			defer mu.Unlock()
			rung = append(rung, string(b))
		})()
		off := h.timer(scene.NewTimer{When: scene.When{Seconds: 600}, Actions: []scene.Action{h.set("lamp", `{"powerstate":0}`)}})
		egg := h.timer(scene.NewTimer{Label: "煮蛋", When: scene.When{Seconds: 180}})
		daily := h.timer(scene.NewTimer{When: scene.When{At: "07:00", Days: []string{"monday", "sunday"}}, Actions: []scene.Action{h.set("curtain", `{"position":100}`)}})
		time.Sleep(9*time.Minute + 59*time.Second)
		if sent := h.road.sent(h); len(sent) != 0 || h.timerNow(egg.ID).State != scene.Fired {
			t.Errorf("before it was due %v was sent; the egg is %s", sent, h.timerNow(egg.ID).State)
		}
		time.Sleep(2 * time.Second)
		if sent := h.road.sent(h); fmt.Sprint(sent) != `[lamp {"powerstate":0}]` {
			t.Errorf("sent %v", sent)
		}
		if now := h.timerNow(off.ID); now.State != scene.Fired || now.LastAt.Sub(off.CreatedAt) != 10*time.Minute {
			t.Errorf("it is %s, last at %s", now.State, now.LastAt)
		}
		time.Sleep(14 * 24 * time.Hour)
		if sent := h.road.sent(h); len(sent) != 4 {
			t.Errorf("on two Mondays and two Sundays it was sent %d times", len(sent))
		}
		if now := h.timerNow(daily.ID); now.State != scene.Pending || now.Last != scene.Fired || now.DueAt.Format("Mon 15:04") != "Sun 07:00" {
			t.Errorf("it is %s, and due at %s", now.State, now.DueAt)
		}
	})
}

// TestTimersThatAreLate: what a stop of five minutes held up is done, and what is older is told.
func TestTimersThatAreLate(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		stop := h.work(h.scenes)
		lamp := []scene.Action{h.set("lamp", `{"powerstate":0}`)}
		old := h.timer(scene.NewTimer{When: scene.When{Seconds: 60}, Actions: lamp})
		fresh := h.timer(scene.NewTimer{When: scene.When{Seconds: 120}, Actions: []scene.Action{h.set("curtain", `{"position":0}`)}})
		daily := h.timer(scene.NewTimer{When: scene.When{At: "00:01", Days: []string{"saturday", "monday"}}, Actions: lamp})
		stop()
		time.Sleep(6*time.Minute + 30*time.Second)
		stop = h.work(scene.New(h.config))
		time.Sleep(3 * time.Second)
		if sent := h.road.sent(h); fmt.Sprint(sent) != `[curtain {"position":0}]` {
			t.Errorf("sent %v", sent)
		}
		for _, tt := range []struct {
			id    string
			state scene.TimerState
			last  scene.TimerState
		}{{old.ID, scene.Missed, scene.Missed}, {fresh.ID, scene.Fired, scene.Fired}, {daily.ID, scene.Pending, scene.Missed}} {
			if now := h.timerNow(tt.id); now.State != tt.state || now.Last != tt.last {
				t.Errorf("it is %s, last %s; want %s, %s", now.State, now.Last, tt.state, tt.last)
			}
		}
		if due := h.timerNow(daily.ID).DueAt.Format("Mon 15:04"); due != "Mon 00:01" {
			t.Errorf("it is due again at %s", due)
		}
		stop()
	})
}

// TestTimersCanBeChanged and cancelled while they are pending, and not afterwards.
func TestTimersCanBeChanged(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.work(h.scenes)
		timer := h.timer(scene.NewTimer{Label: "a", When: scene.When{Seconds: 60}})
		changed, err := h.scenes.ChangeTimer(t.Context(), h.who, h.id, timer.ID, scene.NewTimer{Label: "b", When: scene.When{Seconds: 120}})
		if err != nil || changed.Version != 2 {
			t.Fatalf("%+v, %v", changed, err)
		}
		time.Sleep(90 * time.Second)
		if now := h.timerNow(timer.ID); now.State != scene.Pending || now.Label != "b" {
			t.Errorf("it is %s, %s", now.State, now.Label)
		}
		other := h.timer(scene.NewTimer{When: scene.When{Seconds: 10}})
		if _, err := h.scenes.CancelTimer(t.Context(), h.who, h.id, other.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if a, b := h.timerNow(timer.ID).State, h.timerNow(other.ID).State; a != scene.Fired || b != scene.Cancelled {
			t.Errorf("they are %s and %s", a, b)
		}
		for _, id := range []string{timer.ID, other.ID} {
			if _, err := h.scenes.CancelTimer(t.Context(), h.who, h.id, id); !fault.Is(err, fault.Clash) {
				t.Errorf("cancelling what has ended: %v", err)
			}
			if _, err := h.scenes.ChangeTimer(t.Context(), h.who, h.id, id, scene.NewTimer{When: scene.When{Seconds: 1}}); !fault.Is(err, fault.Clash) {
				t.Errorf("changing what has ended: %v", err)
			}
		}
		for range scene.MaxTimers {
			h.timer(scene.NewTimer{When: scene.When{Seconds: 3600}})
		}
		if _, err := h.scenes.SetTimer(t.Context(), h.who, h.id, scene.NewTimer{When: scene.When{Seconds: 1}}); text(err) != "timers is 100, the limit is 100 timers a home" {
			t.Error(err)
		}
	})
}

// TestTimesOfDayFollowTheHome: seven in the morning is that of where the home lies, also after it moved.
func TestTimesOfDayFollowTheHome(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		timer := h.timer(scene.NewTimer{When: scene.When{At: "07:00", Days: scene.Weekdays()}})
		delay := h.timer(scene.NewTimer{When: scene.When{Seconds: 3600}})
		for _, tt := range []struct{ zone, due string }{
			{"UTC", "2000-01-01T07:00:00Z"}, {"Asia/Shanghai", "2000-01-01T23:00:00Z"}, {"America/New_York", "2000-01-01T12:00:00Z"},
		} {
			if err := h.homes.SetPlace(t.Context(), h.who, h.id, home.Place{TimeZone: tt.zone}); err != nil {
				t.Fatal(err)
			}
			if due := h.timerNow(timer.ID).DueAt.Format(time.RFC3339); due != tt.due {
				t.Errorf("in %s it is due at %s, want %s", tt.zone, due, tt.due)
			}
		}
		if now := h.timerNow(delay.ID); !now.DueAt.Equal(delay.DueAt) {
			t.Errorf("an hour became %s", now.DueAt.Sub(now.CreatedAt))
		}
	})
}

// TestDaylightSaving: a time that is not there, or twice, is there once.
func TestDaylightSaving(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		h.work(h.scenes)
		if err := h.homes.SetPlace(t.Context(), h.who, h.id, home.Place{TimeZone: "Europe/Berlin"}); err != nil {
			t.Fatal(err)
		}
		timer := h.timer(scene.NewTimer{When: scene.When{At: "02:30", Days: scene.Weekdays()}, Actions: []scene.Action{h.set("lamp", `{"powerstate":0}`)}})
		berlin, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ day, due, shift string }{
			{"2000-03-26", "2000-03-26 03:30 CEST", scene.Gap},
			{"2000-10-29", "2000-10-29 02:30 CEST", scene.First},
		} {
			day, _ := time.ParseInLocation(time.DateOnly, tt.day, berlin)
			time.Sleep(time.Until(day.Add(time.Minute)))
			h.road.sent(h)
			now := h.timerNow(timer.ID)
			if due := now.DueAt.In(berlin).Format("2006-01-02 15:04 MST"); due != tt.due || now.Shift != tt.shift {
				t.Errorf("on %s it is due at %s %s, want %s %s", tt.day, due, now.Shift, tt.due, tt.shift)
			}
			time.Sleep(20 * time.Hour)
			if sent := h.road.sent(h); len(sent) != 1 {
				t.Errorf("on %s it was done %d times", tt.day, len(sent))
			}
			if due := h.timerNow(timer.ID).DueAt.In(berlin).Format("15:04"); due != "02:30" {
				t.Errorf("the day after it is due at %s", due)
			}
		}
	})
}

// TestWaitsPassTime: what stands behind a wait comes after it, also when the program stopped meanwhile.
func TestWaitsPassTime(t *testing.T) {
	bubble(t, func(t *testing.T, h *house) {
		stop := h.work(h.scenes)
		sc := h.scene("约会", h.set("lamp", `{"powerstate":1}`), scene.Action{Kind: scene.Wait, Seconds: 60}, h.set("lamp", `{"powerstate":0}`))
		start := func() scene.Run {
			r, err := h.scenes.Start(t.Context(), h.who, h.id, sc.ID, "api")
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			return r
		}
		for _, tt := range []struct {
			stopped time.Duration
			want    string
		}{
			{0, "done [done waited done]"},
			{2 * time.Minute, "done [done waited done]"},
			{7 * time.Minute, "late [done waited skipped late]"},
		} {
			h.road.sent(h)
			r := start()
			if sent := h.road.sent(h); fmt.Sprint(sent) != `[lamp {"powerstate":1}]` {
				t.Errorf("sent at first %v", sent)
			}
			if tt.stopped > 0 {
				stop()
				time.Sleep(tt.stopped)
				h.scenes = scene.New(h.config)
				stop = h.work(h.scenes)
			}
			time.Sleep(62 * time.Second)
			r, err := h.scenes.LoadRun(t.Context(), h.who, h.id, r.ID)
			if got := string(r.State) + " " + fmt.Sprint(outcomes(r)); err != nil || got != tt.want {
				t.Errorf("stopped for %s: %s, want %s (%v)", tt.stopped, got, tt.want, err)
			}
		}
		stop()
	})
}

func TestTimerRefusals(t *testing.T) {
	h := newHouse(t)
	for _, tt := range []struct {
		timer scene.NewTimer
		want  string
	}{
		{scene.NewTimer{}, "/at is empty, want a time of day, or seconds in its place"},
		{scene.NewTimer{When: scene.When{Seconds: 1, At: "07:00"}}, "/at is 07:00, want a time of day, or seconds in its place"},
		{scene.NewTimer{When: scene.When{Seconds: -1}}, "/seconds is -1, want an integer from 1 to 2592000"},
		{scene.NewTimer{When: scene.When{Seconds: 2592001}}, "/seconds is 2592001, want an integer from 1 to 2592000"},
		{scene.NewTimer{When: scene.When{At: "25:00"}}, "/at is 25:00, want a time of day, such as 07:30"},
		{scene.NewTimer{When: scene.When{At: "07:00", Day: "yesterday"}}, "/day is yesterday, want a date, such as 2026-01-31"},
		{scene.NewTimer{When: scene.When{At: "07:00", Day: "1999-01-01"}}, "/day is 1999-01-01, want a day on which that is still to come, within 366 days"},
		{scene.NewTimer{When: scene.When{At: "07:00", Days: []string{"someday"}}}, "/days/0 is someday, want one of monday, tuesday, wednesday, thursday, friday, saturday, sunday"},
		{scene.NewTimer{When: scene.When{At: "07:00", Day: "2999-01-01", Days: []string{"monday"}}}, "/day is 2999-01-01, want none, where it repeats on days"},
		{scene.NewTimer{When: scene.When{Seconds: 1, Day: "2999-01-01"}}, "/at is empty, want a time of day, where a day is given"},
		{scene.NewTimer{Label: strings.Repeat("长", 33), When: scene.When{Seconds: 1}}, "/label is " + strings.Repeat("长", 20) + "…, want at most 32 characters"},
		{scene.NewTimer{When: scene.When{Seconds: 1}, Actions: []scene.Action{{Kind: scene.Start, Scene: "none"}}}, `there is no scene "none"`},
		{scene.NewTimer{When: scene.When{Seconds: 1}, Actions: []scene.Action{h.set("lamp", `{"brightness":0}`)}}, "/actions/0/params/brightness is 0, want an integer from 1 to 100 %"},
	} {
		_, err := h.scenes.SetTimer(t.Context(), h.who, h.id, tt.timer)
		if got := text(err); got != tt.want {
			t.Errorf("%+v\n got %q\nwant %q", tt.timer, got, tt.want)
		}
	}
	if n := h.rows("scene_timer"); n != 0 {
		t.Errorf("%d timers are there", n)
	}
}

// shared is a home of residents: Mei's, with others. Nothing stands in it.
func (h *house) shared(others map[string]access.Role) (inside func(who string) access.Actor) {
	h.t.Helper()
	lives := func(id string) access.Actor { return access.Actor{Kind: access.KindResident, ID: id, User: id} }
	made, err := h.homes.Settle(h.t.Context(), lives("mei"), home.Names{"zh-CN": "家"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.id = made.ID
	inside = func(who string) access.Actor {
		h.t.Helper()
		in, err := h.homes.Enter(h.t.Context(), lives(who), h.id)
		if err != nil {
			h.t.Fatal(err)
		}
		return in
	}
	for id, role := range others {
		in, err := h.homes.Invite(h.t.Context(), inside("mei"), h.id, role)
		if err != nil {
			h.t.Fatal(err)
		}
		if _, err := h.homes.Join(h.t.Context(), lives(id), in.Code); err != nil {
			h.t.Fatal(err)
		}
	}
	return inside
}

// TestGuestsChangeOnlyTheirTimers: a guest and a child change and cancel what they set themselves; an adult what anybody set.
func TestGuestsChangeOnlyTheirTimers(t *testing.T) {
	h := newHouse(t)
	inside := h.shared(map[string]access.Role{"an": access.Adult, "lu": access.Guest, "bo": access.Child})
	later := scene.NewTimer{When: scene.When{Seconds: 3600}}
	timers := make(map[string]string)
	for _, who := range []string{"mei", "an", "lu", "bo"} {
		h.who = inside(who)
		timer := h.timer(later)
		if timer.MadeBy != who || h.timerNow(timer.ID).MadeBy != who {
			t.Errorf("of %s: %+v", who, timer)
		}
		timers[who] = timer.ID
	}
	const refused = "changing a timer that somebody else set is not allowed: it needs role householder or adult"
	for _, tt := range []struct{ who, of, want string }{
		{"lu", "mei", refused}, {"lu", "bo", refused}, {"bo", "an", refused}, {"lu", "lu", ""}, {"bo", "bo", ""}, {"an", "mei", ""}, {"mei", "lu", ""},
	} {
		if _, err := h.scenes.ChangeTimer(t.Context(), inside(tt.who), h.id, timers[tt.of], later); text(err) != tt.want {
			t.Errorf("%s changes that of %s: %v", tt.who, tt.of, err)
		}
		if got := h.timerNow(timers[tt.of]).MadeBy; got != tt.of {
			t.Errorf("changed by %s, that of %s is %q's", tt.who, tt.of, got)
		}
	}
	for _, tt := range []struct{ who, of, want string }{{"lu", "mei", refused}, {"lu", "lu", ""}, {"an", "bo", ""}} {
		if _, err := h.scenes.CancelTimer(t.Context(), inside(tt.who), h.id, timers[tt.of]); text(err) != tt.want {
			t.Errorf("%s cancels that of %s: %v", tt.who, tt.of, err)
		}
	}
}

// TestTimersOfWhoLeft: with a guest go the timers that wait; those of others are the householder's. Nothing names who has left.
func TestTimersOfWhoLeft(t *testing.T) {
	h := newHouse(t)
	inside := h.shared(map[string]access.Role{"an": access.Adult, "lu": access.Guest, "bo": access.Child})
	timers := make(map[string][2]string)
	for _, who := range []string{"an", "lu", "bo"} {
		h.who = inside(who)
		waits, ended := h.timer(scene.NewTimer{When: scene.When{Seconds: 3600}}), h.timer(scene.NewTimer{When: scene.When{Seconds: 3600}})
		if _, err := h.scenes.CancelTimer(t.Context(), h.who, h.id, ended.ID); err != nil {
			t.Fatal(err)
		}
		timers[who] = [2]string{waits.ID, ended.ID}
	}
	h.who = inside("mei")
	mine := h.timer(scene.NewTimer{When: scene.When{Seconds: 3600}})
	if err := h.homes.RemoveMember(t.Context(), h.who, h.id, "lu"); err != nil {
		t.Fatal(err)
	}
	if err := h.homes.RemoveMember(t.Context(), inside("bo"), h.id, "bo"); err != nil { // leaves
		t.Fatal(err)
	}
	err := h.store.Write(t.Context(), func(tx *store.Tx) error { return h.homes.Depart(t.Context(), tx, "an") })
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]string{"an": "pending mei", "lu": "cancelled ", "bo": "pending mei"} {
		waits, ended := h.timerNow(timers[who][0]), h.timerNow(timers[who][1])
		if got := string(waits.State) + " " + waits.MadeBy; got != want || ended.MadeBy != "" || waits.State == scene.Cancelled && waits.EndedAt.IsZero() {
			t.Errorf("that of %s is %s, want %s; the one that had ended is %q's", who, got, want, ended.MadeBy)
		}
	}
	if got := h.timerNow(mine.ID); got.State != scene.Pending || got.MadeBy != "mei" {
		t.Errorf("%+v", got)
	}
}
