package verify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// maxPapers is how many papers a submission may have.
const maxPapers = 40

// A Paper is one file with what it says of itself.
type Paper struct {
	ID           string
	Organisation string
	Slot         string
	Draft        bool // part of the next submission
	MediaType    blob.Type
	Size         int64
	SHA256       string
	About        About
	ValidFrom    time.Time // first day
	ValidUntil   time.Time // last day
	UploadedBy   string
	UploadedAt   time.Time

	blob  string // id
	about []byte // sealed
}

// About is what is sealed of a paper.
type About struct {
	Name   string `json:"name,omitempty"` // of the file
	Number string `json:"number,omitempty"`
	Issuer string `json:"issuer,omitempty"`
}

// ends is the moment a paper ends: the midnight after its last day. Zero: never.
func (p *Paper) ends() time.Time {
	if p.ValidUntil.IsZero() {
		return time.Time{}
	}
	return p.ValidUntil.Add(day)
}

// A NewPaper is what a paper is made of.
type NewPaper struct {
	Slot       string
	About      About
	ValidFrom  string // YYYY-MM-DD
	ValidUntil string // YYYY-MM-DD
	MediaType  string // as declared; empty: what it is is believed
}

// Upload takes a paper in for the next submission. It reads r to its end, or until it is too large, and never holds more of it
// than a piece. What the bytes are decides, not what they are called.
func (s *Service) Upload(ctx context.Context, who access.Actor, organisation string, n NewPaper, r io.Reader) (Paper, error) {
	p := Paper{ID: newID(), Organisation: organisation, Draft: true, UploadedBy: who.User}
	if err := who.Check(access.SubmitVerification); err != nil {
		return p, err
	}
	slot, err := s.checkPaper(&p, n)
	if err != nil {
		return p, err
	}
	if err := s.may(ctx, who, &p, slot); err != nil {
		return p, err
	}
	leave, err := s.intake.Take(organisation)
	if err != nil {
		return p, err
	}
	defer leave()
	kept, err := s.c.Blobs.Put(ctx, organisation, s.intake.Steady(r), blob.Rule{Where: "/paper", MaxBytes: slot.MaxBytes, Types: slot.Types})
	if err != nil {
		return p, err
	}
	p.blob, p.MediaType, p.Size, p.SHA256, p.UploadedAt = kept.ID, kept.Type, kept.Size, hex.EncodeToString(kept.SHA256[:]), s.now()
	err = p.MediaType.Declared(n.MediaType)
	if err == nil {
		err = s.enter(ctx, who, &p, slot)
	}
	if err != nil {
		return p, errors.Join(err, s.c.Blobs.Remove(context.WithoutCancel(ctx), p.blob)) // if that fails, it is swept
	}
	return p, nil
}

// checkPaper holds what is said of a paper to its slot.
func (s *Service) checkPaper(p *Paper, n NewPaper) (*Slot, error) {
	slot := s.catalogue.Slot(n.Slot)
	if slot == nil {
		return nil, fault.Unlisted("/query/slot", n.Slot, names("", s.catalogue.Papers, slotName), catalogueRoute)
	}
	p.Slot, p.About = slot.Slot, n.About
	var err error
	if p.ValidFrom, err = date("/query/valid_from", n.ValidFrom); err != nil {
		return nil, err
	}
	if p.ValidUntil, err = date("/query/valid_until", n.ValidUntil); err != nil {
		return nil, err
	}
	for _, about := range []struct {
		where, value string
		wish         Wish
		most         int
	}{
		{"number", n.About.Number, slot.Number, 64},
		{"issuer", n.About.Issuer, slot.Issuer, 100},
		{"valid_from", n.ValidFrom, slot.From, 10},
		{"valid_until", n.ValidUntil, slot.Until, 10},
		{"name", n.About.Name, Optional, 100},
	} {
		where := "/query/" + about.where
		switch {
		case about.wish == Required && about.value == "":
			return nil, fault.Invalid(where, "", "given for the paper "+slot.Slot, "")
		case about.wish == None && about.value != "":
			return nil, fault.Invalid(where, "given", "nothing for the paper "+slot.Slot, "leave it out")
		}
		if err := text(where, about.value, 0, about.most); err != nil {
			return nil, err
		}
	}
	switch {
	case p.ValidFrom.After(s.today()):
		return nil, fault.Invalid("/query/valid_from", n.ValidFrom, "a date that has begun", "")
	case !p.ValidUntil.IsZero() && !p.ends().After(s.now()):
		return nil, fault.Invalid("/query/valid_until", n.ValidUntil, "a date to come: the paper has expired", "upload the renewed one")
	case !p.ValidUntil.IsZero() && p.ValidUntil.Before(p.ValidFrom):
		return nil, fault.Invalid("/query/valid_until", n.ValidUntil, "a date not before valid_from", "")
	}
	return slot, nil
}

