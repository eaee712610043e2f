package api_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// timely is what the name of a field looks like that says when something is; noTimes are those that only look so.
var (
	timely  = regexp.MustCompile(`^(at|on|day|due|since|until|from|to|starts|ends|birth_date|oldest|time)$|_(at|on|until|since|from|due|date|day)$|^valid_`)
	noTimes = []string{
		"built_on",                    // a product
		"from of audit",               // an address
		"used_from",                   // an address
		"ends of paper-kinds",         // whether there is a last day
		"since of lists",              // whatever the list is sorted by
		"until of lists",              // the same
		"to of products",              // a state
		"to of organisations",         // a user
		"to of invitations",           // who gets it
		"on of service-switches",      // on or off
		"on of services",              // the same
		"day of homes", "at of homes", // as they were spoken
		"valid_from of verification",   // whether a paper has one
		"valid_until of verification",  // the same
		"valid_from of organisations",  // of the form, the same
		"valid_until of organisations", // the same
	}
)

// TestTimesAndDatesHaveOneForm looks at every field and parameter that says when something is: it is an RFC 3339 time or a date,
// and says which. What is answered is in UTC, with milliseconds.
func TestTimesAndDatesHaveOneForm(t *testing.T) {
	_, raw := readSpec(t)
	seen := make(map[string]bool)
	check := func(area, name string, schema map[string]any) {
		if !timely.MatchString(name) || schema["format"] == "date-time" || schema["format"] == "date" {
			return
		}
		of := name + " of " + area
		for _, no := range []string{name, of} {
			if slices.Contains(noTimes, no) {
				seen[no] = true
				return
			}
		}
		t.Errorf("%s is %v %v, want a date-time or a date", of, schema["type"], schema["format"])
	}
	var walk func(area string, v any)
	walk = func(area string, v any) {
		switch v := v.(type) {
		case []any:
			for _, x := range v {
				walk(area, x)
			}
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if name := ref[strings.LastIndex(ref, "/")+1:]; !seen[area+name] && strings.Contains(ref, "/schemas/") {
					seen[area+name] = true
					walk(area, raw["components"].(map[string]any)["schemas"].(map[string]any)[name])
				}
				return
			}
			if in, ok := v["in"].(string); ok && in == "query" {
				name, _ := v["name"].(string)
				schema, _ := v["schema"].(map[string]any)
				if description, _ := v["description"].(string); strings.Contains(description, "what is sorted by") {
					area = "lists"
				}
				check(area, name, schema)
				return
			}
			if properties, ok := v["properties"].(map[string]any); ok {
				for _, name := range slices.Sorted(maps.Keys(properties)) {
					if schema, ok := properties[name].(map[string]any); ok {
						check(area, name, schema)
					}
				}
			}
			for key, x := range v {
				if key != "example" && key != "examples" {
					walk(area, x)
				}
			}
		}
	}
	for path, item := range raw["paths"].(map[string]any) {
		area, _, _ := strings.Cut(strings.TrimPrefix(path, "/api/v1/"), "/")
		walk(area, item)
	}
	for _, no := range noTimes {
		if !seen[no] {
			t.Errorf("%s is no field any more", no)
		}
	}
}

var anyTime = regexp.MustCompile(`"\d{4}-\d\d-\d\d[T ][^"]*"`)

func TestAnsweredTimesAreUTC(t *testing.T) {
	b, err := os.ReadFile(examplesFile)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]map[string]json.RawMessage
	if err := json.Unmarshal(b, &all); err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`)
	n := 0
	for operation, parts := range all {
		for part, example := range parts {
			if part == "request" {
				continue
			}
			for _, text := range anyTime.FindAllString(string(example), -1) {
				if n++; !form.MatchString(text) {
					t.Errorf("the answer of %s has the time %s", operation, text)
				}
			}
		}
	}
	if n < 100 {
		t.Errorf("found %d times in the examples", n)
	}
}
