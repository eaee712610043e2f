package main

import (
	"context"
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
	return l.upload(ctx, "POST", query("/api/v1/leak-reports", "order", l.Order, "product", l.Product), l.File)
}
