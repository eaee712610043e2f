package api

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/product"
	"lampworks/tsl"
)

type categoryView struct {
	Name      string              `json:"name"`
	Names     product.Names       `json:"names"`
	Aliases   map[string][]string `json:"aliases,omitempty" doc:"Words people say for such a device, by language."`
	Icon      string              `json:"icon,omitempty"`
	SkillType string              `json:"skill_type,omitempty" doc:"Device type of the smart-home skill protocol."`
	Papers    []string            `json:"papers,omitempty" nullable:"false" doc:"Kinds of papers that a terminal needs to be published."`
	Document  json.RawMessage     `json:"document,omitempty" doc:"Its thing model (物模型), TSL; left out in lists."`
}

func categoryOf(c *product.Category) categoryView {
	return categoryView{c.Name, c.Names, c.Aliases, c.Icon, c.SkillType, c.Papers, nil}
}

type protocolView struct {
	Name    string        `json:"name" doc:"Stable."`
	Names   product.Names `json:"names"`
	About   product.Names `json:"about"`
	Service string        `json:"service,omitempty" doc:"That must be open to an organisation for triples and the publication of its products; none for devices of other clouds."`
}

func protocolOf(p *product.Protocol) protocolView { return protocolView(*p) }

type productView struct {
	ID         string        `json:"id"`
	ProductID  uint32        `json:"product_id" doc:"The number of the triple (三元组)."`
	ProductKey string        `json:"product_key"`
	Kind       product.Kind  `json:"kind" enum:"chip,module,solution,terminal"`
	State      product.State `json:"state" enum:"draft,develop,debug,certify,published,mass_production,retired"`
	Category   string        `json:"category"`
	Names      product.Names `json:"names"`
	Version    int           `json:"version" doc:"Of the thing model in force; 0: it has none."`
	Voice      int           `json:"voice" doc:"Version of the voice configuration in force; 0: it has none."`
	BuiltOn    string        `json:"built_on,omitempty" doc:"Product: a chip or a module."`
	Solution   string        `json:"solution,omitempty" doc:"Product."`
	Protocols  []string      `json:"protocols,omitempty" nullable:"false" doc:"Of a chip, what it was tuned for; of others, which of those of what they are built on they use: all, if none is named. GET /api/v1/protocols lists them."`
	Gateway    bool          `json:"gateway" doc:"Its devices carry others, which reach the platform through them (网关)."`
	Registers  bool          `json:"registration" doc:"Its devices may register by its secret, in windows that its maker opens (动态注册)."`
	Care       product.Care  `json:"care" doc:"Warranty (保修) and after-sales contact (售后), shown to families."`
	Icon       string        `json:"icon,omitempty" doc:"For GET /api/v1/icons/{icon}."`
	Flagged    bool          `json:"flagged" doc:"Something it is built on is not certified."`
	Flag       string        `json:"flag,omitempty" doc:"What."`
	FlaggedAt  moment        `json:"flagged_at,omitzero"`
	CreatedAt  moment        `json:"created_at"`
	ChangedAt  moment        `json:"changed_at"`
	Revision   int64         `json:"revision" doc:"As the ETag."`
	Open       []product.Act `json:"open" nullable:"false" doc:"What who asks may do with it now."`
}

func (v productView) revision() int64 { return v.Revision }

func productOf(who access.Actor) func(*product.Product) productView {
	return func(p *product.Product) productView {
		return productView{
			p.ID, uint32(p.ProductID), p.ProductKey, p.Kind, p.State, p.Category, p.Names, p.Version, p.Voice, p.BuiltOn, p.Solution, p.Protocols, p.Gateway, p.Registration, p.Care,
			p.Icon, p.Flagged, p.Flag, moment(p.FlaggedAt), moment(p.CreatedAt), moment(p.ChangedAt), p.Revision, append([]product.Act{}, p.Open(who)...),
		}
	}
}

type draftView struct {
	Revision  int64           `json:"revision" doc:"Send it back with the next save, so that nobody's work is lost. 0: there is no draft, document is the version in force."`
	Document  json.RawMessage `json:"document"`
	ChangedAt moment          `json:"changed_at,omitzero"`
	Problems  []Flaw          `json:"problems" nullable:"false" doc:"What keeps it from being published."`
	Changes   []tsl.Change    `json:"changes" nullable:"false" doc:"From the version in force; empty while there are problems."`
	Devices   int64           `json:"devices" doc:"In use, which the changes would hit."`
}

func draftOf(d *product.Draft, say saying) draftView {
	return draftView{d.Revision, d.Document, moment(d.ChangedAt), sayFlaws(flawsOf(d.Problems), say), append([]tsl.Change{}, d.Changes...), d.Devices}
}

type versionView struct {
	Number      int             `json:"number"`
	Note        string          `json:"note,omitempty"`
	Breaking    bool            `json:"breaking" doc:"Something that the version before allowed is refused now, or read differently."`
	PublishedAt moment          `json:"published_at"`
	PublishedBy string          `json:"published_by,omitempty" doc:"User."`
	Document    json.RawMessage `json:"document,omitempty" doc:"TSL; left out in lists."`
	Changes     []tsl.Change    `json:"changes,omitempty" nullable:"false" doc:"From the version before; told by publishing only."`
}

