package product

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/blob"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
	"lampworks/internal/partner/certify"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/quota"
)

// Care is what a family is told about warranty (保修) and whom to turn to (售后).
type Care struct {
	WarrantyMonths int    `json:"warranty_months,omitempty"`
	Warranty       Names  `json:"warranty,omitempty"` // its terms, by language
	Phone          string `json:"phone,omitempty"`
	Email          string `json:"email,omitempty"`
	Website        string `json:"website,omitempty"`
	Address        string `json:"address,omitempty"`
}

// complete says whether a family finds a warranty and a way to reach somebody.
func (c *Care) complete() bool {
	return c.WarrantyMonths > 0 && (c.Phone != "" || c.Email != "" || c.Website != "")
}

var phone = regexp.MustCompile(`^\+?[0-9][0-9 -]{2,30}$`)

func (c *Care) check() error {
	if c.WarrantyMonths < 0 || c.WarrantyMonths > 600 {
		return fault.Invalid("/care/warranty_months", fmt.Sprint(c.WarrantyMonths), "an integer from 0 to 600", "")
	}
	for lang, text := range c.Warranty {
		if lang != "zh-CN" && lang != "en" || text == "" || !line(text, maxNote) {
			return fault.Invalid("/care/warranty/"+lang, text, "1 to 500 letters on one line in zh-CN or en", "")
		}
	}
	if c.Phone != "" && !phone.MatchString(c.Phone) {
		return fault.Invalid("/care/phone", c.Phone, "digits, blanks and dashes, at most 32", "")
	}
	if a, err := mail.ParseAddress(c.Email); c.Email != "" && (err != nil || a.Address != c.Email || len(c.Email) > 254) {
		return fault.Invalid("/care/email", c.Email, "an e-mail address", "")
	}
	if u, err := url.Parse(c.Website); c.Website != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(c.Website) > 500) {
		return fault.Invalid("/care/website", c.Website, "an address that begins with https:// or http://", "")
	}
	if !line(c.Address, maxNote) {
		return fault.Invalid("/care/address", c.Address, "at most 500 letters on one line", "")
	}
	return nil
}

// A Change is what is to be changed of a product; nil leaves a part as it is.
type Change struct {
	Names     Names
	BuiltOn   *string // product; empty: none
	Solution  *string // product; empty: none
	Protocols *[]string
	Gateway   *bool // its devices carry others; open until some have been in use
	Care      *Care

	Registration *bool
}

// design says whether the change is one of what is built, not of what is said about it.
func (c *Change) design() bool {
	return c.BuiltOn != nil || c.Solution != nil || c.Protocols != nil || c.Gateway != nil
}

// redesigned says whether a product is built of something else than was.
func (p *Product) redesigned(was *Product) bool {
	return p.BuiltOn != was.BuiltOn || p.Solution != was.Solution || p.Gateway != was.Gateway || !slices.Equal(slices.Sorted(slices.Values(p.Protocols)), slices.Sorted(slices.Values(was.Protocols)))
}

// Set changes a product. What it is built of is open until it is certified, the rest until it is retired.
// Where that changes, its certificates end.
func (s *Service) Set(ctx context.Context, who access.Actor, id string, c Change) (Product, error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return Product{}, err
	}
	if err := c.check(); err != nil {
		return Product{}, err
	}
	return s.change(ctx, who, id, func(tx *store.Tx, q *Product) (string, string, error) {
		if c.design() && !q.State.inDesign() {
			return "", "", fault.Closed("changing what it is built of", string(q.State), q.Open(who))
		}
		was := *q
		if err := s.apply(ctx, tx, q, c); err != nil {
			return "", "", err
		}
		if err := q.keeps(c); err != nil {
			return "", "", err
		}
		if q.redesigned(&was) && s.Certify != nil {
			if err := s.Certify.Redesigned(ctx, tx, q.Organisation, q.ID); err != nil {
				return "", "", err
			}
		}
		return "product.set", c.note(), nil
	})
}

