package notice

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
)

const (
	columns = `id, state, severity, audience, supersedes, created_at, published_at, effective_at, ends_at, ended_at`

	announcementSQL = `
		SELECT ` + columns + `
		FROM notice_announcement
		WHERE id = ?`

	// What may stand in an inbox now: twice the time.
	shownSQL = `
		SELECT ` + columns + `
		FROM notice_announcement
		WHERE ends_at > ? AND published_at <= ? AND state <> 'draft' AND (ended_at = 0 OR ended_at > ?)
		ORDER BY published_at DESC, id DESC`

	insertSQL = `
		INSERT INTO notice_announcement (` + columns + `)
		VALUES (?, 'draft', ?, ?, ?, ?, 0, ?, ?, 0)`

	publishSQL = `
		UPDATE notice_announcement
		SET state = 'published', published_at = ?, ends_at = ?
		WHERE id = ? AND state = 'draft'`

	endSQL = `
		UPDATE notice_announcement
		SET state = ?, ended_at = ?
		WHERE id = ? AND state = ?`

	insertMessageSQL = `
		INSERT INTO notice_message (id, organisation, user_id, kind, data, sent_at)
		VALUES (?, ?, ?, ?, ?, ?)`

	insertReceiptSQL = `
		INSERT INTO notice_receipt (notice, user_id, organisation, read_at)
		VALUES (?, ?, ?, ?)
		ON CONFLICT DO NOTHING`

	readMessagesSQL = `
		INSERT INTO notice_receipt (notice, user_id, organisation, read_at)
		SELECT m.id, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS BIGINT)
		FROM notice_message m
		WHERE ` + forReaderSQL + `
			AND NOT EXISTS (SELECT 1 FROM notice_receipt r WHERE r.notice = m.id AND r.user_id = ?)`

	// A message m is for somebody: organisation acted for, user, user.
	forReaderSQL = `(m.organisation = ? AND m.user_id IN ('', ?) OR m.organisation = '' AND m.user_id = ?)`

	sweepMessageReceiptsSQL = `
		DELETE FROM notice_receipt
		WHERE notice IN (
			SELECT m.id
			FROM notice_message m
			WHERE m.sent_at < ? AND EXISTS (SELECT 1 FROM notice_receipt r WHERE r.notice = m.id)
			LIMIT 500)`

	sweepMessagesSQL = `
		DELETE FROM notice_message
		WHERE id IN (
			SELECT id
			FROM notice_message
			WHERE sent_at < ?
			LIMIT 500)`

	sweepReceiptsSQL = `
		DELETE FROM notice_receipt
		WHERE notice IN (
			SELECT a.id
			FROM notice_announcement a
			WHERE a.ends_at > 0 AND a.ends_at < ? AND EXISTS (SELECT 1 FROM notice_receipt r WHERE r.notice = a.id)
			LIMIT 5)`
)

func scan(row listing.Scanner) (Announcement, error) {
	var a Announcement
	var audience string
	var created, published, effective, ends, ended int64
	err := row.Scan(&a.ID, &a.State, &a.Severity, &audience, &a.Supersedes, &created, &published, &effective, &ends, &ended)
	if err != nil {
		return Announcement{}, err
	}
	a.CreatedAt, a.PublishedAt, a.EffectiveAt, a.EndsAt, a.EndedAt = at(created), at(published), at(effective), at(ends), at(ended)
	return a, json.Unmarshal([]byte(audience), &a.Audience)
}

// load reads an announcement with its texts for its manager.
func load(ctx context.Context, q store.Querier, who access.Actor, id string) (Announcement, error) {
	a, err := scan(q.QueryRow(ctx, announcementSQL, id))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !manager(who) {
		return Announcement{}, fault.NotFound("announcement", id)
	}
	if err != nil {
		return Announcement{}, fmt.Errorf("reading announcement %s: %w", id, err)
	}
	a.Texts, err = texts(ctx, q, id)
	return a, err
}

func texts(ctx context.Context, q store.Querier, announcement string) (map[string]Text, error) {
	rows, err := q.Query(ctx, "SELECT lang, title, body FROM notice_text WHERE announcement = ?", announcement)
	if err != nil {
		return nil, fmt.Errorf("reading the texts of announcement %s: %w", announcement, err)
	}
	defer rows.Close()
	out := make(map[string]Text)
	for rows.Next() {
		var lang string
		var t Text
		if err := rows.Scan(&lang, &t.Title, &t.Body); err != nil {
			return nil, err
		}
		out[lang] = t
	}
	return out, rows.Err()
}

func insert(ctx context.Context, tx *store.Tx, a *Announcement) error {
	_, err := tx.Exec(ctx, insertSQL, a.ID, string(a.Severity), marshal(a.Audience), a.Supersedes, a.CreatedAt.UnixMilli(), millis(a.EffectiveAt), millis(a.EndsAt))
	if err != nil {
		return fmt.Errorf("writing announcement %s: %w", a.ID, err)
	}
	for lang, t := range a.Texts {
		if _, err := tx.Exec(ctx, "INSERT INTO notice_text (announcement, lang, title, body) VALUES (?, ?, ?, ?)", a.ID, lang, t.Title, t.Body); err != nil {
			return fmt.Errorf("writing the %s text of announcement %s: %w", lang, a.ID, err)
		}
	}
	return nil
}

// discard removes a draft that is written anew.
func discard(ctx context.Context, tx *store.Tx, id string) error {
	for _, statement := range []string{"DELETE FROM notice_text WHERE announcement = ?", "DELETE FROM notice_announcement WHERE id = ?"} {
		if _, err := tx.Exec(ctx, statement, id); err != nil {
			return fmt.Errorf("writing announcement %s anew: %w", id, err)
		}
	}
	return nil
}

// marks is as many placeholders as there are ids.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func anys(ids []string) []any {
	out := make([]any, len(ids))
	for i := range ids {
		out[i] = ids[i]
	}
	return out
}
