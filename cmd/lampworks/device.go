package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/fleet/virtual"
	"lampworks/internal/partner/product"
	"lampworks/mqtt"
	"lampworks/triple"
	"lampworks/tsl"
)

type deviceCommand struct {
	Server     string        `help:"The gateway: HOST:PORT (MQTT), or mqtts://, ws:// or wss://HOST:PORT. Default: ${default}." default:"127.0.0.1:1883" placeholder:"URL" env:"LAMPWORKS_MQTT_SERVER"`
	CA         string        `name:"ca" help:"Certificates (PEM) to hold that of the server against. Default: those of the system." type:"existingfile" placeholder:"FILE"`
	Triple     string        `help:"The device's triple (三元组): PRODUCT_ID,MAC,SECRET; with --register, PRODUCT_ID,MAC." required:"" placeholder:"PID,MAC,SECRET"`
	ProductKey string        `help:"ProductKey, if the product was brought from elsewhere. Default: what follows from the ProductID." placeholder:"KEY"`
	Register   string        `help:"Ask for a secret of its own first (dynamic registration): https://HOST:PORT of the server's --https, or mqtt to ask at --server. Needs --registered and a ProductSecret." placeholder:"URL"`
	Secret     string        `name:"product-secret" help:"With --register: the ProductSecret." placeholder:"SECRET" env:"LAMPWORKS_PRODUCT_SECRET"`
	Registered string        `help:"With --register: the file that keeps the triple it is handed. If it is there, the device connects with that and asks for none." placeholder:"FILE"`
	Category   string        `help:"The category whose thing model (物模型) it has. Default: ${default}." default:"colour_light" placeholder:"NAME"`
	Model      string        `help:"Thing model of its own, a TSL document, instead." type:"existingfile" placeholder:"FILE"`
	Child      []string      `help:"The triple of a device that it carries, as a gateway (网关); may be repeated, or a file of them, one a line: @FILE." sep:"none" placeholder:"PID,MAC,SECRET"`
	ChildModel string        `help:"The category whose thing model those have. Default: ${default}." default:"light" placeholder:"NAME"`
	MQTT       string        `name:"mqtt" help:"Version of MQTT: 3.1.1 or 5. Default: ${default}." default:"3.1.1" enum:"3.1.1,5"`
	QoS        uint8         `name:"qos" help:"QoS of what it says: 0, 1 or 2. Default: ${default}." default:"1" placeholder:"N"`
	Session    time.Duration `help:"Keep its session so long after a connection, as 1h; in 3.1.1 as long as the server does. Default: not at all." placeholder:"DURATION"`
	Will       string        `help:"Values that are posted for it when its connection is lost, as '{\"powerstate\":0}'." placeholder:"JSON"`
	Fault      string        `help:"Misbehave: none, silent (never answers), slow (after 4 s), wrong (does something else), duplicate (says all twice), wrong-type (reports texts for numbers) or flapping (loses its connection every 2 s)." default:"none" enum:"none,silent,slow,wrong,duplicate,wrong-type,flapping"`
	Bind       string        `help:"Announce a bind token (绑定令牌) whenever it connects and show it as QR code, with the address of the platform for people; the line button as input presses its button." placeholder:"URL"`
	BindImage  string        `help:"With --bind: write the QR code into this file, too, as PNG." placeholder:"FILE"`
	LogLevel   string        `name:"log-level" help:"debug, info, warn or error." default:"info"`
}

// Validate refuses what no device can connect with: trying again would not help.
func (d *deviceCommand) Validate() error {
	if _, err := d.line(); err != nil {
		return err
	}
	if err := d.checkRegister(); err != nil {
		return err
	}
	if err := d.checkBind(); err != nil {
		return err
	}
	if d.QoS > 2 {
		return fmt.Errorf("--qos %d: want 0, 1 or 2", d.QoS)
	}
	if d.Session < 0 || d.Session%time.Second != 0 || d.Session > math.MaxUint32*time.Second {
		return fmt.Errorf("--session %s: want whole seconds, as 90s or 1h", d.Session)
	}
	var will map[string]json.RawMessage
	if d.Will != "" && json.Unmarshal([]byte(d.Will), &will) != nil {
		return fmt.Errorf("--will %s: want a JSON object of values, as {\"powerstate\":0}", d.Will)
	}
	return nil
}

// line is how the device reaches the gateway.
func (d *deviceCommand) line() (*virtual.Line, error) {
	roots, err := d.roots()
	if err != nil {
		return nil, err
	}
	l, err := virtual.ParseLine(d.Server, roots)
	if err != nil {
		return nil, fmt.Errorf("--server %s: %w", d.Server, err)
	}
	return l, nil
}

