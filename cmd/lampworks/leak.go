package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
)

type leakCommand struct {
	client
	File    string `arg:"" help:"What was found: text, CSV or a workbook; - reads it from standard input, so that it is on no command line."`
	Order   string `help:"Look for secrets without an address among the triples of this order." placeholder:"ID"`
	Product string `help:"The same among those of a product." placeholder:"ID"`
}

func (l *leakCommand) Help() string {
	return "Says of each row which download it came from, when and by whom it was made, and what the secret is good for now. Nothing of it is kept."
}

func (l *leakCommand) Run(ctx context.Context) error {
	var in io.Reader = os.Stdin
	if l.File != "-" {
		f, err := os.Open(l.File)
		if err != nil {
			return fmt.Errorf("reading what was found: %w", err)
		}
		defer f.Close()
		in = f
	}
	q := url.Values{}
	for name, v := range map[string]string{"order": l.Order, "product": l.Product} {
		if v != "" {
			q.Set(name, v)
		}
	}
	var raw json.RawMessage
	if err := l.send(ctx, "/api/v1/leak-reports?"+q.Encode(), in, &raw); err != nil {
		return err
	}
	return printJSON(raw)
}
