package product

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/product/wording"
	"lampworks/nlu"
	"lampworks/tsl"
)

// This file keeps how devices of a product are spoken of (语音配置): a draft, and published versions that never change.

// A VoiceDraft is a voice configuration that somebody works on. It may still have problems.
type VoiceDraft struct {
	Revision  int64           // grows with each save; 0: there is no draft, Document is the version in force
	Document  json.RawMessage // see [wording.Document]; {} if there never was one
	ChangedAt time.Time
	Version   int                  // in force, 0: none
	Problems  tsl.Problems         // what keeps it from being published
	Warnings  []tsl.Problem        // what does not, and should be known
	Changes   []wording.Difference // from the version in force; empty while there are problems
}

// A Voice is a published voice configuration. It never changes.
type Voice struct {
	Number      int
	Model       int             // version of the thing model that it was checked against
	Document    json.RawMessage // left out in lists
	Note        string
	PublishedAt time.Time
	PublishedBy string               // user id, empty for the platform
	Changes     []wording.Difference // from the version before, or from the one that was asked for; not in lists
}

// VoiceDraft returns the draft of a product's voice configuration, or the version in force when there is none, held against the thing
// model in force.
func (s *Service) VoiceDraft(ctx context.Context, who access.Actor, id string) (VoiceDraft, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return VoiceDraft{}, err
	}
	var d VoiceDraft
	err := s.store.Read(ctx, func(v *store.View) error {
		p, err := load(ctx, v, who, id)
		if err != nil {
			return err
		}
		if d, err = loadVoiceDraft(ctx, v, id); err != nil {
			return err
		}
		current, err := voiceInForce(ctx, v, &p)
		if err != nil {
			return err
		}
		if d.Revision == 0 {
			d.Document, d.ChangedAt = current.Document, current.PublishedAt
		}
		return s.judge(ctx, v, &p, current.Document, &d)
	})
	return d, err
}

// SaveVoice keeps a document as the draft of a product's voice configuration, problems included; they are in the answer. If somebody
// saved since the revision that was edited, nothing is changed and the fault is stale.
func (s *Service) SaveVoice(ctx context.Context, who access.Actor, id string, n NewDraft) (VoiceDraft, error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return VoiceDraft{}, err
	}
	document, err := compactVoice(n.Document)
	if err != nil {
		return VoiceDraft{}, err
	}
	d := VoiceDraft{Document: document, ChangedAt: at(s.now().UnixMilli())}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Write); err != nil {
			return err
		}
		old, err := loadVoiceDraft(ctx, tx, id)
		if err != nil {
			return err
		}
		if n.Revision != 0 && n.Revision != old.Revision {
			return fault.Stale("draft of product", id)
		}
		current, err := voiceInForce(ctx, tx, &p)
		if err != nil {
			return err
		}
		d.Revision = max(old.Revision+1, d.ChangedAt.UnixMilli()) // grows also after a draft was published
		if err := s.judge(ctx, tx, &p, current.Document, &d); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, saveVoiceDraftSQL, id, d.Revision, string(document), d.ChangedAt.UnixMilli()); err != nil {
			return fmt.Errorf("saving the voice configuration of product %s: %w", id, err)
		}
		return audit.Record(ctx, tx, who, "product.voice.save", id, fmt.Sprintf("%d bytes, %d problems", len(document), len(d.Problems)))
	})
	if err != nil {
		return VoiceDraft{}, err
	}
	return d, nil
}

// PublishVoice makes the draft the next version of a product's voice configuration. From then on its devices are spoken of as it says,
// in every home; a sentence that is being read goes on with the words it began with.
func (s *Service) PublishVoice(ctx context.Context, who access.Actor, id, note string) (next Voice, err error) {
	if err := allow(who, access.PublishModel); err != nil {
		return Voice{}, err
	}
	if err := checkNote(note); err != nil {
		return Voice{}, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if err := p.stands(ctx, tx, enforce.Publish); err != nil {
			return err
		}
		next, err = s.publishVoice(ctx, tx, who, &p, note)
		return err
	})
	if err != nil {
		return Voice{}, err
	}
	return next, nil
}

