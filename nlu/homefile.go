package nlu

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"lampworks/tsl"
)

// maxHomeFile is the largest HOME.json that is read, bytes.
const maxHomeFile = 8 << 20

// homeFile is HOME.json. A name is text, or text by language ("zh" is Mandarin, "en" English).
type homeFile struct {
	Rooms []struct {
		ID      string   `json:"id"`
		Name    anyNames `json:"name"`
		Aliases anyNames `json:"aliases"`
		Floor   string   `json:"floor"`
	} `json:"rooms"`
	Devices []struct {
		ID         string          `json:"id"`
		Room       string          `json:"room"`
		Name       anyNames        `json:"name"`
		Aliases    anyNames        `json:"aliases"`
		Type       string          `json:"type"`
		Category   string          `json:"category"`
		Properties orderedTexts    `json:"properties"`
		Model      json.RawMessage `json:"model"`
	} `json:"devices"`
	Scenes []struct {
		ID      string   `json:"id"`
		Name    anyNames `json:"name"`
		Aliases anyNames `json:"aliases"`
		Phrases anyNames `json:"phrases"`
	} `json:"scenes"`
}

// anyNames is a text, a list, or either by language.
type anyNames map[string][]string

func (n *anyNames) UnmarshalJSON(b []byte) error {
	*n = anyNames{}
	var by map[string]json.RawMessage
	if json.Unmarshal(b, &by) != nil {
		list, err := textOrList(b)
		if err != nil {
			return err
		}
		for _, t := range list {
			lang := language(fold(t))
			(*n)[lang] = append((*n)[lang], t)
		}
		return nil
	}
	for lang, raw := range by {
		list, err := textOrList(raw)
		if err != nil {
			return err
		}
		if lang == "zh" {
			lang = Chinese
		}
		(*n)[lang] = append((*n)[lang], list...)
	}
	return nil
}

func textOrList(b []byte) ([]string, error) {
	var one string
	if json.Unmarshal(b, &one) == nil {
		if one == "" {
			return nil, nil
		}
		return []string{one}, nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, fmt.Errorf("a name is text, a list of texts, or either by language: %w", err)
	}
	return list, nil
}

func joined(a, b anyNames) map[string][]string {
	out := map[string][]string{}
	for lang, list := range a {
		out[lang] = append(out[lang], list...)
	}
	for lang, list := range b {
		out[lang] = append(out[lang], list...)
	}
	return out
}

// orderedTexts is an object of texts in the order of the file.
type orderedTexts []struct{ key, text string }

func (o *orderedTexts) UnmarshalJSON(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return fmt.Errorf("properties is %.20q, want an object of texts such as \"1..100 %%\"", b)
	}
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return err
		}
		var text string
		if err := d.Decode(&text); err != nil {
			return fmt.Errorf("property %v: %w", k, err)
		}
		*o = append(*o, struct{ key, text string }{fmt.Sprint(k), text})
	}
	return nil
}

// ReadHome reads a home in the form of HOME.json: rooms, devices with properties as text ("1..100 %"), scenes. Each
// device's texts become a thing model first, which is compiled as any other.
func ReadHome(r io.Reader) (*Home, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxHomeFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the home: %w", err)
	}
	if len(b) > maxHomeFile {
		return nil, fmt.Errorf("the home is larger than %d bytes", maxHomeFile)
	}
	if h, ok := readHA(b); ok {
		return h, nil
	}
	var f homeFile
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("reading the home: %w", err)
	}
	h := &Home{}
	for _, room := range f.Rooms {
		h.Rooms = append(h.Rooms, Room{ID: room.ID, Names: joined(room.Name, room.Aliases), Floor: room.Floor})
	}
	models := map[string]*tsl.Model{}
	for _, d := range f.Devices {
		category := d.Category
		if category == "" {
			category = d.Type
		}
		model, err := fileModel(models, d.Properties, d.Model)
		if err != nil {
			return nil, fmt.Errorf("device %s: %w", d.ID, err)
		}
		h.Devices = append(h.Devices, Device{ID: d.ID, Room: d.Room, Category: category, Names: joined(d.Name, d.Aliases), Model: model})
	}
	for _, s := range f.Scenes {
		h.Scenes = append(h.Scenes, Scene{ID: s.ID, Names: joined(s.Name, s.Aliases), Phrases: s.Phrases})
	}
	return h, nil
}

