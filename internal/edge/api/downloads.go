package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/issuance"
)

type downloadView struct {
	ID           string          `json:"id"`
	Order        string          `json:"order"`
	Organisation string          `json:"organisation"`
	Product      string          `json:"product"`
	Generation   uint32          `json:"generation" doc:"Of every secret in it."`
	Format       issuance.Format `json:"format" enum:"xlsx,age"`
	Recipient    string          `json:"recipient,omitempty" doc:"Whom it is encrypted for."`
	Reason       string          `json:"reason"`
	MadeBy       string          `json:"made_by" doc:"User."`
	CreatedAt    moment          `json:"created_at"`
	EndsAt       moment          `json:"ends_at" doc:"No byte is given after it."`
	Quantity     int             `json:"quantity" doc:"Triples in it."`
	LeftOut      int             `json:"left_out" doc:"Triples of the order that are not in it, because a device had logged in with them."`
	Open         bool            `json:"open" doc:"The file may still be taken."`
	TakenAt      moment          `json:"taken_at,omitzero" doc:"Its last byte has left."`
	VoidedAt     moment          `json:"voided_at,omitzero" doc:"It ended early, because triples of the order were revoked."`
	RevokedAt    moment          `json:"revoked_at,omitzero" doc:"What it handed out is not in force any more."`
}

func downloadOf(d *issuance.Download) downloadView {
	return downloadView{
		ID: d.ID, Order: d.Order, Organisation: d.Organisation, Product: d.Product, Generation: d.Generation, Format: d.Format,
		Recipient: d.Recipient, Reason: d.Reason, MadeBy: d.MadeBy, CreatedAt: moment(d.CreatedAt), EndsAt: moment(d.EndsAt),
		Quantity: max(d.Quantity, 0), LeftOut: d.Total - max(d.Quantity, 0), Open: d.Open(time.Now()),
		TakenAt: moment(d.TakenAt), VoidedAt: moment(d.VoidedAt), RevokedAt: moment(d.RevokedAt),
	}
}

type newDownloadInput struct {
	Order string `path:"order" maxLength:"64"`
	Body  struct {
		Reason    string          `json:"reason" minLength:"1" maxLength:"500" doc:"Stays on record." example:"the line starts on Monday"`
		Format    issuance.Format `json:"format,omitempty" enum:"xlsx,age" default:"xlsx"`
		Recipient string          `json:"recipient,omitempty" maxLength:"200" doc:"Of format age: the public key, age1…"`
	}
}

type downloadsInput struct {
	ListInput
	Order        string `query:"order" maxLength:"64"`
	Organisation string `query:"organisation" maxLength:"64" doc:"For who sees all organisations."`
}

type downloadInput struct {
	Download string `path:"download" maxLength:"64"`
}

type fileInput struct {
	Download string `path:"download" maxLength:"64"`
	Range    string `header:"Range" maxLength:"200" doc:"bytes=N- or bytes=N-M, to go on where a transfer broke off."`
	IfRange  string `header:"If-Range" maxLength:"200" doc:"ETag of the bytes that came before; if the file is another by now, it is given as a whole."`
}

type revokeDownloadInput struct {
	Download string `path:"download" maxLength:"64"`
	Body     reasonBody
}

