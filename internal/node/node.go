// Package node is one running program made from one configuration: it picks the adapters, builds the rooms on them,
// starts their work and ends it in order. Serve, demo, bench and tests are all built from it.
//
// It owns the data directory (one process at a time) and the listeners, and promises:
//   - when Open returns the node listens, and serves from Run's call of ready on; what cannot open leaves nothing open;
//   - after kill -9 the next start needs no repair;
//   - when Run returns everything acknowledged is on disk and nothing of the node runs.
//
// It alone knows which adapter is in use.
package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"lampworks/internal/edge/api"
	"lampworks/internal/edge/console"
	"lampworks/internal/edge/gateway"
	"lampworks/internal/edge/speaker"
	"lampworks/internal/fleet/command"
	"lampworks/internal/fleet/config"
	"lampworks/internal/fleet/device"
	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/history/dayfile"
	"lampworks/internal/fleet/session"
	"lampworks/internal/fleet/shadow"
	"lampworks/internal/fleet/timeline"
	"lampworks/internal/fleet/virtual"
	"lampworks/internal/household/home"
	"lampworks/internal/household/pairing"
	"lampworks/internal/household/resident"
	"lampworks/internal/household/scene"
	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/blob/dir"
	"lampworks/internal/infra/bus"
	"lampworks/internal/infra/bus/inproc"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/outbound"
	"lampworks/internal/infra/outbox"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/postgres"
	storesqlite "lampworks/internal/infra/store/sqlite"
	"lampworks/internal/infra/uplink"
	uplinksqlite "lampworks/internal/infra/uplink/sqlite"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/factory"
	"lampworks/internal/partner/issuance"
	"lampworks/internal/partner/notice"
	"lampworks/internal/partner/product"
	"lampworks/internal/partner/quota"
	"lampworks/internal/partner/takeout"
	"lampworks/internal/partner/verify"
	"lampworks/speech"
	"lampworks/speech/wyoming"
)

// Node is one running program. Its rooms are open to those who build on it (demo, bench, tests).
type Node struct {
	c    Config
	log  *slog.Logger
	lock *os.File

	Store     *store.Store
	Keys      *keyring.Keyring
	Blobs     *blob.Blobs
	Auditor   *audit.Sealer
	Log       uplink.Log
	Bus       bus.Bus
	Jobs      *job.Runner
	Outbox    *outbox.Outbox
	Verify    *verify.Service
	Accounts  *account.Service
	Products  *product.Service
	Certify   *certify.Service
	Orders    *issuance.Service
	Factory   *factory.Service
	Devices   *device.Service
	Shadows   *shadow.Service
	Commands  *command.Commands
	Timelines *timeline.Service
	Sessions  *session.Service
	Configs   *config.Service
	History   *history.Service
	Virtual   *virtual.Fleet
	Residents *resident.Service
	Homes     *home.Service
	Pairing   *pairing.Service
	Scenes    *scene.Service
	Voice     *voice.Service
	Gateway   *gateway.Gateway
	Speaker   *wyoming.Server // nil: no listener
	Quota     *quota.Service
	Enforce   *enforce.Service
	Takeout   *takeout.Service

	Agreements   *agreement.Service
	Notices      *notice.Service
	Entitlements *entitlement.Service

	closing   chan struct{} // closed when the draining begins
	series    *dayfile.Files
	events    *inproc.Bus // the one of its own
	listeners []listener
	certs     *certificates // nil: nothing speaks TLS
	http      *http.Server
	firstCode string
}

type listener struct {
	net.Listener
	kind string // http, https, mqtt, mqtts, wyoming
}

// Open builds a node on its data and listens, without serving yet. An error leaves nothing open.
func Open(ctx context.Context, c Config, log *slog.Logger) (n *Node, err error) {
	c, err = c.withDefaults()
	if err != nil {
		return nil, err
	}
	n = &Node{c: c, log: log, closing: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	steps := []func(context.Context) error{n.openData, n.openRooms, n.openOperator, n.listen}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return n, err
		}
	}
	c.warnPlain(log)
	return n, nil
}

// pageCache is what each connection to the database may keep in memory, KiB: hot pages only, the system's cache has the rest.
const pageCache = 2048

// diskReserve is what is kept on the disk for logins, ends of sessions, revocations and cuts when it is full, bytes.
const diskReserve = 64 << 20

