package main

import (
	"fmt"
	"io"
	"maps"
	"os"
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
	return &fileValues{values: values}, nil
}

// fileValues are the settings of a file. They stand below the environment, which stands below the command line.
type fileValues struct {
	values map[string]any
	flags  []*kong.Flag // of the verb at hand
	verb   string
}

// Validate refuses keys that no flag of the verb has.
func (f *fileValues) Validate(*kong.Application) error {
	for _, key := range slices.Sorted(maps.Keys(f.values)) {
		name := strings.ReplaceAll(key, "_", "-")
		if !slices.ContainsFunc(f.flags, func(flag *kong.Flag) bool { return flag.Name == name && name != "help" && name != "config" }) {
			return fmt.Errorf("the configuration file names %q, which is no setting of %s; see %[2]s --help", key, f.verb)
		}
	}
	return nil
}

// Resolve implements kong.Resolver. Kong asks it for flags that are not on the command line.
func (f *fileValues) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
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
	file := resolver.(*fileValues)
	file.flags, file.verb = ctx.Flags(), ctx.Selected().FullPath()
	ctx.AddResolver(file)
	return nil
}
