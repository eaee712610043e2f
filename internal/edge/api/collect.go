package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/listing"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/quota"
	"lampworks/internal/partner/takeout"
	"lampworks/internal/partner/verify"
)

// collections are what an export consists of: the lists of the routes, in the form in which those give them.
func (a *API) collections() []takeout.Collection {
	return []takeout.Collection{
		a.collectPeople, a.collectAgreements, a.collectVerification, a.collectProducts, a.collectCertifications, a.collectOrders, a.collectDevices,
		a.collectVoice, a.collectServices, a.collectMeasures, a.collectRecords,
	}
}

// pages gives a page of a list: the one behind cursor.
type pages[V any] func(ctx context.Context, cursor string) (page[V], error)

// each calls do for every item of a list, page by page.
func each[V any](ctx context.Context, next pages[V], do func(V) error) error {
	for cursor := ""; ; {
		p, err := next(ctx, cursor)
		if err != nil {
			return err
		}
		for _, item := range p.Items {
			if err := do(item); err != nil {
				return err
			}
		}
		if cursor = p.NextCursor; cursor == "" {
			return nil
		}
	}
}

// collect writes a list into an archive, as JSON lines and as CSV.
func collect[V any](ctx context.Context, out *takeout.Archive, name string, next pages[V]) error {
	return collectThen(ctx, out, name, next, func(rows) error { return nil })
}

// collectThen is collect, and hands on the rows for what else is to be collected of each.
func collectThen[V any](ctx context.Context, out *takeout.Archive, name string, next pages[V], then func(rows) error) error {
	return collectRows(ctx, out, name, func(write func(V) error) error { return each(ctx, next, write) }, then)
}

// rows are those of a list as they were written, kept outside of memory.
type rows struct{ spool *blob.Spool }

// collectRows is collectThen of rows that are found in several lists. They are read once, whatever is made of them.
func collectRows[V any](ctx context.Context, out *takeout.Archive, name string, all func(write func(V) error) error, then func(rows) error) (err error) {
	kept := rows{out.Spool(ctx)}
	defer func() { err = errors.Join(err, kept.spool.Close()) }()
	f, err := out.File(ctx, name+".jsonl")
	if err != nil {
		return err
	}
	lines := newLines(io.MultiWriter(f, kept.spool))
	err = all(func(item V) error {
		if err := lines.Write(item); err != nil {
			return err
		}
		return f.Row(ctx)
	})
	if err != nil {
		return err
	}
	if f, err = out.File(ctx, name+".csv"); err != nil {
		return err
	}
	table := newCSV(f, reflect.TypeFor[V]())
	err = again(ctx, kept, func(line json.RawMessage) error {
		if err := table.WriteJSON(line); err != nil {
			return err
		}
		return f.Row(ctx)
	})
	if err != nil {
		return err
	}
	if err := table.Flush(); err != nil {
		return err
	}
	return then(kept)
}

// again calls do for every row, as far as R reads it.
func again[R any](ctx context.Context, kept rows, do func(R) error) error {
	content, err := kept.spool.Open(ctx)
	if err != nil {
		return err
	}
	defer content.Close()
	for in := json.NewDecoder(content); ; {
		var row R
		if err := in.Decode(&row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("reading rows again: %w", err)
		}
		if err := do(row); err != nil {
			return err
		}
	}
}

// An identified row is one of which more is collected.
type identified struct {
	ID string `json:"id"`
}

// asked is the question for the page behind cursor.
func asked(cursor string, filters map[string]string) listing.Ask {
	return listing.Ask{Filters: filters, Cursor: cursor, Limit: exportPage}
}

