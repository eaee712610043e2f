package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/blob"
)

// octets is the Content-Type of a body that is a file as it is; what it is, its bytes say.
const octets = "application/octet-stream"

// fetch declares a GET of a file that never changes under its path. A browser may keep it for itself if it is no secret.
func fetch[I any](a *API, path string, act access.Act, own owner, secret bool, summary string, do func(context.Context, access.Actor, *I) (media string, content io.ReadCloser, err error)) {
	op := a.operation(http.MethodGet, path, act, own, summary)
	op.Responses["200"] = &huma.Response{
		Description: "The file.", Content: map[string]*huma.MediaType{octets: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
	}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		who, _ := access.Of(ctx)
		media, content, err := do(ctx, who, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) { a.sendFile(hc, media, content, secret) }}, nil
	})
}

// sendFile writes a file. One that breaks off breaks the connection, so that half of it never looks whole.
func (a *API) sendFile(hc huma.Context, media string, content io.ReadCloser, secret bool) {
	defer content.Close()
	_, w := humago.Unwrap(hc)
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	if secret {
		h.Set("Content-Disposition", `attachment; filename="file`+blob.Type(media).Extension()+`"`)
	} else {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if _, err := io.Copy(w, content); err != nil {
		a.Logger.LogAttrs(hc.Context(), slog.LevelWarn, "file broke off", slog.String("request", callOf(hc.Context()).id), slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
}

// looked is a paper that somebody may look at.
type looked struct {
	name    string // without the end that its type has
	media   blob.Type
	size    int64
	content io.ReadCloser
}

// look declares a GET of a paper, as an attachment: a look may leave a record, so nobody asks for less than the whole.
func look[I any](a *API, path string, act access.Act, own owner, summary string, do func(context.Context, access.Actor, *I) (looked, error)) {
	op := a.operation(http.MethodGet, path, act, own, summary)
	op.Middlewares = append(huma.Middlewares{a.onlyGet}, op.Middlewares...)
	op.Responses["200"] = &huma.Response{Description: "As an attachment.", Content: map[string]*huma.MediaType{octets: {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}}}
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
		who, _ := access.Of(ctx)
		p, err := do(ctx, who, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return a.attachment(ctx, p.name+p.media.Extension(), p.media, p.size, p.content), nil
	})
}

// attachment hands out a file of any size, which may take long to leave and is for one person's disk, not for a browser's
// window. One that breaks off breaks the connection.
func (a *API) attachment(ctx context.Context, name string, media blob.Type, size int64, content io.ReadCloser) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		_, w := humago.Unwrap(hc)
		h := w.Header()
		h.Set("Content-Type", string(media))
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		control := http.NewResponseController(w)
		_, err := io.Copy(&pieceWriter{w, control}, content)
		if err := errors.Join(err, content.Close()); err != nil {
			a.Logger.LogAttrs(ctx, slog.LevelWarn, "file broke off", slog.String("request", callOf(ctx).id), slog.String("file", name), slog.Any("error", err))
			panic(http.ErrAbortHandler)
		}
		_ = control.SetWriteDeadline(time.Time{}) // the connection serves on
	}}
}

// pieceWriter gives each piece its time to leave.
type pieceWriter struct {
	w       io.Writer
	control *http.ResponseController
}

// Write implements io.Writer.
func (p *pieceWriter) Write(b []byte) (int, error) {
	if err := p.control.SetWriteDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.w.Write(b)
}
