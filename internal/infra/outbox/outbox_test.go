package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/listing/listingtest"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A server is a sender that a test controls.
type server struct {
	answer func(n int) error // of the nth call, from 1
	hold   chan struct{}     // calls wait for it; nil: they do not

	mu   sync.Mutex
	got  []Message
	told chan struct{} // one for each call
}

func newServer(answer func(int) error) *server {
	return &server{answer: answer, told: make(chan struct{}, 100)}
}

func (s *server) Send(ctx context.Context, m Message) error {
	s.mu.Lock()
	s.got = append(s.got, m)
	n := len(s.got)
	s.mu.Unlock()
	s.told <- struct{}{}
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.answer(n)
}

func fine(int) error { return nil }

// An office is an outbox that runs, with a clock of its own.
type office struct {
	*Outbox
	t *testing.T

	mu    sync.Mutex
	ahead time.Duration
}

func newOffice(t *testing.T, senders map[string]Sender, limit Limit) *office {
	o := &office{Outbox: New(storetest.Open(t), senders, limit, slog.New(slog.DiscardHandler)), t: t}
	o.now = func() time.Time {
		o.mu.Lock()
		defer o.mu.Unlock()
		return time.Now().Add(o.ahead)
	}
	return o
}

func (o *office) pass(d time.Duration) {
	o.mu.Lock()
	o.ahead += d
	o.mu.Unlock()
	for kind := range o.senders {
		o.look(kind)
	}
}

func (o *office) run() {
	ctx, stop := context.WithCancel(context.WithoutCancel(o.t.Context()))
	var wg sync.WaitGroup
	wg.Go(func() { _ = o.Run(ctx) })
	o.t.Cleanup(func() { stop(); wg.Wait() })
}

func (o *office) put(m Message) error {
	return o.store.Write(o.t.Context(), func(tx *store.Tx) error { return o.Put(o.t.Context(), tx, m) })
}

// becomes waits until the newest message is as wanted: state, tries, whether its text is there.
func (o *office) becomes(want string) {
	o.t.Helper()
	got := ""
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		err := o.store.Read(o.t.Context(), func(v *store.View) error {
			var state, body, text string
			var tries int
			err := v.QueryRow(o.t.Context(), "SELECT state, tries, body, error FROM outbox_message ORDER BY id DESC LIMIT 1").Scan(&state, &tries, &body, &text)
			got = fmt.Sprintf("%s after %d, text %t: %s", state, tries, body != "", text)
			return err
		})
		if err != nil {
			o.t.Fatal(err)
		}
		if got == want {
			return
		}
	}
	o.t.Fatalf("got %q\nwant %q", got, want)
}

func (s *server) wait(t *testing.T) {
	t.Helper()
	select {
	case <-s.told:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was handed over")
	}
}

var letter = Message{Room: "a", Kind: Mail, To: "ann@example.com", Subject: "code", Body: "your code is 123456"}

func TestMessageLeavesAfterTheCommitOnly(t *testing.T) {
	s := newServer(fine)
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	o.run()
	rolledBack := errors.New("no")
	err := o.store.Write(t.Context(), func(tx *store.Tx) error {
		return errors.Join(o.Put(t.Context(), tx, letter), rolledBack)
	})
	if !errors.Is(err, rolledBack) {
		t.Fatal(err)
	}
	other := letter
	other.Body = "second"
	if err := o.put(other); err != nil {
		t.Fatal(err)
	}
	s.wait(t)
	o.becomes("sent after 1, text false: ")
	if len(s.got) != 1 || s.got[0].Body != "second" || s.got[0].To != letter.To || s.got[0].Subject != "code" {
		t.Errorf("handed over were %+v", s.got)
	}
}