func (s *Service) publishVoice(ctx context.Context, tx *store.Tx, who access.Actor, p *Product, note string) (Voice, error) {
	if p.State == Retired {
		return Voice{}, fault.Closed("publishing a voice configuration", string(p.State), p.Open(who))
	}
	d, err := loadVoiceDraft(ctx, tx, p.ID)
	if err != nil {
		return Voice{}, err
	}
	if d.Revision == 0 {
		return Voice{}, fault.Conflict("product "+p.ID, "product "+p.ID+" has no voice configuration to publish")
	}
	current, err := voiceInForce(ctx, tx, p)
	if err != nil {
		return Voice{}, err
	}
	if err := s.judge(ctx, tx, p, current.Document, &d); err != nil {
		return Voice{}, err
	}
	if len(d.Problems) > 0 {
		return Voice{}, brokenVoice(d.Problems)
	}
	if len(d.Changes) == 0 {
		return Voice{}, fault.Conflict("product "+p.ID, "the voice configuration says nothing else than version "+strconv.Itoa(p.Voice))
	}
	next := Voice{Number: p.Voice + 1, Model: p.Version, Document: d.Document, Note: note, PublishedAt: at(s.now().UnixMilli()), PublishedBy: who.User, Changes: d.Changes}
	if err := s.enterVoice(ctx, tx, p.ID, &next); err != nil {
		return Voice{}, err
	}
	return next, audit.Record(ctx, tx, who, "product.voice.publish", p.ID, fmt.Sprintf("version %d, %d changes, %s", next.Number, len(next.Changes), note))
}

// enterVoice writes a version, puts it in force, and drops the draft.
func (s *Service) enterVoice(ctx context.Context, tx *store.Tx, id string, v *Voice) error {
	_, err := tx.Exec(ctx, insertVoiceSQL, id, v.Number, v.Model, string(v.Document), v.Note, v.PublishedAt.UnixMilli(), v.PublishedBy)
	if err != nil {
		return fmt.Errorf("publishing voice configuration %d of product %s: %w", v.Number, id, err)
	}
	r, err := tx.Exec(ctx, advanceVoiceSQL, v.Number, v.PublishedAt.UnixMilli(), id, v.Number-1)
	if err != nil {
		return fmt.Errorf("putting voice configuration %d of product %s in force: %w", v.Number, id, err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(fault.Stale("product", id), err)
	}
	if _, err := tx.Exec(ctx, dropVoiceDraftSQL, id); err != nil {
		return fmt.Errorf("dropping the draft of the voice configuration of product %s: %w", id, err)
	}
	tx.AfterCommit(func() {
		s.known.forget(id)
		s.log.LogAttrs(context.WithoutCancel(ctx), slog.LevelInfo, "voice configuration published", slog.String("product", id), slog.Int("version", v.Number))
	})
	return nil
}

// VoiceVersion returns a published voice configuration, with its changes from the version from; 0: from the one before it.
func (s *Service) VoiceVersion(ctx context.Context, who access.Actor, id string, number, from int) (Voice, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return Voice{}, err
	}
	var found Voice
	err := s.store.Read(ctx, func(v *store.View) error {
		if _, err := load(ctx, v, who, id); err != nil {
			return err
		}
		var err error
		if found, err = loadVoice(ctx, v, id, number); err != nil {
			return err
		}
		before := Voice{Document: json.RawMessage("{}")}
		if from == 0 {
			from = number - 1
		}
		if from > 0 {
			if before, err = loadVoice(ctx, v, id, from); err != nil {
				return err
			}
		}
		was, _ := wording.Parse(before.Document)
		is, _ := wording.Parse(found.Document)
		found.Changes = wording.Diff(&was, &is)
		return nil
	})
	return found, err
}

// Voices returns the published voice configurations of a product, newest first, without their documents; before and the second value
// are as in [Service.Versions].
func (s *Service) Voices(ctx context.Context, who access.Actor, id string, before, limit int) ([]Voice, int, error) {
	return published(ctx, s, who, id, voicesSQL, before, limit, func(row scanner) (Voice, int, error) {
		v, err := scanVoice(row)
		v.Document = nil
		return v, v.Number, err
	})
}

