package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
)

// upload declares a POST whose body is a file of at most limit bytes, read as it comes. What else there is to say stands in
// the query.
func upload[I, B any](a *API, path string, act access.Act, own owner, summary string, limit int64, types []string, do func(context.Context, access.Actor, *I, io.Reader) (B, error)) {
	op := a.operation(http.MethodPost, path, act, own, summary)
	op.DefaultStatus = http.StatusCreated
	op.RequestBody = &huma.RequestBody{Required: true, Content: make(map[string]*huma.MediaType)}
	for _, t := range types {
		op.RequestBody.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}
	}
	register(a, op, func(ctx context.Context, in *I) (B, error) {
		who, _ := access.Of(ctx)
		return do(ctx, who, in, &incoming{file: callOf(ctx).file, limit: limit})
	})
}

// fileTypes is what files of rows come as. What they are is seen by what they hold.
func fileTypes() []string {
	return []string{"text/csv", "text/plain", workbookType, "application/octet-stream"}
}

// file is the body of a request before the bound that others have.
type file struct {
	body    io.Reader
	control *http.ResponseController
}

// incoming reads a file that comes in, piece by piece: each must be there in time, and all within the limit.
type incoming struct {
	file
	limit, n int64
}

// Read implements io.Reader.
func (f *incoming) Read(p []byte) (int, error) {
	if err := f.control.SetReadDeadline(time.Now().Add(patience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := f.body.Read(p)
	if f.n += int64(n); f.n > f.limit {
		return n, fault.TooLarge("the file", f.n, f.limit)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = fault.Unavailable("the file did not come in whole", err)
	}
	return n, err
}
