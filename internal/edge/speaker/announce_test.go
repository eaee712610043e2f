package speaker

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func announced(t testing.TB) *announcement {
	t.Helper()
	a, err := newAnnouncement("house", 10600, []netip.Addr{netip.MustParseAddr("192.0.2.7")})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func question(t testing.TB, name string, of dnsmessage.Type, known ...dnsmessage.Resource) []byte {
	t.Helper()
	m := dnsmessage.Message{Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(name), Type: of, Class: dnsmessage.ClassINET}}, Answers: known}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestWhatIsAskedIsKnown(t *testing.T) {
	a := announced(t)
	ptr := func(to dnsmessage.Name, ttl uint32) dnsmessage.Resource {
		return dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: a.service, Type: dnsmessage.TypePTR, Class: dnsmessage.ClassINET, TTL: ttl}, Body: &dnsmessage.PTRResource{PTR: to},
		}
	}
	other := dnsmessage.MustNewName("other._wyoming._tcp.local.")
	response, err := (&dnsmessage.Message{Header: dnsmessage.Header{Response: true}, Questions: []dnsmessage.Question{{Name: a.service, Type: dnsmessage.TypePTR}}}).Pack()
	if err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct {
		query []byte
		want  bool
	}{
		{question(t, service, dnsmessage.TypePTR), true},
		{question(t, "_Wyoming._TCP.local.", dnsmessage.TypeALL), true},
		{question(t, services, dnsmessage.TypePTR), true},
		{question(t, a.instance.String(), dnsmessage.TypeSRV), true},
		{question(t, a.instance.String(), dnsmessage.TypeTXT), true},
		{question(t, a.host.String(), dnsmessage.TypeA), true},
		{question(t, a.host.String(), dnsmessage.TypeAAAA), false},
		{question(t, "_http._tcp.local.", dnsmessage.TypePTR), false},
		{question(t, other.String(), dnsmessage.TypeSRV), false},
		{question(t, service, dnsmessage.TypePTR, ptr(a.instance, holds)), false},
		{question(t, service, dnsmessage.TypePTR, ptr(other, holds), ptr(a.instance, holds)), false},
		{question(t, service, dnsmessage.TypePTR, ptr(a.instance, holds/3)), true},
		{question(t, service, dnsmessage.TypePTR, ptr(other, holds)), true},
		{response, false},
		{nil, false},
		{[]byte("not a query"), false},
	} {
		if got := a.asked(tt.query); got != tt.want {
			t.Errorf("%d: %v, want %v", i, got, tt.want)
		}
	}
}

// records are what a message says, as "TYPE name ttl".
func records(t *testing.T, b []byte) map[string]uint32 {
	t.Helper()
	var m dnsmessage.Message
	if err := m.Unpack(b); err != nil || !m.Response || !m.Authoritative {
		t.Fatalf("%v: %+v", err, m.Header)
	}
	out := make(map[string]uint32)
	for _, r := range m.Answers {
		name := r.Header.Type.String() + " " + r.Header.Name.String()
		switch body := r.Body.(type) {
		case *dnsmessage.PTRResource:
			name += " " + body.PTR.String()
		case *dnsmessage.SRVResource:
			if body.Port != 10600 {
				t.Errorf("port %d", body.Port)
			}
			name += " " + body.Target.String()
		case *dnsmessage.AResource:
			name += " " + netip.AddrFrom4(body.A).String()
		}
		out[name] = r.Header.TTL
	}
	return out
}

func TestAnnouncementIsSaidAnsweredAndTakenBack(t *testing.T) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	network, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}) // stands in for the group
	if err != nil {
		t.Fatal(err)
	}
	defer network.Close()
	next := func() map[string]uint32 {
		t.Helper()
		b := make([]byte, maxQuery)
		network.SetReadDeadline(time.Now().Add(20 * time.Second))
		n, _, err := network.ReadFromUDP(b)
		if err != nil {
			t.Fatal(err)
		}
		return records(t, b[:n])
	}
	a := announced(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.run(ctx, conn, network.LocalAddr().(*net.UDPAddr), time.Millisecond) }()
	want := map[string]uint32{
		"TypePTR " + service + " " + a.instance.String():         holds,
		"TypePTR " + services + " " + service:                    holds,
		"TypeSRV " + a.instance.String() + " " + a.host.String(): hostFor,
		"TypeTXT " + a.instance.String():                         holds,
		"TypeA " + a.host.String() + " 192.0.2.7":                hostFor,
	}
	for range 2 {
		got := next()
		for name, ttl := range want {
			if got[name] != ttl {
				t.Errorf("%s for %d s, want %d; all is %v", name, got[name], ttl, got)
			}
		}
	}
	if _, err := network.WriteToUDP(question(t, service, dnsmessage.TypePTR), conn.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	if got := next(); len(got) != len(want) {
		t.Errorf("answered %v", got)
	}
	stop()
	if got := next(); len(got) != len(want) || got["TypePTR "+service+" "+a.instance.String()] != 0 {
		t.Errorf("the farewell is %v", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestLoopbackIsNotAnnounced(t *testing.T) {
	all, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if open := reached(&all[i], netip.MustParseAddr("127.0.0.1")); len(open) > 0 {
			t.Errorf("%s reaches a listener on loopback by %v", all[i].Name, open)
		}
	}
	if err := Announce(t.Context(), "127.0.0.1:10600", slog.New(slog.DiscardHandler)); err != nil {
		t.Error(err)
	}
	if err := Announce(t.Context(), "nonsense", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("an address that is none was taken")
	}
}

func FuzzAsked(f *testing.F) {
	f.Add(question(f, service, dnsmessage.TypePTR))
	f.Add([]byte{0, 0, 0x84})
	f.Fuzz(func(t *testing.T, query []byte) {
		if a := announced(t); a.asked(query) {
			var m dnsmessage.Message
			if m.Unpack(query) == nil && (m.Response || len(m.Questions) == 0) {
				t.Fatalf("answers %+v", m)
			}
		}
	})
}
