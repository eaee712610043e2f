package api

import (
	"context"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/verify"
)

type verificationAskView struct {
	Text        string   `json:"text" doc:"What is to be done."`
	Papers      []string `json:"papers" nullable:"false" doc:"Slots of the papers that are to come."`
	Consequence string   `json:"consequence" enum:"level_drops,agreement_ends" doc:"What happens at the date."`
}

type verificationGrantView struct {
	Qualification string `json:"qualification"`
	Since         moment `json:"since"`
	EndsAt        moment `json:"ends_at,omitzero" doc:"Absent: with the verification."`
	Waiver        string `json:"waiver,omitempty" doc:"Id of the waiver it is held by."`
}

type verificationView struct {
	Organisation string                  `json:"organisation"`
	State        verify.State            `json:"state"`
	Level        int                     `json:"level" doc:"0 unverified, 1 a person, 2 an organisation, 3 with the qualification for mass production."`
	Form         verify.Form             `json:"form,omitempty" doc:"Of what holds now."`
	Kinds        []account.Kind          `json:"kinds" nullable:"false" doc:"That hold now."`
	Grants       []verificationGrantView `json:"qualifications" nullable:"false"`
	Submission   int                     `json:"submission,omitempty" doc:"Number of the newest."`
	SubmittedAt  moment                  `json:"submitted_at,omitzero"`
	ExpiresAt    moment                  `json:"expires_at,omitzero" doc:"When the first of the papers ends that it rests upon."`
	DueAt        moment                  `json:"due_at,omitzero" doc:"By when what is asked for is to come."`
	Ask          *verificationAskView    `json:"ask,omitempty"`
	Reviewer     string                  `json:"reviewer,omitempty" doc:"User who works on it."`
	OpenActs     []verify.Act            `json:"open_acts" nullable:"false" doc:"What the caller may do now."`
	Version      int64                   `json:"version"`
}

func (v verificationView) revision() int64 { return v.Version }

// verificationOf shows a case; what holds now is asked anew.
func (a *API) verificationOf(ctx context.Context, who access.Actor, c *verify.Case, err error) (verificationView, error) {
	if err != nil {
		return verificationView{}, err
	}
	st, err := a.Verify.Position(ctx, who, c.Organisation)
	if err != nil {
		return verificationView{}, err
	}
	v := verificationView{
		Organisation: c.Organisation, State: c.State, Level: st.Level, Form: st.Form, Kinds: append([]account.Kind{}, st.Kinds...),
		Grants: []verificationGrantView{}, Submission: c.Submission, SubmittedAt: moment(c.SubmittedAt), ExpiresAt: moment(st.Until),
		DueAt: moment(c.DueAt), Reviewer: c.Reviewer, OpenActs: append([]verify.Act{}, c.Open(who)...), Version: c.Version,
	}
	for _, g := range st.Grants {
		v.Grants = append(v.Grants, verificationGrantView{g.Qualification, moment(g.GrantedAt), moment(g.EndsAt), g.WaivedBy})
	}
	if c.Ask != nil {
		v.Ask = &verificationAskView{c.Ask.Text, append([]string{}, c.Ask.Papers...), c.Ask.Consequence}
	}
	return v, nil
}

type verifyPaperView struct {
	ID         string `json:"id"`
	Slot       string `json:"slot"`
	MediaType  string `json:"media_type"`
	Size       int64  `json:"size_bytes"`
	SHA256     string `json:"sha256"`
	Name       string `json:"name,omitempty"`
	Number     string `json:"number,omitempty"`
	Issuer     string `json:"issuer,omitempty"`
	ValidFrom  string `json:"valid_from,omitempty" format:"date" doc:"First day."`
	ValidUntil string `json:"valid_until,omitempty" format:"date" doc:"Last day."`
	UploadedBy string `json:"uploaded_by"`
	UploadedAt moment `json:"uploaded_at"`
}

func verifyPaperOf(p *verify.Paper) verifyPaperView {
	return verifyPaperView{
		p.ID, p.Slot, string(p.MediaType), p.Size, p.SHA256, p.About.Name, p.About.Number, p.About.Issuer, fault.StampDate(p.ValidFrom), fault.StampDate(p.ValidUntil),
		p.UploadedBy, moment(p.UploadedAt),
	}
}

func verifyPapersOf(ps []verify.Paper) []verifyPaperView {
	out := make([]verifyPaperView, 0, len(ps))
	for i := range ps {
		out = append(out, verifyPaperOf(&ps[i]))
	}
	return out
}

type verifyWorksheetView struct {
	Version int64             `json:"version"`
	Form    verify.Form       `json:"form,omitempty"`
	Values  map[string]string `json:"values" doc:"Personal values are masked; sent back as they are shown, they stay what they are."`
	Kinds   []account.Kind    `json:"kinds" nullable:"false"`
	Fields  []verify.Field    `json:"fields" nullable:"false" doc:"What the form asks."`
	Slots   []verify.Slot     `json:"slots" nullable:"false" doc:"The papers it takes."`
	Papers  []verifyPaperView `json:"papers" nullable:"false" doc:"That the next submission will have."`
	Waived  []string          `json:"waived" nullable:"false" doc:"Conditions that are waived now."`
	Missing []string          `json:"missing" nullable:"false" doc:"What stands in the way of a submission: field.NAME, paper.SLOT, form."`
}