func versionOf(v *product.Version) versionView {
	return versionView{v.Number, v.Note, v.Breaking, moment(v.PublishedAt), v.PublishedBy, v.Document, v.Changes}
}

type productInput struct {
	Product string `path:"product" maxLength:"64"`
}

type productsInput struct {
	ListInput
	Kind     string `query:"kind" enum:"chip,module,solution,terminal"`
	State    string `query:"state" enum:"draft,develop,debug,certify,published,mass_production,retired"`
	Category string `query:"category" maxLength:"64"`
	Flagged  string `query:"flagged" enum:"true,false" doc:"Something it is built on is not certified."`
	Search   string `query:"search" maxLength:"100" doc:"A part of a name, the ProductKey or the ProductID."`
}

func (in *productsInput) filters() map[string]string {
	return map[string]string{
		product.ByKind: in.Kind, product.ByState: in.State, product.ByCategory: in.Category, product.ByFlagged: in.Flagged, product.BySearch: in.Search,
	}
}

type newProductInput struct {
	Body struct {
		Kind      product.Kind    `json:"kind,omitempty" enum:"chip,module,solution,terminal" doc:"A terminal if not given."`
		Category  string          `json:"category,omitempty" maxLength:"64" doc:"A terminal needs one."`
		Names     product.Names   `json:"names"`
		Document  json.RawMessage `json:"document,omitempty" doc:"Its thing model, TSL; the category's if not given."`
		BuiltOn   string          `json:"built_on,omitempty" maxLength:"64" doc:"Product: a chip or a module that is certified."`
		Solution  string          `json:"solution,omitempty" maxLength:"64" doc:"Product: a solution that is certified."`
		Protocols []string        `json:"protocols,omitempty" maxItems:"32" doc:"Of a chip, what it was tuned for; of others, which of those of what they are built on they use: all, if none is named. GET /api/v1/protocols lists them."`
		Gateway   bool            `json:"gateway,omitempty" doc:"Its devices carry others (网关)."`
	}
}

type setProductInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Names     product.Names `json:"names,omitempty"`
		BuiltOn   *string       `json:"built_on,omitempty" maxLength:"64" doc:"Empty: on nothing."`
		Solution  *string       `json:"solution,omitempty" maxLength:"64" doc:"Empty: none."`
		Protocols *[]string     `json:"protocols,omitempty" maxItems:"32" doc:"Replaced as a whole."`
		Gateway   *bool         `json:"gateway,omitempty" doc:"Its devices carry others; open until some have been in use."`
		Care      *product.Care `json:"care,omitempty" doc:"Replaced as a whole."`
		Registers *bool         `json:"registration,omitempty" doc:"Its devices may register by its secret; off at first."`
	}
}

type draftInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Document json.RawMessage `json:"document" doc:"TSL, at most 512 KiB; it may still have problems."`
		Revision int64           `json:"revision,omitempty" minimum:"0" doc:"The one that was edited; 0: whatever stands there is replaced."`
	}
}

type publishInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Note           string `json:"note,omitempty" doc:"Why, for those who read the list of versions."`
		AcceptBreaking *int64 `json:"accept_breaking,omitempty" minimum:"0" doc:"How many devices in use you have seen that a breaking change hits; a product that is out needs it."`
		Voice          bool   `json:"voice,omitempty" doc:"The draft of the voice configuration is published with it, or neither is."`
	}
}

type versionsInput struct {
	PageInput
	Product string `path:"product" maxLength:"64"`
}

type versionInput struct {
	Product string `path:"product" maxLength:"64"`
	Version int    `path:"version" minimum:"1" maximum:"2147483647"`
}