func TestFailedMessageIsTriedAgainThenDead(t *testing.T) {
	s := newServer(func(int) error { return errors.New("no answer for ann@example.com") })
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	if err := o.put(letter); err != nil {
		t.Fatal(err)
	}
	o.run()
	for tries := 1; tries < maxTries; tries++ {
		s.wait(t)
		o.becomes(fmt.Sprintf("waiting after %d, text true: no answer for [recipient]", tries))
		o.pass(pause(tries))
	}
	s.wait(t)
	o.becomes("dead after 8, text false: no answer for [recipient]")
	operator := access.Actor{Kind: access.KindUser, ID: "op", Roles: []access.Role{access.Admin}, Strong: true}
	page, err := o.Dead(t.Context(), operator, listing.Ask{})
	if err != nil || page.Next != "" || len(page.Items) != 1 || page.Items[0].Tries != maxTries || page.Items[0].Kind != Mail {
		t.Errorf("operators see %+v, %v", page, err)
	}
	if _, err := o.Dead(t.Context(), access.Actor{Kind: access.KindUser, Roles: []access.Role{access.Owner}}, listing.Ask{}); !fault.Is(err, fault.NotAllowed) {
		t.Errorf("an owner sees them: %v", err)
	}
}

// What was given up is found by kind, organisation and time; what waits or was sent is not.
func TestDeadAreListed(t *testing.T) {
	o := newOffice(t, nil, nil)
	operator := access.Actor{Kind: access.KindUser, ID: "op", Roles: []access.Role{access.Admin}, Strong: true}
	begin := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i, m := range []struct{ kind, organisation, state string }{
		{"mail", "a", "dead"}, {"sms", "a", "dead"}, {"mail", "b", "dead"}, {"mail", "a", "sent"}, {"mail", "", "dead"}, {"sms", "a", "waiting"},
	} {
		made := begin.Add(time.Duration(i) * time.Hour).UnixMilli()
		err := o.store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), `
				INSERT INTO outbox_message (id, kind, recipient, subject, body, organisation, made_at, expires_at, due_at, tries, state, ended_at, error)
				VALUES (?, ?, 'x', '', '', ?, ?, 0, 0, 8, ?, ?, '')`,
				fmt.Sprintf("%08x-%04x-7000-8000-00000000000%d", made>>16, made&0xffff, i), m.kind, m.organisation, made, m.state, begin.Add(time.Duration(24-i)*time.Hour).UnixMilli())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	at := func(hours int) string { return begin.Add(time.Duration(hours) * time.Hour).Format(time.RFC3339) }
	by := func(kind, organisation string) map[string]string {
		return map[string]string{"kind": kind, "organisation": organisation}
	}
	for _, tt := range []struct {
		ask  listing.Ask
		want string
	}{
		{listing.Ask{Total: true}, "0 1 2 4 of 4"},
		{listing.Ask{Filters: by("mail", "")}, "0 2 4"},
		{listing.Ask{Filters: by("", "a"), Total: true}, "0 1 of 2"},
		{listing.Ask{Filters: by("sms", "a")}, "1"},
		{listing.Ask{Sort: "ended_at"}, "4 2 1 0"},
		{listing.Ask{Filters: by("mail", "a"), Sort: "-ended_at"}, "0"},
		{listing.Ask{Sort: "-made_at", Since: at(1), Until: at(4)}, "2 1"},
		{listing.Ask{Sort: "made_at", Since: "yesterday"}, "/query is yesterday, want a time, RFC 3339"},
	} {
		page, err := o.Dead(t.Context(), operator, tt.ask)
		var got []string
		for _, d := range page.Items {
			got = append(got, d.ID[len(d.ID)-1:])
		}
		if page.Total != nil {
			got = append(got, fmt.Sprintf("of %d", page.Total.Count))
		}
		if err != nil {
			got = []string{err.Error()}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%+v:\n got %s\nwant %s", tt.ask, got, tt.want)
		}
	}
	listingtest.Prove(t, o.store, dead())
}

