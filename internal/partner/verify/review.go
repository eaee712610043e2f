package verify

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// claimTime is how long a claim keeps others from deciding.
const claimTime = 8 * time.Hour

// review is change for a reviewer, who may not be a member.
func (s *Service) review(ctx context.Context, who access.Actor, organisation, name string, do func(tx *store.Tx, c *Case) (string, error)) (*Case, error) {
	if err := who.Check(access.ReviewVerification); err != nil {
		return nil, err
	}
	return s.change(ctx, who, organisation, name, func(tx *store.Tx, c *Case) (string, error) {
		if err := notMember(ctx, tx, who, organisation); err != nil {
			return "", err
		}
		return do(tx, c)
	})
}

// claimed refuses who, if another works on the case.
func (s *Service) claimed(c *Case, who access.Actor) error {
	until := c.ClaimedAt.Add(claimTime)
	if c.Reviewer == "" || c.Reviewer == who.User || !s.now().Before(until) {
		return nil
	}
	f := fault.Conflict("reviewer", "another reviewer works on it, until "+fault.Stamp(until)+" at the longest")
	f.Got, f.Fix = c.Reviewer, "take another one, or ask them to release it"
	return f
}

// Claim takes a submission for review, so that two do not work on one. For empty is who; another is given it by who, which an
// administrator may do.
func (s *Service) Claim(ctx context.Context, who access.Actor, organisation, user string) (*Case, error) {
	if user == "" {
		user = who.User
	}
	if user != who.User && !who.May(access.ManageUsers) {
		if err := who.Check(access.ReviewVerification); err != nil {
			return nil, err
		}
		return nil, fault.Forbidden(string(access.ReviewVerification), "role admin, to give it to somebody else")
	}
	return s.review(ctx, who, organisation, "claim", func(tx *store.Tx, c *Case) (string, error) {
		if !c.State.waits() {
			return "", fault.Closed("claim", string(c.State), c.Open(who))
		}
		if user == who.User {
			if err := s.claimed(c, who); err != nil {
				return "", err
			}
		} else if err := s.mayReview(ctx, tx, user, organisation); err != nil {
			return "", err
		}
		c.Reviewer, c.ClaimedAt = user, s.now()
		return "user " + user, nil
	})
}

// mayReview refuses to give a case to somebody who could not decide it.
func (s *Service) mayReview(ctx context.Context, tx *store.Tx, user, organisation string) error {
	var n int
	err := tx.QueryRow(ctx, "SELECT COUNT(*) FROM account_user WHERE id = ? AND state = 'active' AND platform_role IN (?, ?)", user, access.Admin, access.Reviewer).Scan(&n)
	if err != nil {
		return fmt.Errorf("looking for reviewer %s: %w", user, err)
	}
	if n == 0 {
		return fault.NotFound("reviewer", user)
	}
	return notMember(ctx, tx, access.Actor{User: user}, organisation)
}

// Release gives a claim back. An administrator may end anybody's.
func (s *Service) Release(ctx context.Context, who access.Actor, organisation string) (*Case, error) {
	return s.review(ctx, who, organisation, "release", func(_ *store.Tx, c *Case) (string, error) {
		if c.Reviewer == "" {
			return "", fault.InState("reviewer", "nobody works on it", c.Open(who))
		}
		if err := s.claimed(c, who); err != nil && !who.May(access.ManageUsers) {
			return "", err
		}
		was := c.Reviewer
		c.Reviewer, c.ClaimedAt = "", time.Time{}
		return "user " + was, nil
	})
}

// A Decision is what a reviewer makes of a submission.
type Decision struct {
	Submission int // number of the one that was looked at
	Approve    bool
	Reasons    []Reason // of a rejection; at least one
	Note       string   // the organisation will read it
	Decline    []string // qualifications that are not granted though the papers for them are there
}