// keeps refuses a change that takes from a product that is out what its publication needed.
func (p *Product) keeps(c Change) error {
	switch {
	case !p.State.out():
		return nil
	case c.Names != nil && !p.Names.whole():
		return fault.Invalid("/names", "one language", "names in zh-CN and en of a product that is published", "send both")
	case c.Care != nil && p.Kind == Terminal && !p.Care.complete():
		return fault.Invalid("/care", "incomplete", "the warranty and an after-sales contact of a product that is published", "send all of it")
	}
	return nil
}

func (c *Change) check() error {
	if c.Names != nil {
		if err := checkNames(c.Names); err != nil {
			return err
		}
	}
	if c.Protocols != nil {
		if err := checkProtocols("/protocols", *c.Protocols); err != nil {
			return err
		}
	}
	if c.Care != nil {
		return c.Care.check()
	}
	return nil
}

func (c *Change) note() string {
	var parts []string
	if c.Names != nil {
		parts = append(parts, "names")
	}
	if c.BuiltOn != nil {
		parts = append(parts, "built_on "+*c.BuiltOn)
	}
	if c.Solution != nil {
		parts = append(parts, "solution "+*c.Solution)
	}
	if c.Protocols != nil {
		parts = append(parts, "protocols "+strings.Join(*c.Protocols, " "))
	}
	if c.Gateway != nil {
		parts = append(parts, "gateway "+strconv.FormatBool(*c.Gateway))
	}
	if c.Registration != nil {
		parts = append(parts, "registration "+strconv.FormatBool(*c.Registration))
	}
	if c.Care != nil {
		parts = append(parts, "care")
	}
	return strings.Join(parts, ", ")
}

func (s *Service) apply(ctx context.Context, tx *store.Tx, p *Product, c Change) error {
	rule, err := ruleOf(p.Kind)
	if err != nil {
		return err
	}
	if c.Names != nil {
		p.Names = c.Names
	}
	if c.Care != nil {
		p.Care = *c.Care
	}
	if c.Registration != nil {
		p.Registration = *c.Registration
	}
	if c.Protocols != nil {
		p.Protocols = *c.Protocols
	}
	if c.Gateway != nil && *c.Gateway != p.Gateway {
		if err := s.unused(ctx, tx, p); err != nil {
			return err
		}
		p.Gateway = *c.Gateway
	}
	if c.BuiltOn != nil && *c.BuiltOn != p.BuiltOn {
		if err := s.refer(ctx, tx, p, "/built_on", *c.BuiltOn, rule.BuiltOn); err != nil {
			return err
		}
		p.BuiltOn = *c.BuiltOn
	}
	if c.Solution != nil && *c.Solution != p.Solution {
		kinds := []Kind{Solution}
		if !rule.Solution {
			kinds = nil
		}
		if err := s.refer(ctx, tx, p, "/solution", *c.Solution, kinds); err != nil {
			return err
		}
		p.Solution = *c.Solution
	}
	if !c.design() {
		return nil
	}
	if err := p.fits(ctx, tx); err != nil {
		return err
	}
	return s.look(ctx, tx, p)
}

// unused refuses to turn a product into a gateway, or back, once devices of it have been in use: what they are on the wire
// would change under them.
func (s *Service) unused(ctx context.Context, q store.Querier, p *Product) error {
	if s.Devices == nil {
		return nil
	}
	n, err := s.Devices(ctx, q, p.ID)
	if err != nil {
		return err
	}
	if n > 0 {
		f := fault.Conflict("/gateway", "devices of the product have been in use; whether they are gateways stays as it is")
		f.Fix = "make a product of its own for the others"
		return f
	}
	return nil
}