func (d *deviceCommand) Run(ctx context.Context) error {
	c, err := d.config()
	if err != nil {
		return err
	}
	if err := d.register(ctx, &c); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var v *virtual.Device
	connected := false
	c.OnCommand = func(id, method string, params []byte) {
		fmt.Fprintf(os.Stdout, "command %s %s %s\n", id, method, params)
	}
	c.OnRefused = func(code int, why string) {
		fmt.Fprintf(os.Stdout, "refused %d %s\n", code, why)
	}
	c.OnNews = func(n virtual.News) { fmt.Fprintln(os.Stdout, newsText(n)) }
	c.OnState = func(err error) {
		if err != nil {
			hint, over := hintOf(err, connected)
			if over {
				stop(hinted(err, hint))
				return
			}
			fmt.Fprintf(os.Stdout, say("not connected to %s, trying again: %v\n", "未连上 %s，正在重试：%v\n"), d.Server, hinted(err, hint))
			return
		}
		connected = true
		kept := ""
		if v.Kept() {
			kept = say(", its session was kept", "，会话得以保留")
		}
		fmt.Fprintf(os.Stdout, say("connected to %s%s: %s\n", "已连上 %s%s：%s\n"), d.Server, kept, text(v))
	}
	if d.Bind != "" {
		c.OnToken = func(token string) {
			if err := d.showToken(c.ProductKey, v.Name(), token); err != nil {
				stop(err)
			}
		}
	}
	v = virtual.New(c)
	if d.Bind != "" {
		go pressOn(ctx, os.Stdin, v) // it ends with the input, or the program
	}
	fmt.Fprintf(os.Stdout, say("device %s of %s: %s\n", "设备 %s，产品 %s：%s\n"), v.Name(), c.ProductKey, text(v))
	if err := v.Run(ctx); err != nil {
		hint, _ := hintOf(err, connected)
		return hinted(err, hint)
	}
	if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// config is the device that the flags describe.
func (d *deviceCommand) config() (c virtual.Config, err error) {
	c = virtual.Config{Addr: d.Server, ProductKey: d.ProductKey, Version: mqtt.V311, QoS: d.QoS, Stay: d.Session, Fault: virtual.Fault(d.Fault)}
	if c.Log, err = logger(d.LogLevel); err != nil {
		return c, err
	}
	if c.Triple, err = d.identity(); err != nil {
		return c, usageError{fmt.Errorf("--triple: %w", err)}
	}
	if c.Model, err = d.model(); err != nil {
		return c, err
	}
	if c.Line, err = d.line(); err != nil {
		return c, err
	}
	if c.ProductKey == "" {
		c.ProductKey = triple.ProductKey(c.Triple.ProductID)
	}
	if c.Children, err = d.children(); err != nil {
		return c, err
	}
	if d.MQTT == "5" {
		c.Version = mqtt.V5
	}
	if d.Will != "" {
		c.Will = []byte(d.Will)
	}
	return c, nil
}

// children are the devices that it carries.
func (d *deviceCommand) children() (all []virtual.Config, err error) {
	var lines, froms []string
	for _, c := range d.Child {
		name, file := strings.CutPrefix(c, "@")
		if !file {
			lines, froms = append(lines, c), append(froms, "--child "+strconv.Itoa(len(lines)+1))
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, usageError{fmt.Errorf("--child: %w", err)}
		}
		n := 0
		for text := range strings.Lines(string(b)) {
			n++
			for _, field := range strings.Fields(text) {
				lines, froms = append(lines, field), append(froms, fmt.Sprintf(say("--child @%s, line %d", "--child @%s 第 %d 行"), name, n))
			}
		}
	}
	if len(lines) == 0 {
		return nil, nil
	}
	model, err := product.CategoryModel(d.ChildModel)
	if err != nil {
		return nil, fmt.Errorf("--child-model: %w", err)
	}
	for i, line := range lines {
		t, err := triple.Parse(line)
		if err != nil {
			return nil, usageError{fmt.Errorf("%s: %w", froms[i], err)} // which may hold a secret, and is not shown
		}
		all = append(all, virtual.Config{ProductKey: triple.ProductKey(t.ProductID), Triple: t, Model: model})
	}
	return all, nil
}

func (d *deviceCommand) model() (*tsl.Model, error) {
	if d.Model == "" {
		return product.CategoryModel(d.Category)
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