// Decide approves or rejects a submission. Of two who decide at once, the second is told that it is stale.
func (s *Service) Decide(ctx context.Context, who access.Actor, organisation string, d Decision) (*Case, error) {
	act := Reject
	if d.Approve {
		act = Approve
	}
	return s.review(ctx, who, organisation, string(act), func(tx *store.Tx, c *Case) (string, error) {
		sub, err := s.whole(ctx, tx, organisation, d.Submission)
		if err != nil {
			return "", err
		}
		switch {
		case d.Submission != c.Submission:
			return "", fault.Stale("submission", strconv.Itoa(d.Submission))
		case sub.State == Withdrawn || sub.State != Submitted && sub.DecidedBy == who.User:
			return "", fault.Closed(string(act), sub.State, []string(nil))
		case sub.State != Submitted:
			return "", fault.Stale("submission", strconv.Itoa(d.Submission))
		}
		if err := s.claimed(c, who); err != nil {
			return "", err
		}
		if err := s.checkDecision(&d, &sub); err != nil {
			return "", err
		}
		if d.Approve {
			err = s.approve(ctx, tx, who, c, &sub, d)
		} else {
			err = s.reject(ctx, tx, who, c, d)
		}
		return fmt.Sprintf("submission %d", d.Submission), err
	})
}

// checkDecision holds reasons and refusals to what was submitted.
func (s *Service) checkDecision(d *Decision, sub *Submission) error {
	if err := text("/note", d.Note, 0, 2000); err != nil {
		return err
	}
	if d.Approve == (len(d.Reasons) > 0) {
		return fault.Invalid("/reasons", strconv.Itoa(len(d.Reasons)), "at least one for a rejection, none for an approval", "")
	}
	if len(d.Reasons) > 50 {
		return fault.Limit("/reasons", strconv.Itoa(len(d.Reasons)), "50", 0)
	}
	for i, r := range d.Reasons {
		if err := s.checkReason(fmt.Sprintf("/reasons/%d", i), r, sub); err != nil {
			return err
		}
	}
	for i, q := range d.Decline {
		if s.catalogue.Qualification(q) == nil {
			return fault.Unlisted(fmt.Sprintf("/decline/%d", i), q, s.catalogue.QualificationNames(), catalogueRoute)
		}
	}
	return nil
}

func (s *Service) checkReason(at string, r Reason, sub *Submission) error {
	spec := s.catalogue.reason(r.Code)
	if spec == nil {
		return fault.Unlisted(at+"/code", r.Code, names("", s.catalogue.Reasons, reasonCode), catalogueRoute)
	}
	of := "whole"
	if r.Where != "" {
		of, _, _ = strings.Cut(r.Where, ".")
		asked := slices.Concat(names("field.", s.catalogue.FieldsOf(sub.Form, sub.Kinds), fieldName), names("paper.", s.catalogue.SlotsOf(sub.Form, sub.Kinds), slotName))
		if !slices.Contains(asked, r.Where) {
			f := fault.Unlisted(at+"/where", r.Where, asked, catalogueRoute)
			f.Fix = "name a field or paper of the submission's form, or leave it empty for the whole"
			return f
		}
	}
	if !slices.Contains(spec.Of, of) {
		return fault.Invalid(at+"/code", r.Code, "a reason for a "+of, "it is one for: "+strings.Join(spec.Of, ", "))
	}
	if r.Code == "other" && r.Text == "" {
		return fault.Invalid(at+"/text", "", "the reason in words", "")
	}
	return text(at+"/text", r.Text, 0, 1000)
}

// approve lets a submission hold, until the first of its papers ends.
func (s *Service) approve(ctx context.Context, tx *store.Tx, who access.Actor, c *Case, sub *Submission, d Decision) error {
	expires := s.expiry(sub)
	if !expires.IsZero() && !expires.After(s.now()) {
		return fault.Conflict("papers", "a paper of the submission has expired on "+dateText(expires.Add(-day))+" meanwhile: reject it with expired_paper")
	}
	if err := c.move(Approve, who); err != nil {
		return err
	}
	c.Form, c.Kinds, c.Approved, c.ExpiresAt, c.warned = sub.Form, sub.Kinds, sub.Number, expires, 0
	if err := s.closeSubmission(ctx, tx, who, c, Approved, nil, d.Note); err != nil {
		return err
	}
	if err := s.grant(ctx, tx, c, sub, d.Decline); err != nil {
		return err
	}
	until := "—"
	if !expires.IsZero() {
		until = dateText(expires.Add(-day))
	}
	return s.tell(ctx, tx, c.Organisation, "verification.approved", map[string]string{"until": until, "note": d.Note})
}

