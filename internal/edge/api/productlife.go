package api

import (
	"bytes"
	"context"
	"io"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/product"
)

var ofPaper = owner{"paper", "paper", func(ctx context.Context, a *API, id string) (string, error) { return a.Products.PaperOwner(ctx, id) }}

type lackView struct {
	Code string `json:"code" doc:"Stable, for programs."`
	What string `json:"what"`
	Fix  string `json:"fix" doc:"Where to do it."`
}

type stepView struct {
	Act     product.Act   `json:"act" enum:"develop,debug,certify,publish,produce"`
	To      product.State `json:"to"`
	Done    bool          `json:"done"`
	Next    bool          `json:"next" doc:"It is what comes next."`
	Missing []lackView    `json:"missing" nullable:"false" doc:"Everything it still waits for."`
}

func stepOf(say saying) func(*product.Step) stepView {
	return func(s *product.Step) stepView {
		v := stepView{s.Act, s.To, s.Done, s.Next, make([]lackView, 0, len(s.Missing))}
		for _, l := range s.Missing {
			v.Missing = append(v.Missing, lackView{l.Code, say(l.What), say(l.Fix)})
		}
		return v
	}
}

type offerView struct {
	ID           string          `json:"id"`
	Organisation string          `json:"organisation"`
	Kind         product.Kind    `json:"kind" enum:"chip,module,solution"`
	State        product.State   `json:"state"`
	Category     string          `json:"category,omitempty"`
	Names        product.Names   `json:"names"`
	Icon         string          `json:"icon,omitempty" doc:"For GET /api/v1/icons/{icon}."`
	Protocols    []string        `json:"protocols,omitempty" nullable:"false" doc:"Its own, or those of what it is built on."`
	Certified    bool            `json:"certified" doc:"A certificate is in force: it can be built on now."`
	Covers       *certify.Covers `json:"covers,omitempty" doc:"What was certified."`
	ValidUntil   moment          `json:"valid_until,omitzero" doc:"Of the certificate; excluded."`
}

func offerOf(o *product.Offer) offerView {
	v := offerView{o.ID, o.Organisation, o.Kind, o.State, o.Category, o.Names, o.Icon, o.Protocols, o.Certified, nil, moment(o.Certificate.ValidUntil)}
	if o.Certified {
		v.Covers = &o.Certificate.Covers
	}
	return v
}

