package product

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"lampworks/internal/infra/fault"
	"lampworks/tsl"
)

// Category is a kind of product that the platform knows, with everything that makes one of its products speak and be
// spoken to at once. It is a data file of this package and must not be changed.
type Category struct {
	Name      string              // "colour_light", stable
	Names     Names               // of the category
	Aliases   map[string][]string // words people say for such a device, by language
	Icon      string              // of the console
	SkillType string              // device type of the smart-home skill protocol: "light", "aircondition"
	Papers    []string            // kinds of papers that a terminal of the category needs to be published
	Document  json.RawMessage     // its thing model, TSL
	Model     *tsl.Model          // the same, ready
}

// The data files, one a category, each named after it.
//
//go:embed categories/*.json
var categoryFiles embed.FS

var categories = sync.OnceValues(readCategories)

// Categories returns every category, by name.
func Categories() ([]Category, error) { return categories() }

// FindCategory returns a category by its name.
func FindCategory(name string) (Category, error) {
	all, err := categories()
	if err != nil {
		return Category{}, err
	}
	i, ok := slices.BinarySearchFunc(all, name, func(c Category, name string) int { return strings.Compare(c.Name, name) })
	if !ok {
		names := make([]string, len(all))
		for i := range all {
			names[i] = all[i].Name
		}
		return Category{}, fault.Unlisted("/category", name, names, "GET /api/v1/categories")
	}
	return all[i], nil
}

// CategoryModel returns the thing model of a category, ready to use.
func CategoryModel(name string) (*tsl.Model, error) {
	c, err := FindCategory(name)
	if err != nil {
		return nil, err
	}
	return c.Model, nil
}

// file is a data file.
type file struct {
	Category  string              `json:"category"`
	Names     Names               `json:"names"`
	Aliases   map[string][]string `json:"aliases"`
	Icon      string              `json:"icon"`
	SkillType string              `json:"skill_type"`
	Papers    []string            `json:"papers"`
	Model     json.RawMessage     `json:"model"`
}

func readCategories() ([]Category, error) {
	paths, err := fs.Glob(categoryFiles, "categories/*.json")
	if err != nil {
		return nil, err
	}
	var all []Category
	for _, path := range paths { // sorted by Glob
		b, err := categoryFiles.ReadFile(path)
		if err != nil {
			return nil, err
		}
		c, err := readCategory(b)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", path, err)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b Category) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func readCategory(b []byte) (Category, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var f file
	if err := d.Decode(&f); err != nil {
		return Category{}, err
	}
	document, err := tsl.Parse(f.Model)
	if err != nil {
		return Category{}, err
	}
	model, err := tsl.Compile(document)
	if err != nil {
		return Category{}, err
	}
	for _, kind := range f.Papers {
		if _, err := FindPaperKind(kind); err != nil {
			return Category{}, err
		}
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, f.Model); err != nil {
		return Category{}, err
	}
	return Category{f.Category, f.Names, f.Aliases, f.Icon, f.SkillType, f.Papers, compact.Bytes(), model}, nil
}