// expiry is when the first paper ends that the verification itself rests upon; zero: none does.
func (s *Service) expiry(sub *Submission) (at time.Time) {
	for i := range sub.Papers {
		if !s.catalogue.carries(sub.Papers[i].Slot) {
			at = earliest(at, sub.Papers[i].ends())
		}
	}
	return at
}

func (s *Service) reject(ctx context.Context, tx *store.Tx, who access.Actor, c *Case, d Decision) error {
	if err := c.move(Reject, who); err != nil {
		return err
	}
	if err := s.closeSubmission(ctx, tx, who, c, Refused, d.Reasons, d.Note); err != nil {
		return err
	}
	if err := s.overtake(ctx, tx, c); err != nil {
		return err
	}
	return s.tell(ctx, tx, c.Organisation, "verification.rejected", map[string]string{
		"note": d.Note, "reason": s.catalogue.said(d.Reasons, "en"), "reason:zh-CN": s.catalogue.said(d.Reasons, "zh-CN"),
	})
}

// said is the reasons of a rejection in one language: what each is about, why, and the reviewer's own words.
func (c *Catalogue) said(reasons []Reason, lang string) string {
	colon, stop := ": ", "; "
	if lang == "zh-CN" {
		colon, stop = "：", "；"
	}
	var all []string
	for _, r := range reasons {
		about := r.Where
		if name, ok := strings.CutPrefix(r.Where, "paper."); ok && c.Slot(name) != nil {
			about = c.Slot(name).Title[lang]
		} else if name, ok := strings.CutPrefix(r.Where, "field."); ok && c.Field(name) != nil {
			about = c.Field(name).Title[lang]
		}
		if about != "" {
			about += colon
		}
		all = append(all, strings.TrimSpace(about+c.reason(r.Code).Title[lang]+" "+r.Text))
	}
	return strings.Join(all, stop)
}

// A Demand is what a reviewer asks of a verified organisation.
type Demand struct {
	Act         Act    // AskRecheck, AskSupplement
	Text        string // what is to be done
	Papers      []string
	Due         time.Time
	Consequence string // of the due date: LevelDrops, EndsAgreement
}

// longestDue is how far ahead something may be asked for.
const longestDue = 366 * day

// Ask asks a verified organisation for papers by a date: a spot check (AskRecheck) or supplements (AskSupplement). What the
// organisation has submitted to renew does not keep a reviewer from asking: it becomes void, and is submitted again as the answer.
func (s *Service) Ask(ctx context.Context, who access.Actor, organisation string, d Demand) (*Case, error) {
	return s.review(ctx, who, organisation, string(d.Act), func(tx *store.Tx, c *Case) (string, error) {
		if err := s.checkDemand(&d); err != nil {
			return "", err
		}
		waits := c.State.waits()
		if err := c.move(d.Act, who); err != nil {
			return "", err
		}
		if waits { // its answer is another submission
			if err := s.closeSubmission(ctx, tx, who, c, Void, nil, d.Text); err != nil {
				return "", err
			}
		}
		for i, slot := range d.Papers {
			if asked := names("", s.catalogue.SlotsOf(c.Form, c.Kinds), slotName); !slices.Contains(asked, slot) {
				return "", fault.Unlisted(fmt.Sprintf("/papers/%d", i), slot, asked, catalogueRoute)
			}
		}
		c.DueAt = moment(ms(d.Due))
		c.Ask = &Ask{Text: d.Text, Papers: append([]string{}, d.Papers...), Consequence: d.Consequence, By: who.User, At: ms(s.now())}
		note := fmt.Sprintf("due %s, then %s", fault.Stamp(c.DueAt), d.Consequence)
		return note, s.tell(ctx, tx, organisation, "verification.supplement", map[string]string{
			"until": fault.Stamp(c.DueAt), "reason": d.Text, "consequence": d.Consequence,
		})
	})
}

