package voice

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/lifecycle"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/nlu"
)

// MaxInbox is how many sentences the inbox of an organisation has; the oldest dismissed go first, then the oldest new ones.
const MaxInbox = 1000

// A State is what has become of a sentence that nobody understood.
type State string

// The states.
const (
	Undecided State = "new"
	Case      State = "case"
	Dismissed State = "dismissed"
)

// A Move is what somebody does with one.
type Move string

// The moves.
const (
	Accept  Move = "accept"  // make it a case, or give a case another expectation
	Dismiss Move = "dismiss" // nothing is to be done about it
	Reopen  Move = "reopen"
)

func decides(who access.Actor) bool { return who.May(access.DecideVoice) }

var inboxMoves = lifecycle.Table[State, Move]{
	{From: Undecided, Act: Accept, To: Case, May: decides},
	{From: Undecided, Act: Dismiss, To: Dismissed, May: decides},
	{From: Dismissed, Act: Accept, To: Case, May: decides},
	{From: Dismissed, Act: Reopen, To: Undecided, May: decides},
	{From: Case, Act: Accept, To: Case, May: decides},
	{From: Case, Act: Reopen, To: Undecided, May: decides},
}

// An Entry is a sentence that somebody gave away because nobody understood it.
type Entry struct {
	ID           string
	Organisation string
	Lang, Text   string
	Room         string // in the vocabulary; empty: not known
	Vocabulary   string // id
	Reason       string
	State        State
	Expect       json.RawMessage // of a case
	Times        int64           // how often it was said
	FirstAt      time.Time
	LastAt       time.Time
	DecidedAt    time.Time
}

// Open lists what who may do with it.
func (e *Entry) Open(who access.Actor) []Move { return inboxMoves.Open(e.State, who) }

// The names that the inbox is filtered and sorted by.
const (
	ByState        = "state"
	ByOrganisation = "organisation"
	ByLast         = "last_at"
)

const entryColumns = "i.id, i.organisation, i.lang, i.text, i.room, i.vocabulary, i.reason, i.state, i.expect, i.times, i.first_at, i.last_at, i.decided_at"

func inbox() *listing.List[Entry] {
	const bound = "the inbox of an organisation has at most 1,000"
	return &listing.List[Entry]{
		Object: "sentence", Columns: entryColumns, From: "voice_inbox i", Key: "i.id", Newest: true,
		Fields: []listing.Field{
			{Name: ByOrganisation, Column: "i.organisation"},
			{Name: ByState, Column: "i.state"},
			{Name: ByLang, Column: "i.lang"},
			{Name: ByLast, Column: "i.last_at", Parse: listing.Millis},
		},
		Ways: []listing.Way{
			{Filters: []string{ByOrganisation}, Rest: []string{ByState, ByLang}, Bound: bound},
			{Filters: []string{ByOrganisation}, Rest: []string{ByState, ByLang}, Bound: bound, Sort: ByLast},
			{Filters: []string{ByState}},
			{},
		},
		Scan: scanEntry,
	}
}

func scanEntry(row listing.Scanner) (e Entry, err error) {
	var expect string
	var first, last, decided int64
	err = row.Scan(&e.ID, &e.Organisation, &e.Lang, &e.Text, &e.Room, &e.Vocabulary, &e.Reason, &e.State, &expect, &e.Times, &first, &last, &decided)
	if expect != "" {
		e.Expect = json.RawMessage(expect)
	}
	e.FirstAt, e.LastAt = time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
	if decided != 0 {
		e.DecidedAt = time.UnixMilli(decided).UTC()
	}
	return e, err
}

// unread says whether the sentence was not understood, wholly or in part, and nobody else understood it.
func (t *turn) unread() bool {
	code := t.reading.Reason.Code
	return t.spoken == "" && t.reading.Outcome != nlu.Act && (code == nlu.NotUnderstood || code == nlu.UnclearWords)
}

// mark is who has a part in an entry: it says neither who nor in which home, without the key.
func (s *Service) mark(person, homeID string) string {
	m := hmac.New(sha256.New, s.c.InboxKey)
	m.Write([]byte(person + "\x00" + homeID))
	return hex.EncodeToString(m.Sum(nil))
}

// folded is a sentence by which its equals are found.
func folded(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.IsControl(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, text)
}

// share puts a sentence into the inbox, or counts it where its equal is.
func (s *Service) share(ctx context.Context, tx *store.Tx, t *saying) error {
	same, by := folded(t.Text), s.mark(t.person, t.home)
	if same == "" {
		return nil
	}
	organisation, at := t.spoken.home.Organisation, t.At.UnixMilli()
	var id string
	var state State
	err := tx.QueryRow(ctx, "SELECT id, state FROM voice_inbox WHERE organisation = ? AND lang = ? AND folded = ?", organisation, t.Lang, same).Scan(&id, &state)
	switch {
	case err == nil:
		_, err = tx.Exec(ctx, "UPDATE voice_inbox SET times = times + 1, last_at = ? WHERE id = ?", at, id)
	case errors.Is(err, sql.ErrNoRows):
		id, state = uuid.Must(uuid.NewV7()).String(), Undecided
		var taken bool
		if taken, err = enter(ctx, tx, t, id, same); err == nil && !taken {
			return nil
		}
	}
	if err == nil && state == Undecided {
		_, err = tx.Exec(ctx, "INSERT INTO voice_inbox_person (entry, person) VALUES (?, ?) ON CONFLICT (entry, person) DO NOTHING", id, by)
	}
	if err != nil {
		return fmt.Errorf("putting a sentence into the inbox: %w", err)
	}
	return makeRoom(ctx, tx, organisation)
}

