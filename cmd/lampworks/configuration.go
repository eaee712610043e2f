package main

import (
	"context"
	"strconv"
)

type configCommand struct {
	List   configList   `cmd:"" help:"Versions of a product's configuration (远程配置), newest first; the newest is in force."`
	Show   configShow   `cmd:"" help:"A version, with its document."`
	Upload configUpload `cmd:"" help:"Make a file the next version."`
	Push   configPush   `cmd:"" help:"Push the version in force to the devices that are online."`
	Pushes configPushes `cmd:"" help:"What was pushed, newest first, and how many took it."`
}

const configPath = productPath + "/configurations"

type configList struct {
	sorted
	Product string `arg:"" help:"Id of the product."`
}

func (c *configList) Run(ctx context.Context) error {
	return c.list(ctx, at(configPath, c.Product), "version size created_at note config_id")
}

type oneConfig struct {
	oneProduct
	Version int `arg:"" help:"Number of the version."`
}

func (c *oneConfig) path(rest string) string {
	return at(configPath, c.Product) + "/" + strconv.Itoa(c.Version) + rest
}

type configShow struct{ oneConfig }

func (c *configShow) Run(ctx context.Context) error { return c.do(ctx, "GET", c.path(""), nil) }

type configUpload struct {
	oneProduct
	File string `arg:"" help:"A JSON object of at most 65,536 bytes; - is the standard input."`
	Note string `help:"Why, for who reads the list." placeholder:"TEXT"`
}

func (c *configUpload) Run(ctx context.Context) error {
	file, err := document(c.File)
	if err != nil {
		return err
	}
	return c.do(ctx, creates, at(configPath, c.Product), body("document", file, "note", c.Note))
}

type configPush struct{ oneConfig }

func (c *configPush) Run(ctx context.Context) error {
	return c.do(ctx, creates, c.path("/pushes"), nil)
}

type configPushes struct {
	sorted
	Product string `arg:"" help:"Id of the product."`
}

func (c *configPushes) Run(ctx context.Context) error {
	return c.list(ctx, at(productPath+"/configuration-pushes", c.Product), "id version created_at sent confirmed")
}
