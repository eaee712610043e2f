package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// server is where the API is.
type server struct {
	Server string `help:"Address of the server. Default: ${default}." default:"http://127.0.0.1:8080" placeholder:"URL" type:"server"`
}

// client calls the API of a running server as any program would.
type client struct {
	server
	Token string `help:"API token. Better in the environment (LAMPWORKS_TOKEN) than on the command line, where others can read it. Default: the session of lampworks login." placeholder:"TOKEN"`

	open bool // what is asked for is told to anybody: without a session, nobody asks
}

// The bounds of a question whose answer is no file.
const (
	patience   = 30 * time.Second
	mostAnswer = 16 << 20
)

// request is a request of nobody.
func (s *server) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(s.Server, "/")+path, body)
	if err != nil {
		return nil, fmt.Errorf("--server %s: %w", s.Server, err)
	}
	req.Header.Set("User-Agent", "lampworks/"+version)
	req.Header.Set("Accept-Language", tongue())
	return req, nil
}

// request is a request with a token or session.
func (c *client) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	req, err := c.server.request(ctx, method, path, body)
	if err != nil {
		return nil, err
	}
	return req, c.sign(req)
}

// call sends in as JSON (nil: nothing) and reads the answer into out.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	_, err := c.exchange(ctx, method, path, in, out)
	return err
}

// exchange is call, and gives what stands around the answer.
func (c *client) exchange(ctx context.Context, method, path string, in, out any) (*http.Response, error) {
	return exchange(ctx, c.request, method, path, in, out)
}

// exchange of nobody is for who has no account yet, or no session.
func (s *server) exchange(ctx context.Context, method, path string, in, out any) (*http.Response, error) {
	return exchange(ctx, s.request, method, path, in, out)
}

type maker func(ctx context.Context, method, path string, body io.Reader) (*http.Request, error)

func exchange(ctx context.Context, request maker, method, path string, in, out any) (*http.Response, error) {
	var b []byte
	if in != nil {
		var err error
		if b, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("encoding the request: %w", err)
		}
	}
	var res *http.Response
	err := repeated(ctx, method, func(method, key string) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		var body io.Reader
		if in != nil {
			body = bytes.NewReader(b)
		}
		req, err := request(ctx, method, path, body)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/json")
		res, err = told(req, key, out)
		return err
	})
	return res, err
}

// told sends req under a key (empty: none) and reads the answer into out; nil: nothing is to be told.
func told(req *http.Request, key string, out any) (*http.Response, error) {
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := answered(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Path, lostAnswer{err})
	}
	if len(answer) == 0 || out == nil { // done, and nothing to tell
		return res, nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", req.URL.Path, err)
	}
	return res, nil
}

// answered sends req; what the server refuses is an error.
func answered(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, unanswered(req.URL.Scheme+"://"+req.URL.Host, lostUnlessDialling(err))
	}
	if res.StatusCode >= 300 {
		defer res.Body.Close()
		return nil, refused(res)
	}
	return res, nil
}

// do calls the API and prints what it answers as indented JSON.
func (c *client) do(ctx context.Context, method, path string, in any) error {
	return c.edit(ctx, held{}, method, path, in)
}

// held is an edit that may be held to what was read.
type held struct {
	Revision *int64 `help:"Only if it still has this revision (of verification: version), as it was read; else nothing is done." placeholder:"N"`
}

// on makes requests for the revision that was read or, if none was named, for whatever is there.
func (c *client) on(h held) maker {
	return func(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
		req, err := c.request(ctx, method, path, body)
		if err == nil && h.Revision != nil {
			req.Header.Set("If-Match", strconv.Quote(strconv.FormatInt(*h.Revision, 10)))
		}
		return req, err
	}
}

// hold is call, on a revision.
func (c *client) hold(ctx context.Context, h held, method, path string, in, out any) error {
	_, err := exchange(ctx, c.on(h), method, path, in, out)
	return err
}

// edit is do, on a revision.
func (c *client) edit(ctx context.Context, h held, method, path string, in any) error {
	var raw json.RawMessage
	switch err := c.hold(ctx, h, method, path, in, &raw); {
	case err != nil:
		return err
	case len(raw) > 0:
		return printJSON(raw)
	}
	where, _, _ := strings.Cut(path, "?")
	note(say("done: %s %s", "已完成：%s %s"), method, where) // an answer without a word would leave one in doubt
	return nil
}

