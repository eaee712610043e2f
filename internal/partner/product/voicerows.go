package product

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product/wording"
)

func loadVoiceDraft(ctx context.Context, q store.Querier, id string) (VoiceDraft, error) {
	var d VoiceDraft
	var document string
	var changed int64
	err := q.QueryRow(ctx, voiceDraftSQL, id).Scan(&d.Revision, &document, &changed)
	if errors.Is(err, sql.ErrNoRows) {
		return VoiceDraft{}, nil
	}
	if err != nil {
		return VoiceDraft{}, fmt.Errorf("reading the voice configuration of product %s: %w", id, err)
	}
	d.Document, d.ChangedAt = json.RawMessage(document), at(changed)
	return d, nil
}

// voiceInForce is the configuration in force; of a product that has none an empty one.
func voiceInForce(ctx context.Context, q store.Querier, p *Product) (Voice, error) {
	if p.Voice == 0 {
		return Voice{Document: json.RawMessage("{}")}, nil
	}
	return loadVoice(ctx, q, p.ID, p.Voice)
}

func loadVoice(ctx context.Context, q store.Querier, id string, number int) (Voice, error) {
	v, err := scanVoice(q.QueryRow(ctx, voiceSQL, id, number))
	if errors.Is(err, sql.ErrNoRows) {
		return Voice{}, fault.NotFound("voice configuration of product "+id, strconv.Itoa(number))
	}
	if err != nil {
		return Voice{}, fmt.Errorf("reading voice configuration %d of product %s: %w", number, id, err)
	}
	return v, nil
}

func scanVoice(row scanner) (Voice, error) {
	var v Voice
	var document string
	var published int64
	err := row.Scan(&v.Number, &v.Model, &document, &v.Note, &published, &v.PublishedBy)
	if document != "" {
		v.Document = json.RawMessage(document)
	}
	v.PublishedAt = at(published)
	return v, err
}

// spokenOf reads the configuration in force, nil if there is none. What a program with other rules published, and this one cannot read,
// is left out word by word.
func spokenOf(ctx context.Context, q store.Querier, p Product) (*wording.Wording, error) {
	if p.Voice == 0 {
		return nil, nil
	}
	v, err := loadVoice(ctx, q, p.ID, p.Voice)
	if err != nil {
		return nil, err
	}
	d, _ := wording.Parse(v.Document)
	return d.Ready(v.Number), nil
}
