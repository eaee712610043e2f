package account

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
)

// The purposes a code is asked for.
const (
	forSignUp  = "signup"
	forReset   = "reset"
	forContact = "contact"
)

const (
	codeBytes = 5                // 40 bits: nobody guesses it while it holds, so wrong codes need to end none
	firstLife = 10 * time.Minute // of the first code of a day
	codePause = time.Minute      // between two codes of one share, at least
	codeDay   = 24 * time.Hour   // in which the codes of a share are counted
	freeKnown = 2                // codes more than strangers that the holder gets without a longer pause
	askLife   = 7 * time.Hour    // of what a code was asked for: longer than any code holds
)

// lives is how long the first, second … code of a day holds. The next is sent when ten minutes of it are left, so that
// however many are asked for there is always one that is good, and few are sent: seven a day.
var lives = [...]time.Duration{firstLife, 20 * time.Minute, time.Hour, 6 * time.Hour}

// lifeOf is how long the nth code of a share in a day holds.
func lifeOf(n int, known bool) time.Duration {
	if known {
		n = max(n-freeKnown, 1)
	}
	return lives[min(n, len(lives))-1]
}

// A request asks for a code.
type request struct {
	purpose string
	contact Contact
	user    string // who may use it; empty: whoever has it
	from    string // the remote address that asks
	lang    string
}

// proves is what the codes for the purpose of a request have in common: a new password, or to have the contact.
func (r *request) proves() string {
	if r.purpose == forReset {
		return forReset
	}
	return forContact
}

// Asked is what whoever asks for a code is told. It is the same whether there is an account, and whether a message went out.
type Asked struct {
	ID   string        // to be shown with the code
	Wait time.Duration // until a code is sent again to a contact whose holder never signed in from this address; 0: it is now
}

// askCode has a code for a contact: it sends one, or, where the contact does not fit the purpose, a message that says so,
// unless one was sent so lately that it is good for a while. Every code that was sent to a contact is good until its end for
// whoever asked for one and reads what is sent there, so that a flood of requests takes nothing from the holder.
//
// Strangers and the holder (who is signed in, or asks from a place where they signed in before) have shares of their own in
// what is sent. Strangers are bounded by their address, too. Every request is answered alike after one commit, whatever is sent.
func (s *Service) askCode(ctx context.Context, r request) (Asked, error) {
	if s.outbox == nil || !s.outbox.Takes(r.contact.Kind) {
		return Asked{}, fault.Unsupported("/contact", r.contact.Kind, "what the operator has configured")
	}
	wait, refused := s.attempts.ask(r.from)
	if refused > 0 {
		f := fault.Limit("/contact", "too many codes", "a hundred requests at once, then one a second", whole(refused))
		f.What = "too many codes were asked for from this address"
		return Asked{}, f
	}
	asked := Asked{Wait: wait}
	err := s.store.Write(ctx, func(tx *store.Tx) error {
		h, err := s.historyOf(ctx, tx, &r)
		if err != nil {
			return err
		}
		if h.due(s.now(), wait) {
			if err := s.sendCode(ctx, tx, &r, &h); err != nil {
				return err
			}
		}
		asked.ID, err = s.noteAsk(ctx, tx, &r, &h, wait)
		return err
	})
	return asked, err
}

// A history is what is known of a contact when somebody asks for a code.
type history struct {
	holder string
	known  bool      // the holder asks, or somebody where they signed in before
	sent   int       // codes of this share in the last day
	last   time.Time // when the newest was
	asked  bool      // there was a request like this before
}

