package main

import "context"

type categoryCommand struct {
	List categoryList `cmd:"" help:"The kinds of products the platform knows (品类)."`
	Show categoryShow `cmd:"" help:"One of them with its thing model."`
}

type categoryList struct{ pages }

func (c *categoryList) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/categories", "name skill_type papers names")
}

type categoryShow struct {
	client
	Category string `arg:"" help:"Its name."`
}

func (c *categoryShow) Run(ctx context.Context) error {
	return c.do(ctx, "GET", at("/api/v1/categories/{}", c.Category), nil)
}

type paperCommand struct {
	Kinds  paperKinds  `cmd:"" help:"The kinds of papers that the platform knows."`
	List   paperList   `cmd:"" help:"Papers of a product; without one, of all products, for reviewers."`
	Show   paperShow   `cmd:"" help:"One paper."`
	Add    paperAdd    `cmd:"" help:"Add a paper with its file."`
	Fetch  paperFetch  `cmd:"" help:"Write the file of a paper."`
	Review paperReview `cmd:"" help:"Approve or refuse a paper, as a reviewer."`
	Remove paperRemove `cmd:"" help:"Take a paper away."`
}

const paperPath = "/api/v1/papers/{}"

type paperKinds struct{ pages }

func (p *paperKinds) Run(ctx context.Context) error {
	return p.list(ctx, "/api/v1/paper-kinds", "kind use ends names")
}

type paperList struct {
	sorted
	Product      string `arg:"" optional:"" help:"Id of the product."`
	State        string `help:"submitted, approved or refused." placeholder:"STATE"`
	Organisation string `help:"Only those of this one; for the operator, without a product." placeholder:"ID"`
}

func (p *paperList) Run(ctx context.Context) error {
	const columns = "id product kind state valid_until number issuer"
	if p.Product == "" {
		return p.list(ctx, "/api/v1/papers", columns, "state", p.State, "organisation", p.Organisation)
	}
	return p.list(ctx, at(productPath+"/papers", p.Product), columns, "state", p.State)
}

type onePaper struct {
	client
	Paper string `arg:"" help:"Id of the paper."`
}

type paperShow struct{ onePaper }

func (p *paperShow) Run(ctx context.Context) error {
	return p.do(ctx, "GET", at(paperPath, p.Paper), nil)
}

type paperAdd struct {
	oneProduct
	Kind   string `arg:"" help:"What it is; lampworks paper kinds lists them."`
	File   string `arg:"" help:"PDF, PNG, JPEG or WebP." type:"existingfile"`
	Number string `help:"Of the paper." required:"" placeholder:"NUMBER"`
	Issuer string `help:"Who issued it." required:"" placeholder:"NAME"`
	From   string `help:"First day, YYYY-MM-DD." required:"" placeholder:"DATE" sends:"valid_from"`
	Until  string `help:"Last day, YYYY-MM-DD. Default: none, where the kind allows it." placeholder:"DATE" sends:"valid_until"`
}

func (p *paperAdd) Run(ctx context.Context) error {
	return p.upload(ctx, creates, query(p.path("/papers"), "kind", p.Kind, "number", p.Number, "issuer", p.Issuer, "valid_from", p.From, "valid_until", p.Until), p.File)
}

type paperFetch struct {
	fetched
	Paper string `arg:"" help:"Id of the paper."`
}

func (p *paperFetch) Run(ctx context.Context) error {
	return p.save(ctx, at(paperPath+"/file", p.Paper), p.Out)
}

type paperReview struct {
	onePaper
	held
	Result string `arg:"" help:"approve or refuse." enum:"approve,refuse"`
	Reason string `help:"Why; a refusal needs one." aliases:"note" placeholder:"TEXT"`
}

func (p *paperReview) Run(ctx context.Context) error {
	return p.edit(ctx, p.held, "PUT", at(paperPath+"/review", p.Paper), body("result", p.Result, "note", p.Reason))
}

type paperRemove struct {
	onePaper
	held
}

func (p *paperRemove) Run(ctx context.Context) error {
	return p.edit(ctx, p.held, "DELETE", at(paperPath, p.Paper), nil)
}