func TestRefusedForGoodIsNotTriedAgain(t *testing.T) {
	s := newServer(func(int) error { return fmt.Errorf("%w: no such user", ErrRefused) })
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	o.run()
	if err := o.put(letter); err != nil {
		t.Fatal(err)
	}
	o.becomes("dead after 1, text false: refused for good: no such user")
}

func TestMessageOfNoUseAnyMoreIsNotSent(t *testing.T) {
	s := newServer(fine)
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	m := letter
	m.Useful = 10 * time.Minute
	if err := o.put(m); err != nil {
		t.Fatal(err)
	}
	o.pass(10 * time.Minute)
	o.run()
	o.becomes("dead after 1, text false: refused for good: it was of no use any more before it could be handed over")
	if len(s.got) != 0 {
		t.Errorf("handed over were %+v", s.got)
	}
}

// TestWhatCannotBeNotedIsHandedOverOnce: on a database that takes no note, a message goes out once, and the note is made as
// soon as it can be.
func TestWhatCannotBeNotedIsHandedOverOnce(t *testing.T) {
	storetest.SQLiteOnly(t, "the trigger that refuses is SQLite's")
	s := newServer(fine)
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	exec := func(statement string) {
		t.Helper()
		err := o.store.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	exec("CREATE TRIGGER broken BEFORE UPDATE ON outbox_message BEGIN SELECT RAISE(ABORT, 'the disk has a hole'); END")
	failed := make(warnings, 1000)
	o.log = slog.New(failed)
	if err := o.put(letter); err != nil {
		t.Fatal(err)
	}
	o.run()
	for range 2 {
		<-failed
	}
	exec("DROP TRIGGER broken")
	o.becomes("sent after 1, text false: ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.got) != 1 {
		t.Errorf("it was handed over %d times", len(s.got))
	}
}

// warnings hears of each record of a log.
type warnings chan struct{}

func (w warnings) Enabled(context.Context, slog.Level) bool { return true }
func (w warnings) Handle(context.Context, slog.Record) error {
	w <- struct{}{}
	return nil
}
func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w warnings) WithGroup(string) slog.Handler      { return w }

// TestAfterAStopItGoesOn: what was being handed over when the program ended is handed over again.
func TestAfterAStopItGoesOn(t *testing.T) {
	s := newServer(fine)
	s.hold = make(chan struct{})
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	if err := o.put(letter); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- o.Run(ctx) }()
	s.wait(t)
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	close(s.hold)
	o.run()
	s.wait(t)
	o.becomes("sent after 1, text false: ")
}

