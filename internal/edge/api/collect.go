package api

import (
	"context"
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
		a.collectServices, a.collectMeasures, a.collectRecords,
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

// collect writes a list into an archive, as JSON lines and as CSV. It is read twice: neither is ever held.
func collect[V any](ctx context.Context, out *takeout.Archive, name string, next pages[V]) error {
	return collectRows(ctx, out, name, func(ctx context.Context, write func(V) error) error { return each(ctx, next, write) })
}

// collectRows is collect of rows that are found in several lists.
func collectRows[V any](ctx context.Context, out *takeout.Archive, name string, all func(context.Context, func(V) error) error) error {
	for _, format := range []string{"jsonl", "csv"} {
		f, err := out.File(ctx, name+"."+format)
		if err != nil {
			return err
		}
		var rows rowWriter = newLines(f)
		if format == "csv" {
			rows = newCSV(f, reflect.TypeFor[V]())
		}
		err = all(ctx, func(item V) error {
			if err := rows.Write(item); err != nil {
				return err
			}
			return f.Row(ctx)
		})
		if err != nil {
			return err
		}
		if err := rows.Flush(); err != nil {
			return err
		}
	}
	return nil
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
	acceptances := func(ctx context.Context, cursor string) (page[acceptanceView], error) {
		p, err := a.Agreements.Acceptances(ctx, who, asked(cursor, nil))
		return pageFrom(p, acceptanceOf), err
	}
	if err := collect(ctx, out, "acceptances", acceptances); err != nil {
		return err
	}
	written := make(map[string]bool)
	return each(ctx, acceptances, func(e acceptanceView) error {
		name := "agreements/" + e.Agreement + "/" + strconv.Itoa(e.Version) + ".json"
		if written[name] {
			return nil
		}
		written[name] = true
		v, err := a.Agreements.Numbered(ctx, who, e.Agreement, e.Version)
		if err != nil {
			return err
		}
		return out.JSON(ctx, name, wholeVersion(who, &v))
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

// copyFile writes a file that somebody opened. One that was taken away since its list was read is left out.
func copyFile(ctx context.Context, out *takeout.Archive, name string, content io.ReadCloser, err error) error {
	if fault.Is(err, fault.Missing) {
		return nil
	}
	if err != nil {
		return err
	}
	return out.Copy(ctx, name, content)
}

func (a *API) collectProducts(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	products := func(ctx context.Context, cursor string) (page[productView], error) {
		p, err := a.Products.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, productOf(who)), err
	}
	if err := collect(ctx, out, "products", products); err != nil {
		return err
	}
	err := each(ctx, products, func(p productView) error {
		if p.Icon != "" {
			media, content, err := a.Products.OpenIcon(ctx, p.Icon)
			if err := copyFile(ctx, out, "icons/"+p.ID+blob.Type(media).Extension(), content, err); err != nil {
				return err
			}
		}
		return a.collectModels(ctx, who, out, p.ID)
	})
	if err != nil {
		return err
	}
	papers := func(ctx context.Context, cursor string) (page[paperView], error) {
		p, err := a.Products.Papers(ctx, who, asked(cursor, nil))
		return pageFrom(p, paperOf(who)), err
	}
	if err := collect(ctx, out, "papers", papers); err != nil {
		return err
	}
	return each(ctx, papers, func(p paperView) error {
		d, content, err := a.Products.OpenPaper(ctx, who, p.ID)
		return copyFile(ctx, out, "papers/"+p.ID+blob.Type(d.Media).Extension(), content, err)
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
	d, err := a.Products.Draft(ctx, who, product)
	if err != nil || d.Revision == 0 {
		return err
	}
	return out.JSON(ctx, "thing-models/"+product+"/draft.json", draftOf(&d))
}

type caseEvidence struct {
	Certification string `json:"certification"`
	evidenceView
}

func (a *API) collectCertifications(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	cases := func(ctx context.Context, cursor string) (page[caseView], error) {
		p, err := a.Certify.Cases(ctx, who, asked(cursor, nil))
		return pageFrom(p, caseOf(who)), err
	}
	if err := collect(ctx, out, "certifications", cases); err != nil {
		return err
	}
	evidence := func(ctx context.Context, write func(caseEvidence) error) error {
		return each(ctx, cases, func(c caseView) error {
			all, err := a.Certify.Evidence(ctx, who, c.ID)
			for i := range all {
				if err := write(caseEvidence{c.ID, evidenceOf(&all[i])}); err != nil {
					return err
				}
			}
			return err
		})
	}
	if err := collectRows(ctx, out, "evidence", evidence); err != nil {
		return err
	}
	err := evidence(ctx, func(e caseEvidence) error {
		_, content, err := a.Certify.OpenEvidence(ctx, who, e.Certification, e.ID)
		return copyFile(ctx, out, "evidence/"+e.Certification+"/"+e.ID+blob.Type(e.Media).Extension(), content, err)
	})
	if err != nil {
		return err
	}
	return collect(ctx, out, "certificates", func(ctx context.Context, cursor string) (page[certificateView], error) {
		p, err := a.Certify.Certificates(ctx, who, asked(cursor, nil))
		return pageFrom(p, certificateOf(who)), err
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
	orders := func(ctx context.Context, cursor string) (page[orderView], error) {
		p, err := a.Orders.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, orderOf(who)), err
	}
	if err := collect(ctx, out, "orders", orders); err != nil {
		return err
	}
	err := collect(ctx, out, "downloads", func(ctx context.Context, cursor string) (page[downloadView], error) {
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
	logs := func(ctx context.Context, cursor string) (page[burnLogView], error) {
		p, err := a.Factory.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, burnLogOf), err
	}
	if err := collect(ctx, out, "burn-logs", logs); err != nil {
		return err
	}
	err = collectRows(ctx, out, "burn-log-rows-refused", func(ctx context.Context, write func(logRow) error) error {
		return each(ctx, logs, func(l burnLogView) error {
			return each(ctx, func(ctx context.Context, cursor string) (page[badRowView], error) {
				p, err := a.Factory.Flaws(ctx, who, l.ID, asked(cursor, nil))
				return pageFrom(p, badRowOf), err
			}, func(r badRowView) error { return write(logRow{l.ID, r}) })
		})
	})
	if err != nil {
		return err
	}
	return collectRows(ctx, out, "burns", func(ctx context.Context, write func(orderBurn) error) error {
		return each(ctx, orders, func(o orderView) error {
			return each(ctx, func(ctx context.Context, cursor string) (page[burnView], error) {
				p, err := a.Factory.Burns(ctx, who, o.ID, asked(cursor, nil))
				return pageFrom(p, burnOf), err
			}, func(b burnView) error { return write(orderBurn{o.ID, b}) })
		})
	})
}

func (a *API) collectDevices(ctx context.Context, who access.Actor, out *takeout.Archive) error {
	return collect(ctx, out, "devices", func(ctx context.Context, cursor string) (page[deviceView], error) {
		p, err := a.Devices.List(ctx, who, asked(cursor, nil))
		return pageFrom(p, viewOf), err
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
	measures := func(ctx context.Context, cursor string) (page[measureView], error) {
		p, err := a.Enforce.Measures(ctx, who, asked(cursor, nil))
		return pageFrom(p, measureOf(who)), err
	}
	if err := collect(ctx, out, "measures", measures); err != nil {
		return err
	}
	err := collectRows(ctx, out, "measure-events", func(ctx context.Context, write func(measureEvent) error) error {
		return each(ctx, measures, func(m measureView) error {
			return each(ctx, func(ctx context.Context, cursor string) (page[eventView], error) {
				p, err := a.Enforce.Events(ctx, who, asked(cursor, map[string]string{"measure": m.ID}))
				return pageFrom(p, eventOf), err
			}, func(e eventView) error { return write(measureEvent{m.ID, e}) })
		})
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
		items, next, err := a.Notices.Inbox(ctx, who, notice.Ask{Cursor: cursor, Limit: notice.MaxLimit})
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
