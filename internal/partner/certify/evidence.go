package certify

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/quota"
)

// Evidence is a file that a result rests on.
type Evidence struct {
	ID           string // of the blob
	Case         string
	Organisation string
	Media        string
	Size         int64
	SHA256       string
	AddedAt      time.Time
}

const maxEvidence = 50 // files of a case

// evidenceRule is what evidence may be.
func evidenceRule() blob.Rule {
	return blob.Rule{Where: "/evidence", Types: []blob.Type{blob.PDF, blob.PNG, blob.JPEG, blob.WebP}, MaxBytes: 1 << 20}
}

// AddEvidence keeps a file with a case that is being tested, by who may record its result. It counts as a stored file of the
// maker.
func (s *Service) AddEvidence(ctx context.Context, who access.Actor, id string, content io.Reader) (Evidence, error) {
	if err := who.Check(access.RecordCertification); err != nil {
		return Evidence{}, err
	}
	c, err := s.Case(ctx, who, id)
	if err != nil {
		return Evidence{}, err
	}
	b, err := s.Blobs.Put(ctx, c.Organisation, content, evidenceRule())
	if err != nil {
		return Evidence{}, err
	}
	e := Evidence{
		ID: b.ID, Case: id, Organisation: c.Organisation, Media: string(b.Type), Size: b.Size, SHA256: hex.EncodeToString(b.SHA256[:]),
		AddedAt: at(s.now().UnixMilli()),
	}
	err = s.Store.Write(ctx, func(tx *store.Tx) error { return s.addEvidence(ctx, tx, who, e) })
	if err != nil {
		return Evidence{}, errors.Join(err, s.Blobs.Remove(context.WithoutCancel(ctx), b.ID))
	}
	return e, nil
}

func (s *Service) addEvidence(ctx context.Context, tx *store.Tx, who access.Actor, e Evidence) error {
	c, err := loadCase(ctx, tx, who, e.Case)
	if err != nil {
		return err
	}
	if c.State != Assigned {
		return fault.Closed("adding evidence", string(c.State), c.Open(who))
	}
	if err := s.mayRecord(ctx, tx, who, &c); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, countEvidenceSQL, e.Case).Scan(&n); err != nil {
		return fmt.Errorf("counting the evidence of certification %s: %w", e.Case, err)
	}
	if n >= maxEvidence {
		return fault.Limit("number of files", fmt.Sprint(n), fmt.Sprint(maxEvidence), 0)
	}
	if err := quota.Take(ctx, tx, quota.Organisation(e.Organisation), quota.Storage, e.Size); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, insertEvidenceSQL, e.ID, e.Case, e.Organisation, e.Media, e.Size, e.SHA256, who.User, millis(e.AddedAt)); err != nil {
		return fmt.Errorf("adding evidence to certification %s: %w", e.Case, err)
	}
	return audit.Record(ctx, tx, who, "certification.evidence", e.Case, e.ID+" sha256 "+e.SHA256)
}

// Evidence lists the files of a case that who sees; there are at most 50.
func (s *Service) Evidence(ctx context.Context, who access.Actor, id string) (all []Evidence, err error) {
	if err := who.Check(access.ReadCertification); err != nil {
		return nil, err
	}
	err = s.Store.Read(ctx, func(v *store.View) error {
		if _, err := loadCase(ctx, v, who, id); err != nil {
			return err
		}
		all, err = loadEvidence(ctx, v, id)
		return err
	})
	return all, err
}

// OpenEvidence reads a file of a case that who sees.
func (s *Service) OpenEvidence(ctx context.Context, who access.Actor, id, file string) (Evidence, io.ReadCloser, error) {
	all, err := s.Evidence(ctx, who, id)
	if err != nil {
		return Evidence{}, nil, err
	}
	for _, e := range all {
		if e.ID == file {
			r, err := s.Blobs.Open(ctx, e.Organisation, e.ID)
			return e, r, err
		}
	}
	return Evidence{}, nil, fault.NotFound("evidence", file)
}