// enter adds an entry with its vocabulary, unless the home is gone or too large.
func enter(ctx context.Context, tx *store.Tx, t *saying, id, same string) (taken bool, err error) {
	text, vocabulary, room, ok := t.spoken.vocabulary(t.room)
	if !ok {
		return false, nil
	}
	n, err := deleted(tx.Exec(ctx, `
		INSERT INTO voice_inbox (id, organisation, lang, text, folded, room, vocabulary, reason, state, expect, times, version, first_at, last_at, decided_at)
		SELECT ?, organisation, ?, ?, ?, ?, ?, ?, ?, '', 1, 1, ?, ?, 0 FROM home WHERE id = ?`,
		id, t.Lang, t.Text, same, room, vocabulary, t.Reason, Undecided, t.At.UnixMilli(), t.At.UnixMilli(), t.home))
	if err != nil || n == 0 {
		return false, err
	}
	_, err = tx.Exec(ctx, "INSERT INTO voice_vocabulary (organisation, id, home) VALUES (?, ?, ?) ON CONFLICT (organisation, id) DO NOTHING",
		t.spoken.home.Organisation, vocabulary, string(text))
	return true, err
}

// makeRoom forgets what is beyond the limit of an organisation.
func makeRoom(ctx context.Context, tx *store.Tx, organisation string) error {
	var n int
	if err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM voice_inbox WHERE organisation = ?", organisation).Scan(&n); err != nil {
		return fmt.Errorf("counting the inbox: %w", err)
	}
	for _, state := range []State{Dismissed, Undecided} {
		if n <= MaxInbox {
			return nil
		}
		gone, err := dropEntries(ctx, tx, "SELECT id FROM voice_inbox WHERE organisation = ? AND state = ? ORDER BY last_at, id LIMIT ?", organisation, state, n-MaxInbox)
		if err != nil {
			return err
		}
		n -= int(gone)
	}
	if n > MaxInbox { // all are cases: this is the newest
		_, err := dropEntries(ctx, tx, "SELECT id FROM voice_inbox WHERE organisation = ? ORDER BY id DESC LIMIT ?", organisation, n-MaxInbox)
		return err
	}
	return nil
}

// dropEntries deletes the entries that a query selects, and who has a part in them.
func dropEntries(ctx context.Context, tx *store.Tx, which string, args ...any) (int64, error) {
	if _, err := tx.Exec(ctx, "DELETE FROM voice_inbox_person WHERE entry IN ("+which+")", args...); err != nil {
		return 0, fmt.Errorf("forgetting who is in the inbox: %w", err)
	}
	n, err := deleted(tx.Exec(ctx, "DELETE FROM voice_inbox WHERE id IN ("+which+")", args...))
	if err != nil {
		return 0, fmt.Errorf("forgetting sentences of the inbox: %w", err)
	}
	return n, nil
}

// withdraw takes back what somebody gave away in a home and nobody has decided about; text: only what is equal to it.
func (s *Service) withdraw(ctx context.Context, tx *store.Tx, person, homeID, text string) error {
	if len(s.c.InboxKey) == 0 {
		return nil
	}
	by := s.mark(person, homeID)
	query, args := "SELECT p.entry FROM voice_inbox_person p JOIN voice_inbox i ON i.id = p.entry WHERE p.person = ?", []any{by}
	if text != "" {
		query, args = query+" AND i.folded = ?", append(args, folded(text))
	}
	mine, err := texts(tx.Query(ctx, query, args...))
	if err != nil {
		return fmt.Errorf("looking for sentences to take back: %w", err)
	}
	for _, id := range mine {
		if _, err := tx.Exec(ctx, "DELETE FROM voice_inbox_person WHERE entry = ? AND person = ?", id, by); err != nil {
			return fmt.Errorf("taking back sentence %s: %w", id, err)
		}
		_, err := tx.Exec(ctx, "DELETE FROM voice_inbox WHERE id = ? AND state = ? AND NOT EXISTS (SELECT 1 FROM voice_inbox_person p WHERE p.entry = voice_inbox.id)", id, Undecided)
		if err != nil {
			return fmt.Errorf("taking back sentence %s: %w", id, err)
		}
	}
	return nil
}

// texts reads a column.
func texts(rows *sql.Rows, err error) (all []string, _ error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}

