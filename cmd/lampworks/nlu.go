package main

import (
	"context"
	"fmt"
	"os"

	"lampworks/nlu"
)

type nluCommand struct {
	Home   string `help:"The home the sentences speak about, as data/nlu/genie-home.json. Without one, each line's own context is the home (--format ha)." type:"existingfile" placeholder:"FILE"`
	Lang   string `help:"Language of the sentences: zh-CN, en, zh-TW or zh-HK. Default: recognised from each." placeholder:"LANG"`
	Format string `help:"Form of the lines: genie (outcome and actions) or ha (intent and slots)." default:"genie" enum:"genie,ha"`
}

func (n *nluCommand) Run(ctx context.Context) error {
	var home *nlu.Home
	if n.Home != "" {
		f, err := os.Open(n.Home)
		if err != nil {
			return fmt.Errorf("reading the home: %w", err)
		}
		defer f.Close()
		if home, err = nlu.ReadHome(f); err != nil {
			return fmt.Errorf("%s: %w", n.Home, err)
		}
	}
	return nlu.Lines(ctx, home, n.Format, n.Lang, os.Stdin, os.Stdout)
}
