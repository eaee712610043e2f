package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"strconv"
)

type orderDownload struct {
	client
	Order  string `arg:"" help:"Id of the order."`
	Reason string `help:"Why; stays on record. Needed for a new download." placeholder:"TEXT"`
	Out    string `help:"File to write. Default: lampworks-ORDER.xlsx." placeholder:"FILE"`
	Again  bool   `help:"Make another download although the file is there, and let it take the file's place."`
	Age    string `help:"Encrypt for this age recipient." placeholder:"AGE1…" sends:"recipient"`
}

func (o *orderDownload) Help() string {
	return "The file is written beside its name with .part until it is whole. If the transfer breaks off or the program is ended, the same command goes on with " +
		"it, for 30 minutes; it stays one download. An encrypted file begins anew."
}

// begun is what is known of a file that is not whole yet.
type begun struct {
	Download string `json:"download"`
	Tag      string `json:"tag"` // of the bytes that came; empty: they cannot be gone on with
}

func (o *orderDownload) Run(ctx context.Context) error {
	if o.Out == "" {
		o.Out = "lampworks-" + o.Order + ".xlsx"
		if o.Age != "" {
			o.Out += ".age"
		}
	}
	part, note := o.Out+".part", o.Out+".part.json"
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o600) // before the server counts a download
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	defer f.Close()
	b, err := o.begin(ctx, note)
	if err != nil {
		if info, look := f.Stat(); look == nil && info.Size() == 0 {
			_ = os.Remove(part)
		}
		return err
	}
	for tries := 0; ; tries++ {
		err := o.take(ctx, f, b, note)
		if err == nil {
			break
		}
		if !errors.Is(err, errBroken) || tries == 20 || ctx.Err() != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, "lampworks:", explained(err), say("- going on", "—— 继续"))
		if err := rest(ctx, shortest); err != nil {
			return err
		}
	}
	if err := errors.Join(f.Sync(), os.Rename(part, o.Out), os.Remove(note)); err != nil {
		return fmt.Errorf("completing the file: %w", err)
	}
	fmt.Println(o.Out)
	return nil
}

// begin finds the download that was begun, or makes one.
func (o *orderDownload) begin(ctx context.Context, note string) (*begun, error) {
	b := new(begun)
	text, err := os.ReadFile(note)
	if err == nil && json.Unmarshal(text, b) == nil && b.Download != "" {
		var d struct {
			Order string
			Open  bool
		}
		if err := o.call(ctx, "GET", at("/api/v1/downloads/{}", b.Download), nil, &d); err != nil {
			return nil, err
		}
		if d.Open && d.Order == o.Order {
			return b, nil
		}
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading what was begun: %w", err)
	}
	if err := o.another(ctx); err != nil {
		return nil, err
	}
	if o.Reason == "" {
		return nil, usageError{errors.New("a download needs a --reason; it stays on record")}
	}
	in := map[string]string{"reason": o.Reason}
	if o.Age != "" {
		in["format"], in["recipient"] = "age", o.Age
	}
	var d struct{ ID string }
	if err := o.call(ctx, creates, at(orderPath+"/downloads", o.Order), in, &d); err != nil {
		return nil, err
	}
	*b = begun{Download: d.ID}
	return b, b.save(note)
}

// another refuses a download over a file that is whole, unless that is what is wanted: its secrets would be others.
func (o *orderDownload) another(ctx context.Context) error {
	if o.Again {
		return nil
	}
	switch _, err := os.Stat(o.Out); {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking for the file: %w", err)
	}
	var v struct{ Generation uint32 }
	if err := o.call(ctx, "GET", at(orderPath, o.Order), nil, &v); err != nil {
		return err
	}
	return fmt.Errorf("%s is there, and whole. This would be another download, with other secrets (generation %d): "+
		"for that, give --again, which replaces the file, or another --out", o.Out, v.Generation+1)
}

func (b *begun) save(note string) error {
	text, err := json.Marshal(b)
	if err == nil {
		err = os.WriteFile(note, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("noting what was begun: %w", err)
	}
	return nil
}

// errBroken says that a transfer broke off and may be gone on with.
var errBroken = errors.New("the transfer broke off")

// take takes the file, or the rest of it.
func (o *orderDownload) take(ctx context.Context, f *os.File, b *begun, note string) error {
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	if b.Tag == "" {
		have = 0
	}
	req, err := o.request(ctx, "GET", at("/api/v1/downloads/{}/file", b.Download), nil)
	if err != nil {
		return err
	}
	if have > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(have, 10)+"-")
		req.Header.Set("If-Range", b.Tag)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return errors.Join(errBroken, err)
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return refused(res)
	}
	if res.StatusCode != http.StatusPartialContent {
		have = 0
	}
	if tag := res.Header.Get("ETag"); tag != b.Tag {
		b.Tag = tag
		if err := b.save(note); err != nil {
			return err
		}
	}
	if err := f.Truncate(have); err != nil {
		return fmt.Errorf("going on with the file: %w", err)
	}
	if _, err := f.Seek(have, io.SeekStart); err != nil {
		return fmt.Errorf("going on with the file: %w", err)
	}
	if _, err := io.Copy(f, res.Body); err != nil {
		return errors.Join(errBroken, err)
	}
	return nil
}
