package resident

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"math/big"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

const (
	firstLife = 10 * time.Minute // of the first code of a day
	codePause = time.Minute      // between two codes of one share, at least
	codeDay   = 24 * time.Hour   // in which the codes of a share are counted
	freeKnown = 2                // codes more than strangers that the holder gets without a longer pause
)

// lives is how long the first, second … code of a day holds. The next is sent when ten minutes of it are left, so that however
// many are asked for there is always one that is good, and few are sent: seven a day.
var lives = [...]time.Duration{firstLife, 20 * time.Minute, time.Hour, 6 * time.Hour}

func lifeOf(n int, known bool) time.Duration {
	if known {
		n = max(n-freeKnown, 1)
	}
	return lives[min(n, len(lives))-1]
}

// AskCode sends six digits to a contact, unless some were sent so lately that they are good for a while. It is answered alike
// whether the contact has an account, and whether a message went out.
func (s *Service) AskCode(ctx context.Context, contact, from, lang string) error {
	c, err := parseContact(contact)
	if err != nil {
		return err
	}
	if s.outbox == nil || !s.outbox.Takes(c.Kind) {
		return fault.Unsupported("/contact", c.Kind, "what the operator has configured")
	}
	if _, wait := s.counts.take(counted{key{"ask", access.Place(from)}, asksOfPlace}, s.now()); wait > 0 {
		f := fault.Limit("/contact", "too many codes", fmt.Sprintf("%d requests from one address in %d minutes", asksOfPlace.most, int(asksOfPlace.window.Minutes())), wait)
		f.What = "too many codes were asked for from this address"
		return f
	}
	return s.store.Write(ctx, func(tx *store.Tx) error {
		h, err := s.historyOf(ctx, tx, c, from)
		if err != nil || !h.due(s.now()) {
			return err
		}
		return s.sendCode(ctx, tx, c, lang, &h)
	})
}

// A history is what is known of a contact when somebody asks for a code.
type history struct {
	holder, lang string
	known        bool // somebody asks where the holder signed in before
	sent         int  // codes of this share in the last day
	last         time.Time
}

// historyOf reads it: as much for a contact that nobody has.
func (s *Service) historyOf(ctx context.Context, q store.Querier, c Contact, from string) (h history, err error) {
	var places int
	if err := q.QueryRow(ctx, askerSQL, access.Place(from), c.Kind, c.Address).Scan(&h.holder, &h.lang, &places); err != nil {
		return h, fmt.Errorf("looking for the holder of a contact: %w", err)
	}
	h.known = places > 0
	now := s.now()
	var last int64 // what a clock that ran ahead has sent does not count until it is caught up
	err = q.QueryRow(ctx, sentCodesSQL, c.Kind, c.Address, flag(h.known), now.Add(-codeDay).UnixMilli(), now.UnixMilli()).Scan(&h.sent, &last)
	if err != nil {
		return h, fmt.Errorf("counting the codes of a contact: %w", err)
	}
	h.last = at(last)
	return h, nil
}

func (h *history) due(now time.Time) bool {
	if h.sent == 0 {
		return true
	}
	pause := max(lifeOf(h.sent, h.known)-firstLife, codePause)
	return !now.Before(h.last.Add(pause))
}

// sendCode sends a code, unless the limits of the recipient are used up: what they got before is good still.
func (s *Service) sendCode(ctx context.Context, tx *store.Tx, c Contact, lang string, h *history) error {
	if h.lang != "" {
		lang = h.lang
	}
	id, code, now := newID(), newCode(), s.now()
	life := lifeOf(h.sent+1, h.known)
	m := letter(c, lang, code, life)
	m.User = h.holder
	if !h.known {
		m.Share = outbox.Strangers
	}
	if err := s.outbox.Put(ctx, tx, m); err != nil {
		if fault.Is(err, fault.OverLimit) {
			return nil
		}
		return err
	}
	hash := s.codeHash(id, code)
	_, err := tx.Exec(ctx, insertCodeSQL, id, c.Kind, c.Address, flag(h.known), hash[:], now.UnixMilli(), now.Add(life).UnixMilli())
	if err != nil {
		return fmt.Errorf("adding a code: %w", err)
	}
	return nil
}