// openData takes the directory and opens what is in it.
func (n *Node) openData(ctx context.Context) error {
	if err := os.MkdirAll(n.c.Data, 0o700); err != nil {
		return fmt.Errorf("making the data directory: %w", err)
	}
	var err error
	if n.lock, err = lockDirectory(n.c.Data); err != nil {
		return err
	}
	if n.Store, err = n.openStore(ctx); err != nil {
		return err
	}
	if n.Keys, err = keyring.Open(ctx, n.Store, n.c.RootKey); err != nil {
		return fmt.Errorf("opening the keys: %w", err)
	}
	if err = n.openAudit(ctx); err != nil {
		return err
	}
	files, err := dir.Open(filepath.Join(n.c.Data, "blobs"))
	if err != nil {
		return fmt.Errorf("opening the blobs: %w", err)
	}
	n.Blobs = blob.New(files, n.blobKey)
	if n.Log, err = uplinksqlite.Open(ctx, filepath.Join(n.c.Data, "uplink.db"), uplinksqlite.Options{Keep: n.c.LogKeep, MaxBytes: n.c.LogBytes, Logger: n.log}); err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	if n.series, err = dayfile.Open(filepath.Join(n.c.Data, "history")); err != nil {
		return fmt.Errorf("opening the history: %w", err)
	}
	if n.Bus = n.c.Bus; n.Bus == nil {
		n.events = inproc.New()
		n.Bus = n.events
	}
	return nil
}

// openAudit opens the key that signs the audit, and what seals it.
func (n *Node) openAudit(ctx context.Context) error {
	key, err := n.Keys.Signer(ctx, n.Store, audit.Purpose)
	if err != nil {
		return err
	}
	n.Auditor, err = audit.NewSealer(n.Store, key, n.c.AuditKeep, n.log)
	return err
}

// blobKey gives the key a blob is sealed with.
func (n *Node) blobKey(ctx context.Context, organisation, id string) ([32]byte, error) {
	key, err := n.Keys.DataKey(ctx, n.Store, organisation, "blob", id)
	if err != nil {
		return [32]byte{}, err
	}
	return key.Reveal(), nil
}

// openStore opens the database that the configuration names: SQLite in the data directory, or PostgreSQL.
func (n *Node) openStore(ctx context.Context) (*store.Store, error) {
	if n.c.onPostgres() {
		return postgres.Open(ctx, n.c.Database, postgres.Options{Logger: n.log})
	}
	return storesqlite.Open(ctx, filepath.Join(n.c.Data, "lampworks.db"), storesqlite.Options{CacheKiB: pageCache, Reserve: diskReserve, Logger: n.log})
}

