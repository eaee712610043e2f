package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/parsers/yaml"
)

// readYAML is a kong.ConfigurationLoader: a flat YAML file whose keys are the names of flags.
func readYAML(r io.Reader) (kong.Resolver, error) {
	b, err := io.ReadAll(io.LimitReader(r, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	values, err := yaml.Parser().Unmarshal(b)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	return &fileValues{values}, nil
}

type fileValues struct{ values map[string]any }

// Validate refuses keys that no flag of the command has.
func (f *fileValues) Validate(app *kong.Application) error {
	var known []string
	_ = kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known = append(known, flag.Name)
		}
		return next(nil)
	})
	for key := range f.values {
		if !slices.Contains(known, strings.ReplaceAll(key, "_", "-")) {
			return fmt.Errorf("the configuration file names %q, which is no setting; see lampworks serve --help", key)
		}
	}
	return nil
}

// Resolve implements kong.Resolver.
func (f *fileValues) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, key := range []string{flag.Name, strings.ReplaceAll(flag.Name, "-", "_")} {
		if v, ok := f.values[key]; ok {
			return v, nil
		}
	}
	return nil, nil
}

// configFile is a flag that loads the file it names before the other flags are resolved.
type configFile string

// BeforeResolve implements kong's hook.
func (c configFile) BeforeResolve(k *kong.Kong, ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(configFile))
	resolver, err := k.LoadConfig(path)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	ctx.AddResolver(resolver)
	return nil
}
