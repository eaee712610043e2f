package main

import (
	"context"
	"os"

	"lampworks/internal/demo"
	"lampworks/internal/fleet/virtual"
)

type demoCommand struct {
	nodeFlags
	Data         string `help:"Keep the demo in this directory and find it again. Default: a throw-away one." placeholder:"DIR"`
	Say          string `help:"Run one sentence through the whole platform, print each stage with its time, and exit 0 only if the device confirmed." placeholder:"SENTENCE"`
	DeviceFault  string `help:"Make the virtual devices misbehave: none, silent, slow, wrong, duplicate, wrong-type or flapping." default:"none" enum:"none,silent,slow,wrong,duplicate,wrong-type,flapping"`
	SpareDevices int    `help:"How many unused triples to write for other programs to connect with. Default: ${default}." default:"10" placeholder:"N"`
	NoOpen       bool   `help:"Open no browser."`
}

func (d *demoCommand) Run(ctx context.Context) error {
	if d.Say != "" && d.LogLevel == "info" {
		d.LogLevel = "warn"
	}
	log, err := logger(d.LogLevel)
	if err != nil {
		return err
	}
	c, err := d.config(d.Data)
	if err != nil {
		return err
	}
	if d.Say != "" { // one sentence needs no known port
		c.HTTP, c.MQTT = "127.0.0.1:0", "127.0.0.1:0"
	}
	return demo.Run(ctx, c, demo.Options{
		Say: d.Say, Fault: virtual.Fault(d.DeviceFault), Spare: d.SpareDevices, NoOpen: d.NoOpen, Out: os.Stdout,
	}, log)
}
