package once_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/once"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

var ada = access.Actor{Kind: access.KindUser, ID: "ada"}

func open(t *testing.T) *store.Store {
	t.Helper()
	s := storetest.Open(t)
	exec(t, s, `CREATE TABLE made (n INTEGER)`)
	return s
}

func exec(t *testing.T, s *store.Store, query string, args ...any) {
	t.Helper()
	if err := s.Write(t.Context(), insert(t.Context(), query, args...)); err != nil {
		t.Fatal(err)
	}
}

func insert(ctx context.Context, query string, args ...any) func(*store.Tx) error {
	return func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}
}

func made(t *testing.T, s *store.Store) (n int) {
	t.Helper()
	err := s.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), `SELECT count(*) FROM made`).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// request does what an edge does with one request; act says how far it comes.
func request(ctx context.Context, s *store.Store, who access.Actor, key string, content byte, act string) (string, error) {
	ctx, claim, first, err := once.Begin(ctx, s, who, key, [32]byte{content})
	if err != nil {
		return "", err
	}
	if first != nil {
		return fmt.Sprintf("%d %s", first.Status, first.Body), nil
	}
	if act == "killed before" {
		return "", errors.New("killed")
	}
	if act == "refused" {
		return "refused", claim.Release(ctx)
	}
	if err := s.Write(ctx, insert(ctx, `INSERT INTO made (n) VALUES (1)`)); err != nil {
		return "", errors.Join(err, claim.Release(ctx))
	}
	if act == "killed after" {
		return "", errors.New("killed")
	}
	return "201 new", claim.Finish(ctx, once.Answer{Status: 201, Body: []byte("new")})
}

func TestRequestIsCarriedOutOnce(t *testing.T) {
	type step struct {
		who     string
		key     string
		content byte
		act     string
		want    string
		made    int
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"the second gets the answer of the first", []step{
			{"ada", "k", 1, "", "201 new", 1},
			{"ada", "k", 1, "", "201 new", 1},
			{"ada", "k2", 1, "", "201 new", 2},
			{"bob", "k", 1, "", "201 new", 3},
		}},
		{"another content is a conflict", []step{
			{"ada", "k", 1, "", "201 new", 1},
			{"ada", "k", 2, "", "the Idempotency-Key was used for another request", 1},
		}},
		{"a refused one may be corrected", []step{
			{"ada", "k", 1, "refused", "refused", 0},
			{"ada", "k", 2, "", "201 new", 1},
		}},
		{"killed before the act", []step{
			{"ada", "k", 1, "killed before", "killed", 0},
			{"ada", "k", 1, "", "a request with this Idempotency-Key is being carried out", 0},
		}},
		{"killed after the act", []step{
			{"ada", "k", 1, "killed after", "killed", 1},
			{"ada", "k", 1, "", "the request with this Idempotency-Key was carried out, its answer is not there; look at what it made", 1},
		}},
		{"bad keys", []step{
			{"ada", "", 1, "", `Idempotency-Key is "", want 1 to 255 visible ASCII characters`, 0},
			{"ada", "a b", 1, "", `Idempotency-Key is "a b", want 1 to 255 visible ASCII characters`, 0},
			{"ada", "灯", 1, "", `Idempotency-Key is "灯", want 1 to 255 visible ASCII characters`, 0},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			for i, st := range tt.steps {
				got, err := request(t.Context(), s, access.Actor{Kind: "user", ID: st.who}, st.key, st.content, st.act)
				if err != nil {
					got = err.Error()
				}
				if got != st.want {
					t.Errorf("step %d:\n got %q\nwant %q", i, got, st.want)
				}
				if n := made(t, s); n != st.made {
					t.Errorf("step %d has made %d, want %d", i, n, st.made)
				}
			}
		})
	}
}

func TestClaimThatWasLeftIsTakenOverAndTheLateOneIsRefused(t *testing.T) {
	s := open(t)
	late, _, _, err := once.Begin(t.Context(), s, ada, "k", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, s, `UPDATE once_answer SET created_at = created_at - ?`, once.Patience.Milliseconds())
	if got, err := request(t.Context(), s, ada, "k", 1, ""); got != "201 new" || err != nil {
		t.Errorf("the second gives %q, %v", got, err)
	}
	err = s.Write(late, insert(late, `INSERT INTO made (n) VALUES (1)`))
	if !fault.Is(err, fault.Clash) {
		t.Errorf("the late one gives %v", err)
	}
	if n := made(t, s); n != 1 {
		t.Errorf("it was carried out %d times", n)
	}
}