// historyOf reads it. What it reads, and how much, does not depend on whether somebody has the contact.
func (s *Service) historyOf(ctx context.Context, q store.Querier, r *request) (h history, err error) {
	now, c := s.now(), r.contact
	var places int
	if err := q.QueryRow(ctx, askerSQL, access.Place(r.from), c.Kind, c.Address).Scan(&h.holder, &places); err != nil {
		return h, fmt.Errorf("looking for the holder of a contact: %w", err)
	}
	h.known = places > 0 || h.holder != "" && h.holder == r.user
	var last int64 // what a clock that ran ahead has sent does not count until it is caught up
	err = q.QueryRow(ctx, sentCodesSQL, c.Kind, c.Address, r.proves(), flag(h.known), now.Add(-codeDay).UnixMilli(), now.UnixMilli()).Scan(&h.sent, &last)
	if err != nil {
		return h, fmt.Errorf("counting the codes of a contact: %w", err)
	}
	h.last = at(last)
	h.asked, err = exists(ctx, q, openAskSQL, c.Kind, c.Address, r.purpose, r.user)
	if err != nil {
		return h, fmt.Errorf("looking for a request like this: %w", err)
	}
	return h, nil
}

// due says whether a code is sent now. Wait is that of the address.
func (h *history) due(now time.Time, wait time.Duration) bool {
	if !h.known && wait > 0 {
		return false
	}
	if h.sent == 0 {
		return true
	}
	pause := max(lifeOf(h.sent, h.known)-firstLife, codePause)
	return !now.Before(h.last.Add(pause))
}

// sendCode sends a code, unless the limits of the recipient are used up: what they got before is good still.
func (s *Service) sendCode(ctx context.Context, tx *store.Tx, r *request, h *history) error {
	id, code, now := newID(), newCode(), s.now()
	life := lifeOf(h.sent+1, h.known)
	letter, hash := letterCode, codeHash(id, code)
	switch {
	case r.purpose == forReset && h.holder == "":
		letter = letterUnknown
	case r.purpose != forReset && h.holder != "" && h.holder != r.user:
		letter = letterTaken
	}
	if letter != letterCode {
		hash = sha256.Sum256(random(32)) // no code is right
	}
	m := letter.lasting(r.contact, r.lang, code, life)
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
	_, err := tx.Exec(ctx, insertCodeSQL, id, r.proves(), r.contact.Kind, r.contact.Address, hash[:], now.UnixMilli(), now.Add(life).UnixMilli(), flag(h.known))
	if err != nil {
		return fmt.Errorf("adding a code: %w", err)
	}
	return nil
}

// noteAsk gives a request its id, which is that of others like it, and good for longer than any code. A stranger's that is one
// too many from its address, and the first of its kind, gets one that stands for nothing: it leaves no row, at the same cost.
func (s *Service) noteAsk(ctx context.Context, tx *store.Tx, r *request, h *history, wait time.Duration) (id string, err error) {
	c := r.contact
	empty := wait > 0 && !h.known && !h.asked
	if empty {
		c = Contact{}
	}
	err = tx.QueryRow(ctx, putAskSQL, newID(), r.purpose, c.Kind, c.Address, r.user, s.now().Add(askLife).UnixMilli()).Scan(&id)
	if err != nil {
		return "", fmt.Errorf("noting what a code is asked for: %w", err)
	}
	if empty {
		id = newID()
	}
	return id, nil
}

// A proof is a code that somebody shows.
type proof struct {
	purpose string
	id      string // of the request
	user    string // who shows it; empty: whoever has it
	from    string
	code    Code
}

// guessCode runs try under the bounds of guessing at a code: failures count by request and address, as at a login.
func (s *Service) guessCode(p *proof, try func() error) error {
	done, wait := s.attempts.open("code "+p.id, p.from, true)
	if wait > 0 {
		refused := fault.Limit("/code", "too many wrong codes", "five wrong codes in a row, then a growing pause", whole(wait))
		refused.What = "too many wrong codes from this address"
		return refused
	}
	err := try()
	done(err != nil)
	if err == nil {
		s.attempts.proved(p.from)
	}
	return err
}

// maxTaken is how many logins a code tries: whoever hits on taken ones needs another code for more.
const maxTaken = 3