// openRooms builds the rooms from the ground up and hands each upper room's hook to the lower one.
func (n *Node) openRooms(ctx context.Context) error {
	n.Jobs = job.New(n.Store, n.log).Recorded(func(ctx context.Context, tx *store.Tx, who access.Actor, id string) error {
		return audit.Record(ctx, tx, who, "job.cancel", id, "")
	})
	n.openLimits()
	senders, err := outbound.Senders(n.c.Outbound)
	if err != nil {
		return err
	}
	n.Outbox = outbox.New(n.Store, senders, limitMessage, n.log)
	n.Accounts = account.New(account.Config{Store: n.Store, Keys: n.Keys, Outbox: n.Outbox, Closed: n.c.SignUpClosed, Forget: n.forgetUser, Changed: n.organisationSet, Logger: n.log})
	n.Takeout = takeout.New(takeout.Config{Store: n.Store, Blobs: n.Blobs, Jobs: n.Jobs, Logger: n.log})
	n.openTerms()
	if n.Verify, err = verify.New(verify.Config{Store: n.Store, Keys: n.Keys, Blobs: n.Blobs, Tell: n.Notices.Send, Enforce: n.enforceVerification, Changed: n.organisationChanged, Logger: n.log}); err != nil {
		return err
	}
	n.Products = product.New(n.Store, n.Keys, n.log)
	n.Certify = certify.New(certify.Config{Store: n.Store, Blobs: n.Blobs, Notices: n.Notices, Changed: n.Products.Certified, Logger: n.log})
	n.Devices = device.New(n.Store, n.Products, n.Keys, n.Bus, n.log)
	n.Products.With(product.Parts{
		Certify: n.Certify, Blobs: n.Blobs, Notices: n.Notices, Kinds: n.Verify.Kinds, Devices: n.Devices.InUse,
		Terms: n.Agreements.GateProduct, Enter: n.Entitlements.Require,
	})
	n.Orders = issuance.New(issuance.Config{
		Store: n.Store, Products: n.Products, Keys: n.Keys, Jobs: n.Jobs, Issued: n.Devices.Register, Revoked: n.Devices.Revoked, Logger: n.log,
		Level: n.Verify.Level, May: n.mayIssue, Role: account.RoleOf, Tell: n.Notices.Send,
	})
	n.Factory = factory.New(n.Store, n.Orders, n.Products, n.Jobs)
	n.Shadows = shadow.New(n.Store, n.Products, n.log)
	n.Commands = command.New(n.Store, n.Products, n.Shadows, n.Bus, n.log)
	n.Commands.Hold(n.Quota)
	n.Timelines = timeline.New(n.Store, n.Commands, n.Bus, n.log)
	n.Sessions = session.New(n.Store, n.log)
	n.Configs = config.New(n.Store, n.Products, n.Keys, n.Bus)
	n.History = history.New(n.series, n.Devices, n.Products, n.c.HistoryKeep, n.log)
	n.Virtual = virtual.NewFleet(n.log)
	n.Homes = home.New(n.Store)
	n.Pairing = pairing.New(pairing.Config{Store: n.Store, Homes: n.Homes, Products: n.Products, Epoch: func(device string) (uint64, bool) { return n.Gateway.Epoch(device) }, Logger: n.log})
	n.Residents = resident.New(resident.Config{Store: n.Store, Outbox: n.Outbox, Forget: n.forgetResident, Logger: n.log})
	if err := n.Homes.UseZone(n.c.TimeZone); err != nil {
		return err
	}
	n.Homes.TellOn(n.Bus)
	n.Commands.LendBy(n.Homes.Lends)
	n.Devices.OnReset(n.Homes.Leave)
	n.Scenes = scene.New(scene.Config{Store: n.Store, Homes: n.Homes, Products: n.Products, Shadows: n.Shadows, Commands: n.Commands, Bus: n.Bus, Live: n.live, Logger: n.log})
	inbox, err := n.Keys.DataKey(ctx, n.Store, "", "voice inbox", "")
	if err != nil {
		return err
	}
	key := inbox.Reveal()
	n.Voice = voice.New(voice.Config{Homes: n.Homes, Scenes: n.Scenes, Products: n.Products, Shadows: n.Shadows, Commands: n.Commands, Facts: n.Log, Store: n.Store, InboxKey: key[:], ForgetText: n.c.ForgetText, Live: n.live, Told: n.told, Logger: n.log})
	n.Scenes.AnnounceBy(func(ctx context.Context, who access.Actor, homeID, text string, rooms []string) error {
		_, err := n.Voice.Announce(ctx, who, homeID, voice.NewAnnouncement{Text: text, Rooms: rooms})
		return err
	})
	n.Homes.OnChanged(n.homeMoved)
	n.Homes.OnLeft(n.Scenes.Left)
	n.guardRooms()
	sessions := n.Sessions
	if n.c.NoConsumers {
		sessions = nil
	}
	n.Gateway = gateway.New(gateway.Config{
		Sessions: sessions, Pairing: n.Pairing, Devices: n.Devices, Products: n.Products, Commands: n.Commands, Shadows: n.Shadows, Configs: n.Configs, FileURL: n.fileURL, Log: n.Log, Bus: n.Bus, Logger: n.log,
		Enforce: n.Enforce, Orders: n.Orders, Quota: n.Quota, Limits: n.c.Limits, PlainProducts: n.c.MQTTPlainProducts,
	})
	page, err := console.New(n.c.Console)
	if err != nil {
		return err
	}
	speaks, err := n.c.openVoice()
	if err != nil {
		return err
	}
	hears, err := n.c.openRecogniser()
	if err != nil {
		return err
	}
	rest := api.New(api.Config{
		Accounts: n.Accounts, Verify: n.Verify, Outbox: n.Outbox, Products: n.Products, Certify: n.Certify, Orders: n.Orders, Factory: n.Factory, Jobs: n.Jobs, Devices: n.Devices, Shadows: n.Shadows, Configs: n.Configs, Timelines: n.Timelines,
		Agreements: n.Agreements, Notices: n.Notices, Entitlements: n.Entitlements, Gates: []api.Gate{n.Enforce.Gate, n.Agreements.Gate, n.Entitlements.Gate},
		Commands: n.Commands, History: n.History, Virtual: n.Virtual, Residents: n.Residents, Homes: n.Homes, Pairing: n.Pairing, Scenes: n.Scenes, Voice: n.Voice, Gateway: n.Gateway, Sessions: n.Sessions,
		Quota: n.Quota, Enforce: n.Enforce, Takeout: n.Takeout,
		Store: n.Store, Log: n.Log, Bus: n.Bus, Speech: speech.NewCache(speaks, 16<<20), Hears: hears,
		Console: page, Logger: n.log, Closing: n.closing,
	})
	n.openSpeaker()
	n.http = &http.Server{
		Handler:           behind(n.c.trusted, n.web(rest)),
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	return nil
}

// web parts what devices do on the port of HTTP from what people and programs do there.
func (n *Node) web(rest http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == gateway.WebSocketPath {
			n.Gateway.ServeHTTP(w, r)
			return
		}
		if r.URL.Path == gateway.RegisterPath {
			n.Gateway.ServeRegistration(w, r)
			return
		}
		rest.ServeHTTP(w, r)
	})
}

