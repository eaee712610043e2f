package agreement

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// MaxPaper is how large a guardian's paper may be, bytes.
const MaxPaper = 10 << 20

const maxPapers = 4 // of one kind in a consent

// A PaperKind is what a paper of a guardian shows.
type PaperKind string

// The kinds of papers. A reviewer confirms a consent that has both.
const (
	Signed       PaperKind = "consent"  // what the guardian signed (监护人同意书)
	Relationship PaperKind = "relation" // that they are the guardian (监护关系证明): a household register, a certificate of birth, a ruling
)

// PaperKinds lists them.
func PaperKinds() []PaperKind { return []PaperKind{Signed, Relationship} }

// A Paper is one file of a guardian's consent.
type Paper struct {
	ID         string
	Kind       PaperKind
	MediaType  blob.Type
	Size       int64
	SHA256     string
	UploadedAt time.Time
	Gone       bool // its bytes went when the consent had ended

	consent, user, blob string
}

// MediaTypes are what a paper may be. SVG is a program, not a picture.
func MediaTypes() []blob.Type { return []blob.Type{blob.PDF, blob.PNG, blob.JPEG, blob.WebP} }

// Upload takes a paper in for who's own consent, while nobody has decided about it. It reads r to its end, or until it is too
// large, and never holds more of it than a piece. Declared is what it was said to be; what the bytes are decides.
func (s *Service) Upload(ctx context.Context, who access.Actor, consent string, kind PaperKind, declared string, r io.Reader) (Paper, error) {
	p := Paper{ID: newID(), Kind: kind, consent: consent, user: who.User}
	if err := ownSession(who, "guardian.upload"); err != nil {
		return p, err
	}
	if !slices.Contains(PaperKinds(), kind) {
		return p, fault.Invalid("/query/kind", string(kind), "consent or relation", "say what the paper shows")
	}
	err := s.Store.Read(ctx, func(v *store.View) error { // before a byte is read what would be refused afterwards anyhow
		_, err := changing(ctx, v, who, consent, kind)
		return err
	})
	if err != nil {
		return p, err
	}
	leave, err := s.intake.Take(who.User)
	if err != nil {
		return p, err
	}
	defer leave()
	kept, err := s.Blobs.Put(ctx, "", s.intake.Steady(r), blob.Rule{Where: "/paper", MaxBytes: MaxPaper, Types: MediaTypes()})
	if err != nil {
		return p, err
	}
	p.blob, p.MediaType, p.Size, p.SHA256, p.UploadedAt = kept.ID, kept.Type, kept.Size, hex.EncodeToString(kept.SHA256[:]), at(s.now().UnixMilli())
	if err = p.MediaType.Declared(declared); err == nil {
		err = s.enter(ctx, who, &p)
	}
	if err != nil {
		return p, errors.Join(err, s.Blobs.Remove(context.WithoutCancel(ctx), p.blob)) // if that fails, it is swept
	}
	return p, nil
}

// ownSession lets only a person pass who signed in themselves.
func ownSession(who access.Actor, what string) error {
	if who.User == "" || who.Kind != access.KindUser {
		return fault.Forbidden(what, "a session opened with login and password")
	}
	return nil
}

// changing finds who's own consent whose papers may still be changed, and has room for one more of a kind; empty: for none.
func changing(ctx context.Context, q store.Querier, who access.Actor, consent string, kind PaperKind) (Consent, error) {
	c, err := loadConsent(ctx, q, who, consent)
	if err != nil {
		return c, err
	}
	if c.User != who.User {
		return c, fault.Forbidden("guardian.upload", "the person whom the consent is for")
	}
	if c.State != Requested {
		return c, fault.Closed("changing the papers", string(c.State), c.Open(who))
	}
	same := 0
	for i := range c.Papers {
		if c.Papers[i].Kind == kind {
			same++
		}
	}
	if same >= maxPapers {
		f := fault.Limit("papers "+string(kind), fmt.Sprint(same+1), fmt.Sprintf("%d in a consent", maxPapers), 0)
		f.Fix = "remove one that is there first"
		return c, f
	}
	return c, nil
}