func (a *API) collectPeople(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	o, err := a.Accounts.Organisation(ctx, who, who.Organisation)
	if err != nil {
		return err
	}
	if err := out.JSON(ctx, "organisation.json", organisationOf(&o)); err != nil {
		return err
	}
	err = collect(ctx, out, "members", func(ctx context.Context, cursor string) (page[memberView], error) {
		p, err := a.Accounts.Members(ctx, who, who.Organisation, asked(cursor, nil))
		return pageFrom(p, memberOf), err
	})
	if err != nil {
		return err
	}
	return collect(ctx, out, "invitations", func(ctx context.Context, cursor string) (page[invitationView], error) {
		p, err := a.Accounts.Invitations(ctx, who, who.Organisation, asked(cursor, nil))
		return pageFrom(p, invitationOf), err
	})
}

func (a *API) collectAgreements(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	type accepted struct {
		Agreement string `json:"agreement"`
		Version   int    `json:"version"`
	}
	return collectThen(ctx, out, "acceptances", func(ctx context.Context, cursor string) (page[acceptanceView], error) {
		p, err := a.Agreements.Acceptances(ctx, who, asked(cursor, nil))
		return pageFrom(p, acceptanceOf), err
	}, func(acceptances rows) error {
		written := make(map[accepted]bool)
		return again(ctx, acceptances, func(e accepted) error {
			if written[e] {
				return nil
			}
			written[e] = true
			v, err := a.Agreements.Numbered(ctx, who, e.Agreement, e.Version)
			if err != nil {
				return err
			}
			return out.JSON(ctx, "agreements/"+e.Agreement+"/"+strconv.Itoa(e.Version)+".json", wholeVersion(who, &v))
		})
	})
}

func (a *API) collectVerification(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	c, err := a.Verify.Load(ctx, who, who.Organisation)
	if err != nil {
		return err
	}
	position, err := a.verificationOf(ctx, who, c, nil)
	if err != nil {
		return err
	}
	form, err := a.Verify.Worksheet(ctx, who, who.Organisation)
	if err != nil {
		return err
	}
	if err := out.JSON(ctx, "verification/position.json", position); err != nil {
		return err
	}
	if err := out.JSON(ctx, "verification/form.json", verifyWorksheetOf(&form)); err != nil {
		return err
	}
	papers := form.Papers
	submissions := func(ctx context.Context, cursor string) (page[VerifySubmissionLine], error) {
		p, err := a.Verify.Submissions(ctx, who, who.Organisation, asked(cursor, nil))
		return pageFrom(p, verifySubmissionLineOf), err
	}
	err = each(ctx, submissions, func(line VerifySubmissionLine) error {
		s, err := a.Verify.Submission(ctx, who, who.Organisation, line.Number)
		if err != nil {
			return err
		}
		papers = append(papers, s.Papers...)
		return out.JSON(ctx, "verification/submissions/"+strconv.Itoa(line.Number)+".json", verifySubmissionOf(&s))
	})
	if err != nil {
		return err
	}
	if err := a.collectPapers(ctx, who, out, papers); err != nil {
		return err
	}
	return collect(ctx, out, "waivers", func(ctx context.Context, cursor string) (page[verifyWaiverView], error) {
		p, err := a.Verify.Waivers(ctx, who, asked(cursor, nil))
		return pageFrom(p, verifyWaiverOf), err
	})
}

// collectPapers writes the papers of verifications, each once.
func (a *API) collectPapers(ctx context.Context, who access.Actor, out *takeout.Archive, papers []verify.Paper) error {
	written := make(map[string]bool)
	for i := range papers {
		if written[papers[i].ID] {
			continue
		}
		written[papers[i].ID] = true
		p, content, err := a.Verify.Look(ctx, who, who.Organisation, papers[i].ID)
		err = copyFile(ctx, out, "verification/papers/"+papers[i].Slot+"-"+papers[i].ID+p.MediaType.Extension(), content, err)
		if err != nil {
			return err
		}
	}
	return nil
}

// copyFile writes a file that somebody opened.
func copyFile(ctx context.Context, out *takeout.Archive, name string, content io.ReadCloser, err error) error {
	if err != nil {
		return left(err)
	}
	return out.Copy(ctx, name, content)
}

