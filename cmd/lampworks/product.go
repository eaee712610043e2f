package main

import (
	"context"
	"encoding/json"
	"strconv"
)

type productCommand struct {
	List      productList      `cmd:"" help:"List products."`
	Show      productShow      `cmd:"" help:"One product."`
	New       productNew       `cmd:"" help:"Make a product, with version 1 of its thing model."`
	Edit      productEdit      `cmd:"" help:"Change a product: names, what it is built on, warranty and contact."`
	Steps     productSteps     `cmd:"" help:"Show what a product waits for on its way to mass production."`
	Move      productMove      `cmd:"" help:"Move a product along its life."`
	Icon      productIcon      `cmd:"" help:"Give a product an icon, or fetch one."`
	Draft     productDraft     `cmd:"" help:"The draft of a thing model (物模型): print, save, forget."`
	Versions  productVersions  `cmd:"" help:"Published versions of the thing model."`
	Version   productVersion   `cmd:"" help:"Print a published version with its document."`
	Voice     wordingCommand   `cmd:"" help:"How devices of a product are spoken of (语音配置): names, words, replies."`
	Config    configCommand    `cmd:"" help:"Configuration files (远程配置) that devices of a product fetch."`
	Publish   productPublish   `cmd:"" help:"Publish the draft as the next version."`
	Secret    productSecret    `cmd:"" help:"The ProductSecret, with which devices of a product register (动态注册)."`
	Protocols productProtocols `cmd:"" help:"The protocols (接入协议) by which devices reach the platform."`
	Catalogue productCatalogue `cmd:"" help:"List the chips, modules and solutions that can be built on."`
}

const productPath = "/api/v1/products/{}"

type productList struct {
	sorted
	Kind     string `help:"chip, module, solution or terminal." placeholder:"KIND"`
	State    string `help:"draft, develop, debug, certify, published, mass_production or retired." placeholder:"STATE"`
	Category string `help:"Name of a category." placeholder:"NAME"`
	Flagged  bool   `help:"Only those built on something that is not certified."`
	Search   string `help:"A part of a name, the ProductKey or the ProductID." placeholder:"TEXT"`
}

func (p *productList) Run(ctx context.Context) error {
	return p.list(ctx, "/api/v1/products", "id kind state category product_key product_id version names",
		"kind", p.Kind, "state", p.State, "category", p.Category, "flagged", yes(p.Flagged), "search", p.Search)
}

// oneProduct names a product.
type oneProduct struct {
	client
	Product string `arg:"" help:"Id of the product."`
}

// path is a path of the product.
func (p *oneProduct) path(rest string) string { return at(productPath, p.Product) + rest }

type productShow struct{ oneProduct }

func (p *productShow) Run(ctx context.Context) error { return p.do(ctx, "GET", p.path(""), nil) }

type productNew struct {
	client
	Name     map[string]string `help:"Name in a language: zh-CN=名称; may be repeated." required:"" mapsep:"none" placeholder:"LANG=NAME"`
	Kind     string            `help:"chip, module, solution or terminal. Default: terminal." placeholder:"KIND"`
	Category string            `help:"Name of a category, whose thing model it gets; lampworks category list." placeholder:"NAME"`
	Model    string            `help:"A thing model of one's own, TSL." placeholder:"FILE"`
	Protocol []string          `help:"Of a chip, what it was tuned for; of others, what they use of that; may be repeated. lampworks product protocols lists them." placeholder:"NAME"`
	BuiltOn  string            `help:"Id of the chip or module it is built on." placeholder:"ID"`
	Solution string            `help:"Id of the solution it uses." placeholder:"ID"`
	Gateway  bool              `help:"Its devices carry others (网关)."`
}

func (p *productNew) Run(ctx context.Context) error {
	var model json.RawMessage
	if p.Model != "" {
		var err error
		if model, err = document(p.Model); err != nil {
			return err
		}
	}
	return p.do(ctx, creates, "/api/v1/products", body("names", p.Name, "kind", p.Kind, "category", p.Category, "document", model,
		"protocols", p.Protocol, "built_on", p.BuiltOn, "solution", p.Solution, "gateway", p.Gateway))
}

type productEdit struct {
	oneProduct
	held
	Name         map[string]string `help:"Name in a language; all of them, if one changes." mapsep:"none" placeholder:"LANG=NAME"`
	Protocol     []string          `help:"What a chip was tuned for, or the product uses of that; all of them." placeholder:"NAME"`
	BuiltOn      string            `help:"Id of the chip or module it is built on." placeholder:"ID"`
	Solution     string            `help:"Id of the solution it uses." placeholder:"ID"`
	Gateway      *bool             `help:"Its devices carry others: true or false." placeholder:"BOOL"`
	Registration *bool             `help:"Its devices may register by its secret: true or false." placeholder:"BOOL"`
	Care         string            `help:"JSON file: warranty (by language), warranty_months, phone, email, website, address." placeholder:"FILE"`
}

