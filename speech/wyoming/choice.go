package wyoming

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"lampworks/speech"
)

// A program is what a server offers, as it tells it.
type program struct {
	Name      string  `json:"name"`
	Installed bool    `json:"installed"`
	Models    []model `json:"models"` // of recognisers
	Voices    []model `json:"voices"`
}

type model struct {
	Name      string   `json:"name"`
	Installed bool     `json:"installed"`
	Languages []string `json:"languages"`
}

// believed is how long what a server offers is believed.
const believed = time.Minute

// A choice finds the model or voice for a language, and asks the server seldom.
type choice struct {
	server
	kind string // "asr" or "tts"
	name string // named by whoever runs it; empty: chosen

	mu    sync.Mutex // guards the rest
	offer []model
	at    time.Time
}

// of returns the name for a language; empty leaves it to the server.
func (c *choice) of(ctx context.Context, lang string) (string, error) {
	if c.name != "" {
		return c.name, nil
	}
	offer, err := c.offers(ctx)
	if err != nil {
		return "", err
	}
	for _, m := range offer {
		if lang == "" || speaks(m.Languages, lang) {
			return m.Name, nil
		}
	}
	return "", fmt.Errorf("%w: %s at %s has nothing installed for %s; install a model there", speech.ErrUnavailable, c.what, c.address, lang)
}

// offers is everything that is installed, in the server's order.
func (c *choice) offers(ctx context.Context) ([]model, error) {
	c.mu.Lock()
	offer, at := c.offer, c.at
	c.mu.Unlock()
	if !at.IsZero() && time.Since(at).Abs() < believed {
		return offer, nil
	}
	programs, err := c.ask(ctx)
	if err != nil {
		return nil, err
	}
	offer = nil
	for _, p := range programs {
		for _, m := range append(p.Models, p.Voices...) {
			if p.Installed && m.Installed && m.Name != "" {
				offer = append(offer, m)
			}
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offer, c.at = offer, time.Now()
	return offer, nil
}

// ask has the server describe itself, several times if it does not answer at once.
func (c *choice) ask(ctx context.Context) (programs []program, err error) {
	for range infoTries {
		if programs, err = c.try(ctx); err == nil || ctx.Err() != nil {
			return programs, err
		}
	}
	return nil, err
}

func (c *choice) try(ctx context.Context) ([]program, error) {
	l, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer l.close()
	if err := l.send(Describe, nil, nil); err != nil {
		return nil, err
	}
	for by := time.Now().Add(c.waits.info); ; {
		e, err := l.next(by)
		if err != nil {
			return nil, err
		}
		if e.Type != Info {
			continue
		}
		var programs []program
		if v := e.Data[c.kind]; !absent(v) {
			if err := json.Unmarshal(v, &programs); err != nil {
				return nil, l.garbled("what it offers is no list of programs")
			}
		}
		return programs, nil
	}
}

// speaks says whether one of the languages is the one wanted. Chinese has several names.
func speaks(languages []string, want string) bool {
	for _, l := range languages {
		if tongue(l) == tongue(want) {
			return true
		}
	}
	return false
}

// tongue is a language without country or script. Cantonese is another one.
func tongue(tag string) string {
	first, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(strings.TrimSpace(tag)), "_", "-"), "-")
	switch first {
	case "cmn", "zho", "chi":
		return "zh"
	case "eng":
		return "en"
	}
	return first
}
