package api

import (
	"context"
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2/sse"

	"lampworks/internal/fleet/device"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// TestSlowBrowserIsToldOfTheGap lets more events come than wait for a browser.
func TestSlowBrowserIsToldOfTheGap(t *testing.T) {
	v := &view{events: make(chan offered, 2)}
	v.devices.Store(&map[string]seen{"lamp": {product: "product"}})
	ctx, stop := context.WithCancel(t.Context())
	handle := v.bus(ctx, device.DownSubject)
	for i := range 5 {
		handle(device.DownSubject+"lamp", fmt.Appendf(nil, `{"topic":"t%d"}`, i))
		handle(device.DownSubject+"another", []byte(`{"topic":"foreign"}`))
	}
	var got []string
	v.pump(ctx, func(m sse.Message) error {
		switch e := m.Data.(type) {
		case gapEvent:
			got = append(got, fmt.Sprint("gap ", e.Lost))
		case messageEvent:
			if got = append(got, e.Topic); e.Topic == "t1" {
				stop()
			}
		}
		return nil
	})
	if want := []string{"gap 3", "t0", "t1"}; !reflect.DeepEqual(got, want) {
		t.Errorf("the browser got %v, want %v", got, want)
	}
}

// TestSentenceIsToldToWhoSaidIt: what comes of a sentence later is for the person who said it.
func TestSentenceIsToldToWhoSaidIt(t *testing.T) {
	v := &view{events: make(chan offered, 4), who: access.Actor{User: "me"}}
	for _, user := range []string{"another", "", "me"} {
		v.told(voice.ToldSubject+"home", fmt.Appendf(nil, `{"user":%q,"home":"home","answer":{"id":"of %s"}}`, user, user))
	}
	v.told(voice.ToldSubject+"home", []byte("no JSON"))
	close(v.events)
	var got []string
	for m := range v.events {
		got = append(got, m.Data.(sentenceEvent).Answer.ID)
	}
	if want := []string{"of me"}; !reflect.DeepEqual(got, want) {
		t.Errorf("told are %v, want %v", got, want)
	}
	(&view{events: make(chan offered, 1)}).told("", []byte(`{"user":"","answer":{"id":"of nobody"}}`))
}

// TestExportAsksAgain takes pages for longer than the first answer is believed.
func TestExportAsksAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var refusal error
		asked := 0
		next := rechecked(func(context.Context) error { asked++; return refusal }, func(_ context.Context, cursor string) (page[string], error) {
			return page[string]{Items: []string{cursor}}, nil
		})
		for _, tt := range []struct {
			after   time.Duration
			refusal error
			asked   int
			want    string
		}{
			{liveCheck - 1, nil, 0, "<nil>"},
			{1, nil, 1, "<nil>"},
			{liveCheck - 1, fault.Unauthenticated("signed out"), 1, "<nil>"},
			{1, fault.Unauthenticated("signed out"), 2, "signed out"},
		} {
			time.Sleep(tt.after)
			refusal = tt.refusal
			if _, err := next(t.Context(), "c"); fmt.Sprint(err) != tt.want || asked != tt.asked {
				t.Errorf("%s later: %v, asked %d times, want %s and %d", tt.after, err, asked, tt.want, tt.asked)
			}
		}
	})
}

func TestSeats(t *testing.T) {
	s := liveSeats()
	var leave []func()
	for i := range liveEach {
		l, err := s.take("anna")
		if err != nil {
			t.Fatalf("view %d: %v", i+1, err)
		}
		leave = append(leave, l)
	}
	if _, err := s.take("anna"); !fault.Is(err, fault.OverLimit) {
		t.Errorf("one view more gives %v", err)
	}
	if _, err := s.take("boris"); err != nil {
		t.Errorf("the view of another gives %v", err)
	}
	leave[0]()
	if _, err := s.take("anna"); err != nil {
		t.Errorf("after one has left: %v", err)
	}
	for i := range liveAll {
		if _, err := s.take(fmt.Sprint(i)); err != nil {
			if s.sum != liveAll {
				t.Errorf("refused at %d views, want %d", s.sum, liveAll)
			}
			return
		}
	}
	t.Error("there is no bound for all")
}

func TestEveryFaultHasAStatus(t *testing.T) {
	for _, code := range codes() {
		if status := statusOf(fault.Code(code)); status == 500 && !contains([]string{codeInternal, codeCancelled, codeMethod, codeMedia, codeSlow}, code) {
			t.Errorf("the code %s has no status of its own", code)
		}
	}
}

func contains(all []string, s string) bool {
	for _, a := range all {
		if a == s {
			return true
		}
	}
	return false
}
