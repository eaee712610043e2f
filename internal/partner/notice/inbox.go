package notice

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// MaxLimit is the most items of one page.
const MaxLimit = 100

// Sources of an item.
const (
	FromAnnouncement = "announcement"
	FromMessage      = "message"
)

// An Item is one notice in somebody's inbox.
type Item struct {
	ID          string
	Source      string // FromAnnouncement or FromMessage
	Kind        string // of a message
	Severity    Severity
	Texts       map[string]Text
	At          time.Time
	EffectiveAt time.Time // of an announcement
	Supersedes  string    // of an announcement
	ReadAt      time.Time // zero: unread

	data string // of a message
}

// An Ask is which part of an inbox somebody wants.
type Ask struct {
	Unread bool   // only what was not read
	Shared bool   // without messages that are the person's, whatever they act for
	Cursor string // where the page before ended
	Limit  int    // 1..100; 0 is 50
}

// Inbox returns a page of what is for who, the newest first, and the cursor of the next.
func (s *Service) Inbox(ctx context.Context, who access.Actor, ask Ask) ([]Item, string, error) {
	if ask.Limit == 0 {
		ask.Limit = 50
	}
	if ask.Limit < 1 || ask.Limit > MaxLimit {
		return nil, "", fault.Invalid("/limit", strconv.Itoa(ask.Limit), "an integer from 1 to 100", "ask for at most 100 and follow the cursor")
	}
	after, err := readMark(ask.Cursor)
	if err != nil {
		return nil, "", err
	}
	var page []Item
	err = s.Store.Read(ctx, func(v *store.View) error {
		page, err = s.inbox(ctx, v, who, ask, after)
		return err
	})
	if err != nil {
		return nil, "", fmt.Errorf("reading the inbox: %w", err)
	}
	if len(page) <= ask.Limit {
		return page, "", nil
	}
	page = page[:ask.Limit]
	last := &page[len(page)-1]
	return page, mark{last.At.UnixMilli(), last.ID}.text(), nil
}

