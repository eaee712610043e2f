package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"lampworks/alink"
	"lampworks/internal/fleet/virtual"
	"lampworks/triple"
)

// overMQTT asks for a secret on the line that the device connects with.
const overMQTT = "mqtt"

// checkRegister refuses what cannot register.
func (d *deviceCommand) checkRegister() error {
	switch {
	case d.Register == "" && d.Registered == "":
		return nil
	case d.Register == "" || d.Registered == "":
		return errors.New("--register and --registered belong together: a device registers once, and its triple must be kept")
	case d.Secret == "":
		return errors.New("--register needs --product-secret, or LAMPWORKS_PRODUCT_SECRET")
	case d.Register == overMQTT:
		return nil
	}
	if !plainAddress(d.Register) {
		return fmt.Errorf("--register %s: want https://HOST:PORT of the server's --https, or mqtt to ask at --server", d.Register)
	}
	return nil
}

// identity is the triple that was given, without a secret if the device asks for one.
func (d *deviceCommand) identity() (t triple.Triple, err error) {
	if d.Register == "" {
		return triple.Parse(d.Triple)
	}
	product, mac, ok := strings.Cut(d.Triple, ",")
	if !ok || strings.Contains(mac, ",") {
		return t, errors.New("want PRODUCT_ID,MAC with --register: the secret is what is asked for")
	}
	if t.ProductID, err = triple.ParseProductID(product); err != nil {
		return t, err
	}
	t.MAC, err = triple.ParseMAC(mac)
	return t, err
}

// register gives the device the triple that it was handed: now, or when it registered before.
func (d *deviceCommand) register(ctx context.Context, c *virtual.Config) error {
	if d.Register == "" {
		return nil
	}
	f, err := os.OpenFile(d.Registered, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // before it is asked: what is handed over once must have a place
	if errors.Is(err, os.ErrExist) {
		return d.registeredBefore(c)
	}
	if err != nil {
		return usageError{fmt.Errorf("--registered: %w", err)}
	}
	r := virtual.Registration{ProductKey: c.ProductKey, Of: c.Triple, Line: c.Line, Addr: c.Addr, Sign: func(name, random string) (string, error) {
		return alink.SignRegister("hmacsha256", d.Secret, name, c.ProductKey, random)
	}}
	if d.Register != overMQTT {
		roots, err := d.roots()
		if err != nil {
			return errors.Join(err, f.Close(), os.Remove(d.Registered))
		}
		r.URL, r.HTTP = d.Register, &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}} //nolint:gosec // the least version is Go's own: 1.2
	}
	got, err := r.Ask(ctx)
	if err != nil {
		return errors.Join(hinted(err, hintOfRegistration(err)), f.Close(), os.Remove(d.Registered))
	}
	_, err = io.WriteString(f, got.Reveal()+"\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("--registered: the device was handed a secret that could not be kept; its maker has to reset its registration: %w", err)
	}
	fmt.Fprintf(os.Stdout, say("registered: the triple is kept in %s\n", "已注册：三元组保存在 %s\n"), d.Registered)
	c.Triple = got
	return nil
}

// registeredBefore reads the triple that was handed over then.
func (d *deviceCommand) registeredBefore(c *virtual.Config) error {
	b, err := os.ReadFile(d.Registered)
	if err != nil {
		return usageError{fmt.Errorf("--registered: %w", err)}
	}
	t, err := triple.Parse(strings.TrimSpace(string(b)))
	if err != nil {
		return usageError{fmt.Errorf("--registered %s: want one triple in it: %w", d.Registered, err)}
	}
	if t.ProductID != c.Triple.ProductID || t.MAC != c.Triple.MAC {
		return usageError{fmt.Errorf("--registered %s: it holds the triple of another device", d.Registered)}
	}
	c.Triple = t
	return nil
}

// hintOfRegistration is what to do about a registration that was refused.
func hintOfRegistration(err error) string {
	var refused *virtual.NotRegistered
	var untrusted *tls.CertificateVerificationError
	code := 0
	switch {
	case errors.As(err, &refused):
		code = refused.Code
	case errors.As(err, &untrusted):
		hint, _ := hintOf(err, false)
		return hint
	}
	switch code {
	case alink.CodeRegistrationOff:
		return say("Let its product register (lampworks product edit PRODUCT --registration=true), and open a window for its order: lampworks order open ORDER --window 8h --reason WHY.",
			"请允许产品动态注册（lampworks product edit PRODUCT --registration=true），并为它的订单打开窗口：lampworks order open ORDER --window 8h --reason 原因。")
	case alink.CodeSign:
		return say("Check --product-secret and the parts of --triple: lampworks product secret PRODUCT --reason WHY.", "请核对 --product-secret 和 --triple 的各部分：lampworks product secret PRODUCT --reason 原因。")
	case alink.CodeRegistered:
		return say("A device registers once. Its maker resets that: lampworks fleet reset DEVICE --reason WHY.", "设备只能注册一次。请由厂商重置：lampworks fleet reset DEVICE --reason 原因。")
	}
	return ""
}

// roots are the certificates that --ca names; nil: those of the system.
func (d *deviceCommand) roots() (*x509.CertPool, error) {
	if d.CA == "" {
		return nil, nil //nolint:nilnil // as crypto/tls has it
	}
	b, err := os.ReadFile(d.CA)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(b) {
		return nil, fmt.Errorf("--ca %s: want certificates in PEM", d.CA)
	}
	return roots, nil
}