func (v verifyWorksheetView) revision() int64 { return v.Version }

func verifyWorksheetOf(w *verify.Worksheet) verifyWorksheetView {
	return verifyWorksheetView{
		w.Version, w.Draft.Form, w.Draft.Values, append([]account.Kind{}, w.Kinds...), append([]verify.Field{}, w.Fields...),
		append([]verify.Slot{}, w.Slots...), verifyPapersOf(w.Papers), append([]string{}, w.Waived...), append([]string{}, w.Missing...),
	}
}

type verifyChangeView struct {
	Where  string `json:"where"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// VerifySubmissionLine is a submission in a list.
type VerifySubmissionLine struct {
	Number      int             `json:"number"`
	State       string          `json:"state" enum:"submitted,approved,rejected,withdrawn,void"`
	Form        verify.Form     `json:"form"`
	Kinds       []account.Kind  `json:"kinds" nullable:"false"`
	Catalogue   string          `json:"catalogue" doc:"Version of the catalogue it was held to."`
	SubmittedBy string          `json:"submitted_by"`
	SubmittedAt moment          `json:"submitted_at"`
	DecidedBy   string          `json:"decided_by,omitempty"`
	DecidedAt   moment          `json:"decided_at,omitzero"`
	Reasons     []verify.Reason `json:"reasons" nullable:"false"`
	Note        string          `json:"note,omitempty"`
}

func verifySubmissionLineOf(s *verify.Submission) VerifySubmissionLine {
	return VerifySubmissionLine{
		s.Number, s.State, s.Form, append([]account.Kind{}, s.Kinds...), s.Catalogue, s.SubmittedBy, moment(s.SubmittedAt), s.DecidedBy,
		moment(s.DecidedAt), append([]verify.Reason{}, s.Reasons...), s.Note,
	}
}

type verifySubmissionView struct {
	VerifySubmissionLine
	Values  map[string]string  `json:"values"`
	Papers  []verifyPaperView  `json:"papers" nullable:"false"`
	Waived  []string           `json:"waived" nullable:"false"`
	Changes []verifyChangeView `json:"changes" nullable:"false" doc:"To the one that was decided about before."`
}

func verifySubmissionOf(s *verify.Submission) verifySubmissionView {
	v := verifySubmissionView{verifySubmissionLineOf(s), s.Values, verifyPapersOf(s.Papers), append([]string{}, s.Waived...), []verifyChangeView{}}
	for _, c := range s.Changes {
		v.Changes = append(v.Changes, verifyChangeView(c))
	}
	return v
}

type verificationEntryView struct {
	Organisation string       `json:"organisation"`
	State        verify.State `json:"state"`
	Form         verify.Form  `json:"form,omitempty"`
	SubmittedAt  moment       `json:"submitted_at,omitzero"`
	DueAt        moment       `json:"due_at,omitzero"`
	ExpiresAt    moment       `json:"expires_at,omitzero"`
	Reviewer     string       `json:"reviewer,omitempty"`
}

func verificationEntryOf(e *verify.Entry) verificationEntryView {
	return verificationEntryView{e.Organisation, e.State, e.Form, moment(e.SubmittedAt), moment(e.DueAt), moment(e.ExpiresAt), e.Reviewer}
}

type verifyWaitingView struct {
	Days  int   `json:"days" doc:"Have waited at most so long; 0: longer than the others."`
	Count int64 `json:"count"`
}

type verificationFiguresView struct {
	States  map[verify.State]int64 `json:"states"`
	Waiting []verifyWaitingView    `json:"waiting" nullable:"false" doc:"Submissions that nobody has decided about, by age."`
	Oldest  moment                 `json:"oldest,omitzero"`
	Claimed int64                  `json:"claimed"`
	Overdue int64                  `json:"overdue"`
}

func verificationFiguresOf(f *verify.Figures) verificationFiguresView {
	v := verificationFiguresView{f.States, []verifyWaitingView{}, moment(f.Oldest), f.Claimed, f.Overdue}
	for _, w := range f.Waiting {
		v.Waiting = append(v.Waiting, verifyWaitingView(w))
	}
	return v
}

type verifyWaiverView struct {
	ID           string `json:"id"`
	Organisation string `json:"organisation"`
	Condition    string `json:"condition" doc:"field.NAME, paper.SLOT or qualification.NAME."`
	Reason       string `json:"reason"`
	Wording      string `json:"wording"`
	Paper        string `json:"paper,omitempty"`
	StartsAt     moment `json:"starts_at"`
	EndsAt       moment `json:"ends_at"`
	InForce      bool   `json:"in_force"`
	GivenBy      string `json:"given_by"`
	GivenAt      moment `json:"given_at"`
	RevokedBy    string `json:"revoked_by,omitempty"`
	RevokedAt    moment `json:"revoked_at,omitzero"`
	RevokedFor   string `json:"revoked_for,omitempty"`
}

func verifyWaiverOf(w *verify.Waiver) verifyWaiverView {
	return verifyWaiverView{
		w.ID, w.Organisation, w.Condition, w.Reason, w.Wording, w.Paper, moment(w.Starts), moment(w.Ends), w.InForce(time.Now()), w.By,
		moment(w.Given), w.RevokedBy, moment(w.Revoked), w.RevokedFor,
	}
}