// fileModel compiles a device's model; devices with the same texts share one.
func fileModel(models map[string]*tsl.Model, texts orderedTexts, document []byte) (*tsl.Model, error) {
	if len(document) == 0 {
		var err error
		if document, err = documentOf(texts); err != nil {
			return nil, err
		}
	}
	if m := models[string(document)]; m != nil {
		return m, nil
	}
	doc, err := tsl.Parse(document)
	if err != nil {
		return nil, err
	}
	m, err := tsl.Compile(doc)
	if err != nil {
		return nil, err
	}
	models[string(document)] = m
	return m, nil
}

type fileProperty struct {
	Identifier string       `json:"identifier"`
	Name       string       `json:"name"`
	AccessMode string       `json:"accessMode"`
	Required   bool         `json:"required"`
	DataType   fileDataType `json:"dataType"`
}

type fileDataType struct {
	Type  string            `json:"type"`
	Specs map[string]string `json:"specs"`
}

var rangeText = regexp.MustCompile(`^(-?[0-9.]+)\.\.(-?[0-9.]+)\s*([^(]*)`)

// documentOf writes the thing model document that the texts stand for.
func documentOf(texts orderedTexts) ([]byte, error) {
	list := []fileProperty{}
	for _, t := range texts {
		p := fileProperty{Identifier: t.key, Name: t.key, AccessMode: "rw"}
		text := strings.TrimSpace(t.text)
		if rest, ro := strings.CutPrefix(text, "ro"); ro && (rest == "" || rest[0] == ' ') {
			p.AccessMode, text = "r", strings.TrimSpace(rest)
		}
		d, err := dataTypeOf(text)
		if err != nil {
			return nil, fmt.Errorf("property %s is %q: %w", t.key, t.text, err)
		}
		p.DataType = d
		list = append(list, p)
	}
	return json.Marshal(map[string]any{
		"schema": "https://iotx-tsl.oss-ap-southeast-1.aliyuncs.com/schema.json", "profile": map[string]string{"productKey": "a1Lampworks"},
		"properties": list, "events": []any{}, "services": []any{},
	})
}

func dataTypeOf(text string) (fileDataType, error) {
	switch text {
	case "bool":
		return fileDataType{"bool", map[string]string{"0": "off", "1": "on"}}, nil
	case "int":
		return fileDataType{"int", map[string]string{"min": "0", "max": "2147483647", "step": "1"}}, nil
	case "name", "text":
		return fileDataType{"text", map[string]string{"length": "64"}}, nil
	}
	if m := rangeText.FindStringSubmatch(text); m != nil {
		return rangeOf(m[1], m[2], strings.TrimSpace(m[3]))
	}
	if strings.Contains(text, "|") {
		specs := map[string]string{}
		for i, v := range strings.Split(text, "|") {
			specs[strconv.Itoa(i)] = strings.TrimSpace(v)
		}
		return fileDataType{"enum", specs}, nil
	}
	if len(text) > 8 {
		return fileDataType{}, fmt.Errorf("want bool, int, name, 1..100 unit, a|b|c, or ro unit")
	}
	specs := map[string]string{"min": "-1000000", "max": "1000000", "step": "0.1"}
	if text != "" {
		specs["unit"] = text
	}
	return fileDataType{"double", specs}, nil
}

func rangeOf(low, high, unit string) (fileDataType, error) {
	for _, n := range []string{low, high} {
		if _, err := strconv.ParseFloat(n, 64); err != nil {
			return fileDataType{}, fmt.Errorf("%q is no number", n)
		}
	}
	specs := map[string]string{"min": low, "max": high, "step": "1"}
	if unit != "" {
		specs["unit"] = unit
	}
	if strings.Contains(low+high, ".") || strings.HasPrefix(unit, "°") { // temperatures have halves
		specs["step"] = "0.5"
		return fileDataType{"double", specs}, nil
	}
	return fileDataType{"int", specs}, nil
}
