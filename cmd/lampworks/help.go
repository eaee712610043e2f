package main

import (
	_ "embed" // the catalogue of help
	"encoding/json"
	"fmt"

	"github.com/alecthomas/kong"
)

//go:embed help.json
var helpInChinese []byte

// readHelp is the catalogue: what stands in the help of verbs and flags, and its Chinese.
func readHelp() (map[string]string, error) {
	var book map[string]string
	if err := json.Unmarshal(helpInChinese, &book); err != nil {
		return nil, fmt.Errorf("reading the help in Chinese: %w", err)
	}
	return book, nil
}

// helpInTongue puts the help into the language of the terminal, as far as the catalogue has it.
func helpInTongue(k *kong.Kong) error {
	if tongue() != chinese {
		return nil
	}
	book, err := readHelp()
	if err != nil {
		return err
	}
	put := func(help *string) {
		if said := book[*help]; said != "" {
			*help = said
		}
	}
	return kong.Visit(k.Model, func(n kong.Visitable, next kong.Next) error {
		switch n := n.(type) {
		case *kong.Node:
			put(&n.Help)
		case *kong.Flag:
			put(&n.Help)
		case *kong.Value:
			put(&n.Help)
		}
		return next(nil)
	})
}
