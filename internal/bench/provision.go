package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"lampworks/internal/fleet/virtual"
	"lampworks/internal/partner/account"
	"lampworks/mqtt"
	"lampworks/triple"
)

// signIn makes an organisation and acts for it from here on. The operator is no member of it, so that they may approve what
// it applies for.
func (s *server) signIn(ctx context.Context) error {
	operator, err := s.session(ctx, login)
	if err != nil {
		return err
	}
	s.operator = operator
	s.token, err = s.organisation(ctx, "maker")
	return err
}

// organisation makes an organisation with an owner and returns the token of their session.
func (s *server) organisation(ctx context.Context, owner string) (token string, err error) {
	operator := s.as(s.operator)
	var user, org struct{ ID string }
	if err := operator.call(ctx, "POST", "/api/v1/users", map[string]any{"login": owner, "password": password}, &user); err != nil {
		return "", err
	}
	err = operator.call(ctx, "POST", "/api/v1/organisations", map[string]any{
		"names": map[string]string{"en": "Bench " + owner}, "kinds": []string{"terminal_maker"}, "owner": user.ID,
	}, &org)
	if err != nil {
		return "", err
	}
	if err := operator.unlimited(ctx, org.ID); err != nil {
		return "", err
	}
	if token, err = s.session(ctx, owner); err != nil {
		return "", err
	}
	return token, s.as(token).enrol(ctx)
}

// enrol gives whoever is signed in a second factor: downloads want it.
func (s *server) enrol(ctx context.Context) error {
	var made struct{ Secret string }
	if err := s.call(ctx, "POST", "/api/v1/factor", nil, &made); err != nil {
		return err
	}
	code, err := account.TOTP(made.Secret, time.Now())
	if err != nil {
		return err
	}
	return s.call(ctx, "PUT", "/api/v1/factor", map[string]string{"code": code.Reveal()}, nil)
}

// as is the same server, asked by somebody else.
func (s *server) as(token string) *server {
	other := *s
	other.token = token
	return &other
}

// session signs in by password and returns the cookie's token, which is good as a bearer, too.
func (s *server) session(ctx context.Context, who string) (string, error) {
	in := map[string]string{"login": who, "password": password}
	if who == login { // the operator, whose second factor stands in the bootstrap file
		code, err := account.TOTP(secret, time.Now())
		if err != nil {
			return "", err
		}
		in["code"] = code.Reveal()
	}
	body, err := json.Marshal(in)
	if err != nil {
		return "", fmt.Errorf("encoding a request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.http+"/api/v1/session", bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("making a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := s.web.Do(req)
	if err != nil {
		return "", fmt.Errorf("signing in: %w", err)
	}
	defer res.Body.Close()
	for _, c := range res.Cookies() {
		if c.Name == "lw_session" {
			return c.Value, nil
		}
	}
	return "", fmt.Errorf("signing in: %s", res.Status)
}

// maker is a product with its triples.
type maker struct {
	ID         string `json:"id"`
	ProductKey string `json:"product_key"`
	order      string
	triples    []triple.Triple
}

// manufacture makes a product of a category, or of a document, and n triples of it.
func (s *server) manufacture(ctx context.Context, category string, document any, n int) (*maker, error) {
	m := new(maker)
	in := map[string]any{"category": category, "names": map[string]string{"en": "bench " + category}}
	if document != nil {
		in["document"] = document
	}
	if err := s.call(ctx, "POST", "/api/v1/products", in, m); err != nil {
		return nil, err
	}
	if err := s.order(ctx, m, n); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, m.ID+".xlsx")
	f, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("making a workbook: %w", err)
	}
	defer os.Remove(path)
	defer f.Close()
	if err := s.download(ctx, m, f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the workbook: %w", err)
	}
	_, err = triple.ReadWorkbook(f, info.Size(), func(t triple.Triple) error { m.triples = append(m.triples, t); return nil })
	if err != nil {
		return nil, fmt.Errorf("reading the workbook: %w", err)
	}
	return m, nil
}

// download takes the workbook of the order.
func (s *server) download(ctx context.Context, m *maker, f *os.File) error {
	var d struct{ ID string }
	if err := s.call(ctx, "POST", "/api/v1/orders/"+m.order+"/downloads", map[string]any{"reason": "a measurement"}, &d); err != nil {
		return err
	}
	return s.call(ctx, "GET", "/api/v1/downloads/"+d.ID+"/file", nil, f)
}

// order orders n triples, beyond what is usual for debugging, and waits until they are issued.
func (s *server) order(ctx context.Context, m *maker, n int) error {
	var o struct{ ID, State string }
	if err := s.call(ctx, "POST", "/api/v1/products/"+m.ID+"/orders", map[string]any{
		"quantity": n, "purpose": "debug",
	}, &o); err != nil {
		return err
	}
	m.order = o.ID
	for o.State != "issued" {
		switch o.State {
		case "failed", "cancelled":
			return fmt.Errorf("order %s is %s", o.ID, o.State)
		}
		time.Sleep(20 * time.Millisecond)
		if err := s.call(ctx, "GET", "/api/v1/orders/"+o.ID, nil, &o); err != nil {
			return err
		}
	}
	return nil
}

// connect brings all triples online, each with one subscription, and returns their clients. onMessage may be nil.
func (s *server) connect(ctx context.Context, m *maker, triples []triple.Triple, onMessage func(int, *mqtt.Client, mqtt.Message)) ([]*mqtt.Client, []time.Duration, error) {
	clients := make([]*mqtt.Client, len(triples))
	took := make([]time.Duration, len(triples))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(64)
	for i, t := range triples {
		g.Go(func() error {
			began := time.Now()
			o, err := virtual.Options(m.ProductKey, t)
			if err != nil {
				return err
			}
			o.KeepAlive = 10 * time.Minute
			o.Dial = s.dial
			if onMessage != nil {
				o.OnMessage = func(c *mqtt.Client, msg mqtt.Message) { onMessage(i, c, msg) }
			}
			c, err := mqtt.Dial(ctx, s.mqtt, o)
			if err != nil {
				return fmt.Errorf("connecting device %s: %w", t.MAC, err)
			}
			clients[i] = c
			_, err = c.Subscribe(ctx, "/sys/"+m.ProductKey+"/"+t.MAC.String()+"/thing/service/#")
			took[i] = time.Since(began)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		drop(clients)
		return nil, nil, err
	}
	return clients, took, nil
}

// drop closes all clients and waits.
func drop(clients []*mqtt.Client) {
	var wg sync.WaitGroup
	for _, c := range clients {
		if c != nil {
			c.Kill()
			wg.Go(func() { <-c.Done() })
		}
	}
	wg.Wait()
}