func (p *productEdit) Run(ctx context.Context) error {
	var care json.RawMessage
	if p.Care != "" {
		var err error
		if care, err = document(p.Care); err != nil {
			return err
		}
	}
	return p.edit(ctx, p.held, "PATCH", p.path(""), body("names", p.Name, "protocols", p.Protocol, "built_on", p.BuiltOn, "solution", p.Solution, "gateway", p.Gateway, "registration", p.Registration, "care", care))
}

type productSteps struct {
	pages
	Product string `arg:"" help:"Id of the product."`
}

func (p *productSteps) Run(ctx context.Context) error {
	return p.list(ctx, at(productPath+"/steps", p.Product), "act to done next missing")
}

type productMove struct {
	oneProduct
	held
	Act    string `arg:"" help:"develop, debug, redesign, certify, recall, publish, produce, reopen or retire." enum:"develop,debug,redesign,certify,recall,publish,produce,reopen,retire"`
	Reason string `help:"Why." aliases:"note" placeholder:"TEXT"`
}

func (p *productMove) Run(ctx context.Context) error {
	return p.edit(ctx, p.held, "PUT", p.path("/state"), body("act", p.Act, "note", p.Reason))
}

type productIcon struct {
	Set   productIconSet   `cmd:"" help:"Give a product an icon: a square PNG or WebP of 128 to 1024 pixels."`
	Fetch productIconFetch `cmd:"" help:"Write an icon to a file."`
}

type productIconSet struct {
	oneProduct
	held
	File string `arg:"" help:"The picture." type:"existingfile" sends:"icon"`
}

func (p *productIconSet) Run(ctx context.Context) error {
	return p.replace(ctx, p.held, "PUT", p.path("/icon"), p.File)
}

// fetched is a file that is written where it is told.
type fetched struct {
	client
	Out string `help:"File to write; it must not exist. Default: standard output." placeholder:"FILE"`
}

type productIconFetch struct {
	fetched
	Icon string `arg:"" help:"Its id, as the product has it."`
}

func (p *productIconFetch) Run(ctx context.Context) error {
	return p.save(ctx, at("/api/v1/icons/{}", p.Icon), p.Out)
}

type productDraft struct {
	Show   productDraftShow   `cmd:"" help:"Print it with what is wrong with it."`
	Save   productDraftSave   `cmd:"" help:"Save it from a file."`
	Forget productDraftForget `cmd:"" help:"Forget it."`
}

type productDraftShow struct{ oneProduct }

func (p *productDraftShow) Run(ctx context.Context) error {
	return p.do(ctx, "GET", p.path("/draft"), nil)
}

type productDraftSave struct {
	oneProduct
	File     string `arg:"" help:"TSL, JSON; it may still have problems. - reads standard input."`
	Revision int    `help:"The one that was edited. Default: whatever stands there is replaced." placeholder:"N"`
}

func (p *productDraftSave) Run(ctx context.Context) error {
	model, err := document(p.File)
	if err != nil {
		return err
	}
	return p.do(ctx, "PUT", p.path("/draft"), body("document", model, "revision", p.Revision))
}

type productDraftForget struct{ oneProduct }

func (p *productDraftForget) Run(ctx context.Context) error {
	return p.do(ctx, "DELETE", p.path("/draft"), nil)
}

type productVersions struct {
	pages
	Product string `arg:"" help:"Id of the product."`
}

func (p *productVersions) Run(ctx context.Context) error {
	return p.list(ctx, at(productPath+"/versions", p.Product), "number breaking published_at published_by note")
}

type productVersion struct {
	oneProduct
	Version int `arg:"" help:"Its number."`
}

func (p *productVersion) Run(ctx context.Context) error {
	return p.do(ctx, "GET", p.path("/versions/"+strconv.Itoa(p.Version)), nil)
}

type productPublish struct {
	oneProduct
	Note           string `help:"What has changed." placeholder:"TEXT"`
	Voice          bool   `help:"Publish the draft of the voice configuration with it, or neither."`
	AcceptBreaking int    `help:"How many devices in use you have seen that a breaking change hits (product draft show)." placeholder:"N"`
}

func (p *productPublish) Run(ctx context.Context) error {
	in := body("note", p.Note)
	if p.Voice {
		in["voice"] = true
	}
	if p.AcceptBreaking > 0 {
		in["accept_breaking"] = p.AcceptBreaking
	}
	return p.do(ctx, creates, p.path("/versions"), in)
}

type productProtocols struct{ pages }

func (p *productProtocols) Run(ctx context.Context) error {
	return p.list(ctx, "/api/v1/protocols", "name service names")
}

type productCatalogue struct {
	sorted
	Kind string `help:"chip, module or solution." placeholder:"KIND"`
}

func (p *productCatalogue) Run(ctx context.Context) error {
	return p.list(ctx, "/api/v1/catalogue", "id kind certified valid_until protocols category names", "kind", p.Kind)
}