func TestADeadServerDelaysNoOtherKind(t *testing.T) {
	dead, alive := newServer(fine), newServer(fine)
	dead.hold = make(chan struct{})
	o := newOffice(t, map[string]Sender{Mail: dead, SMS: alive}, nil)
	o.run()
	for i := range atOnce + 2 {
		m := letter
		m.To = fmt.Sprintf("ann%d@example.com", i)
		if err := o.put(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.put(Message{Room: "a", Kind: SMS, To: "+8613800000000", Body: "123456"}); err != nil {
		t.Fatal(err)
	}
	alive.wait(t)
	close(dead.hold)
}

func TestRules(t *testing.T) {
	refused := errors.New("quota")
	o := newOffice(t, map[string]Sender{Mail: newServer(fine)}, func(_ context.Context, _ *store.Tx, m Message) error {
		if m.Organisation == "poor" {
			return refused
		}
		return nil
	})
	for _, tt := range []struct {
		m    Message
		want string
	}{
		{Message{Room: "a", Kind: SMS, To: "+1", Body: "x"}, "kind of message is sms, supported is what the operator has configured"},
		{Message{Room: "a", Kind: Mail, Body: "x"}, "/to is a recipient of another length, want 1 to 254 bytes"},
		{Message{Room: "a", Kind: Mail, To: "a@b", Body: strings.Repeat("x", MaxBody+1)}, "the text of a message has 16385 bytes, the most is 16384"},
		{Message{Room: "a", Kind: Mail, To: "a@b", Body: strings.Repeat("x", MaxBody)}, ""},
		{Message{Room: "a", Kind: Mail, To: "a@b", Body: "x", Organisation: "poor"}, "quota"},
	} {
		got := ""
		if err := o.put(tt.m); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s to %s:\n got %q\nwant %q", tt.m.Kind, tt.m.To, got, tt.want)
		}
	}
	for i := range Own.perHour() {
		if err := o.put(letter); err != nil {
			t.Fatalf("message %d: %v", i, err)
		}
	}
	if err := o.put(letter); err == nil || err.Error() != "messages to this recipient is 10, the limit is 10 in an hour" {
		t.Errorf("one more in an hour: %v", err)
	}
	o.pass(time.Hour)
	if err := o.put(letter); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestErase(t *testing.T) {
	o := newOffice(t, map[string]Sender{Mail: newServer(fine)}, nil)
	for i := range 5 {
		m := letter
		m.Organisation, m.To = "works", fmt.Sprintf("a%d@b", i)
		if err := o.put(m); err != nil {
			t.Fatal(err)
		}
	}
	for more, rounds := true, 0; more; rounds++ {
		err := o.store.Write(t.Context(), func(tx *store.Tx) (err error) {
			more, err = o.Erase(t.Context(), tx, "organisation", "works", 2)
			return err
		})
		if err != nil || rounds > 5 {
			t.Fatalf("after %d rounds: %v", rounds, err)
		}
	}
	err := o.store.Read(t.Context(), func(v *store.View) error {
		n, err := o.Holds(t.Context(), v, "organisation", "works")
		if n != 0 {
			t.Errorf("%d are left", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whoever uses a share of a recipient's hour up takes nothing of the others, in whatever order.
func TestSharesAreApart(t *testing.T) {
	for _, first := range []Share{Own, Strangers, Others, Binding, notices} {
		o := newOffice(t, map[string]Sender{Mail: newServer(fine)}, nil)
		fill := func(s Share) error {
			m := letter
			m.Share = s
			for i := range s.perHour() + 1 {
				if s == notices || s == Binding {
					m.About = fmt.Sprint(string(s)+" measure ", i)
				}
				if err := o.put(m); fault.Is(err, fault.OverLimit) != (i == s.perHour()) {
					return fmt.Errorf("message %d: %w", i, err)
				}
			}
			return nil
		}
		if err := fill(first); err != nil {
			t.Errorf("%q alone: %v", first, err)
		}
		for _, s := range []Share{Own, Strangers, Others, Binding, notices} {
			if s == first {
				continue
			}
			if err := fill(s); err != nil {
				t.Errorf("%q after %q: %v", s, first, err)
			}
		}
	}
}

// The same notice goes to one recipient once a day, and notices leave room for codes.
func TestNotices(t *testing.T) {
	o := newOffice(t, map[string]Sender{Mail: newServer(fine)}, nil)
	count := func() (n int) {
		t.Helper()
		err := o.store.Read(t.Context(), func(v *store.View) error {
			return v.QueryRow(t.Context(), "SELECT COUNT(*) FROM outbox_message").Scan(&n)
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	note := letter
	for i := range notices.perHour() {
		note.About = fmt.Sprint("measure ", i)
		for range 2 {
			if err := o.put(note); err != nil {
				t.Fatal(err)
			}
		}
	}
	note.About = "one more"
	if err := o.put(note); !fault.Is(err, fault.OverLimit) || count() != notices.perHour() {
		t.Errorf("one notice too many: %v, %d messages", err, count())
	}
	if err := o.put(letter); err != nil {
		t.Errorf("a code is refused because of notices: %v", err)
	}
	o.pass(25 * time.Hour)
	note.About = "measure 0"
	if err := o.put(note); err != nil || count() != notices.perHour()+2 {
		t.Errorf("a day later: %v, %d messages", err, count())
	}
}

// Who is forgotten gets nothing of what waits, and is named in nothing that was sent.
func TestForget(t *testing.T) {
	s := newServer(fine)
	o := newOffice(t, map[string]Sender{Mail: s, SMS: s}, nil)
	if err := o.put(letter); err != nil {
		t.Fatal(err)
	}
	waits := letter
	waits.To = "bob@example.com"
	if err := o.put(waits); err != nil {
		t.Fatal(err)
	}
	err := o.store.Write(t.Context(), func(tx *store.Tx) error { return o.Forget(t.Context(), tx, "a", letter.To) })
	if err != nil {
		t.Fatal(err)
	}
	o.run()
	o.becomes("sent after 1, text false: ")
	err = o.store.Write(t.Context(), func(tx *store.Tx) error { return o.Forget(t.Context(), tx, "a", waits.To) })
	if err != nil {
		t.Fatal(err)
	}
	var left, named int
	err = o.store.Read(t.Context(), func(v *store.View) error {
		return v.QueryRow(t.Context(), "SELECT COUNT(*), COUNT(CASE WHEN recipient <> '' THEN 1 END) FROM outbox_message").Scan(&left, &named)
	})
	if err != nil || left != 1 || named != 0 || len(s.got) != 1 {
		t.Errorf("%d messages are left, %d with a recipient, %d were sent: %v", left, named, len(s.got), err)
	}
}

// TestForgetTakesNothingOfOtherRooms: one address may belong to two people, or to one person twice.
func TestForgetTakesNothingOfOtherRooms(t *testing.T) {
	s := newServer(fine)
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	for _, room := range []string{"a", "b"} {
		for range 2 {
			m := letter
			m.Room = room
			if err := o.put(m); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func() (got string) {
		t.Helper()
		err := o.store.Read(t.Context(), func(v *store.View) error {
			rows, err := v.Query(t.Context(), "SELECT room, recipient, state FROM outbox_message ORDER BY id")
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var room, to, state string
				if err := rows.Scan(&room, &to, &state); err != nil {
					return err
				}
				got += fmt.Sprintf("%s:%s %s; ", room, to, state)
			}
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	err := o.store.Write(t.Context(), func(tx *store.Tx) error {
		for _, room := range []string{"a", "b"} {
			_, err := tx.Exec(t.Context(), "UPDATE outbox_message SET state = 'sent' WHERE id = (SELECT MIN(id) FROM outbox_message WHERE room = ?)", room)
			if err != nil {
				return err
			}
		}
		return o.Forget(t.Context(), tx, "a", letter.To)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := left(), "a: sent; b:ann@example.com sent; b:ann@example.com waiting; "; got != want {
		t.Errorf("left is %q, want %q", got, want)
	}
}

// TestClockJumps puts messages by a clock that runs ahead and then is put right: what was to be tried again is, and they do
// not count against those of the right time.
func TestClockJumps(t *testing.T) {
	const year = 365 * 24 * time.Hour
	s := newServer(func(n int) error {
		if n == 1 {
			return errors.New("busy")
		}
		return nil
	})
	o := newOffice(t, map[string]Sender{Mail: s}, nil)
	o.pass(year)
	o.run()
	if err := o.put(letter); err != nil {
		t.Fatal(err)
	}
	<-s.told
	o.becomes("waiting after 1, text true: busy")
	o.pass(-year)
	<-s.told
	o.becomes("sent after 2, text false: ")
	o.pass(year)
	for range Own.perHour() - 1 {
		if err := o.put(letter); err != nil {
			t.Fatal(err)
		}
		<-s.told
	}
	if err := o.put(letter); err == nil {
		t.Error("the bound of an hour does not hold a year ahead")
	}
	o.pass(-year)
	if err := o.put(letter); err != nil {
		t.Errorf("what was put a year ahead counts: %v", err)
	}
	<-s.told
}
