package api

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/issuance"
	"lampworks/triple"
)

type leakView struct {
	Rows     int           `json:"rows" doc:"That have an address or a secret."`
	Findings []findingView `json:"findings" nullable:"false"`
}

type findingView struct {
	Line       int                    `json:"line" doc:"Of what was sent, from 1."`
	Outcome    issuance.LeakOutcome   `json:"outcome" enum:"traced,address_only,other_secret,unknown,no_address" doc:"no_address: name the order or the product, and the secret is looked for among its triples."`
	MAC        string                 `json:"mac,omitempty"`
	Order      string                 `json:"order,omitempty"`
	Product    string                 `json:"product,omitempty"`
	Generation uint32                 `json:"generation,omitempty"`
	Secret     issuance.LeakStatus    `json:"secret,omitempty" enum:"in_force,fixed,replaced,ended,revoked" doc:"What it is good for now. fixed: a device has logged in with it."`
	Download   *downloadView          `json:"download,omitempty" doc:"That handed the secret out; POST /api/v1/downloads/{download}/revocation takes it out of force."`
	Downloads  []issuanceDownloadView `json:"downloads,omitempty" doc:"Of address_only: those that hold the address."`
}

type issuanceDownloadView struct {
	ID         string `json:"id"`
	Generation uint32 `json:"generation"`
}

func findingOf(f *issuance.Finding) findingView {
	v := findingView{Line: f.Line, Outcome: f.Outcome, Order: f.Order, Product: f.Product, Generation: f.Generation, Secret: f.Standing}
	if f.MAC != (triple.MAC{}) {
		v.MAC = f.MAC.String()
	}
	if f.Download.ID != "" {
		d := downloadOf(&f.Download)
		v.Download = &d
	}
	for _, d := range f.Downloads {
		v.Downloads = append(v.Downloads, issuanceDownloadView{d.ID, d.Generation})
	}
	return v
}

type leakInput struct {
	Order   string `query:"order" maxLength:"64" doc:"Look for secrets without an address among the triples of this order."`
	Product string `query:"product" maxLength:"64" doc:"The same among those of a product."`
}

func (a *API) leakRoutes() {
	upload(a, "/api/v1/leak-reports", access.TraceTriples, ofCaller, "Find out of which downloads rows came that somebody found: a text, CSV or a workbook. Nothing of it is kept", issuance.MaxLeakBytes, fileTypes(),
		func(ctx context.Context, who access.Actor, in *leakInput, body io.Reader) (leakView, error) {
			b, err := io.ReadAll(body)
			if err != nil {
				return leakView{}, fmt.Errorf("receiving a report: %w", err)
			}
			if len(b) == 0 {
				return leakView{}, fault.Invalid("body", "", "what was found", "send rows as they were found")
			}
			r, err := a.Orders.Trace(ctx, who, issuance.Search{Order: in.Order, Product: in.Product}, bytes.NewReader(b), int64(len(b)))
			v := leakView{Rows: r.Rows, Findings: make([]findingView, 0, len(r.Findings))}
			for i := range r.Findings {
				v.Findings = append(v.Findings, findingOf(&r.Findings[i]))
			}
			return v, err
		})
}
