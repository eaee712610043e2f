package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/account"
)

// A Draft is what the organisation is filling in.
type Draft struct {
	Form   Form              `json:"form"`
	Values map[string]string `json:"values"`
}

// A Worksheet is a draft with what is asked and what is missing. Personal values are masked.
type Worksheet struct {
	Version int64
	Draft   Draft
	Kinds   []account.Kind // that the organisation says it is of
	Fields  []Field
	Slots   []Slot
	Papers  []Paper  // that the next submission will have
	Waived  []string // conditions that are waived now
	Missing []string // conditions that stand in the way of a submission
}

// SetForm replaces the values of the draft. Values are held to their rules; what is missing may come later. A personal value
// that is sent back as it was shown, masked, stays what it is.
func (s *Service) SetForm(ctx context.Context, who access.Actor, organisation string, d Draft) (*Case, error) {
	if err := who.Check(access.SubmitVerification); err != nil {
		return nil, err
	}
	return s.change(ctx, who, organisation, "fill_in", func(tx *store.Tx, c *Case) (string, error) {
		if c.State == Revoked {
			return "", fault.Closed("fill_in", string(c.State), c.Open(who))
		}
		kinds, err := account.KindsOf(ctx, tx, organisation)
		if err != nil {
			return "", err
		}
		old, err := s.draftOf(ctx, tx, c)
		if err != nil {
			return "", err
		}
		if err := s.checkDraft(&d, old, kinds); err != nil {
			return "", err
		}
		if c.draft, err = s.seal(ctx, tx, organisation, "draft", organisation, d); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d values of the form %s", len(d.Values), d.Form), nil
	})
}

// checkDraft holds a draft to the catalogue and takes what was sent back masked from the old one.
func (s *Service) checkDraft(d *Draft, old Draft, kinds []account.Kind) error {
	if d.Form != FormOrganisation && d.Form != FormPerson {
		return fault.Invalid("/form", string(d.Form), "organisation or person", "")
	}
	fields := s.catalogue.FieldsOf(d.Form, kinds)
	values := make(map[string]string, len(d.Values))
	var wrong Wrong
	for _, name := range slices.Sorted(maps.Keys(d.Values)) {
		f := find(fields, func(f *Field) bool { return f.Name == name })
		if f == nil {
			wrong = append(wrong, s.catalogue.unknown(name, fields))
			continue
		}
		value := d.Values[name]
		if was := old.Values[name]; f.Personal && was != "" && value == mask(was) {
			value = was
		}
		if value == "" {
			continue
		}
		if err := f.check(value, s.today()); err != nil {
			wrong = append(wrong, err)
			continue
		}
		values[name] = value
	}
	d.Values = values
	return wrong.fault()
}

func (s *Service) draftOf(ctx context.Context, q store.Querier, c *Case) (d Draft, err error) {
	if len(c.draft) == 0 {
		return Draft{Values: map[string]string{}}, nil
	}
	err = s.unseal(ctx, q, c.Organisation, "draft", c.Organisation, c.draft, &d)
	return d, err
}

// Worksheet returns the draft of an organisation, what is asked of it, and what is missing.
func (s *Service) Worksheet(ctx context.Context, who access.Actor, organisation string) (w Worksheet, err error) {
	if err := who.Check(access.ReadVerification); err != nil {
		return w, err
	}
	err = s.c.Store.Read(ctx, func(v *store.View) error {
		c, err := s.load(ctx, v, who, organisation)
		if err != nil {
			return err
		}
		if w, err = s.worksheet(ctx, v, c); err != nil {
			return err
		}
		w.Draft.Values = s.masked(w.Draft.Values)
		return nil
	})
	return w, err
}

// worksheet is the draft with what is missing, also of what was asked for, in full.
func (s *Service) worksheet(ctx context.Context, q store.Querier, c *Case) (w Worksheet, err error) {
	w.Version = c.Version
	if w.Kinds, err = account.KindsOf(ctx, q, c.Organisation); err != nil {
		return w, err
	}
	if w.Draft, err = s.draftOf(ctx, q, c); err != nil {
		return w, err
	}
	if w.Papers, err = s.papers(ctx, q, draftPapersSQL, c.Organisation); err != nil {
		return w, err
	}
	if w.Waived, err = waived(ctx, q, c.Organisation, s.now()); err != nil {
		return w, err
	}
	w.Fields, w.Slots = s.catalogue.FieldsOf(w.Draft.Form, w.Kinds), s.catalogue.SlotsOf(w.Draft.Form, w.Kinds)
	if w.Draft.Form == "" {
		w.Missing = append(w.Missing, "form")
	}
	w.missing(c.Ask)
	return w, nil
}

// missing finds what stands in the way of a submission.
func (w *Worksheet) missing(ask *Ask) {
	need := func(condition string, given bool) {
		if !given && !slices.Contains(w.Waived, condition) && !slices.Contains(w.Missing, condition) {
			w.Missing = append(w.Missing, condition)
		}
	}
	has := func(slot string, since time.Time) bool {
		return slices.ContainsFunc(w.Papers, func(p Paper) bool { return p.Slot == slot && !p.UploadedAt.Before(since) })
	}
	for _, f := range w.Fields {
		if f.Required {
			need("field."+f.Name, w.Draft.Values[f.Name] != "")
		}
	}
	for _, p := range w.Slots {
		if p.Required {
			need("paper."+p.Slot, has(p.Slot, time.Time{}))
		}
	}
	if ask != nil {
		for _, slot := range ask.Papers {
			need("paper."+slot, has(slot, moment(ask.At)))
		}
	}
}

// masked hides what is personal among values.
func (s *Service) masked(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for name, value := range values {
		if f := s.catalogue.Field(name); f == nil || f.Personal {
			value = mask(value)
		}
		out[name] = value
	}
	return out
}

func (s *Service) seal(ctx context.Context, tx *store.Tx, organisation, what, id string, v any) ([]byte, error) {
	sealed, err := s.c.Keys.Seal(ctx, tx, organisation, "verify "+what, id, []byte(marshal(v)))
	if err != nil {
		return nil, fmt.Errorf("sealing %s %s: %w", what, id, err)
	}
	return sealed, nil
}

func (s *Service) unseal(ctx context.Context, q store.Querier, organisation, what, id string, sealed []byte, v any) error {
	plain, err := s.c.Keys.Unseal(ctx, q, organisation, "verify "+what, id, sealed)
	if err != nil {
		return fmt.Errorf("opening %s %s: %w", what, id, err)
	}
	return json.Unmarshal(plain, v)
}