// left leaves out what was taken away since the list was read that names it.
func left(err error) error {
	if fault.Is(err, fault.Missing) {
		return nil
	}
	return err
}

func (a *API) collectProducts(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	type pictured struct {
		ID   string `json:"id"`
		Icon string `json:"icon"`
	}
	err := collectThen(ctx, out, "products", func(ctx context.Context, cursor string) (page[productView], error) {
		p, err := a.Products.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, productOf(who)), err
	}, func(products rows) error {
		return again(ctx, products, func(p pictured) error {
			if p.Icon != "" {
				media, content, err := a.Products.OpenIcon(ctx, p.Icon)
				if err := copyFile(ctx, out, "icons/"+p.ID+blob.Type(media).Extension(), content, err); err != nil {
					return err
				}
			}
			return left(a.collectModels(ctx, who, out, p.ID))
		})
	})
	if err != nil {
		return err
	}
	return collectThen(ctx, out, "papers", func(ctx context.Context, cursor string) (page[paperView], error) {
		p, err := a.Products.Papers(ctx, who, asked(cursor, nil))
		return pageFrom(p, paperOf(who)), err
	}, func(papers rows) error {
		return again(ctx, papers, func(p identified) error {
			d, content, err := a.Products.OpenPaper(ctx, who, p.ID)
			return copyFile(ctx, out, "papers/"+p.ID+blob.Type(d.Media).Extension(), content, err)
		})
	})
}

// collectModels writes every version of a product's thing model, and the draft if there is one.
func (a *API) collectModels(ctx context.Context, who access.Actor, out *takeout.Archive, product string) error {
	err := each(ctx, func(ctx context.Context, cursor string) (page[versionView], error) {
		return a.versions(ctx, who, &versionsInput{PageInput: PageInput{Cursor: cursor}, Product: product})
	}, func(line versionView) error {
		v, err := a.Products.Version(ctx, who, product, line.Number)
		if err != nil {
			return err
		}
		return out.JSON(ctx, "thing-models/"+product+"/"+strconv.Itoa(v.Number)+".json", versionOf(&v))
	})
	if err != nil {
		return err
	}
	if err := a.collectVoices(ctx, who, out, product); err != nil {
		return err
	}
	d, err := a.Products.Draft(ctx, who, product)
	if err != nil || d.Revision == 0 {
		return err
	}
	return out.JSON(ctx, "thing-models/"+product+"/draft.json", draftOf(&d, asItIs))
}

// collectVoices writes every version of a product's voice configuration, and the draft if there is one.
func (a *API) collectVoices(ctx context.Context, who access.Actor, out *takeout.Archive, product string) error {
	err := each(ctx, func(ctx context.Context, cursor string) (page[voiceView], error) {
		return a.voices(ctx, who, &versionsInput{PageInput: PageInput{Cursor: cursor}, Product: product})
	}, func(line voiceView) error {
		v, err := a.Products.VoiceVersion(ctx, who, product, line.Number, 0)
		if err != nil {
			return err
		}
		return out.JSON(ctx, "voice-configurations/"+product+"/"+strconv.Itoa(v.Number)+".json", voiceOf(&v))
	})
	if err != nil {
		return err
	}
	d, err := a.Products.VoiceDraft(ctx, who, product)
	if err != nil || d.Revision == 0 {
		return err
	}
	return out.JSON(ctx, "voice-configurations/"+product+"/draft.json", voiceDraftOf(&d, asItIs))
}

type caseEvidence struct {
	Certification string `json:"certification"`
	evidenceView
}