// may refuses before a byte is read what would be refused afterwards anyhow.
func (s *Service) may(ctx context.Context, who access.Actor, p *Paper, slot *Slot) error {
	return s.c.Store.Read(ctx, func(v *store.View) error {
		c, err := s.load(ctx, v, who, p.Organisation)
		if err != nil {
			return err
		}
		return s.room(ctx, v, who, c, slot)
	})
}

// room refuses one paper more than there may be.
func (s *Service) room(ctx context.Context, q store.Querier, who access.Actor, c *Case, slot *Slot) error {
	if c.State == Revoked {
		return fault.Closed("upload", string(c.State), c.Open(who))
	}
	papers, err := s.papers(ctx, q, draftPapersSQL, c.Organisation)
	if err != nil {
		return err
	}
	same := 0
	for i := range papers {
		if papers[i].Slot == slot.Slot {
			same++
		}
	}
	if same >= slot.Most {
		f := fault.Limit("papers "+slot.Slot, strconv.Itoa(same+1), fmt.Sprintf("%d in a submission", slot.Most), 0)
		f.Fix = "remove the one that is there first"
		return f
	}
	if len(papers) >= maxPapers {
		return fault.Limit("papers", strconv.Itoa(len(papers)+1), fmt.Sprintf("%d in a submission", maxPapers), 0)
	}
	return nil
}

// enter makes a paper of bytes that have come.
func (s *Service) enter(ctx context.Context, who access.Actor, p *Paper, slot *Slot) error {
	_, err := s.change(ctx, who, p.Organisation, "upload", func(tx *store.Tx, c *Case) (string, error) {
		if err := s.room(ctx, tx, who, c, slot); err != nil {
			return "", err
		}
		if err := quota.Take(ctx, tx, quota.Organisation(p.Organisation), quota.Storage, p.Size); err != nil {
			return "", err
		}
		about, err := s.seal(ctx, tx, p.Organisation, "paper", p.ID, p.About)
		if err != nil {
			return "", err
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO verify_paper (id, organisation, slot, draft, blob, media_type, size, sha256, about, valid_from, valid_until, uploaded_by, uploaded_at)
			VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, p.ID, p.Organisation, p.Slot, p.blob, p.MediaType, p.Size, p.SHA256, about,
			ms(p.ValidFrom), ms(p.ValidUntil), p.UploadedBy, ms(p.UploadedAt))
		if err != nil {
			return "", fmt.Errorf("entering paper %s: %w", p.ID, err)
		}
		return p.Slot + " " + p.ID, nil
	})
	return err
}

const paperColumns = `id, organisation, slot, draft, blob, media_type, size, sha256, about, valid_from, valid_until, uploaded_by, uploaded_at`

const draftPapersSQL = "SELECT " + paperColumns + " FROM verify_paper WHERE organisation = ? AND draft = 1 ORDER BY id LIMIT 1000"

const submittedPapersSQL = `
	SELECT ` + paperColumns + `
	FROM verify_paper
	WHERE organisation = ? AND id IN (SELECT paper FROM verify_used WHERE verify_used.organisation = ? AND number = ?)
	ORDER BY id LIMIT 1000`

// papers lists papers with what is said of them.
func (s *Service) papers(ctx context.Context, q store.Querier, query string, args ...any) ([]Paper, error) {
	papers, err := listPapers(ctx, q, query, args...)
	if err != nil {
		return nil, err
	}
	for i := range papers { // the rows are closed: opening asks the database too
		if err := s.open(ctx, q, &papers[i]); err != nil {
			return nil, err
		}
	}
	return papers, nil
}

func listPapers(ctx context.Context, q store.Querier, query string, args ...any) ([]Paper, error) {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing papers: %w", err)
	}
	defer rows.Close()
	papers := []Paper{}
	for rows.Next() {
		p, err := scanPaper(rows)
		if err != nil {
			return nil, fmt.Errorf("reading a paper: %w", err)
		}
		papers = append(papers, p)
	}
	return papers, rows.Err()
}

// open unseals what is said of a paper.
func (s *Service) open(ctx context.Context, q store.Querier, p *Paper) error {
	return s.unseal(ctx, q, p.Organisation, "paper", p.ID, p.about, &p.About)
}

