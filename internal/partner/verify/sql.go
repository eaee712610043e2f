package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

const caseColumns = `organisation, version, state, form, kinds, submission, approved, submitted_at, expires_at, warned, due_at, ask,
	reviewer, claimed_at, revoked_by, draft, updated_at`

func scanCase(row listing.Scanner) (*Case, error) {
	var c Case
	var kinds, ask string
	var submitted, expires, due, claimed, updated int64
	err := row.Scan(&c.Organisation, &c.Version, &c.State, &c.Form, &kinds, &c.Submission, &c.Approved, &submitted, &expires, &c.warned,
		&due, &ask, &c.Reviewer, &claimed, &c.revokedBy, &c.draft, &updated)
	if err != nil {
		return nil, err
	}
	c.SubmittedAt, c.ExpiresAt, c.DueAt = moment(submitted), moment(expires), moment(due)
	c.ClaimedAt, c.UpdatedAt = moment(claimed), moment(updated)
	if err := json.Unmarshal([]byte(kinds), &c.Kinds); err != nil {
		return nil, err
	}
	return &c, json.Unmarshal([]byte(ask), &c.Ask)
}

// save writes a case that was read in the same transaction, and what reviewers list of it.
func (s *Service) save(ctx context.Context, tx *store.Tx, c *Case) error {
	c.UpdatedAt = s.now()
	c.Version++
	if c.draft == nil {
		c.draft = []byte{}
	}
	args := []any{
		c.Version, c.State, c.Form, marshal(kindList(c.Kinds)), c.Submission, c.Approved, ms(c.SubmittedAt), ms(c.ExpiresAt), c.warned, ms(c.DueAt),
		marshal(c.Ask), c.Reviewer, ms(c.ClaimedAt), c.revokedBy, c.draft, ms(c.next()), ms(c.UpdatedAt), c.Organisation,
	}
	statement := `
		INSERT INTO verify_case (version, state, form, kinds, submission, approved, submitted_at, expires_at, warned, due_at, ask,
			reviewer, claimed_at, revoked_by, draft, next_at, updated_at, organisation)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	if !c.isNew {
		statement = `
		UPDATE verify_case
		SET version = ?, state = ?, form = ?, kinds = ?, submission = ?, approved = ?, submitted_at = ?, expires_at = ?, warned = ?, due_at = ?,
			ask = ?, reviewer = ?, claimed_at = ?, revoked_by = ?, draft = ?, next_at = ?, updated_at = ?
		WHERE organisation = ? AND version = ?`
		args = append(args, c.Version-1)
	}
	r, err := tx.Exec(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("writing the verification of organisation %s: %w", c.Organisation, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		if err != nil {
			return err
		}
		return fault.Stale("verification", c.Organisation)
	}
	c.isNew = false
	tx.AfterCommit(s.look)
	s.changed(tx, c.Organisation)
	return s.enqueue(ctx, tx, c)
}

// enqueue writes what reviewers list of a case: under no kind, and under each of its kinds.
func (s *Service) enqueue(ctx context.Context, tx *store.Tx, c *Case) error {
	form, kinds := c.Form, c.Kinds
	if c.Submission > 0 {
		sub, err := submission(ctx, tx, c.Organisation, c.Submission)
		if err != nil {
			return err
		}
		form, kinds = sub.Form, sub.Kinds
	}
	if _, err := tx.Exec(ctx, "DELETE FROM verify_queue WHERE organisation = ?", c.Organisation); err != nil {
		return fmt.Errorf("listing the verification of organisation %s: %w", c.Organisation, err)
	}
	for _, kind := range slices.Concat([]account.Kind{""}, kinds) {
		_, err := tx.Exec(ctx, `
			INSERT INTO verify_queue (kind, organisation, state, form, submitted_at, due_at, expires_at, reviewer)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
			kind, c.Organisation, c.State, form, ms(c.SubmittedAt), ms(c.DueAt), ms(c.ExpiresAt), c.Reviewer)
		if err != nil {
			return fmt.Errorf("listing the verification of organisation %s: %w", c.Organisation, err)
		}
	}
	return nil
}

// kindList is a list of kinds as its column holds it.
func kindList(kinds []account.Kind) []account.Kind {
	if kinds == nil {
		return []account.Kind{}
	}
	return kinds
}

func marshal(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts, numbers, and lists and maps of them always encode
	}
	return string(b)
}

func unmarshal(text string, v any) error { return json.Unmarshal([]byte(text), v) }
