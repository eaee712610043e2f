package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/fleet/config"
	"lampworks/internal/infra/access"
)

type configView struct {
	Version   int    `json:"version"`
	ConfigID  string `json:"config_id" doc:"By which devices know it."`
	Size      int    `json:"size" doc:"Bytes."`
	SHA256    string `json:"sha256" doc:"Lower-case hex."`
	Note      string `json:"note,omitempty"`
	CreatedAt moment `json:"created_at"`
	CreatedBy string `json:"created_by,omitempty"`

	Document json.RawMessage `json:"document,omitempty" doc:"Left out in lists."`
}

func configOf(v *config.Version) configView {
	return configView{v.Number, v.ID, v.Size, v.SHA256, v.Note, moment(v.CreatedAt), v.CreatedBy, v.Document}
}

type pushView struct {
	ID        int64  `json:"id"`
	Version   int    `json:"version"`
	CreatedAt moment `json:"created_at"`
	CreatedBy string `json:"created_by,omitempty"`
	Sent      int64  `json:"sent" doc:"Devices it was sent to so far."`
	Confirmed int64  `json:"confirmed" doc:"Those that have answered 200."`
}

func pushOf(p *config.Push) pushView {
	return pushView{p.Seq, p.Number, moment(p.CreatedAt), p.CreatedBy, p.Sent, p.Confirmed}
}

type ofProductInput struct {
	ListInput
	Product string `path:"product" maxLength:"64"`
}

type newConfigInput struct {
	Product string `path:"product" maxLength:"64"`
	Body    struct {
		Document json.RawMessage `json:"document" doc:"A JSON object of at most 65,536 bytes. Devices get it byte for byte as it is sent here."`
		Note     string          `json:"note,omitempty" maxLength:"500"`
	}
}

type configInput struct {
	Product string `path:"product" maxLength:"64"`
	Version int    `path:"version" minimum:"1"`
}

type linkInput struct {
	Link string `path:"link" maxLength:"128"`
}

// FilePath is where devices fetch files, completed by a link.
const FilePath = prefix + "device-files/"

// configRoutes are about the configuration files of products.
func (a *API) configRoutes() {
	list(a, "/api/v1/products/{product}/configurations", access.ReadProduct, ofProduct, "Versions of a product's configuration (远程配置), newest first; the newest is in force", func(ctx context.Context, who access.Actor, in *ofProductInput) (page[configView], error) {
		versions, err := a.Configs.Versions(ctx, who, in.Product, in.ask(nil))
		return pageFrom(versions, configOf), err
	})
	create(a, "/api/v1/products/{product}/configurations", access.WriteProduct, ofProduct, "Make a file the next version of a product's configuration", func(ctx context.Context, who access.Actor, in *newConfigInput) (configView, error) {
		v, err := a.Configs.Upload(ctx, who, in.Product, in.Body.Document, in.Body.Note)
		return configOf(&v), err
	})
	route(a, "GET", "/api/v1/products/{product}/configurations/{version}", access.ReadProduct, ofProduct, "A version of a product's configuration", func(ctx context.Context, who access.Actor, in *configInput) (configView, error) {
		v, err := a.Configs.Version(ctx, who, in.Product, in.Version)
		return configOf(&v), err
	})
	create(a, "/api/v1/products/{product}/configurations/{version}/pushes", access.ControlDevice, ofProduct, "Push the version in force to the devices of the product that are online", func(ctx context.Context, who access.Actor, in *configInput) (pushView, error) {
		p, err := a.Configs.Push(ctx, who, in.Product, in.Version)
		return pushOf(&p), err
	})
	list(a, "/api/v1/products/{product}/configuration-pushes", access.ReadProduct, ofProduct, "Pushes of a product's configuration, newest first", func(ctx context.Context, who access.Actor, in *ofProductInput) (page[pushView], error) {
		pushes, err := a.Configs.History(ctx, who, in.Product, in.ask(nil))
		return pageFrom(pushes, pushOf), err
	})
	a.deviceFile()
}

// deviceFile declares what devices fetch: whoever has the link may, for half an hour.
func (a *API) deviceFile() {
	op := open(http.MethodGet, FilePath+"{link}", "A file that a device was told to fetch, by the link it was given for half an hour")
	op.Responses["200"] = &huma.Response{Description: "The file.", Content: map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{}}}}
	huma.Register(a.huma, op, func(ctx context.Context, in *linkInput) (*huma.StreamResponse, error) {
		document, err := a.Configs.Open(ctx, in.Link)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			_, w := humago.Unwrap(hc)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
			w.Header().Set("Cache-Control", "no-store")
			_, _ = w.Write(document) // who leaves before its end knows by its size
		}}, nil
	})
}