func (a *API) downloadRoutes() {
	a.registrationRoutes()
	create(a, "/api/v1/orders/{order}/downloads", access.DownloadTriples, ofOrder, "Make a download of an issued order: it hands out the next generation of secrets", func(ctx context.Context, who access.Actor, in *newDownloadInput) (downloadView, error) {
		d, err := a.Orders.Grant(ctx, who, in.Order, issuance.NewDownload{Reason: in.Body.Reason, Format: in.Body.Format, Recipient: in.Body.Recipient})
		return downloadOf(&d), err
	})
	list(a, "/api/v1/downloads", access.ReadOrder, ofCaller, "Downloads, newest first", func(ctx context.Context, who access.Actor, in *downloadsInput) (page[downloadView], error) {
		p, err := a.Orders.Downloads(ctx, who, in.ask(map[string]string{"order": in.Order, "organisation": in.Organisation}))
		return pageFrom(p, downloadOf), err
	})
	route(a, "GET", "/api/v1/downloads/{download}", access.ReadOrder, ofDownload, "A download", func(ctx context.Context, who access.Actor, in *downloadInput) (downloadView, error) {
		d, err := a.Orders.LoadDownload(ctx, who, in.Download)
		return downloadOf(&d), err
	})
	route(a, "POST", "/api/v1/downloads/{download}/revocation", access.RevokeTriples, ofDownload, "Take the secrets that a download handed out out of force", func(ctx context.Context, who access.Actor, in *revokeDownloadInput) (nothing, error) {
		return nothing{}, a.Orders.RevokeDownload(ctx, who, in.Download, in.Body.Reason)
	})
	// The grant was made with the second factor; what goes on with it shows that it is the same session. That its holder may
	// still download is asked by the room, and that no measure or term refuses it here.
	op := a.operation("GET", "/api/v1/downloads/{download}/file", access.ReadOrder, ofDownload, "The file of a download, by the session or token that made it")
	op.Middlewares = append(append(huma.Middlewares{a.onlyGet}, op.Middlewares...), a.gate(access.DownloadTriples))
	binary := map[string]*huma.MediaType{
		workbookType:               {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		"application/octet-stream": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
	}
	op.Responses["200"] = &huma.Response{Description: "Six columns, as burning tools read them, and a cover sheet.", Content: binary}
	op.Responses["206"] = &huma.Response{Description: "A part of it. Parts are given until the last byte of the file has left, within 30 minutes of the grant.", Content: binary}
	huma.Register(a.huma, op, a.file)
}

const workbookType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

// file hands the triples of a download out as they are derived. What refuses it does so before the first byte; what fails
// later breaks the connection, so that half a file never looks whole.
func (a *API) file(_ context.Context, in *fileInput) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		ctx := hc.Context()
		who, _ := access.Of(ctx)
		_, w := humago.Unwrap(hc)
		ask, ranged := askedPart(in.Range, in.IfRange)
		out := &download{w: w, control: http.NewResponseController(w), ranged: ranged}
		err := a.Orders.Fetch(ctx, who, in.Download, ask, out.begin)
		switch {
		case err == nil:
			_ = out.control.SetWriteDeadline(time.Time{}) // the connection serves on
		case !out.begun && fault.Of(err) != nil && fault.Of(err).Where == "Range":
			w.Header().Set("Content-Range", "bytes */*")
			p := a.problem(ctx, err)
			p.Status = http.StatusRequestedRangeNotSatisfiable
			writeProblem(w, p)
		case !out.begun:
			a.refuse(hc, err)
		default:
			a.Logger.LogAttrs(ctx, slog.LevelWarn, "download broke off",
				slog.String("request", callOf(ctx).id), slog.String("download", in.Download), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// askedPart reads a Range of one part; others mean the whole (RFC 9110, section 14.2).
func askedPart(header, tag string) (ask issuance.Asked, ranged bool) {
	spec, ok := strings.CutPrefix(header, "bytes=")
	from, last, dash := strings.Cut(spec, "-")
	if !ok || !dash {
		return issuance.Asked{}, false
	}
	n, err := strconv.ParseInt(from, 10, 64)
	if err != nil || n < 0 {
		return issuance.Asked{}, false
	}
	ask = issuance.Asked{From: n, Tag: tag}
	if last != "" {
		end, err := strconv.ParseInt(last, 10, 64)
		if err != nil || end < n || end == 1<<63-1 {
			return issuance.Asked{}, false
		}
		ask.End = end + 1
	}
	return ask, true
}

// patience is how long a piece of a file may take to leave.
const patience = 30 * time.Second

// download sends every piece before it takes the next: the file is never held, and when the room hears that the last one
// was written, it has left.
type download struct {
	w       http.ResponseWriter
	control *http.ResponseController
	ranged  bool
	part    issuance.Part
	begun   bool
}

func (d *download) begin(p issuance.Part) (io.Writer, error) {
	d.part = p
	return d, nil
}

// Write implements io.Writer.
func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.head()
	}
	if err := d.control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := d.w.Write(p)
	if err != nil {
		return n, err
	}
	return n, d.control.Flush()
}

func (d *download) head() {
	h, p := d.w.Header(), &d.part
	h.Set("Content-Type", p.Type)
	h.Set("Content-Disposition", `attachment; filename="`+p.Name+`"`)
	if p.Tag != "" {
		h.Set("ETag", p.Tag)
		h.Set("Accept-Ranges", "bytes")
	}
	if p.End >= 0 {
		h.Set("Content-Length", strconv.FormatInt(p.End-p.From, 10))
	}
	status := http.StatusOK
	if d.ranged && p.Size >= 0 && (p.From > 0 || p.End < p.Size) {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", p.From, p.End-1, p.Size))
	}
	d.w.WriteHeader(status)
}
