package node

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"lampworks/internal/edge/gateway"
	"lampworks/internal/household/home"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/outbound"
	"lampworks/web"
)

// Config is what a node is told. Its names are those of the flags, the environment (LAMPWORKS_…) and the YAML file.
// The zero value of every field but Data is the default named beside it.
type Config struct {
	Data         string // directory of all data; made if missing
	HTTP         string // 127.0.0.1:8080; port 0 picks a free one
	MQTT         string // 127.0.0.1:1883
	HTTPS, MQTTS string // empty: no TLS listener
	TLSCert      string // PEM file for both
	TLSKey       string
	TLSClientCA  string // PEM file; not empty: a device that shows a certificate must show one of these
	PublicURL    string // how people reach the console; default: the HTTP address
	RootKey      string // default: Data + ".key", beside the directory
	Database     string // empty: SQLite in Data; postgres://…: that PostgreSQL database, which this node has for itself
	NATS         string // empty: Log, Bus and sessions in this process
	LogSync      string // "": each commit is on disk before it is acknowledged (the embedded Log knows no other)
	Role         string // "all"
	Bootstrap    string // file with the first operator's login
	ReadyFile    string // written once the node serves

	ProxyProtocolFrom []string         // networks of the proxies before the devices' listeners; not empty: nobody else connects there
	TrustedProxies    []string         // networks of the proxies before HTTP, whose X-Forwarded-For and -Proto count
	Reload            <-chan os.Signal // asks for the certificate to be read now; nil: on a timer only

	MQTTPlainProducts []string // ProductKeys that may connect without TLS from other machines
	LogKeep           time.Duration
	LogBytes          int64
	HistoryKeep       time.Duration
	AuditKeep         time.Duration // at least 180 days; 0 is three years
	TimeZone          string        // IANA name, of homes that have none of their own; empty: UTC
	ForgetText        bool          // the words of people who have not chosen are not kept
	DeletionHold      time.Duration // how long a deletion can be called back; 0: seven days

	Outbound             outbound.Config // how mail and text messages leave; empty: as files in Data
	SignUpClosed         bool            // nobody makes an account without an invitation
	AllowLoopbackTargets bool            // skills and webhooks may reach loopback: development only
	Operator             Operator
	NoConsumers          bool    // nothing reads the Log: to measure the road up to it alone
	Wyoming              string  // address for those who have sentences understood; empty: nobody
	WyomingHome          string  // id of the home they speak to; empty: the only one
	WyomingToken         string  // file with the API token in whose name they speak
	TTS, ASR             string  // servers that speak and hear, as flags name them; empty: eSpeak NG speaks, nobody hears
	TTSKey, ASRKey       string  // files with their keys
	WyomingOpen          bool    // Wyoming may be another address than loopback
	Console              fs.FS   // the built console; nil: the one in the binary
	LoopbackOnly         bool    // refuse to listen on any other address: the demo
	Bus                  bus.Bus // nil: the one within the process. One that is handed in stays the caller's to close
	Limits               gateway.Limits

	proxies, trusted []netip.Prefix // ProxyProtocolFrom and TrustedProxies
}

// withDefaults fills in what is empty and refuses what this build cannot do.
func (c Config) withDefaults() (Config, error) {
	if c.Data == "" {
		return c, fmt.Errorf("no data directory is named; use --data")
	}
	abs, err := filepath.Abs(c.Data)
	if err != nil {
		return c, fmt.Errorf("finding the data directory %s: %w", c.Data, err)
	}
	c.Data = abs
	if c.HTTP == "" {
		c.HTTP = "127.0.0.1:8080"
	}
	if c.MQTT == "" {
		c.MQTT = "127.0.0.1:1883"
	}
	if c.RootKey == "" {
		c.RootKey = c.Data + ".key"
	}
	c.Outbound.Dir, c.Outbound.AllowLoopback = filepath.Join(c.Data, "outbound"), c.AllowLoopbackTargets
	if c.Console == nil {
		if c.Console, err = fs.Sub(web.Dist, "dist"); err != nil {
			return c, fmt.Errorf("finding the console in the binary: %w", err)
		}
	}
	switch {
	case c.Role != "" && c.Role != "all":
		return c, fmt.Errorf("--role %s: this version runs all roles in one process; leave it out", c.Role)
	case c.Database != "" && c.Database != "sqlite" && !c.onPostgres():
		return c, fmt.Errorf("--database %s: want postgres://user:password@host:port/name, or nothing for SQLite in the data directory", scheme(c.Database))
	case c.NATS != "":
		return c, fmt.Errorf("--nats: this version keeps Log and Bus in its own process; leave it out")
	case (c.HTTPS != "" || c.MQTTS != "") && (c.TLSCert == "" || c.TLSKey == ""):
		return c, fmt.Errorf("--https and --mqtts need --tls-cert and --tls-key")
	case c.TLSClientCA != "" && c.MQTTS == "":
		return c, fmt.Errorf("--tls-client-ca is for devices; it needs --mqtts")
	case c.LoopbackOnly && len(c.ProxyProtocolFrom) > 0:
		return c, fmt.Errorf("--proxy-protocol-from: the demo's devices connect without a proxy; use serve")
	}
	if c.proxies, err = parsePrefixes("--proxy-protocol-from", c.ProxyProtocolFrom); err != nil {
		return c, err
	}
	if c.trusted, err = parsePrefixes("--trusted-proxies", c.TrustedProxies); err != nil {
		return c, err
	}
	return c, errors.Join(c.checkPublicURL(), c.checkAddresses(), c.checkWyoming(), c.checkZone())
}