func TestManyAtOnceAreCarriedOutOnce(t *testing.T) {
	s := open(t)
	var wg sync.WaitGroup
	var told atomic.Int32
	for range 16 {
		wg.Go(func() {
			got, err := request(t.Context(), s, ada, "k", 1, "")
			if got == "201 new" {
				told.Add(1)
			} else if !fault.Is(err, fault.Clash) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if n := made(t, s); n != 1 || told.Load() < 1 {
		t.Errorf("carried out %d times, %d were told", n, told.Load())
	}
}

func TestOldAnswersAreForgotten(t *testing.T) {
	s := open(t)
	for range 2 {
		if got, err := request(t.Context(), s, ada, "k", 1, ""); got != "201 new" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
		exec(t, s, `UPDATE once_answer SET created_at = created_at - ?`, once.Keep.Milliseconds()+1)
	}
	if n := made(t, s); n != 2 {
		t.Errorf("carried out %d times, want 2 after a day", n)
	}
}

func TestLongAnswerIsNotKept(t *testing.T) {
	s := open(t)
	ctx, claim, _, err := once.Begin(t.Context(), s, ada, "k", [32]byte{1})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Write(ctx, func(*store.Tx) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if err := claim.Finish(ctx, once.Answer{Status: 200, Body: make([]byte, once.MaxAnswer+1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := request(t.Context(), s, ada, "k", 1, ""); !fault.Is(err, fault.Clash) {
		t.Errorf("the second gives %v", err)
	}
}

func TestDoWithinOneTransaction(t *testing.T) {
	s := open(t)
	do := func(content byte, refuse bool) (a once.Answer, again bool, err error) {
		err = s.Write(t.Context(), func(tx *store.Tx) error {
			a, again, err = once.Do(t.Context(), tx, ada, "k", [32]byte{content}, func() ([]byte, int, error) {
				if refuse {
					return nil, 0, errors.New("refused")
				}
				return []byte("body"), 201, insert(t.Context(), `INSERT INTO made (n) VALUES (1)`)(tx)
			})
			return err
		})
		return a, again, err
	}
	if _, _, err := do(1, true); err == nil || made(t, s) != 0 {
		t.Errorf("a refusal gives %v", err)
	}
	for i := range 2 {
		a, again, err := do(1, false)
		if err != nil || again != (i == 1) || a.Status != 201 || string(a.Body) != "body" {
			t.Errorf("call %d gives %+v, %v, %v", i, a, again, err)
		}
	}
	if _, _, err := do(2, false); !fault.Is(err, fault.Clash) {
		t.Errorf("another content gives %v", err)
	}
	if n := made(t, s); n != 1 {
		t.Errorf("carried out %d times", n)
	}
}

// TestClockJumps leaves a claim behind by a clock that runs ahead: it is taken over, not for ever carried out. An answer is
// kept, wherever the clock is within its day.
func TestClockJumps(t *testing.T) {
	for _, tt := range []struct {
		name, act string
		ahead     time.Duration
		want      string
	}{
		{"left a moment ago", "killed before", 0, "a request with this Idempotency-Key is being carried out"},
		{"left a second ahead", "killed before", time.Second, "a request with this Idempotency-Key is being carried out"},
		{"left a day ahead", "killed before", 24 * time.Hour, "201 new"},
		{"left a year ahead", "killed before", 365 * 24 * time.Hour, "201 new"},
		{"answered a year ahead", "", 365 * 24 * time.Hour, "201 new"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			_, _ = request(t.Context(), s, ada, "k", 1, tt.act)
			exec(t, s, `UPDATE once_answer SET created_at = created_at + ?`, tt.ahead.Milliseconds())
			got, err := request(t.Context(), s, ada, "k", 1, "")
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("\n got %q\nwant %q", got, tt.want)
			}
			if n, want := made(t, s), 1; tt.want == "201 new" && n != want {
				t.Errorf("it was carried out %d times, want %d", n, want)
			}
		})
	}
}