// change loads a product, lets do change it, writes it and records the act, in one transaction.
func (s *Service) change(ctx context.Context, who access.Actor, id string, do func(tx *store.Tx, p *Product) (act, note string, err error)) (p Product, err error) {
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		if p, err = load(ctx, tx, who, id); err != nil {
			return err
		}
		if p.State == Retired {
			return fault.Closed("changing a product", string(p.State), p.Open(who))
		}
		if err := p.stands(ctx, tx, enforce.Write); err != nil {
			return err
		}
		act, note, err := do(tx, &p)
		if err != nil {
			return err
		}
		if err := s.save(ctx, tx, &p); err != nil {
			return err
		}
		return audit.Record(ctx, tx, who, act, id, note)
	})
	if err != nil {
		return Product{}, err
	}
	return p, nil
}

// iconRule is what an icon may be.
func iconRule() blob.Rule {
	return blob.Rule{Where: "/icon", Types: []blob.Type{blob.PNG, blob.WebP}, MaxBytes: 512 << 10, MinSide: 128, MaxSide: 1024, Square: true}
}

// SetIcon gives a product an icon: a square PNG or WebP of 128 to 1024 pixels, at most 512 KiB.
func (s *Service) SetIcon(ctx context.Context, who access.Actor, id string, content io.Reader) (p Product, err error) {
	if err := allow(who, access.WriteProduct); err != nil {
		return Product{}, err
	}
	if p, err = s.Load(ctx, who, id); err != nil {
		return Product{}, err
	}
	b, err := s.Blobs.Put(ctx, p.Organisation, content, iconRule())
	if err != nil {
		return Product{}, err
	}
	lost := ""
	p, err = s.change(ctx, who, id, func(tx *store.Tx, q *Product) (string, string, error) {
		of := quota.Organisation(q.Organisation)
		if err := quota.Give(ctx, tx, of, quota.Storage, q.iconSize); err != nil {
			return "", "", err
		}
		if err := quota.Take(ctx, tx, of, quota.Storage, b.Size); err != nil {
			return "", "", err
		}
		lost, q.Icon, q.IconMedia, q.iconSize = q.Icon, b.ID, string(b.Type), b.Size
		return "product.icon", b.ID, nil
	})
	if err != nil {
		lost = b.ID
	}
	if gone := s.Blobs.Remove(context.WithoutCancel(ctx), lost); gone != nil {
		s.log.LogAttrs(ctx, slog.LevelWarn, "icon not removed", slog.String("blob", lost), slog.Any("error", gone)) // the sweep finds it
	}
	return p, err
}

// OpenIcon reads an icon; which products there are is known by it to nobody, and its id is no secret.
func (s *Service) OpenIcon(ctx context.Context, icon string) (media string, content io.ReadCloser, err error) {
	var organisation string
	err = s.store.Read(ctx, func(v *store.View) error {
		return v.QueryRow(ctx, iconSQL, icon).Scan(&organisation, &media)
	})
	if err := missing(err, "icon", icon); err != nil {
		return "", nil, err
	}
	content, err = s.Blobs.Open(ctx, organisation, icon)
	return media, content, err
}

// OpenCase opens the certification of a product that is being certified, or whose certificate is to be renewed.
func (s *Service) OpenCase(ctx context.Context, who access.Actor, id string, covers certify.Covers) (c certify.Case, err error) {
	if err := allow(who, access.ApplyCertification); err != nil {
		return certify.Case{}, err
	}
	if s.Certify == nil {
		return certify.Case{}, fault.Unavailable("certification is not part of this program", nil)
	}
	if err := checkProtocols("/covers/protocols", covers.Protocols); err != nil {
		return certify.Case{}, err
	}
	err = s.store.Write(ctx, func(tx *store.Tx) error {
		p, err := load(ctx, tx, who, id)
		if err != nil {
			return err
		}
		if p.State != Certifying && !p.State.out() {
			return fault.Closed("applying for certification", string(p.State), p.Open(who))
		}
		if err := p.stands(ctx, tx, enforce.Write); err != nil {
			return err
		}
		if err := p.tested(ctx, tx, covers.Protocols); err != nil {
			return err
		}
		c, err = s.Certify.OpenIn(ctx, tx, who, certify.Opening{Product: id, Kind: string(p.Kind), Category: p.Category, Covers: covers})
		return err
	})
	return c, err
}