func (a *API) collectCertifications(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	err := collectThen(ctx, out, "certifications", func(ctx context.Context, cursor string) (page[caseView], error) {
		p, err := a.Certify.Cases(ctx, who, asked(cursor, nil))
		return pageFrom(p, caseOf(who)), err
	}, func(cases rows) error {
		return collectRows(ctx, out, "evidence", func(write func(caseEvidence) error) error {
			return again(ctx, cases, func(c identified) error {
				all, err := a.Certify.Evidence(ctx, who, c.ID)
				for i := range all {
					if err := write(caseEvidence{c.ID, evidenceOf(&all[i])}); err != nil {
						return err
					}
				}
				return left(err)
			})
		}, func(evidence rows) error { return a.collectEvidence(ctx, who, out, evidence) })
	})
	if err != nil {
		return err
	}
	return collect(ctx, out, "certificates", func(ctx context.Context, cursor string) (page[certificateView], error) {
		p, err := a.Certify.Certificates(ctx, who, asked(cursor, nil))
		return pageFrom(p, certificateOf(who)), err
	})
}

// collectEvidence writes the files of certifications.
func (a *API) collectEvidence(ctx context.Context, who access.Actor, out *takeout.Archive, evidence rows) error {
	return again(ctx, evidence, func(e caseEvidence) error {
		_, content, err := a.Certify.OpenEvidence(ctx, who, e.Certification, e.ID)
		return copyFile(ctx, out, "evidence/"+e.Certification+"/"+e.ID+blob.Type(e.Media).Extension(), content, err)
	})
}

type orderBurn struct {
	Order string `json:"order"`
	burnView
}

type logRow struct {
	Log string `json:"log"`
	badRowView
}

func (a *API) collectOrders(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	err := collectThen(ctx, out, "orders", func(ctx context.Context, cursor string) (page[orderView], error) {
		p, err := a.Orders.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, orderOf(who)), err
	}, func(orders rows) error {
		return collectEach(ctx, out, "burns", orders, func(order string) pages[burnView] {
			return func(ctx context.Context, cursor string) (page[burnView], error) {
				p, err := a.Factory.Burns(ctx, who, order, asked(cursor, nil))
				return pageFrom(p, burnOf), err
			}
		}, func(order string, b burnView) orderBurn { return orderBurn{order, b} })
	})
	if err != nil {
		return err
	}
	err = collect(ctx, out, "downloads", func(ctx context.Context, cursor string) (page[downloadView], error) {
		p, err := a.Orders.Downloads(ctx, who, asked(cursor, nil))
		return pageFrom(p, downloadOf), err
	})
	if err != nil {
		return err
	}
	err = collect(ctx, out, "mac-lists", func(ctx context.Context, cursor string) (page[macListView], error) {
		p, err := a.Orders.Lists(ctx, who, asked(cursor, nil))
		return pageFrom(p, macListOf), err
	})
	if err != nil {
		return err
	}
	return collectThen(ctx, out, "burn-logs", func(ctx context.Context, cursor string) (page[burnLogView], error) {
		p, err := a.Factory.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, burnLogOf), err
	}, func(logs rows) error {
		return collectEach(ctx, out, "burn-log-rows-refused", logs, func(log string) pages[badRowView] {
			return func(ctx context.Context, cursor string) (page[badRowView], error) {
				p, err := a.Factory.Flaws(ctx, who, log, asked(cursor, nil))
				return pageFrom(p, badRowOf(asItIs)), err
			}
		}, func(log string, r badRowView) logRow { return logRow{log, r} })
	})
}

// collectEach writes one list of the lists that each of the rows has, and names in each row whose it is.
func collectEach[V, W any](ctx context.Context, out *takeout.Archive, name string, of rows, list func(id string) pages[V], form func(id string, item V) W) error {
	return collectRows(ctx, out, name, func(write func(W) error) error {
		return again(ctx, of, func(row identified) error {
			return left(each(ctx, list(row.ID), func(item V) error { return write(form(row.ID, item)) }))
		})
	}, func(rows) error { return nil })
}

func (a *API) collectDevices(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	return collect(ctx, out, "devices", func(ctx context.Context, cursor string) (page[deviceView], error) {
		p, err := a.Devices.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, viewOf), err
	})
}

// collectVoice writes the cases that were made of what nobody understood.
func (a *API) collectVoice(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	return collect(ctx, out, "voice-cases", func(ctx context.Context, cursor string) (page[triedView], error) {
		in := triedInput{}
		in.Cursor, in.Limit = cursor, exportPage
		return a.tried(ctx, who, &in)
	})
}