// homeMoved tells the rooms that have something of a home that it changed.
func (n *Node) homeMoved(ctx context.Context, tx *store.Tx, id string) error {
	if err := n.Scenes.Moved(ctx, tx, id); err != nil {
		return err
	}
	return n.Voice.Moved(ctx, tx, id)
}

// live reports whether a device has a session here, whatever the Log's readers know of it yet.
func (n *Node) live(device string) bool { return n.Gateway.Live(device) }

// fileURL is where the API serves a device the file that a link opens.
func (n *Node) fileURL(link string) string {
	base := n.c.PublicURL
	if base == "" {
		base = n.Addresses().HTTP
	}
	return strings.TrimSuffix(base, "/") + api.FilePath + link
}

// Addresses is where a node serves, as the ready file says it.
type Addresses struct {
	HTTP  string `json:"http"`            // URL
	MQTT  string `json:"mqtt"`            // host:port
	HTTPS string `json:"https,omitempty"` // URL
	MQTTS string `json:"mqtts,omitempty"` // host:port

	Wyoming string `json:"wyoming,omitempty"` // host:port
}

// Addresses returns where the node listens, with the ports that were picked.
func (n *Node) Addresses() Addresses {
	var a Addresses
	for _, l := range n.listeners {
		switch l.kind {
		case "http":
			a.HTTP = "http://" + l.Addr().String()
		case "mqtt":
			a.MQTT = l.Addr().String()
		case "https":
			a.HTTPS = "https://" + l.Addr().String()
		case "mqtts":
			a.MQTTS = l.Addr().String()
		case "wyoming":
			a.Wyoming = l.Addr().String()
		}
	}
	return a
}

// Run serves until ctx ends, then drains: no new connections, requests finish, sessions close, consumers stop where
// they are. An error of any part ends all.
func (n *Node) Run(ctx context.Context, ready func() error) error {
	if _, err := n.Devices.Begin(store.Urgent(ctx)); err != nil {
		return err
	}
	if err := n.Sessions.Begin(store.Urgent(ctx), n.Devices.FirstEpoch(), time.Now()); err != nil {
		return err
	}
	if err := n.Accounts.Begin(ctx); err != nil {
		return err
	}
	work, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	g, serving := errgroup.WithContext(ctx)
	workers, working := errgroup.WithContext(work)
	for name, run := range n.work() {
		workers.Go(func() error {
			if err := run(working); err != nil && working.Err() == nil {
				return fmt.Errorf("running %s: %w", name, err)
			}
			return nil
		})
	}
	g.Go(func() error { // a worker that fails ends the serving
		select {
		case <-working.Done():
			return context.Cause(working)
		case <-serving.Done():
			return nil
		}
	})
	devices, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	g.Go(func() error { return n.Gateway.Run(devices) })
	for _, l := range n.listeners {
		g.Go(func() error { return n.serve(devices, l) })
	}
	g.Go(func() error { // requests first: a sentence under way still reaches its devices and hears them
		<-serving.Done()
		defer leave()
		return n.drain(context.WithoutCancel(serving))
	})
	if ready != nil {
		if err := ready(); err != nil {
			g.Go(func() error { return err })
		}
	}
	err := g.Wait()
	stopWork()
	return errors.Join(err, workers.Wait(), n.Close())
}