func scanPaper(row listing.Scanner) (p Paper, err error) {
	var draft int
	var from, until, uploaded int64
	err = row.Scan(&p.ID, &p.Organisation, &p.Slot, &draft, &p.blob, &p.MediaType, &p.Size, &p.SHA256, &p.about, &from, &until, &p.UploadedBy, &uploaded)
	if err != nil {
		return p, err
	}
	p.Draft, p.ValidFrom, p.ValidUntil, p.UploadedAt = draft == 1, moment(from), moment(until), moment(uploaded)
	return p, nil
}

func (s *Service) paper(ctx context.Context, q store.Querier, who access.Actor, organisation, id string) (Paper, error) {
	if !who.Sees(organisation) {
		return Paper{}, fault.NotFound("paper", id)
	}
	p, err := scanPaper(q.QueryRow(ctx, "SELECT "+paperColumns+" FROM verify_paper WHERE id = ? AND organisation = ?", id, organisation))
	if errors.Is(err, store.ErrNoRows) {
		return p, fault.NotFound("paper", id)
	}
	if err != nil {
		return p, fmt.Errorf("reading paper %s: %w", id, err)
	}
	return p, s.open(ctx, q, &p)
}

// Remove takes a paper out of the next submission. What a submission has stays with it.
func (s *Service) Remove(ctx context.Context, who access.Actor, organisation, id string) error {
	if err := who.Check(access.SubmitVerification); err != nil {
		return err
	}
	_, err := s.change(ctx, who, organisation, "remove", func(tx *store.Tx, _ *Case) (string, error) {
		p, err := s.paper(ctx, tx, who, organisation, id)
		if err != nil {
			return "", err
		}
		if !p.Draft {
			return "", fault.Conflict("paper "+id, "the paper is part of a submission and of no draft: it stays")
		}
		var used int
		err = tx.QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM verify_used WHERE paper = ?) + (SELECT COUNT(*) FROM verify_waiver WHERE organisation = ? AND paper = ?)`,
			id, organisation, id).Scan(&used)
		if err != nil {
			return "", fmt.Errorf("looking for submissions with paper %s: %w", id, err)
		}
		if used > 0 {
			_, err := tx.Exec(ctx, "UPDATE verify_paper SET draft = 0 WHERE id = ?", id)
			return p.Slot + " " + id, err
		}
		return p.Slot + " " + id, s.throw(ctx, tx, &p)
	})
	return err
}

// throw deletes a paper; its bytes follow.
func (s *Service) throw(ctx context.Context, tx *store.Tx, p *Paper) error {
	if _, err := tx.Exec(ctx, "DELETE FROM verify_paper WHERE id = ?", p.ID); err != nil {
		return fmt.Errorf("deleting paper %s: %w", p.ID, err)
	}
	_, err := tx.Exec(ctx, "INSERT INTO verify_waste (blob, organisation) VALUES (?, ?)", p.blob, p.Organisation)
	if err != nil {
		return fmt.Errorf("deleting the bytes of paper %s: %w", p.ID, err)
	}
	tx.AfterCommit(s.look)
	return quota.Give(ctx, tx, quota.Organisation(p.Organisation), quota.Storage, p.Size)
}

// Look opens the bytes of a paper. A look of somebody who is not of the organisation is a reviewer's, and leaves an entry of
// the audit before the first byte.
func (s *Service) Look(ctx context.Context, who access.Actor, organisation, id string) (p Paper, r io.ReadCloser, err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return p, nil, err
	}
	read := func(q store.Querier) error {
		p, err = s.paper(ctx, q, who, organisation, id)
		return err
	}
	if who.Everywhere() {
		if err := who.Check(access.ReviewVerification); err != nil {
			return p, nil, err
		}
		err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
			if err := read(tx); err != nil {
				return err
			}
			if err := notMember(ctx, tx, who, organisation); err != nil {
				return err
			}
			return audit.Record(ctx, tx, who, "verification.look", organisation, p.Slot+" "+id)
		})
	} else {
		if err := who.Check(access.SubmitVerification); err != nil { // its engineers read what is asked, not the owner's papers
			return p, nil, err
		}
		err = s.c.Store.Read(ctx, func(v *store.View) error { return read(v) })
	}
	if err != nil {
		return p, nil, err
	}
	if r, err = s.c.Blobs.Open(ctx, p.Organisation, p.blob); err != nil {
		return p, nil, fmt.Errorf("opening paper %s: %w", id, err)
	}
	return p, r, nil
}