// Inbox lists what nobody understood and was given away, the newest first: of who's organisation, or all. Filters: state, lang;
// organisation. Sort: last_at.
func (s *Service) Inbox(ctx context.Context, who access.Actor, ask listing.Ask) (page listing.Page[Entry], err error) {
	if err := who.Check(access.ReadVoice); err != nil {
		return page, err
	}
	if !who.Everywhere() {
		filters := map[string]string{ByState: ask.Filters[ByState], ByLang: ask.Filters[ByLang], ByOrganisation: who.Organisation}
		if who.Organisation == "" {
			return page, fault.Forbidden(string(access.ReadVoice), "an organisation to act for")
		}
		ask.Filters = filters
	}
	if err := s.flush(ctx); err != nil {
		return page, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		page, err = inbox().Read(ctx, v, ask)
		return err
	})
	return page, err
}

// EntryOwner finds the organisation that an entry of the inbox belongs to.
func (s *Service) EntryOwner(ctx context.Context, id string) (string, error) {
	return access.OwnerOf(ctx, s.c.Store, "sentence", "SELECT organisation FROM voice_inbox WHERE id = ?", id)
}

// Entry is one, and the home that it was said in: as `lampworks nlu --home` reads it, with the models in force now.
func (s *Service) Entry(ctx context.Context, who access.Actor, id string) (e Entry, home json.RawMessage, err error) {
	if err := who.Check(access.ReadVoice); err != nil {
		return e, nil, err
	}
	var text string
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		e, text, err = loadEntry(ctx, v, who, id)
		return err
	})
	if err != nil {
		return e, nil, err
	}
	file, _, err := s.withModels(ctx, text)
	return e, file, err
}

func loadEntry(ctx context.Context, q store.Querier, who access.Actor, id string) (e Entry, vocabulary string, err error) {
	e, err = scanEntry(q.QueryRow(ctx, "SELECT "+entryColumns+" FROM voice_inbox i WHERE i.id = ?", id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !who.Sees(e.Organisation) {
		return e, "", fault.NotFound("sentence", id)
	}
	if err == nil {
		err = q.QueryRow(ctx, "SELECT home FROM voice_vocabulary WHERE organisation = ? AND id = ?", e.Organisation, e.Vocabulary).Scan(&vocabulary)
	}
	if err != nil {
		return e, "", fmt.Errorf("reading sentence %s of the inbox: %w", id, err)
	}
	return e, vocabulary, nil
}

// Decide makes an entry a case with what it should have been read as, dismisses it, or takes that back. From then on nobody can
// find out any more who had said it.
func (s *Service) Decide(ctx context.Context, who access.Actor, id string, move Move, expect json.RawMessage) (e Entry, err error) {
	if err := who.Check(access.DecideVoice); err != nil {
		return e, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		var text string
		if e, text, err = loadEntry(ctx, tx, who, id); err != nil {
			return err
		}
		was := e.State
		if e.State, err = inboxMoves.Next(was, move, who); err != nil {
			return err
		}
		e.Expect, e.DecidedAt = nil, time.Time{}
		if e.State != Undecided {
			e.DecidedAt = time.Now().UTC().Truncate(time.Millisecond)
		}
		if e.State == Case {
			if e.Expect, err = expected(expect, text); err != nil {
				return err
			}
		}
		return decide(ctx, tx, who, &e, was, move)
	})
	return e, err
}

func decide(ctx context.Context, tx *store.Tx, who access.Actor, e *Entry, was State, move Move) error {
	var at int64
	if !e.DecidedAt.IsZero() {
		at = e.DecidedAt.UnixMilli()
	}
	n, err := deleted(tx.Exec(ctx, "UPDATE voice_inbox SET state = ?, expect = ?, decided_at = ?, version = version + 1 WHERE id = ? AND state = ?", e.State, string(e.Expect), at, e.ID, was))
	if err == nil && n == 0 {
		return fault.Stale("sentence", e.ID)
	}
	if err == nil {
		_, err = tx.Exec(ctx, "DELETE FROM voice_inbox_person WHERE entry = ?", e.ID)
	}
	if err != nil {
		return fmt.Errorf("deciding about sentence %s of the inbox: %w", e.ID, err)
	}
	return audit.Record(ctx, tx, who, "voice.inbox."+string(move), e.ID, "")
}

// expected holds an expectation against the home that the sentence was said in.
func expected(expect json.RawMessage, text string) (json.RawMessage, error) {
	bad := func() error {
		return fault.Invalid("/expect", string(expect), "an outcome (act, clarify, reject, chat) and, of act, its actions on devices of the sentence's home",
			`send {"outcome":"act","actions":[{"op":"set","targets":["d1"],"prop":"powerstate","value":true}]}`)
	}
	e, err := nlu.ReadExpectation(expect)
	if err != nil {
		return nil, bad()
	}
	var v vocabulary
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return nil, fmt.Errorf("reading a vocabulary: %w", err)
	}
	for _, target := range e.Targets() {
		known := false
		for i := range v.Devices {
			known = known || v.Devices[i].ID == target
		}
		if !known {
			return nil, bad()
		}
	}
	return expect, nil
}