// checkPublicURL refuses what links in mail cannot begin with.
func (c *Config) checkPublicURL() error {
	u, err := url.Parse(c.PublicURL)
	if c.PublicURL == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" {
		return nil
	}
	return fmt.Errorf("--public-url %s: want http://host or https://host, for example https://lampworks.example.com", c.PublicURL)
}

// checkZone refuses a time zone that nobody knows.
func (c *Config) checkZone() error {
	if c.TimeZone == "" {
		return nil
	}
	if _, err := home.ZoneOf(c.TimeZone); err != nil {
		return fmt.Errorf("--time-zone %s: want the IANA name of a time zone, such as Asia/Shanghai or UTC", c.TimeZone)
	}
	return nil
}

// onPostgres says whether rows are kept in PostgreSQL.
func (c *Config) onPostgres() bool {
	return strings.HasPrefix(c.Database, "postgres://") || strings.HasPrefix(c.Database, "postgresql://")
}

// scheme is what may be shown of a URL that may hold a password.
func scheme(url string) string {
	before, _, found := strings.Cut(url, "://")
	if !found {
		return "(not a URL)"
	}
	return before + "://…"
}

func (c *Config) checkAddresses() error {
	for _, a := range []struct{ flag, addr, port string }{
		{"--http", c.HTTP, "8080"}, {"--mqtt", c.MQTT, "1883"}, {"--https", c.HTTPS, "8443"}, {"--mqtts", c.MQTTS, "8883"}, {"--wyoming", c.Wyoming, "10600"},
	} {
		if a.addr == "" {
			continue
		}
		host, port, err := net.SplitHostPort(a.addr)
		if _, wrong := strconv.ParseUint(port, 10, 16); err != nil || wrong != nil {
			return fmt.Errorf("%s %s: want host:port, for example 127.0.0.1:%s; a port is 0 to 65535", a.flag, a.addr, a.port)
		}
		if c.LoopbackOnly && !loopback(host) {
			return fmt.Errorf("%s %s: the demo listens on loopback only, because it trusts whoever reaches it; use serve for other addresses", a.flag, a.addr)
		}
	}
	return nil
}

// checkWyoming refuses a listener that would let strangers speak to a home, and one in whose name nobody speaks.
func (c *Config) checkWyoming() error {
	if c.Wyoming == "" {
		if c.WyomingHome != "" || c.WyomingToken != "" || c.WyomingOpen {
			return fmt.Errorf("--wyoming-home, --wyoming-token and --wyoming-open need --wyoming")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(c.Wyoming)
	switch {
	case err != nil:
		return nil // checkAddresses says so
	case !loopback(host) && !c.WyomingOpen:
		return fmt.Errorf("--wyoming %s: whoever reaches it speaks to the home, because the protocol has no passwords; listen on 127.0.0.1, or say --wyoming-open", c.Wyoming)
	case c.WyomingToken == "":
		return fmt.Errorf("--wyoming needs --wyoming-token, a file with the API token in whose name is spoken; lampworks token new makes one")
	case c.Operator == OperatorLater: // who builds the node writes the token when there is one
		return nil
	}
	if _, err := readSecret(c.WyomingToken); err != nil {
		return fmt.Errorf("--wyoming-token: %w", err)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// warnPlain says at start what a plain listener on a network means.
func (c *Config) warnPlain(log *slog.Logger) {
	for _, a := range []struct{ flag, addr, what string }{
		{"http", c.HTTP, "passwords and tokens cross the network readable; use --https"},
		{"wyoming", c.Wyoming, "whoever reaches it speaks to the home; the protocol has neither passwords nor encryption"},
		{"mqtt", c.MQTT, "a device's signature does not stop a replay; use --mqtts, and name the products that may do without (mqtt-plain-products)"},
	} {
		if host, _, err := net.SplitHostPort(a.addr); err == nil && !loopback(host) {
			log.Warn("a listener without TLS is open to the network", slog.String("listener", a.flag), slog.String("address", a.addr), slog.String("risk", a.what))
		}
	}
}