// work is everything that runs beside the listeners, by name.
func (n *Node) work() map[string]func(context.Context) error {
	work := map[string]func(context.Context) error{
		"accounts":     n.Accounts.Run,
		"residents":    n.Residents.Run,
		"pairing":      n.Pairing.Run,
		"quota":        n.Quota.Run,
		"sessions":     n.Sessions.Run,
		"enforcement":  n.Enforce.Run,
		"exports":      n.Takeout.Run,
		"blobs":        n.sweepBlobs,
		"outbox":       n.Outbox.Run,
		"jobs":         n.Jobs.Run,
		"commands":     n.Commands.Run,
		"audit":        n.Auditor.Run,
		"memory":       n.giveBack,
		"agreements":   n.Agreements.Run,
		"notices":      n.Notices.Run,
		"entitlements": n.Entitlements.Run,
		"certify":      n.Certify.Run,
		"papers":       n.Products.Run,
		"verify":       n.Verify.Run,
		"scenes":       n.Scenes.Run,
		"words":        n.Voice.Run,
	}
	if n.Speaker != nil && n.c.WyomingOpen {
		work["the announcement of Wyoming"] = func(ctx context.Context) error { return speaker.Announce(ctx, n.Addresses().Wyoming, n.log) }
	}
	if n.certs != nil {
		work["certificates"] = func(ctx context.Context) error { return n.certs.Run(ctx, n.c.Reload) }
	}
	if n.c.NoConsumers {
		return work
	}
	for name, follow := range map[string]func(context.Context, uplink.Log) error{
		"command completion": n.Commands.Follow,
		"presence":           n.Devices.Follow,
		"shadows":            n.Shadows.Follow,
		"timelines":          n.Timelines.Follow,
		"automations":        n.Scenes.Follow,
		"session state":      n.Sessions.Follow,
		"history":            n.History.Follow,
		"sentences":          n.Voice.Follow,
	} {
		work[name] = func(ctx context.Context) error { return follow(ctx, n.Log) }
	}
	return work
}

func (n *Node) serve(ctx context.Context, l listener) error {
	switch l.kind {
	case "mqtt":
		return n.Gateway.Enter(ctx, l, gateway.Entry{Proxies: n.c.proxies})
	case "wyoming":
		return n.Speaker.Serve(ctx, l)
	case "mqtts":
		return n.Gateway.Enter(ctx, l, gateway.Entry{TLS: n.certs.forDevices(), Proxies: n.c.proxies})
	}
	if err := n.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving %s: %w", l.kind, err)
	}
	return nil
}

// drainTime is how long requests under way may take to finish.
const drainTime = 5 * time.Second

func (n *Node) drain(ctx context.Context) error {
	close(n.closing) // live views end now, requests may finish
	ctx, cancel := context.WithTimeout(ctx, drainTime)
	defer cancel()
	var spoken errgroup.Group
	if n.Speaker != nil {
		spoken.Go(func() error { return n.Speaker.Shutdown(ctx) }) // what is late is broken off when the devices leave
	}
	err := n.http.Shutdown(ctx)
	if err != nil {
		err = n.http.Close()
	}
	_ = spoken.Wait()
	return err
}

// Close frees what Open opened; Run has done it when it returns.
func (n *Node) Close() error {
	var errs []error
	for _, l := range n.listeners {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	n.listeners = nil
	if n.Voice != nil {
		n.Voice.Close()
	}
	if n.events != nil {
		errs = append(errs, n.events.Close())
	}
	if n.Log != nil {
		errs = append(errs, n.Log.Close())
	}
	if n.series != nil {
		errs = append(errs, n.series.Close())
	}
	if n.Store != nil {
		errs = append(errs, n.Store.Close())
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
	}
	n.Log, n.series, n.Store, n.lock = nil, nil, nil, nil
	return errors.Join(errs...)
}
