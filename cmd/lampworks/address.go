package main

import (
	"fmt"
	"net"
	"net/url"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// serverFlags reads addresses of servers.
func serverFlags() kong.Option {
	return kong.NamedMapper("server", kong.MapperFunc(func(ctx *kong.DecodeContext, target reflect.Value) error {
		var text string
		if err := ctx.Scan.PopValueInto("address", &text); err != nil {
			return err
		}
		address, err := serverAddress(text)
		if err == nil {
			target.SetString(address)
		}
		return err
	}))
}

// plainAddress reports whether a text is an http:// or https:// address with no more than a host and a path.
func plainAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// serverAddress is where a server is, as http:// or https://. This machine may be named without: nothing leaves it.
func serverAddress(text string) (string, error) {
	u, err := url.Parse(text)
	if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" {
		return text, nil
	}
	host := text
	if h, _, err := net.SplitHostPort(text); err == nil {
		host = h
	}
	if strings.Contains(text, "/") || host == "" {
		return "", fmt.Errorf("%s %q", say("want an address as http://HOST:PORT or https://HOST, got", "应为 http://主机:端口 或 https://主机，收到的是"), text)
	}
	if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
		return "http://" + text, nil
	}
	return "", fmt.Errorf(say("%q does not say how to connect: write https://%[1]s or, without encryption, http://%[1]s",
		"%q 没有说明连接方式：请写 https://%[1]s；不加密时写 http://%[1]s"), text)
}
