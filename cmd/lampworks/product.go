package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
)

type productCommand struct {
	List      productList      `cmd:"" help:"List products."`
	Steps     productSteps     `cmd:"" help:"Show what a product waits for on its way to mass production."`
	Move      productMove      `cmd:"" help:"Move a product along its life."`
	Catalogue productCatalogue `cmd:"" help:"List the chips, modules and solutions that can be built on."`
}

// show prints an answer as the API gives it, indented.
func show(answer json.RawMessage) error {
	var b bytes.Buffer
	if err := json.Indent(&b, answer, "", "  "); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	b.WriteByte('\n')
	_, err := b.WriteTo(os.Stdout)
	return err
}

// ask sends in and prints the answer.
func (c *client) ask(ctx context.Context, method, path string, in any) error {
	var answer json.RawMessage
	if err := c.call(ctx, method, path, in, &answer); err != nil {
		return err
	}
	return show(answer)
}

// query is a path with the values that are not empty.
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

type productList struct {
	client   `embed:""`
	Kind     string `help:"chip, module, solution or terminal."`
	State    string `help:"draft, develop, debug, certify, published, mass_production or retired."`
	Category string `help:"Name of a category."`
	Flagged  bool   `help:"Only those built on something that is not certified."`
	Search   string `help:"A part of a name, the ProductKey or the ProductID."`
	Cursor   string `help:"next_cursor of the page before."`
}

func (c *productList) Run(ctx context.Context) error {
	flagged := ""
	if c.Flagged {
		flagged = "true"
	}
	return c.ask(ctx, http.MethodGet, query("/api/v1/products", "kind", c.Kind, "state", c.State, "category", c.Category, "flagged", flagged, "search", c.Search, "cursor", c.Cursor), nil)
}

type productSteps struct {
	client  `embed:""`
	Product string `arg:"" help:"Id of the product."`
}

func (c *productSteps) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodGet, "/api/v1/products/"+url.PathEscape(c.Product)+"/steps", nil)
}

type productMove struct {
	client  `embed:""`
	Product string `arg:"" help:"Id of the product."`
	Act     string `arg:"" help:"develop, debug, redesign, certify, recall, publish, produce, reopen or retire."`
	Note    string `help:"Why."`
}

func (c *productMove) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodPut, "/api/v1/products/"+url.PathEscape(c.Product)+"/state", map[string]string{"act": c.Act, "note": c.Note})
}

type productCatalogue struct {
	client `embed:""`
	Kind   string `help:"chip, module or solution."`
	Cursor string `help:"next_cursor of the page before."`
}

func (c *productCatalogue) Run(ctx context.Context) error {
	return c.ask(ctx, http.MethodGet, query("/api/v1/catalogue", "kind", c.Kind, "cursor", c.Cursor), nil)
}
