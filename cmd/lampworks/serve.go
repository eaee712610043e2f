package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/outbound"
	"lampworks/internal/node"
)

// nodeFlags are the flags of serve; demo has them too.
type nodeFlags struct {
	Config     configFile `help:"YAML file whose keys are the names of these flags." type:"existingfile" placeholder:"FILE" env:"-"`
	HTTP       string     `name:"http" help:"Address for the console and the API. Port 0 picks a free one. Default: ${default}." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	MQTT       string     `name:"mqtt" help:"Address for devices, plain TCP. Default: ${default}." default:"127.0.0.1:1883" placeholder:"HOST:PORT"`
	HTTPS      string     `name:"https" help:"Address for the console and the API over TLS." placeholder:"HOST:PORT"`
	MQTTS      string     `name:"mqtts" help:"Address for devices over TLS." placeholder:"HOST:PORT"`
	TLSCert    string     `name:"tls-cert" help:"Certificate chain for both, PEM." placeholder:"FILE"`
	TLSKey     string     `name:"tls-key" help:"Its private key, PEM. Both are read again when they change, and at SIGHUP." placeholder:"FILE"`
	TLSClients string     `name:"tls-client-ca" help:"Certificates, PEM, that sign those of devices: one that shows a certificate at --mqtts must show one of these." placeholder:"FILE"`
	ProxyFrom  []string   `name:"proxy-protocol-from" help:"Networks of the proxies before --mqtt and --mqtts: connections are taken from there only, with a PROXY header of version 2." placeholder:"CIDR,…"`
	Trusted    []string   `name:"trusted-proxies" help:"Networks of the proxies before --http and --https whose X-Forwarded-For and X-Forwarded-Proto count." placeholder:"CIDR,…"`
	PublicURL  string     `name:"public-url" help:"How people reach the console, if not by --http." placeholder:"URL"`
	RootKey    string     `name:"root-key" help:"Key that opens all other keys. Default: the data directory's name with .key, beside it." placeholder:"FILE"`
	Role       string     `name:"role" help:"What this process does (only all, today)." default:"all"`
	Database   string     `name:"database" help:"Where rows are kept: postgres://user:password@host/name, one node a database. Default: SQLite in the data directory." placeholder:"URL"`
	NATS       string     `name:"nats" help:"NATS server for Log and Bus. Default: none, both in this process." placeholder:"URL"`
	LogSync    string     `name:"log-sync" help:"When an uplink record counts as stored. The embedded Log is always on disk before it is acknowledged." default:"always" enum:"always"`
	Bootstrap  string     `name:"bootstrap" help:"JSON file (0600) with login, password, email and totp_secret of the first operator, if there is none." placeholder:"FILE"`
	ReadyFile  string     `name:"ready-file" help:"Write the addresses to this file, as JSON, once the program serves." placeholder:"FILE"`
	LogLevel   string     `name:"log-level" help:"debug, info, warn or error." default:"info"`
	MQTTPlain  []string   `name:"mqtt-plain-products" help:"ProductKeys whose devices may connect from other machines without TLS." placeholder:"KEY,…"`
	MQTTMaxPkt int        `name:"mqtt-max-packet" help:"Largest packet of a device, bytes: 1024 to 1000000." default:"262144"`
	MQTTMost   int        `name:"mqtt-max-sessions" help:"Connections of devices at once. Default: ${default}." default:"15000"`
	MQTTRate   int        `name:"mqtt-connects" help:"Connections of devices a second; more are closed unread. 0: no bound. Default: ${default}." default:"5000"`
	MQTTEach   int        `name:"mqtt-address-connects" help:"The same of one address (an IPv6 network of 64 bits), ten seconds' worth at once. 0: no bound. Default: ${default}." default:"100"`
	LogKeep    string     `name:"log-keep" help:"How long uplink records are kept. Default: ${default}." default:"168h" placeholder:"DURATION"`
	HistoryFor string     `name:"history-keep" help:"How long the history of properties is kept. Default: ${default}." default:"720h" placeholder:"DURATION"`
	Hold       string     `name:"deletion-hold" help:"How long a deletion of an organisation's data can be called back. Default: ${default}, seven days." default:"168h" placeholder:"DURATION"`
	AuditKeep  string     `name:"audit-keep" help:"How long the audit is kept, 4320h (180 days) at least. Default: ${default}, three years." default:"26280h" placeholder:"DURATION"`
	TTS        string     `name:"tts" help:"Server that speaks: wyoming://HOST:PORT, or openai+https://HOST/v1?model=NAME&voice=NAME. Default: eSpeak NG on this machine." placeholder:"URL"`
	TTSKey     string     `name:"tts-key" help:"File (0600) with the key for it." placeholder:"FILE"`
	ASR        string     `name:"asr" help:"Server that hears: wyoming://HOST:PORT, or openai+https://HOST/v1?model=NAME. Default: none." placeholder:"URL"`
	ASRKey     string     `name:"asr-key" help:"File (0600) with the key for that." placeholder:"FILE"`
	Wyoming    string     `name:"wyoming" help:"Address for Home Assistant and others who have sentences understood over Wyoming, which has no passwords. Default: none." placeholder:"HOST:PORT"`
	WyoHome    string     `name:"wyoming-home" help:"Id of the home that is spoken to there. Default: the only one." placeholder:"ID"`
	WyoToken   string     `name:"wyoming-token" help:"File (0600) with the API token in whose name is spoken there; read for each sentence. The demo has one of its own." placeholder:"FILE"`
	WyoOpen    bool       `name:"wyoming-open" help:"Let --wyoming be an address that other machines reach: whoever does speaks to the home."`
	TimeZone   string     `name:"time-zone" help:"Time zone of homes that have none of their own, an IANA name. Default: ${default}." default:"UTC" placeholder:"ZONE"`
	KeepText   string     `name:"voice-keep-text" help:"Whether the words of sentences are kept (7 days, for oneself) of people who have not chosen: on, off. Default: ${default}." default:"on" enum:"on,off"`
	SMTPURL    string     `name:"smtp-url" help:"Mail server: smtp://user:password@host:587 (STARTTLS) or smtps://…:465. Better in the environment (LAMPWORKS_SMTP_URL). Default: mail is written to files in the data directory." placeholder:"URL"`
	SMTPFrom   string     `name:"smtp-from" help:"Sender of mail: an address, or \"Name <address>\"." placeholder:"ADDRESS"`
	SMSURL     string     `name:"sms-url" help:"Provider of text messages, with {phone} and {text} where they belong. Default: they are written to files in the data directory." placeholder:"URL"`
	SMSMethod  string     `name:"sms-method" help:"HTTP method for it. Default: ${default}." default:"POST" placeholder:"METHOD"`
	SMSHeaders []string   `name:"sms-header" help:"Header for it, \"Name: value\". May be repeated." placeholder:"HEADER" sep:"none"`
	SMSBody    string     `name:"sms-body" help:"JSON for it, with {phone} and {text}." placeholder:"JSON"`
	SignUp     string     `name:"sign-up" help:"open: people make accounts themselves. closed: by invitation, or by the operator." default:"open" enum:"open,closed"`

	AllowLoopbackTargets bool `name:"allow-loopback-targets" help:"Let text messages, skills and webhooks reach this machine. Development only."`
}

func (f *nodeFlags) config(data string) (node.Config, error) {
	keep, err := f.durations()
	if err != nil {
		return node.Config{}, err
	}
	if err := f.checkNumbers(); err != nil {
		return node.Config{}, err
	}
	c := node.Config{
		Data: data, HTTP: f.HTTP, MQTT: f.MQTT, HTTPS: f.HTTPS, MQTTS: f.MQTTS, TLSCert: f.TLSCert, TLSKey: f.TLSKey,
		TLSClientCA: f.TLSClients, ProxyProtocolFrom: f.ProxyFrom, TrustedProxies: f.Trusted,
		PublicURL: f.PublicURL, RootKey: f.RootKey, Role: f.Role, Database: f.Database, NATS: f.NATS, LogSync: f.LogSync,
		Bootstrap: f.Bootstrap, ReadyFile: f.ReadyFile, TimeZone: f.TimeZone, ForgetText: f.KeepText == "off",
		TTS: f.TTS, TTSKey: f.TTSKey, ASR: f.ASR, ASRKey: f.ASRKey, Wyoming: f.Wyoming, WyomingHome: f.WyoHome, WyomingToken: f.WyoToken, WyomingOpen: f.WyoOpen,
		MQTTPlainProducts: f.MQTTPlain, LogKeep: keep[0], HistoryKeep: keep[1], AuditKeep: keep[2],
		AllowLoopbackTargets: f.AllowLoopbackTargets, DeletionHold: keep[3], SignUpClosed: f.SignUp == "closed",
		Outbound: outbound.Config{
			SMTP: f.SMTPURL, From: f.SMTPFrom, SMS: outbound.SMS{URL: f.SMSURL, Method: f.SMSMethod, Headers: f.SMSHeaders, Body: f.SMSBody},
		},
	}
	c.Limits.MaxPacket, c.Limits.MaxSessions = f.MQTTMaxPkt, f.MQTTMost
	c.Limits.Connects, c.Limits.AddressConnects = unbounded(f.MQTTRate), unbounded(f.MQTTEach)
	if c.HTTPS != "" || c.MQTTS != "" {
		hangUp := make(chan os.Signal, 1)
		signal.Notify(hangUp, syscall.SIGHUP)
		c.Reload = hangUp
	}
	return c, nil
}

// durations are how long is kept: the Log, the history, the audit, and what is deleted.
func (f *nodeFlags) durations() (keep [4]time.Duration, err error) {
	for i, d := range []struct {
		flag, text string
		least      time.Duration
		rule       string
	}{
		{"log-keep", f.LogKeep, 1, "a duration above 0, such as 168h"},
		{"history-keep", f.HistoryFor, 1, "a duration above 0, such as 720h"},
		{"audit-keep", f.AuditKeep, audit.MinKeep, "a duration of 4320h (180 days) or more, which the law asks for"},
		{"deletion-hold", f.Hold, 1, "a duration above 0, such as 168h"},
	} {
		if keep[i], err = time.ParseDuration(d.text); err != nil || keep[i] < d.least {
			return keep, fmt.Errorf("--%s %s: want %s", d.flag, d.text, d.rule)
		}
	}
	return keep, nil
}

// leastPacket is a packet that a small device's login and posts fit into.
const leastPacket = 1 << 10

// mostPacket is a packet whose message a record of the Log has room for, with what stands around it.
const mostPacket = 1_000_000

// checkNumbers refuses bounds that nothing fits into: a node would take them for its defaults.
func (f *nodeFlags) checkNumbers() error {
	for _, n := range []struct {
		flag         string
		value, least int
	}{
		{"mqtt-max-packet", f.MQTTMaxPkt, leastPacket},
		{"mqtt-max-sessions", f.MQTTMost, 1},
		{"mqtt-connects", f.MQTTRate, 0},
		{"mqtt-address-connects", f.MQTTEach, 0},
	} {
		if n.value < n.least {
			return fmt.Errorf("--%s %d: want an integer of %d or more", n.flag, n.value, n.least)
		}
	}
	if f.MQTTMaxPkt > mostPacket {
		return fmt.Errorf("--mqtt-max-packet %d: want an integer of %d or less", f.MQTTMaxPkt, mostPacket)
	}
	return nil
}

// unbounded is a rate whose 0 means none, for whom 0 is the default.
func unbounded(rate int) int {
	if rate == 0 {
		return -1
	}
	return rate
}

type serveCommand struct {
	nodeFlags
	Data      string `help:"Directory of all data; made if missing. Default: ${default}." default:"./lampworks-data" placeholder:"DIR"`
	Consumers bool   `help:"Let the rooms read the Log. Without, nothing but storing happens: for measurements." default:"true" negatable:"" hidden:""`
}

func (s *serveCommand) Run(ctx context.Context) error {
	log, err := logger(s.LogLevel)
	if err != nil {
		return err
	}
	c, err := s.config(s.Data)
	if err != nil {
		return err
	}
	c.NoConsumers = !s.Consumers
	return node.Serve(ctx, c, log)
}