// takeCode uses the codes of a contact up: fn runs in the same transaction with the contact that is proved. If fn finds the login
// taken before it has written anything, they stay good for another name, [maxTaken] in all.
func (s *Service) takeCode(ctx context.Context, p *proof, fn func(*store.Tx, Contact) error) error {
	var told error
	err := s.change(ctx, func(tx *store.Tx) error {
		told = nil
		c, proves, err := s.rightCode(ctx, tx, p)
		if err != nil {
			return err
		}
		err = fn(tx, c)
		if taken, ok := errors.AsType[loginTaken](err); ok {
			told = taken.error
			var tried int
			err = tx.QueryRow(ctx, "UPDATE account_ask SET taken = taken + 1 WHERE id = ? RETURNING taken", p.id).Scan(&tried)
			if err != nil || tried < maxTaken {
				return err
			}
		}
		if err != nil {
			return err
		}
		return forgetCodes(ctx, tx, c, proves)
	})
	if err == nil {
		err = told
	}
	return err
}

// rightCode finds the contact that a code proves, and what for.
func (s *Service) rightCode(ctx context.Context, tx *store.Tx, p *proof) (c Contact, proves string, err error) {
	now := s.now() // what ends later than anything can is of a clock that ran ahead
	var owner string
	err = tx.QueryRow(ctx, askSQL, p.id, p.purpose, now.UnixMilli(), now.Add(askLife).UnixMilli()).Scan(&c.Kind, &c.Address, &owner)
	if errors.Is(err, sql.ErrNoRows) || err == nil && owner != p.user {
		return c, "", errContactCode()
	}
	if err != nil {
		return c, "", fmt.Errorf("reading what a code was asked for: %w", err)
	}
	proves = (&request{purpose: p.purpose}).proves()
	rows, err := tx.Query(ctx, goodCodesSQL, c.Kind, c.Address, proves, now.UnixMilli(), now.Add(lives[len(lives)-1]).UnixMilli())
	if err != nil {
		return c, "", fmt.Errorf("reading the codes of a contact: %w", err)
	}
	defer rows.Close()
	right := 0
	for rows.Next() {
		var id string
		var hash []byte
		if err := rows.Scan(&id, &hash); err != nil {
			return c, "", fmt.Errorf("reading a code: %w", err)
		}
		want := codeHash(id, p.code)
		right |= subtle.ConstantTimeCompare(want[:], hash)
	}
	if err := rows.Err(); err != nil {
		return c, "", fmt.Errorf("reading the codes of a contact: %w", err)
	}
	if right == 0 {
		return c, "", errContactCode()
	}
	return c, proves, nil
}

// forgetCodes forgets the codes of a contact, and what they were asked for. It begins anew: whoever reads what is sent there
// is at work.
func forgetCodes(ctx context.Context, tx *store.Tx, c Contact, proves string) error {
	asks := "DELETE FROM account_ask WHERE kind = ? AND address = ? AND purpose <> 'reset'"
	if proves == forReset {
		asks = "DELETE FROM account_ask WHERE kind = ? AND address = ? AND purpose = 'reset'"
	}
	if _, err := tx.Exec(ctx, "DELETE FROM account_code WHERE kind = ? AND address = ? AND purpose = ?", c.Kind, c.Address, proves); err != nil {
		return fmt.Errorf("using the codes of a contact up: %w", err)
	}
	if _, err := tx.Exec(ctx, asks, c.Kind, c.Address); err != nil {
		return fmt.Errorf("ending the requests of a contact: %w", err)
	}
	return nil
}

// loginTaken is what a transaction that has written nothing yet ends with when the login is somebody's.
type loginTaken struct{ error }

func (t loginTaken) Unwrap() error { return t.error }

func errContactCode() error {
	f := fault.Unauthenticated("the code is wrong, too old, or was used before")
	f.Where, f.Fix = "/code", "read the newest message again, or ask for another code"
	return f
}

// newCode draws 40 bits, as people can copy them: "k7dm-2qxw".
func newCode() Code {
	text := letters.EncodeToString(random(codeBytes))
	return Code{hide(text[:4] + "-" + text[4:])}
}

// codeHash is what is stored of a code. It holds for hours at most.
func codeHash(id string, code Code) [sha256.Size]byte {
	return sha256.Sum256([]byte(strings.Join([]string{"code", id, recoveryText(code)}, " ")))
}