func (a *API) productRoutes() {
	list(a, "/api/v1/categories", access.ReadProduct, ofNobody, "The kinds of products the platform knows: a catalogue of the program", func(_ context.Context, _ access.Actor, in *PageInput) (page[categoryView], error) {
		cs, err := product.Categories()
		if err != nil {
			return page[categoryView]{}, err
		}
		return pageWithin(cs, in, func(c *product.Category) string { return c.Name }, categoryOf)
	})
	route(a, "GET", "/api/v1/categories/{category}", access.ReadProduct, ofNobody, "A category with its thing model", func(_ context.Context, _ access.Actor, in *struct {
		Category string `path:"category" maxLength:"64"`
	},
	) (categoryView, error) {
		c, err := product.FindCategory(in.Category)
		v := categoryOf(&c)
		v.Document = c.Document
		return v, err
	})
	list(a, "/api/v1/protocols", access.ReadProduct, ofNobody, "The ways in which devices reach the platform: a catalogue of the program", func(_ context.Context, _ access.Actor, in *PageInput) (page[protocolView], error) {
		all, err := product.Protocols()
		if err != nil {
			return page[protocolView]{}, err
		}
		return pageWithin(all, in, func(p *product.Protocol) string { return p.Name }, protocolOf)
	})
	list(a, "/api/v1/products", access.ReadProduct, ofCaller, "List products", func(ctx context.Context, who access.Actor, in *productsInput) (page[productView], error) {
		p, err := a.Products.List(ctx, who, in.ask(in.filters()))
		return pageFrom(p, productOf(who)), err
	})
	create(a, "/api/v1/products", access.WriteProduct, ofCaller, "Make a product, with version 1 of its thing model", func(ctx context.Context, who access.Actor, in *newProductInput) (productView, error) {
		b := &in.Body
		p, err := a.Products.Create(ctx, who, product.NewProduct{
			Kind: b.Kind, Category: b.Category, Names: b.Names, Document: b.Document, BuiltOn: b.BuiltOn, Solution: b.Solution, Protocols: b.Protocols, Gateway: b.Gateway,
		})
		return productOf(who)(&p), err
	})
	route(a, "GET", "/api/v1/products/{product}", access.ReadProduct, ofProduct, "A product", func(ctx context.Context, who access.Actor, in *productInput) (productView, error) {
		p, err := a.Products.Load(ctx, who, in.Product)
		return productOf(who)(&p), err
	})
	seen := func(ctx context.Context, q store.Querier, who access.Actor, in *setProductInput) (int64, error) {
		return a.Products.Revision(ctx, q, who, in.Product)
	}
	edit(a, "PATCH", "/api/v1/products/{product}", access.WriteProduct, ofProduct, seen, "Change a product: names, what it is built on, care", func(ctx context.Context, who access.Actor, in *setProductInput) (productView, error) {
		b := &in.Body
		p, err := a.Products.Set(ctx, who, in.Product, product.Change{Names: b.Names, BuiltOn: b.BuiltOn, Solution: b.Solution, Protocols: b.Protocols, Gateway: b.Gateway, Registration: b.Registers, Care: b.Care})
		return productOf(who)(&p), err
	})
	a.modelRoutes()
	a.wordingRoutes()
}

func (a *API) modelRoutes() {
	const draft, versions = "/api/v1/products/{product}/draft", "/api/v1/products/{product}/versions"
	route(a, "GET", draft, access.ReadProduct, ofProduct, "The draft of a thing model, with what is wrong with it", func(ctx context.Context, who access.Actor, in *productInput) (draftView, error) {
		d, err := a.Products.Draft(ctx, who, in.Product)
		return draftOf(&d, spoken(ctx)), err
	})
	route(a, "PUT", draft, access.WriteProduct, ofProduct, "Save a draft", func(ctx context.Context, who access.Actor, in *draftInput) (draftView, error) {
		d, err := a.Products.SaveDraft(ctx, who, in.Product, product.NewDraft{Document: in.Body.Document, Revision: in.Body.Revision})
		return draftOf(&d, spoken(ctx)), err
	})
	route(a, "DELETE", draft, access.WriteProduct, ofProduct, "Forget a draft", func(ctx context.Context, who access.Actor, in *productInput) (nothing, error) {
		return nothing{}, a.Products.DropDraft(ctx, who, in.Product)
	})
	create(a, versions, access.PublishModel, ofProduct, "Publish the draft as the next version of the thing model", func(ctx context.Context, who access.Actor, in *publishInput) (versionView, error) {
		v, err := a.Products.Publish(ctx, who, in.Product, product.Publication{Note: in.Body.Note, AcceptBreaking: in.Body.AcceptBreaking, Voice: in.Body.Voice})
		return versionOf(&v), err
	})
	list(a, versions, access.ReadProduct, ofProduct, "Published versions of the thing model, newest first", a.versions)
	route(a, "GET", versions+"/{version}", access.ReadProduct, ofProduct, "A published version with its document", func(ctx context.Context, who access.Actor, in *versionInput) (versionView, error) {
		v, err := a.Products.Version(ctx, who, in.Product, in.Version)
		return versionOf(&v), err
	})
}

func (a *API) versions(ctx context.Context, who access.Actor, in *versionsInput) (page[versionView], error) {
	before, err := number(in.Cursor)
	if err != nil {
		return page[versionView]{}, err
	}
	limit := in.Limit
	if limit == 0 {
		limit = 100
	}
	vs, next, err := a.Products.Versions(ctx, who, in.Product, int(before), limit)
	if err != nil {
		return page[versionView]{}, err
	}
	p := pageTo(vs, "", versionOf)
	if next != 0 {
		p.NextCursor = strconv.Itoa(next)
	}
	return p, nil
}

// number reads a cursor that is one; 0 is the first page.
func number(cursor string) (int64, error) {
	if cursor == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(cursor, 10, 64)
	if err != nil || n < 1 || fmt.Sprint(n) != cursor {
		return 0, badCursor(cursor)
	}
	return n, nil
}

func badCursor(cursor string) error {
	return fault.Invalid("/cursor", cursor, "the next_cursor of a page", "begin without a cursor")
}
