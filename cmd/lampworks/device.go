package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"

	"lampworks/internal/fleet/virtual"
	"lampworks/internal/partner/product"
	"lampworks/triple"
	"lampworks/tsl"
)

type deviceCommand struct {
	Server     string `help:"Address of the gateway (MQTT). Default: ${default}." default:"127.0.0.1:1883" placeholder:"HOST:PORT" env:"LAMPWORKS_MQTT_SERVER"`
	Triple     string `help:"The device's triple (三元组): PRODUCT_ID,MAC,SECRET." required:"" placeholder:"PID,MAC,SECRET"`
	ProductKey string `help:"ProductKey, if the product was brought from elsewhere. Default: what follows from the ProductID." placeholder:"KEY"`
	Model      string `help:"Thing model (物模型), a TSL document. Default: that of a colour light." type:"existingfile" placeholder:"FILE"`
	Fault      string `help:"Misbehave: none, silent, slow or wrong." default:"none" enum:"none,silent,slow,wrong"`
	LogLevel   string `name:"log-level" help:"debug, info, warn or error." default:"info"`
}

// Validate refuses an address that no device can connect to: trying again would not help.
func (d *deviceCommand) Validate() error {
	host, port, err := net.SplitHostPort(d.address())
	if n, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil || n == 0 || strings.Contains(host, "/") {
		return fmt.Errorf("--server %s: want HOST:PORT of the server's --mqtt, as 127.0.0.1:1883", d.Server)
	}
	return nil
}

// address is where the device connects.
func (d *deviceCommand) address() string { return strings.TrimPrefix(d.Server, "mqtt://") }

func (d *deviceCommand) Run(ctx context.Context) error {
	log, err := logger(d.LogLevel)
	if err != nil {
		return err
	}
	t, err := triple.Parse(d.Triple)
	if err != nil {
		return fmt.Errorf("--triple: %w", err)
	}
	model, err := d.model()
	if err != nil {
		return err
	}
	key := d.ProductKey
	if key == "" {
		key = triple.ProductKey(t.ProductID)
	}
	var v *virtual.Device
	v = virtual.New(virtual.Config{
		Addr: d.address(), ProductKey: key, Triple: t, Model: model, Fault: virtual.Fault(d.Fault), Log: log,
		OnCommand: func(id, method string, params []byte) {
			fmt.Fprintf(os.Stdout, "command %s %s %s\n", id, method, params)
		},
		OnState: func(err error) {
			if err != nil {
				fmt.Fprintf(os.Stdout, "not connected to %s, trying again: %v\n", d.Server, err)
				return
			}
			fmt.Fprintf(os.Stdout, "connected to %s: %s\n", d.Server, text(v))
		},
	})
	fmt.Fprintf(os.Stdout, "device %s of %s: %s\n", v.Name(), key, text(v))
	return v.Run(ctx)
}

func (d *deviceCommand) model() (*tsl.Model, error) {
	if d.Model == "" {
		return product.CategoryModel("colour_light")
	}
	b, err := os.ReadFile(d.Model)
	if err != nil {
		return nil, fmt.Errorf("reading the thing model: %w", err)
	}
	doc, err := tsl.Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.Model, err)
	}
	return tsl.Compile(doc)
}

// text is the state of a device in one line.
func text(v *virtual.Device) string {
	var parts []string
	for id, value := range v.State() {
		parts = append(parts, id+"="+string(value))
	}
	sort.Strings(parts)
	return strings.Join(parts, " ")
}