// letter is the message with a code.
func letter(c Contact, lang, code string, life time.Duration) outbox.Message {
	n, unit := int(life/time.Minute), [2]string{"minutes", "分钟"}
	if n >= 60 {
		n, unit = n/60, [2]string{"hours", "小时"}
	}
	m := outbox.Message{Room: room, Kind: c.Kind, To: c.Address, Useful: life}
	subject := "Your code"
	if lang == "zh-CN" {
		subject = "您的验证码"
		m.Body = fmt.Sprintf("您的验证码是 %s，%d %s内有效。请勿告诉他人；如果不是您本人操作，请忽略这条消息。", code, n, unit[1])
	} else {
		if n == 1 {
			unit[0] = strings.TrimSuffix(unit[0], "s")
		}
		m.Body = fmt.Sprintf("Your code is %s. It is good for %d %s. Tell it to nobody; if you did not ask for it, ignore this message.", code, n, unit[0])
	}
	if c.Kind == outbox.Mail {
		m.Subject = subject
	}
	return m
}

// guess runs try under the bounds of guessing at the codes of a contact.
func (s *Service) guess(ctx context.Context, c Contact, from string, try func() error) error {
	place, now := access.Place(from), s.now()
	var known bool
	err := s.store.Read(ctx, func(v *store.View) error {
		h, err := s.historyOf(ctx, v, c, from)
		known = h.known
		return err
	})
	if err != nil {
		return err
	}
	contact := c.Kind + " " + c.Address
	count := []counted{{key{"place", place}, triesOfPlace}, {key{contact, place}, triesOfBoth}}
	if !known {
		count = append(count, counted{key{contact, ""}, triesOfStrangers})
	}
	var all []taken
	for _, what := range count {
		t, wait := s.counts.take(what, now)
		if wait > 0 {
			s.counts.giveBack(all)
			f := fault.Limit("/code", "too many wrong codes", "five wrong codes for one contact from one address in 15 minutes, and few from all strangers together in a day", wait)
			f.What = "too many wrong codes were sent"
			return f
		}
		all = append(all, t)
	}
	err = try()
	if err == nil || !fault.Is(err, fault.NoActor) { // it was right, whatever came of it
		s.counts.giveBack(all)
	}
	return err
}

// rightCode finds out whether code was sent to a contact and is good, and uses all of its codes up.
func (s *Service) rightCode(ctx context.Context, tx *store.Tx, c Contact, code string) error {
	code = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	right, err := s.matches(ctx, tx, c, code)
	if err != nil {
		return err
	}
	if !right {
		f := fault.Unauthenticated("the code is wrong, too old, or was used before")
		f.Where, f.Fix = "/code", "read the newest message again, or ask for another code"
		return f
	}
	if _, err := tx.Exec(ctx, "DELETE FROM resident_code WHERE kind = ? AND address = ?", c.Kind, c.Address); err != nil {
		return fmt.Errorf("using the codes of a contact up: %w", err)
	}
	return nil
}

func (s *Service) matches(ctx context.Context, q store.Querier, c Contact, code string) (bool, error) {
	now := s.now()
	rows, err := q.Query(ctx, goodCodesSQL, c.Kind, c.Address, now.UnixMilli(), now.Add(lives[len(lives)-1]).UnixMilli())
	if err != nil {
		return false, fmt.Errorf("reading the codes of a contact: %w", err)
	}
	defer rows.Close()
	right := 0
	for rows.Next() {
		var id string
		var hash []byte
		if err := rows.Scan(&id, &hash); err != nil {
			return false, fmt.Errorf("reading a code: %w", err)
		}
		want := s.codeHash(id, code)
		right |= subtle.ConstantTimeCompare(want[:], hash)
	}
	if err := rows.Err(); err != nil {
		return false, fmt.Errorf("reading the codes of a contact: %w", err)
	}
	return right != 0, nil
}

func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic(err) // never: crypto/rand
	}
	return fmt.Sprintf("%06d", n)
}

// codeHash is what is stored of a code.
func (s *Service) codeHash(id, code string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(id + " " + code))
	return [sha256.Size]byte(mac.Sum(nil))
}

// flag is a truth as columns have it.
func flag(is bool) int {
	if is {
		return 1
	}
	return 0
}
