package speaker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/dns/dnsmessage"
	"golang.org/x/net/ipv4"
)

// The service as others look for it (DNS-SD, RFC 6763), and how long what is said of it holds, seconds.
const (
	service  = "_wyoming._tcp.local."
	services = "_services._dns-sd._udp.local."
	holds    = 4500
	hostFor  = 120

	repeat       = time.Second // between two announcements at the beginning, and between two answers at least
	maxQuestions = 32          // of one query that are looked at
	maxQuery     = 9000        // bytes
)

var group = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}

// Announce tells the networks that a listener is open to where it is, by multicast DNS (RFC 6762, IPv4), so that Home
// Assistant finds it by itself. It ends with ctx, with a farewell. The networks are those there are when it begins; one
// that cannot be told is logged, and the listener works without.
func Announce(ctx context.Context, addr string, log *slog.Logger) error {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return fmt.Errorf("announcing the listener of Wyoming: %w", err)
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		log.LogAttrs(ctx, slog.LevelInfo, "the listener of Wyoming is not announced", slog.Any("reason", err))
		return nil
	}
	name, _ := os.Hostname()
	var all sync.WaitGroup
	defer all.Wait()
	for i := range interfaces {
		open := reached(&interfaces[i], at.Addr())
		if len(open) == 0 {
			continue
		}
		all.Go(func() {
			if err := announce(ctx, name, at.Port(), open, &interfaces[i]); err != nil {
				log.LogAttrs(ctx, slog.LevelInfo, "a network is not told of the listener of Wyoming", slog.String("interface", interfaces[i].Name), slog.Any("reason", err))
			}
		})
	}
	return nil
}

// reached are the addresses of an interface under which a listener is reached by other machines.
func reached(i *net.Interface, at netip.Addr) (open []netip.Addr) {
	if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagMulticast == 0 || i.Flags&net.FlagLoopback != 0 {
		return nil
	}
	addrs, err := i.Addrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if ip := p.Addr().Unmap(); err == nil && ip.Is4() && (at.IsUnspecified() || at.Unmap() == ip) {
			open = append(open, ip)
		}
	}
	return open
}

// An announcement is what one network is told.
type announcement struct {
	service, services, instance, host dnsmessage.Name
	port                              uint16
	addrs                             []netip.Addr
}

func newAnnouncement(machine string, port uint16, addrs []netip.Addr) (*announcement, error) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", machine, port))
	own := "lampworks-" + hex.EncodeToString(sum[:4]) // the same at each start, and no other's
	a := &announcement{port: port, addrs: addrs}
	for name, into := range map[string]*dnsmessage.Name{service: &a.service, services: &a.services, own + "." + service: &a.instance, own + ".local.": &a.host} {
		n, err := dnsmessage.NewName(name)
		if err != nil {
			return nil, fmt.Errorf("announcing the listener of Wyoming as %s: %w", name, err)
		}
		*into = n
	}
	return a, nil
}

// announce tells one network, and answers what is asked there.
func announce(ctx context.Context, machine string, port uint16, addrs []netip.Addr, i *net.Interface) error {
	a, err := newAnnouncement(machine, port, addrs)
	if err != nil {
		return err
	}
	conn, err := net.ListenMulticastUDP("udp4", i, group)
	if err != nil {
		return err
	}
	p := ipv4.NewPacketConn(conn)
	if err := errors.Join(p.SetMulticastLoopback(true), p.SetMulticastTTL(255)); err != nil { // others on this machine look, too
		return errors.Join(err, conn.Close())
	}
	return a.run(ctx, conn, group, repeat)
}

// run announces twice, answers until ctx ends, and says farewell. It closes conn.
func (a *announcement) run(ctx context.Context, conn *net.UDPConn, to *net.UDPAddr, pause time.Duration) error {
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		<-ctx.Done()
		_, _ = conn.WriteToUDP(a.message(0), to)
		conn.Close()
	})
	all.Go(func() {
		for range 2 {
			_, _ = conn.WriteToUDP(a.message(1), to)
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause):
			}
		}
	})
	var last time.Time
	query := make([]byte, maxQuery)
	for {
		n, from, err := conn.ReadFromUDP(query)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil || from.Port != to.Port || time.Since(last) < pause { // others than responders are not answered
			if err != nil && ctx.Err() == nil {
				time.Sleep(pause) // a network that went down for a moment
			}
			continue
		}
		if a.asked(query[:n]) {
			last = time.Now()
			_, _ = conn.WriteToUDP(a.message(1), to)
		}
	}
}

// asked says whether a query wants to know of this listener what it does not know yet.
func (a *announcement) asked(query []byte) bool {
	var p dnsmessage.Parser
	h, err := p.Start(query)
	if err != nil || h.Response || h.OpCode != 0 {
		return false
	}
	browsed, wanted := false, false
	for range maxQuestions {
		q, err := p.Question()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			break
		}
		if err != nil {
			return false
		}
		of := func(n dnsmessage.Name, types ...dnsmessage.Type) bool {
			for _, t := range append(types, dnsmessage.TypeALL) {
				if q.Type == t && strings.EqualFold(q.Name.String(), n.String()) {
					return true
				}
			}
			return false
		}
		browsed = browsed || of(a.service, dnsmessage.TypePTR)
		wanted = wanted || of(a.services, dnsmessage.TypePTR) || of(a.instance, dnsmessage.TypeSRV, dnsmessage.TypeTXT) || of(a.host, dnsmessage.TypeA)
	}
	return wanted || browsed && !a.known(&p)
}

// known says whether who asks has the answer already, for half of its time at least.
func (a *announcement) known(p *dnsmessage.Parser) bool {
	if p.SkipAllQuestions() != nil {
		return false
	}
	for range maxQuestions {
		h, err := p.AnswerHeader()
		if err != nil {
			return false
		}
		if h.Type != dnsmessage.TypePTR {
			if p.SkipAnswer() != nil {
				return false
			}
			continue
		}
		ptr, err := p.PTRResource()
		if err != nil {
			return false
		}
		if h.TTL >= holds/2 && strings.EqualFold(ptr.PTR.String(), a.instance.String()) {
			return true
		}
	}
	return false
}

// message is all there is to say; with times 0 that it holds no more.
func (a *announcement) message(times uint32) []byte {
	const own = dnsmessage.ClassINET | 1<<15 // nobody else says anything of this name
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{Response: true, Authoritative: true})
	b.EnableCompression()
	head := func(n dnsmessage.Name, class dnsmessage.Class, ttl uint32) dnsmessage.ResourceHeader {
		return dnsmessage.ResourceHeader{Name: n, Class: class, TTL: ttl * times}
	}
	err := errors.Join(
		b.StartAnswers(),
		b.PTRResource(head(a.services, dnsmessage.ClassINET, holds), dnsmessage.PTRResource{PTR: a.service}),
		b.PTRResource(head(a.service, dnsmessage.ClassINET, holds), dnsmessage.PTRResource{PTR: a.instance}),
		b.SRVResource(head(a.instance, own, hostFor), dnsmessage.SRVResource{Port: a.port, Target: a.host}),
		b.TXTResource(head(a.instance, own, holds), dnsmessage.TXTResource{TXT: []string{""}}),
	)
	for _, ip := range a.addrs {
		err = errors.Join(err, b.AResource(head(a.host, own, hostFor), dnsmessage.AResource{A: ip.As4()}))
	}
	out, finish := b.Finish()
	if err != nil || finish != nil {
		return nil // not reached: the names were checked
	}
	return out
}