// enter makes a paper of bytes that have come.
func (s *Service) enter(ctx context.Context, who access.Actor, p *Paper) error {
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := changing(ctx, tx, who, p.consent, p.Kind); err != nil {
			return err
		}
		if err := quota.Take(ctx, tx, quota.User(p.user, ""), quota.UserStorage, p.Size); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			INSERT INTO agreement_paper (`+paperColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, p.ID, p.consent, p.user, string(p.Kind), p.blob, string(p.MediaType), p.Size, p.SHA256, p.UploadedAt.UnixMilli())
		if err != nil {
			return fmt.Errorf("entering paper %s: %w", p.ID, err)
		}
		if err := markReady(ctx, tx, p.consent); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "guardian.upload", p.consent, string(p.Kind)+" "+p.ID)
	})
}

const paperColumns = `id, consent, user_id, kind, blob, media_type, size, sha256, uploaded_at`

// markReady writes down whether a consent waits for a reviewer: both kinds of papers are there.
func markReady(ctx context.Context, tx *store.Tx, consent string) error {
	_, err := tx.Exec(ctx, `
		UPDATE agreement_guardian
		SET ready = CASE WHEN state = 'requested' AND (SELECT COUNT(DISTINCT kind) FROM agreement_paper WHERE consent = ?) = ? THEN 1 ELSE 0 END
		WHERE id = ?`, consent, len(PaperKinds()), consent)
	if err != nil {
		return fmt.Errorf("marking consent %s for review: %w", consent, err)
	}
	return nil
}

func scanPaper(row scanner) (p Paper, err error) {
	var uploaded int64
	err = row.Scan(&p.ID, &p.consent, &p.user, &p.Kind, &p.blob, &p.MediaType, &p.Size, &p.SHA256, &uploaded)
	p.UploadedAt, p.Gone = at(uploaded), p.blob == ""
	return p, err
}

// papersOf lists the papers of a consent, oldest first.
func papersOf(ctx context.Context, q store.Querier, consent string) ([]Paper, error) {
	papers, err := rowsOf(ctx, q, scanPaper, "SELECT "+paperColumns+" FROM agreement_paper WHERE consent = ? ORDER BY id LIMIT 100", consent)
	if err != nil {
		return nil, fmt.Errorf("reading the papers of consent %s: %w", consent, err)
	}
	return papers, nil
}

// paper finds one of the papers of a consent.
func (c *Consent) paper(id string) (*Paper, error) {
	for i := range c.Papers {
		if c.Papers[i].ID == id {
			return &c.Papers[i], nil
		}
	}
	return nil, fault.NotFound("paper", id)
}

// RemovePaper takes a paper out of who's own consent, while nobody has decided about it.
func (s *Service) RemovePaper(ctx context.Context, who access.Actor, consent, id string) error {
	if err := ownSession(who, "guardian.remove"); err != nil {
		return err
	}
	return s.Store.Write(ctx, func(tx *store.Tx) error {
		c, err := changing(ctx, tx, who, consent, "")
		if err != nil {
			return err
		}
		p, err := c.paper(id)
		if err != nil {
			return err
		}
		if err := s.throw(ctx, tx, p); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, "DELETE FROM agreement_paper WHERE id = ?", id); err != nil {
			return fmt.Errorf("removing paper %s: %w", id, err)
		}
		if err := markReady(ctx, tx, consent); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "guardian.remove", consent, string(p.Kind)+" "+id)
	})
}

// throwAll lets the bytes of the papers of a consent go that has ended. Their hashes stay.
func (s *Service) throwAll(ctx context.Context, tx *store.Tx, c *Consent) error {
	for i := range c.Papers {
		if err := s.throw(ctx, tx, &c.Papers[i]); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "UPDATE agreement_paper SET blob = '' WHERE consent = ?", c.ID); err != nil {
		return fmt.Errorf("letting the papers of consent %s go: %w", c.ID, err)
	}
	return nil
}

// throw has the bytes of a paper deleted after the commit.
func (s *Service) throw(ctx context.Context, tx *store.Tx, p *Paper) error {
	if p.Gone {
		return nil
	}
	if _, err := tx.Exec(ctx, "INSERT INTO agreement_waste (blob) VALUES (?)", p.blob); err != nil {
		return fmt.Errorf("deleting the bytes of paper %s: %w", p.ID, err)
	}
	p.Gone = true
	tx.AfterCommit(s.look)
	return quota.Give(ctx, tx, quota.User(p.user, ""), quota.UserStorage, p.Size)
}

// look wakes Run: there are bytes to delete.
func (s *Service) look() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// clean deletes the bytes of papers that are no more.
func (s *Service) clean(ctx context.Context) error {
	for {
		var waste []string
		err := s.Store.Read(ctx, func(v *store.View) (err error) {
			waste, err = rowsOf(ctx, v, scanText, "SELECT blob FROM agreement_waste ORDER BY blob LIMIT 100")
			return err
		})
		if err != nil || len(waste) == 0 {
			return err
		}
		for _, id := range waste {
			if err := s.Blobs.Remove(ctx, id); err != nil {
				return err
			}
			err := s.Store.Write(ctx, func(tx *store.Tx) error {
				_, err := tx.Exec(ctx, "DELETE FROM agreement_waste WHERE blob = ?", id)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
}

func scanText(row scanner) (text string, err error) { return text, row.Scan(&text) }

// LookAt opens the bytes of a paper: for the person whom the consent is for, and for reviewers, whose look leaves an entry of
// the audit before the first byte.
func (s *Service) LookAt(ctx context.Context, who access.Actor, consent, id string) (p Paper, r io.ReadCloser, err error) {
	read := func(q store.Querier) error {
		c, err := loadConsent(ctx, q, who, consent)
		if err != nil {
			return err
		}
		found, err := c.paper(id)
		if err != nil {
			return err
		}
		if p = *found; p.Gone {
			return fault.Expired("paper", id)
		}
		return nil
	}
	err = s.Store.Read(ctx, func(v *store.View) error { return read(v) })
	if err == nil && p.user != who.User {
		err = s.Store.Write(ctx, func(tx *store.Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "guardian.look", consent, string(p.Kind)+" "+id)
		})
	}
	if err != nil {
		return p, nil, err
	}
	if r, err = s.Blobs.Open(ctx, "", p.blob); err != nil {
		return p, nil, fmt.Errorf("opening paper %s: %w", id, err)
	}
	return p, r, nil
}

// Named says which of these blobs are papers: others may be swept, as far as this room goes.
func (s *Service) Named(ctx context.Context, ids []string) (named []string, err error) {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(ids)), ", ")
	err = s.Store.Read(ctx, func(v *store.View) error {
		named, err = rowsOf(ctx, v, scanText, "SELECT blob FROM agreement_paper WHERE blob <> '' AND blob IN ("+marks+")", args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for papers: %w", err)
	}
	return named, nil
}
