package phrase

import (
	"fmt"

	"lampworks/internal/partner/account"
	"lampworks/internal/partner/enforce"
	"lampworks/internal/partner/entitlement"
	"lampworks/internal/partner/quota"
)

// addNames adds what rooms name in both languages: limits, services, measures and their causes, kinds of organisations.
func (b *Book) addNames(lang string) error {
	names := make(map[string]string)
	for _, l := range quota.Limits() {
		names[l.String()] = l.Spec().Title[lang]
	}
	services, err := entitlement.Services()
	if err != nil {
		return fmt.Errorf("naming the services: %w", err)
	}
	for _, s := range services {
		names[s.Name] = s.Names[lang]
	}
	for _, e := range enforce.Effects() {
		names[e.Title["en"]] = e.Title[lang]
	}
	for _, c := range enforce.Causes() {
		names[string(c.Cause)], names[c.Title["en"]] = c.Title[lang], c.Title[lang]
	}
	for _, k := range account.Kinds() {
		names[string(k.Kind)] = k.Names[lang]
	}
	for english, other := range names {
		if b.said.has(english) {
			continue // the files know better: a word of a room may be one of another, too
		}
		if err := b.said.add(english, other); err != nil {
			return err
		}
	}
	return nil
}