type paperView struct {
	ID         string             `json:"id"`
	Product    string             `json:"product"`
	Kind       string             `json:"kind"`
	Number     string             `json:"number"`
	Issuer     string             `json:"issuer"`
	ValidFrom  string             `json:"valid_from" format:"date" doc:"First day."`
	ValidUntil string             `json:"valid_until,omitempty" format:"date" doc:"Last day; absent: without end."`
	Media      string             `json:"media"`
	Size       int64              `json:"size" doc:"Bytes."`
	State      product.PaperState `json:"state" enum:"submitted,approved,refused"`
	Note       string             `json:"note,omitempty" doc:"Of the reviewer."`
	CreatedAt  moment             `json:"created_at"`
	Revision   int64              `json:"revision" doc:"As the ETag."`
	Open       []product.PaperAct `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func (v paperView) revision() int64 { return v.Revision }

func paperOf(who access.Actor) func(*product.Paper) paperView {
	return func(d *product.Paper) paperView {
		return paperView{
			d.ID, d.Product, d.Kind, d.Number, d.Issuer, fault.StampDate(d.ValidFrom), fault.StampDate(d.LastDay()), d.Media, d.Size, d.State, d.Note,
			moment(d.CreatedAt), d.Revision, append([]product.PaperAct{}, d.Open(who)...),
		}
	}
}

type paperKindView struct {
	Kind  string        `json:"kind"`
	Names product.Names `json:"names"`
	Use   string        `json:"use" enum:"compliance,authorisation"`
	Ends  bool          `json:"ends" doc:"It has a last day."`
}

type labelView struct {
	Product  string        `json:"product"`
	Category string        `json:"category"`
	Names    product.Names `json:"names"`
	Icon     string        `json:"icon,omitempty" doc:"For GET /api/v1/icons/{icon}."`
	Care     product.Care  `json:"care" doc:"Warranty (保修) and after-sales contact (售后)."`
	Retired  bool          `json:"retired" doc:"Its maker makes it no longer; it goes on."`
	Papers   []labelPaper  `json:"papers" nullable:"false" doc:"Compliance papers."`
}

type labelPaper struct {
	Kind       string `json:"kind"`
	Number     string `json:"number"`
	Issuer     string `json:"issuer"`
	ValidUntil string `json:"valid_until,omitempty" format:"date" doc:"Last day; absent: without end."`
}

type moveInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Act  product.Act `json:"act" enum:"develop,debug,redesign,certify,recall,publish,produce,reopen,retire"`
		Note string      `json:"note,omitempty" maxLength:"500"`
	}
}

type catalogueInput struct {
	ListInput
	Kind string `query:"kind" enum:"chip,module,solution"`
}

type papersInput struct {
	ListInput
	Product string `path:"product" maxLength:"64"`
	State   string `query:"state" enum:"submitted,approved,refused"`
}

type allPapersInput struct {
	ListInput
	State        string `query:"state" enum:"submitted,approved,refused"`
	Organisation string `query:"organisation" maxLength:"64" doc:"For the operator."`
}

type newPaperInput struct {
	Product    string `path:"product" maxLength:"64"`
	Kind       string `query:"kind" required:"true" maxLength:"64"`
	Number     string `query:"number" required:"true" maxLength:"64"`
	Issuer     string `query:"issuer" required:"true" maxLength:"64"`
	ValidFrom  string `query:"valid_from" required:"true" format:"date" doc:"First day."`
	ValidUntil string `query:"valid_until" format:"date" doc:"Last day; absent: without end, where the kind allows it."`
	RawBody    []byte `contentType:"application/octet-stream" doc:"The file as it is: PDF, PNG, JPEG or WebP, at most 1 MiB."`
}

type paperInput struct {
	Paper string `path:"paper" maxLength:"64"`
}

type reviewPaperInput struct {
	Paper string `path:"paper" maxLength:"64"`
	Body  struct {
		Result string `json:"result" enum:"approve,refuse"`
		Note   string `json:"note,omitempty" maxLength:"500" doc:"A refusal needs one."`
	}
}

type iconInput struct {
	Product string `path:"product" maxLength:"64"`
	RawBody []byte `contentType:"application/octet-stream" doc:"The file as it is: PNG or WebP, square, 128 to 1024 pixels, at most 512 KiB."`
}

func (a *API) productLifeRoutes() {
	const one = "/api/v1/products/{product}"
	seen := func(ctx context.Context, q store.Querier, who access.Actor, in *moveInput) (int64, error) {
		return a.Products.Revision(ctx, q, who, in.Product)
	}
	edit(a, "PUT", one+"/state", access.MoveProduct, ofProduct, seen, "Move a product along its life", func(ctx context.Context, who access.Actor, in *moveInput) (productView, error) {
		p, err := a.Products.Move(ctx, who, in.Product, in.Body.Act, in.Body.Note)
		return productOf(who)(&p), err
	})
	list(a, one+"/steps", access.ReadProduct, ofProduct, "The way to mass production: what is done, and what each step waits for", func(ctx context.Context, who access.Actor, in *struct {
		PageInput
		Product string `path:"product" maxLength:"64"`
	},
	) (page[stepView], error) {
		steps, err := a.Products.Steps(ctx, who, in.Product)
		return pageTo(steps, "", stepOf(spoken(ctx))), err
	})
	edit(a, "PUT", one+"/icon", access.WriteProduct, ofProduct, func(ctx context.Context, q store.Querier, who access.Actor, in *iconInput) (int64, error) {
		return a.Products.Revision(ctx, q, who, in.Product)
	}, "Give a product an icon", func(ctx context.Context, who access.Actor, in *iconInput) (productView, error) {
		p, err := a.Products.SetIcon(ctx, who, in.Product, bytes.NewReader(in.RawBody))
		return productOf(who)(&p), err
	})
	fetch(a, "/api/v1/icons/{icon}", anybody, ofShown, false, "An icon; it never changes. Residents have those of the devices in their homes", func(ctx context.Context, who access.Actor, in *struct {
		Icon string `path:"icon" maxLength:"64"`
	},
	) (string, io.ReadCloser, error) {
		if who.Resident() {
			if err := a.Homes.ShowsIcon(ctx, who, in.Icon); err != nil {
				return "", nil, err
			}
		}
		return a.Products.OpenIcon(ctx, in.Icon)
	})
	list(a, "/api/v1/catalogue", access.ReadProduct, ofNobody, "Chips, modules and solutions of all makers that can be built on", func(ctx context.Context, who access.Actor, in *catalogueInput) (page[offerView], error) {
		p, err := a.Products.Catalogue(ctx, who, in.ask(map[string]string{"kind": in.Kind}))
		return pageFrom(p, offerOf), err
	})
	route(a, "GET", "/api/v1/homes/{home}/devices/{device}/label", access.ReadHome, ofHome, "What a family may read of a device's product: warranty, contact, papers", a.label)
	a.paperRoutes(one)
}

func (a *API) label(ctx context.Context, who access.Actor, in *boundInput) (labelView, error) {
	h, err := a.Homes.Load(ctx, who, in.Home)
	if err != nil {
		return labelView{}, err
	}
	for i := range h.Devices {
		if h.Devices[i].ID != in.Device {
			continue
		}
		l, err := a.Products.Label(ctx, h.Devices[i].Product)
		v := labelView{l.Product, l.Category, l.Names, l.Icon, l.Care, l.Retired, make([]labelPaper, 0, len(l.Papers))}
		for _, d := range l.Papers {
			v.Papers = append(v.Papers, labelPaper{d.Kind, d.Number, d.Issuer, fault.StampDate(d.LastDay())})
		}
		return v, err
	}
	return labelView{}, fault.NotFound("device", in.Device)
}

func (a *API) paperRoutes(one string) {
	list(a, "/api/v1/paper-kinds", access.ReadProduct, ofNobody, "The kinds of papers that the platform knows: a catalogue of the program", func(_ context.Context, _ access.Actor, in *PageInput) (page[paperKindView], error) {
		all, err := product.PaperKinds()
		if err != nil {
			return page[paperKindView]{}, err
		}
		return pageWithin(all, in, func(k *product.PaperKind) string { return k.Kind }, func(k *product.PaperKind) paperKindView { return paperKindView(*k) })
	})
	list(a, one+"/papers", access.ReadProduct, ofProduct, "Compliance papers (合规证件) and authorisations of a product", func(ctx context.Context, who access.Actor, in *papersInput) (page[paperView], error) {
		p, err := a.Products.Papers(ctx, who, in.ask(map[string]string{"product": in.Product, "state": in.State}))
		return pageFrom(p, paperOf(who)), err
	})
	create(a, one+"/papers", access.WriteProduct, ofProduct, "Add a paper with its file", func(ctx context.Context, who access.Actor, in *newPaperInput) (paperView, error) {
		d, err := a.Products.AddPaper(ctx, who, in.Product, product.NewPaper{
			Kind: in.Kind, Number: in.Number, Issuer: in.Issuer, ValidFrom: in.ValidFrom, ValidUntil: in.ValidUntil,
		}, bytes.NewReader(in.RawBody))
		return paperOf(who)(&d), err
	})
	list(a, "/api/v1/papers", access.ReadProduct, ofCaller, "Papers of all products, for reviewers", func(ctx context.Context, who access.Actor, in *allPapersInput) (page[paperView], error) {
		p, err := a.Products.Papers(ctx, who, in.ask(map[string]string{"state": in.State, "organisation": in.Organisation}))
		return pageFrom(p, paperOf(who)), err
	})
	route(a, "GET", "/api/v1/papers/{paper}", access.ReadProduct, ofPaper, "A paper", func(ctx context.Context, who access.Actor, in *paperInput) (paperView, error) {
		d, err := a.Products.Paper(ctx, who, in.Paper)
		return paperOf(who)(&d), err
	})
	fetch(a, "/api/v1/papers/{paper}/file", access.ReadProduct, ofPaper, true, "The file of a paper", func(ctx context.Context, who access.Actor, in *paperInput) (string, io.ReadCloser, error) {
		d, r, err := a.Products.OpenPaper(ctx, who, in.Paper)
		return d.Media, r, err
	})
	edit(a, "PUT", "/api/v1/papers/{paper}/review", access.ReviewProduct, ofPaper, func(ctx context.Context, q store.Querier, who access.Actor, in *reviewPaperInput) (int64, error) {
		return a.Products.PaperRevision(ctx, q, who, in.Paper)
	}, "Approve or refuse a paper", func(ctx context.Context, who access.Actor, in *reviewPaperInput) (paperView, error) {
		d, err := a.Products.ReviewPaper(ctx, who, in.Paper, in.Body.Result == "approve", in.Body.Note)
		return paperOf(who)(&d), err
	})
	edit(a, "DELETE", "/api/v1/papers/{paper}", access.WriteProduct, ofPaper, func(ctx context.Context, q store.Querier, who access.Actor, in *paperInput) (int64, error) {
		return a.Products.PaperRevision(ctx, q, who, in.Paper)
	}, "Take a paper away", func(ctx context.Context, who access.Actor, in *paperInput) (nothing, error) {
		return nothing{}, a.Products.RemovePaper(ctx, who, in.Paper)
	})
}
