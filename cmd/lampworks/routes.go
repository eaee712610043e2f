package main

import (
	_ "embed"
	"encoding/json"
	"regexp"
	"strings"
	"sync"
)

// verbsOfRoutes is which verb asks each route, its places in the places of the verb's own; TestRoutesHaveTheirVerb holds it.
//
//go:embed routes.json
var verbsOfRoutes []byte

var readRoutes = sync.OnceValue(func() map[string]string {
	var book map[string]string
	if json.Unmarshal(verbsOfRoutes, &book) != nil {
		return nil
	}
	return book
})

var (
	routeNamed = regexp.MustCompile(`(\bat )?\b(GET|POST|PUT|PATCH|DELETE) (/api/v1(?:/(?:[\w-]+|\{\w*\}))+)`)
	placeOfURL = regexp.MustCompile(`\{\w*\}`)
)

// inVerbs is text with verbs in the places of the routes that it names. A route that no verb asks stays.
func inVerbs(text string) string {
	return routeNamed.ReplaceAllStringFunc(text, func(named string) string {
		m := routeNamed.FindStringSubmatch(named)
		verb := verbOfRoute(m[2], m[3])
		switch {
		case verb == "":
			return named
		case m[1] != "":
			return "with " + verb // read it at GET …
		}
		return verb
	})
}

// verbOfRoute is the verb that asks a route, with the ids that the path has; empty if none does.
func verbOfRoute(method, path string) string {
	best, places := "", 0
	for route := range readRoutes() {
		m, template, _ := strings.Cut(route, " ")
		if n := strings.Count(template, "{"); m == method && alike(template, path) && (best == "" || n < places) {
			best, places = route, n
		}
	}
	if best == "" {
		return ""
	}
	verb := readRoutes()[best]
	_, template, _ := strings.Cut(best, " ")
	given := strings.Split(path, "/")
	for i, part := range strings.Split(template, "/") {
		if strings.HasPrefix(part, "{") {
			verb = strings.Replace(verb, part, given[i], 1)
		}
	}
	for placeOfURL.MatchString(verb) { // what is not known yet is left to the verb's help, and all that would stand behind it
		verb = verb[:strings.LastIndex(verb[:placeOfURL.FindStringIndex(verb)[0]], " ")]
	}
	return "lampworks " + verb
}

// alike says whether a path is of a route; a place of the route takes any segment, also one that is a place itself.
func alike(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], "{") {
			return false
		}
	}
	return true
}