func (s *Service) checkDemand(d *Demand) error {
	if d.Act != AskRecheck && d.Act != AskSupplement {
		return fault.Invalid("/act", string(d.Act), "ask_recheck or ask_supplement", "")
	}
	if err := text("/text", d.Text, 1, 2000); err != nil {
		return err
	}
	if d.Consequence != LevelDrops && d.Consequence != EndsAgreement {
		return fault.Invalid("/consequence", d.Consequence, LevelDrops+" or "+EndsAgreement, "")
	}
	if !d.Due.After(s.now()) || d.Due.After(s.now().Add(longestDue)) {
		return fault.Invalid("/due", fault.Stamp(d.Due), "a time to come, within 366 days", "")
	}
	if len(d.Papers) > maxPapers {
		return fault.Limit("/papers", strconv.Itoa(len(d.Papers)), strconv.Itoa(maxPapers), 0)
	}
	return nil
}

// Clear takes back what was asked for.
func (s *Service) Clear(ctx context.Context, who access.Actor, organisation, note string) (*Case, error) {
	return s.review(ctx, who, organisation, string(Clear), func(_ *store.Tx, c *Case) (string, error) {
		if err := text("/note", note, 1, 2000); err != nil {
			return "", err
		}
		return "", c.move(Clear, who)
	})
}

// Revoke ends a verification because papers were false. Nothing of it holds from the commit on, and the operator's measures
// are told.
func (s *Service) Revoke(ctx context.Context, who access.Actor, organisation, reason string) (*Case, error) {
	return s.review(ctx, who, organisation, string(Revoke), func(tx *store.Tx, c *Case) (string, error) {
		if err := text("/reason", reason, 1, 2000); err != nil {
			return "", err
		}
		waits := c.State.waits()
		if err := c.move(Revoke, who); err != nil {
			return "", err
		}
		if waits {
			if err := s.closeSubmission(ctx, tx, who, c, Void, nil, reason); err != nil {
				return "", err
			}
		}
		c.revokedBy, c.ExpiresAt = who.User, time.Time{}
		if err := s.ungrant(ctx, tx, organisation); err != nil {
			return "", err
		}
		if err := s.consequence(ctx, tx, c, FalsePapers, reason); err != nil {
			return "", err
		}
		return fmt.Sprintf("submission %d", c.Submission), s.tell(ctx, tx, organisation, "verification.revoked", map[string]string{"reason": reason})
	})
}

// Reinstate lets an organisation begin again whose verification was revoked, without the measure that the revocation brought.
// Not by who revoked it.
func (s *Service) Reinstate(ctx context.Context, who access.Actor, organisation, reason string) (*Case, error) {
	return s.review(ctx, who, organisation, string(Reinstate), func(tx *store.Tx, c *Case) (string, error) {
		if err := text("/reason", reason, 1, 2000); err != nil {
			return "", err
		}
		if c.State == Revoked && c.revokedBy == who.User {
			return "", fault.Forbidden(string(Reinstate), "another reviewer than the one who revoked it")
		}
		if err := c.move(Reinstate, who); err != nil {
			return "", err
		}
		c.Form, c.Kinds, c.Approved, c.revokedBy = "", nil, 0, ""
		if err := s.takeBack(ctx, tx, c, reason); err != nil {
			return "", err
		}
		return "", s.tell(ctx, tx, organisation, "verification.reinstated", map[string]string{"reason": reason})
	})
}

// Reveal returns a submission in full, to a reviewer only; the look is an entry of the audit, with its reason.
func (s *Service) Reveal(ctx context.Context, who access.Actor, organisation string, number int, reason string) (sub Submission, err error) {
	if err := who.Check(access.ReviewVerification); err != nil {
		return sub, err
	}
	if err := text("/reason", reason, 1, 500); err != nil {
		return sub, err
	}
	err = s.c.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := s.load(ctx, tx, who, organisation); err != nil {
			return err
		}
		if err := notMember(ctx, tx, who, organisation); err != nil {
			return err
		}
		if sub, err = s.whole(ctx, tx, organisation, number); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, "verification.reveal", organisation, fmt.Sprintf("submission %d: %s", number, reason))
	})
	return sub, err
}