// inbox merges announcements and messages, one more than the limit.
func (s *Service) inbox(ctx context.Context, q store.Querier, who access.Actor, ask Ask, after mark) ([]Item, error) {
	all, err := s.shown(ctx, q, who)
	if err != nil {
		return nil, err
	}
	if ask.Unread {
		read, err := readBy(ctx, q, who, all)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(i Item) bool { return !read[i.ID].IsZero() })
	}
	all = slices.DeleteFunc(all, func(i Item) bool { return !after.before(&i) })
	for _, b := range boxes(who, ask.Shared) {
		sent, err := b.messages(ctx, q, who, ask.Unread, after, ask.Limit+1)
		if err != nil {
			return nil, err
		}
		all = append(all, sent...)
	}
	slices.SortFunc(all, func(a, b Item) int { return cmp.Or(b.At.Compare(a.At), strings.Compare(b.ID, a.ID)) })
	all = all[:min(len(all), ask.Limit+1)]
	read, err := readBy(ctx, q, who, all)
	if err != nil {
		return nil, err
	}
	for i := range all {
		all[i].ReadAt = read[all[i].ID]
		if err := all[i].complete(ctx, q); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// complete fills in the texts.
func (i *Item) complete(ctx context.Context, q store.Querier) (err error) {
	if i.Source == FromAnnouncement {
		i.Texts, err = texts(ctx, q, i.ID)
		return err
	}
	var data map[string]string
	if err := json.Unmarshal([]byte(i.data), &data); err != nil {
		return fmt.Errorf("reading message %s: %w", i.ID, err)
	}
	i.Severity, i.Texts, err = render(i.Kind, data)
	return err
}

// shown lists the announcements that are for who now, without texts. They are few: see maxShown.
func (s *Service) shown(ctx context.Context, q store.Querier, who access.Actor) ([]Item, error) {
	now := s.now().UnixMilli()
	rows, err := q.Query(ctx, shownSQL, now, now, now)
	if err != nil {
		return nil, err
	}
	defer rows.Close() // before the texts are read, at the latest
	var all []Announcement
	for rows.Next() {
		a, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, err
	}
	r, err := s.reader(ctx, q, who, all)
	if err != nil {
		return nil, err
	}
	var out []Item
	for i := range all {
		if a := &all[i]; r.meant(&a.Audience) {
			out = append(out, Item{ID: a.ID, Source: FromAnnouncement, Severity: a.Severity, At: a.PublishedAt, EffectiveAt: a.EffectiveAt, Supersedes: a.Supersedes})
		}
	}
	return out, nil
}

// A reader is what an audience may ask of somebody.
type reader struct {
	access.Actor
	kinds    []account.Kind
	services []string
	all      bool // services are not known
}

// reader finds out about who what the announcements ask for.
func (s *Service) reader(ctx context.Context, q store.Querier, who access.Actor, all []Announcement) (reader, error) {
	r := reader{Actor: who, all: s.Services == nil}
	if who.Organisation == "" {
		return r, nil
	}
	if slices.ContainsFunc(all, func(a Announcement) bool { return len(a.Audience.Kinds) > 0 }) {
		var text string
		err := q.QueryRow(ctx, "SELECT kinds FROM organisation WHERE id = ?", who.Organisation).Scan(&text)
		if err == nil {
			err = json.Unmarshal([]byte(text), &r.kinds)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return r, fmt.Errorf("reading the kinds of organisation %s: %w", who.Organisation, err)
		}
	}
	if !r.all && slices.ContainsFunc(all, func(a Announcement) bool { return len(a.Audience.Services) > 0 }) {
		var err error
		if r.services, err = s.Services(ctx, q, who.Organisation); err != nil {
			return r, fmt.Errorf("reading the services of organisation %s: %w", who.Organisation, err)
		}
	}
	return r, nil
}

// meant says whether an announcement to a is for r.
func (r *reader) meant(a *Audience) bool {
	if a.Everybody {
		return true
	}
	return (len(a.Organisations) == 0 || slices.Contains(a.Organisations, r.Organisation)) &&
		(len(a.Kinds) == 0 || slices.ContainsFunc(r.kinds, func(k account.Kind) bool { return slices.Contains(a.Kinds, k) })) &&
		(len(a.Roles) == 0 || slices.ContainsFunc(r.Roles, func(role access.Role) bool { return slices.Contains(a.Roles, role) })) &&
		(len(a.Services) == 0 || r.Organisation != "" && (r.all || slices.ContainsFunc(r.services, func(s string) bool { return slices.Contains(a.Services, s) })))
}

// A box holds messages that an index finds together.
type box struct {
	where string
	args  []any
}

// boxes are where the messages for who are: those of the organisation acted for and, unless only what is shared is wanted, their own.
func boxes(who access.Actor, shared bool) (all []box) {
	if !shared {
		all = append(all, box{"organisation = '' AND user_id = ?", []any{who.User}})
	}
	if who.Organisation != "" {
		all = append(all, box{"organisation = ? AND user_id IN ('', ?)", []any{who.Organisation, who.User}})
	}
	return all
}

// messages reads the messages for who behind a mark.
func (b box) messages(ctx context.Context, q store.Querier, who access.Actor, unread bool, after mark, limit int) ([]Item, error) {
	query, args := "SELECT id, kind, data, sent_at FROM notice_message WHERE "+b.where, b.args
	if after != (mark{}) {
		query += " AND (sent_at, id) < (?, ?)"
		args = append(args, after.at, after.id)
	}
	if unread {
		query += " AND NOT EXISTS (SELECT 1 FROM notice_receipt r WHERE r.notice = notice_message.id AND r.user_id = ?)"
		args = append(args, who.User)
	}
	rows, err := q.Query(ctx, query+" ORDER BY sent_at DESC, id DESC LIMIT ?", append(args, limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Item
	for rows.Next() {
		i := Item{Source: FromMessage}
		var sent int64
		if err := rows.Scan(&i.ID, &i.Kind, &i.data, &sent); err != nil {
			return nil, err
		}
		i.At = at(sent)
		out = append(out, i)
	}
	return out, rows.Err()
}

// readBy is when who read which of the items.
func readBy(ctx context.Context, q store.Querier, who access.Actor, items []Item) (map[string]time.Time, error) {
	out := make(map[string]time.Time)
	if len(items) == 0 {
		return out, nil
	}
	ids := make([]string, len(items))
	for i := range items {
		ids[i] = items[i].ID
	}
	rows, err := q.Query(ctx, "SELECT notice, read_at FROM notice_receipt WHERE user_id = ? AND notice IN ("+marks(len(ids))+")", append([]any{who.User}, anys(ids)...)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var read int64
		if err := rows.Scan(&id, &read); err != nil {
			return nil, err
		}
		out[id] = at(read)
	}
	return out, rows.Err()
}

// Unread counts what is for who and was not read.
func (s *Service) Unread(ctx context.Context, who access.Actor) (int, error) {
	var n int
	err := s.Store.Read(ctx, func(v *store.View) error {
		all, err := s.shown(ctx, v, who)
		if err != nil {
			return err
		}
		read, err := readBy(ctx, v, who, all)
		if err != nil {
			return err
		}
		var sent int
		err = v.QueryRow(ctx, `
			SELECT COUNT(*)
			FROM notice_message m
			WHERE `+forReaderSQL+`
				AND NOT EXISTS (SELECT 1 FROM notice_receipt r WHERE r.notice = m.id AND r.user_id = ?)`,
			who.Organisation, who.User, who.User, who.User).Scan(&sent)
		n = len(all) - len(read) + sent
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("counting what is unread: %w", err)
	}
	return n, nil
}

// Read records that who read a notice. The first time stays.
func (s *Service) Read(ctx context.Context, who access.Actor, id string) error {
	if err := reads(who); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		theirs, err := s.theirs(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if !theirs {
			return fault.NotFound("notice", id)
		}
		return s.receipt(ctx, tx, who, id)
	})
}

// ReadAll records that who read all that is for them now, and says how much that was. What they saw no page of is read too.
func (s *Service) ReadAll(ctx context.Context, who access.Actor) (n int, err error) {
	if err := reads(who); err != nil {
		return 0, err
	}
	err = s.Store.Write(ctx, func(tx *store.Tx) error {
		all, err := s.shown(ctx, tx, who)
		if err != nil {
			return err
		}
		read, err := readBy(ctx, tx, who, all)
		if err != nil {
			return err
		}
		for i := range all {
			if read[all[i].ID].IsZero() {
				n++
				if err := s.receipt(ctx, tx, who, all[i].ID); err != nil {
					return err
				}
			}
		}
		res, err := tx.Exec(ctx, readMessagesSQL, who.User, who.Organisation, s.now().UnixMilli(), who.Organisation, who.User, who.User, who.User)
		if err != nil {
			return fmt.Errorf("recording that messages were read: %w", err)
		}
		sent, err := res.RowsAffected()
		n += int(sent)
		return err
	})
	return n, err
}

func reads(who access.Actor) error {
	if who.User == "" || who.Platform() {
		return fault.Forbidden("notice.read", "a person who is signed in")
	}
	return nil
}

func (s *Service) receipt(ctx context.Context, tx *store.Tx, who access.Actor, id string) error {
	if _, err := tx.Exec(ctx, insertReceiptSQL, id, who.User, who.Organisation, s.now().UnixMilli()); err != nil {
		return fmt.Errorf("recording that %s was read: %w", id, err)
	}
	return nil
}

// theirs says whether a notice is in the inbox of who.
func (s *Service) theirs(ctx context.Context, q store.Querier, who access.Actor, id string) (bool, error) {
	all, err := s.shown(ctx, q, who)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(all, func(i Item) bool { return i.ID == id }) {
		return true, nil
	}
	var n int
	err = q.QueryRow(ctx, "SELECT COUNT(*) FROM notice_message m WHERE m.id = ? AND "+forReaderSQL, id, who.Organisation, who.User, who.User).Scan(&n)
	return n > 0, err
}

// A mark is where an item stands in an inbox.
type mark struct {
	at int64
	id string
}

// before says whether an item comes behind the mark, to older ones.
func (m mark) before(i *Item) bool {
	return m == mark{} || i.At.UnixMilli() < m.at || i.At.UnixMilli() == m.at && i.ID < m.id
}

func (m mark) text() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(m.at, 10) + " " + m.id))
}

func readMark(cursor string) (mark, error) {
	if cursor == "" {
		return mark{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	ms, id, ok := strings.Cut(string(b), " ")
	n, bad := strconv.ParseInt(ms, 10, 64)
	if err != nil || bad != nil || !ok || len(id) > 64 {
		return mark{}, fault.Invalid("/cursor", cursor, "the next_cursor of an inbox", "begin without a cursor")
	}
	return mark{n, id}, nil
}