func (a *API) collectServices(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	err := collect(ctx, out, "service-applications", func(ctx context.Context, cursor string) (page[applicationView], error) {
		p, err := a.Entitlements.Applications(ctx, who, asked(cursor, nil))
		return pageFrom(p, applicationOf(who)), err
	})
	if err != nil {
		return err
	}
	err = collect(ctx, out, "service-overrides", func(ctx context.Context, cursor string) (page[overrideView], error) {
		p, err := a.Entitlements.Overrides(ctx, who, asked(cursor, nil))
		return pageFrom(p, overrideOf), err
	})
	if err != nil || a.Quota == nil {
		return err
	}
	err = collect(ctx, out, "limits", func(ctx context.Context, _ string) (page[useView], error) {
		us, err := a.Quota.Usage(ctx, who, quota.Organisation(who.Organisation))
		return pageTo(us, "", useOf), err
	})
	if err != nil {
		return err
	}
	err = collect(ctx, out, "limit-overrides", func(ctx context.Context, cursor string) (page[limitOverrideView], error) {
		var ask quota.Ask
		ask.Cursor, ask.Limit = cursor, exportPage
		p, err := a.Quota.Overrides(ctx, who, ask)
		return pageFrom(p, limitOverrideOf), err
	})
	if err != nil {
		return err
	}
	return collect(ctx, out, "limit-notices", func(ctx context.Context, cursor string) (page[limitNoticeView], error) {
		p, err := a.Quota.Notices(ctx, who, asked(cursor, nil))
		return pageFrom(p, limitNoticeOf), err
	})
}

type measureEvent struct {
	Measure string `json:"measure"`
	eventView
}

func (a *API) collectMeasures(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	err := collectThen(ctx, out, "measures", func(ctx context.Context, cursor string) (page[measureView], error) {
		p, err := a.Enforce.Measures(ctx, who, asked(cursor, nil))
		return pageFrom(p, measureOf(who)), err
	}, func(measures rows) error {
		return collectEach(ctx, out, "measure-events", measures, func(measure string) pages[eventView] {
			return func(ctx context.Context, cursor string) (page[eventView], error) {
				p, err := a.Enforce.Events(ctx, who, asked(cursor, map[string]string{"measure": measure}))
				return pageFrom(p, eventOf), err
			}
		}, func(measure string, e eventView) measureEvent { return measureEvent{measure, e} })
	})
	if err != nil {
		return err
	}
	err = collect(ctx, out, "appeals", func(ctx context.Context, cursor string) (page[appealView], error) {
		p, err := a.Enforce.Appeals(ctx, who, asked(cursor, nil))
		return pageFrom(p, appealOf(who)), err
	})
	if err != nil {
		return err
	}
	return collect(ctx, out, "deletions", func(ctx context.Context, cursor string) (page[deletionView], error) {
		p, err := a.Enforce.Deletions(ctx, who, asked(cursor, nil))
		return pageFrom(p, deletionOf(who)), err
	})
}

// collectRecords writes what the organisation was told, and what was done in its name.
func (a *API) collectRecords(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	err := collect(ctx, out, "notices", func(ctx context.Context, cursor string) (page[itemView], error) {
		items, next, err := a.Notices.Inbox(ctx, who, notice.Ask{Shared: true, Cursor: cursor, Limit: notice.MaxLimit})
		return pageTo(items, next, itemOf), err
	})
	if err != nil {
		return err
	}
	return collect(ctx, out, "audit", func(ctx context.Context, cursor string) (p page[auditView], err error) {
		err = a.Store.Read(ctx, func(v *store.View) error {
			es, next, err := audit.Search(ctx, v, who, who.Organisation, audit.Filter{Cursor: cursor, Limit: audit.MaxPage})
			p = pageTo(es, next, auditOf)
			return err
		})
		return p, err
	})
}
