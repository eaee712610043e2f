package api

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
)

type auditView struct {
	ID           string     `json:"id"`
	Seq          int64      `json:"seq" doc:"Grows from entry to entry."`
	At           moment     `json:"at"`
	Organisation string     `json:"organisation,omitempty" doc:"In whose name; absent: the platform."`
	Actor        auditActor `json:"actor"`
	Act          string     `json:"act"`
	Object       string     `json:"object,omitempty"`
	Note         string     `json:"note,omitempty"`
	Sealed       bool       `json:"sealed" doc:"It is a link of the chain; that takes a second."`
}

type auditActor struct {
	Kind    string `json:"kind" enum:"user,token,device,clock,system"`
	ID      string `json:"id"`
	User    string `json:"user,omitempty" doc:"Id of the person behind it."`
	Login   string `json:"login,omitempty"`
	From    string `json:"from,omitempty" doc:"Remote address."`
	Deleted bool   `json:"deleted,omitempty" doc:"The person was deleted: the id is a reference, the same in all entries of one organisation."`
}

func auditOf(e *audit.Entry) auditView {
	return auditView{
		e.ID, e.Seq, moment(e.At), e.Organisation,
		auditActor{e.Actor.Kind, e.Actor.ID, e.Actor.User, e.Actor.Login, e.Actor.From, e.Deleted},
		e.Act, e.Object, e.Note, e.Sealed,
	}
}

// AuditFilter is what the audit is searched by. It is exported because huma looks into exported parts only.
type AuditFilter struct {
	Act          string `query:"act" maxLength:"64" doc:"order.issue, or all acts of a room with a dot at the end: order."`
	Object       string `query:"object" maxLength:"200"`
	Actor        string `query:"actor" maxLength:"64" doc:"Id of the person, token, device or part of the program that acted."`
	Organisation string `query:"organisation" maxLength:"64" doc:"For an operator: an id, or platform for the platform's own; absent: all."`
	Since        string `query:"since" maxLength:"64" format:"date-time" doc:"Included."`
	Until        string `query:"until" maxLength:"64" format:"date-time" doc:"Excluded."`
}

func (f *AuditFilter) filter() audit.Filter {
	return audit.Filter{Act: f.Act, Object: f.Object, Actor: f.Actor, Since: f.Since, Until: f.Until}
}

type auditInput struct {
	PageInput
	AuditFilter
	told bool // a file was recorded
}

type auditKeyView struct {
	PublicKey  string           `json:"public_key" doc:"Ed25519, hexadecimal: give it to lampworks audit verify --key."`
	Anchor     string           `json:"anchor,omitempty" doc:"Names the newest checkpoint: keep it elsewhere and give it to lampworks audit verify --anchor."`
	Checkpoint *auditCheckpoint `json:"checkpoint,omitempty" doc:"The newest one; absent in the first minute."`
}

type auditCheckpoint struct {
	Number  int64  `json:"number"`
	Seq     int64  `json:"seq" doc:"Of the newest entry it covers."`
	Entries int64  `json:"entries" doc:"How many were ever sealed up to it."`
	At      moment `json:"at"`
}

func (a *API) auditRoutes() {
	list(a, "/api/v1/audit", access.ReadAudit, ofCaller, "Who did what in the organisation acted for, newest first; an operator sees all", a.audit)
	route(a, http.MethodGet, "/api/v1/audit/key", access.ReadAudit, ofCaller, "The key that signs the audit, and its newest checkpoint", a.auditKey)
	op := a.operation(http.MethodGet, "/api/v1/audit/export", access.ExportAudit, ofCaller, "The audit as a file that lampworks audit verify checks without the server")
	op.Responses["200"] = &huma.Response{
		Description: "JSON lines.",
		Content:     map[string]*huma.MediaType{linesType: {Schema: &huma.Schema{Type: huma.TypeString}}},
	}
	huma.Register(a.huma, op, a.auditExport)
}

// audit lists entries. As a file it is an export: it needs that act, and is recorded once.
func (a *API) audit(ctx context.Context, who access.Actor, in *auditInput) (page[auditView], error) {
	if (in.Format == "csv" || in.Format == "jsonl") && !in.told {
		if err := audit.Told(ctx, a.Store, who, in.Organisation, in.filter(), in.Format); err != nil {
			return page[auditView]{}, err
		}
		in.told = true
	}
	f := in.filter()
	f.Cursor, f.Limit = in.Cursor, in.Limit
	var p page[auditView]
	err := a.Store.Read(ctx, func(v *store.View) error {
		es, next, err := audit.Search(ctx, v, who, in.Organisation, f)
		p = pageTo(es, next, auditOf)
		return err
	})
	return p, err
}

func (a *API) auditKey(ctx context.Context, _ access.Actor, _ *struct{}) (auditKeyView, error) {
	var out auditKeyView
	err := a.Store.Read(ctx, func(v *store.View) error {
		key, err := keyring.SignerPublic(ctx, v, audit.Purpose)
		if err != nil {
			return err
		}
		out.PublicKey = hex.EncodeToString(key)
		c, err := audit.Newest(ctx, v)
		if err == nil && c.Number > 0 {
			out.Anchor = c.Anchor().String()
			out.Checkpoint = &auditCheckpoint{c.Number, c.Seq, c.Entries, moment(time.UnixMilli(c.At))}
		}
		return err
	})
	return out, err
}

// auditExport writes the file page by page. What fails after the first byte breaks the connection, so that half a file never
// looks whole.
func (a *API) auditExport(_ context.Context, in *AuditFilter) (*huma.StreamResponse, error) {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		ctx := hc.Context()
		who, _ := access.Of(ctx)
		_, w := humago.Unwrap(hc)
		out := &auditFile{w: w, control: http.NewResponseController(w)}
		err := audit.Export(ctx, a.Store, who, in.Organisation, in.filter(), out)
		switch {
		case err == nil:
			_ = out.control.SetWriteDeadline(time.Time{}) // the connection serves on
		case !out.begun:
			a.refuse(hc, err)
		default:
			a.Logger.LogAttrs(ctx, slog.LevelWarn, "audit export broke off", slog.String("request", callOf(ctx).id), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
	}}, nil
}

// auditFile sends every piece before it takes the next: the file is never held.
type auditFile struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

// Write implements io.Writer.
func (f *auditFile) Write(p []byte) (int, error) {
	if !f.begun {
		f.begun = true
		f.w.Header().Set("Content-Type", linesType)
		f.w.Header().Set("Content-Disposition", `attachment; filename="lampworks-audit.jsonl"`)
	}
	if err := f.control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return f.w.Write(p)
}