// Judged is a voice configuration held against the thing model in force of its product.
type Judged struct {
	Document wording.Document // what of it can be read
	Problems tsl.Problems
	Warnings []tsl.Problem
}

// JudgeVoice holds a document against a product and keeps nothing; empty: the draft, or the version in force.
func (s *Service) JudgeVoice(ctx context.Context, who access.Actor, id string, document json.RawMessage) (Judged, error) {
	if err := who.Check(access.ReadProduct); err != nil {
		return Judged{}, err
	}
	if len(document) > 0 {
		var err error
		if document, err = compactVoice(document); err != nil {
			return Judged{}, err
		}
	}
	var j Judged
	err := s.store.Read(ctx, func(v *store.View) error {
		p, err := load(ctx, v, who, id)
		if err != nil {
			return err
		}
		if len(document) == 0 {
			if document, err = latestVoice(ctx, v, &p); err != nil {
				return err
			}
		}
		j.Document, j.Problems, j.Warnings, err = checkVoice(ctx, v, &p, document)
		return err
	})
	return j, err
}

// latestVoice is the draft of a product, or else its version in force.
func latestVoice(ctx context.Context, q store.Querier, p *Product) (json.RawMessage, error) {
	d, err := loadVoiceDraft(ctx, q, p.ID)
	if err != nil || d.Revision != 0 {
		return d.Document, err
	}
	current, err := voiceInForce(ctx, q, p)
	return current.Document, err
}

// judge holds a draft against the thing model in force, and tells what it changes.
func (s *Service) judge(ctx context.Context, q store.Querier, p *Product, before []byte, d *VoiceDraft) error {
	d.Version = p.Voice
	is, problems, warnings, err := checkVoice(ctx, q, p, d.Document)
	if err != nil {
		return err
	}
	if d.Problems, d.Warnings = problems, warnings; len(problems) > 0 {
		return nil
	}
	was, _ := wording.Parse(before) // published by a program with other rules: what can be read counts
	d.Changes = wording.Diff(&was, &is)
	return nil
}

// checkVoice reads a document and holds it against the thing model in force of its product.
func checkVoice(ctx context.Context, q store.Querier, p *Product, document []byte) (wording.Document, tsl.Problems, []tsl.Problem, error) {
	d, problems := wording.Parse(document)
	if len(problems) > 0 {
		return d, problems, nil, nil
	}
	model, err := inForce(ctx, q, *p)
	if err != nil {
		return d, nil, nil, err
	}
	if model == nil {
		return d, tsl.Problems{{Got: "a product without a thing model", Rule: "a published thing model", Fix: "publish one first"}}, nil, nil
	}
	home, err := everyday()
	if err != nil {
		return d, nil, nil, err
	}
	problems, warnings := wording.Check(&d, model, p.Category, home)
	return d, problems, warnings, nil
}

// everyday is a home with a device of each category, which words of makers are tried on.
var everyday = sync.OnceValues(func() (*nlu.Index, error) {
	all, err := Categories()
	if err != nil {
		return nil, err
	}
	var h nlu.Home
	for i := range all {
		h.Devices = append(h.Devices, nlu.Device{ID: all[i].Name, Category: all[i].Name, Model: all[i].Model})
	}
	return nlu.Compile(h)
})

// compactVoice is a document as it is kept: JSON without blanks, whatever else is wrong with it.
func compactVoice(document []byte) (json.RawMessage, error) {
	if len(document) > wording.MaxBytes {
		return nil, fault.TooLarge("/document", int64(len(document)), wording.MaxBytes)
	}
	return compact(document)
}

// brokenVoice is the fault of a configuration with problems; errors.AsType finds the [tsl.Problems] in it.
func brokenVoice(problems tsl.Problems) error {
	what := fmt.Sprintf("the voice configuration has %d problems, the first: %s", len(problems), problems[0])
	if len(problems) == 1 {
		what = "the voice configuration has a problem: " + problems[0].String()
	}
	return &fault.Fault{
		Code: fault.Malformed, What: what, Where: "/document" + problems[0].Path,
		Got: problems[0].Got, Rule: problems[0].Rule, Fix: problems[0].Fix, Err: problems,
	}
}