func printJSON(raw []byte) error {
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(os.Stdout)
	return err
}

// send sends a file and reads the answer into out.
func (c *client) send(ctx context.Context, method, path, file string, out any) error {
	return send(ctx, c.request, method, path, file, out)
}

func send(ctx context.Context, request maker, method, path, file string, out any) error {
	if file == "-" { // it cannot be read twice
		method = strings.TrimSuffix(method, once)
	}
	return repeated(ctx, method, func(method, key string) error {
		in, err := opened(file)
		if err != nil {
			return err
		}
		defer in.Close()
		req, err := request(ctx, method, path, in)
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/octet-stream")
		_, err = told(req, key, out)
		return err
	})
}

// upload sends a file and prints the answer.
func (c *client) upload(ctx context.Context, method, path, file string) error {
	return c.replace(ctx, held{}, method, path, file)
}

// replace is upload, on a revision.
func (c *client) replace(ctx context.Context, h held, method, path, file string) error {
	var raw json.RawMessage
	if err := send(ctx, c.on(h), method, path, file, &raw); err != nil {
		return err
	}
	return printJSON(raw)
}

// opened opens a file; - is standard input, so that what is secret stands on no command line.
func opened(file string) (io.ReadCloser, error) {
	if file == "-" {
		return io.NopCloser(os.Stdin), nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("reading the file: %w", err)
	}
	return f, nil
}

// document reads a JSON file whole.
func document(file string) (json.RawMessage, error) {
	in, err := opened(file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	b, err := io.ReadAll(io.LimitReader(in, mostAnswer))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", file, err)
	case len(bytes.TrimSpace(b)) == 0:
		return nil, fmt.Errorf("%s is empty, want JSON", file)
	}
	var any json.RawMessage
	if err := json.Unmarshal(b, &any); err != nil {
		return nil, fmt.Errorf("%s is no JSON%s: %w", file, placeOf(err, b), err)
	}
	return b, nil
}

// placeOf is where in b JSON breaks.
func placeOf(err error, b []byte) string {
	var wrong *json.SyntaxError
	if !errors.As(err, &wrong) {
		return ""
	}
	before := b[:min(max(wrong.Offset, 1), int64(len(b)))]
	return fmt.Sprintf(", line %d, byte %d", 1+bytes.Count(before, []byte("\n")), len(before)-1-bytes.LastIndexByte(before, '\n'))
}

// copy writes an answer of any length.
func (c *client) copy(ctx context.Context, path string, w io.Writer) error {
	req, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	res, err := answered(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if _, err := io.Copy(w, res.Body); err != nil {
		return fmt.Errorf("reading the answer of %s: %w", path, err)
	}
	return nil
}

// save writes an answer to a new file, or to standard output if out is empty. A file that broke off is removed: half a
// file is none.
func (c *client) save(ctx context.Context, path, out string) error {
	if out == "" {
		return c.copy(ctx, path, os.Stdout)
	}
	f, err := os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	if err := errors.Join(c.copy(ctx, path, f), f.Close()); err != nil {
		_ = os.Remove(out)
		return err
	}
	return nil
}

// at is a path with ids in the places of {}.
func at(path string, ids ...string) string {
	for _, id := range ids {
		path = strings.Replace(path, "{}", url.PathEscape(id), 1)
	}
	return path
}

// query is a path with the parameters that are not empty.
func query(path string, pairs ...string) string {
	v := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			v.Set(pairs[i], pairs[i+1])
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// yes is a flag as a parameter: empty if it is not given.
func yes(flag bool) string {
	if flag {
		return "true"
	}
	return ""
}

// body is a JSON object of the members that are not empty.
func body(pairs ...any) map[string]any {
	m := make(map[string]any)
	for i := 0; i+1 < len(pairs); i += 2 {
		if !empty(pairs[i+1]) {
			m[pairs[i].(string)] = pairs[i+1]
		}
	}
	return m
}

// empty says whether a member was not given. A number or a flag is always given.
func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case *bool:
		return v == nil
	case []string:
		return len(v) == 0
	case map[string]string:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	case json.RawMessage:
		return len(v) == 0
	case time.Time:
		return v.IsZero()
	}
	return false
}
