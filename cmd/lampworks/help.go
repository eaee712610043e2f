package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"
)

// helpFiles are what verbs, flags and arguments say of themselves, one file a group of verbs.
//
//go:embed zh-CN/help
var helpFiles embed.FS

// readHelp is the catalogue of help: what stands there in English, and its Chinese.
func readHelp() (map[string]string, error) {
	const folder = "zh-CN/help"
	files, err := helpFiles.ReadDir(folder)
	if err != nil {
		return nil, fmt.Errorf("reading the help in Chinese: %w", err)
	}
	book := make(map[string]string)
	for _, f := range files {
		text, err := helpFiles.ReadFile(folder + "/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the help in Chinese: %w", err)
		}
		var entries map[string]string
		if err := json.Unmarshal(text, &entries); err != nil {
			return nil, fmt.Errorf("reading the help in Chinese, %s: %w", f.Name(), err)
		}
		for en, zh := range entries {
			if book[en] != "" {
				return nil, fmt.Errorf("reading the help in Chinese, %s: %q is there twice", f.Name(), en)
			}
			book[en] = zh
		}
	}
	return book, nil
}

// printHelp prints help in the language of the terminal. Nothing is translated before somebody asks for help.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if tongue() != chinese {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	book, err := readHelp()
	if err != nil {
		return err
	}
	if err := helpInChinese(ctx.Model, book); err != nil {
		return err
	}
	options.ValueFormatter = valueInChinese
	options.WrapUpperBound = helpWidth()
	var page bytes.Buffer
	to := ctx.Stdout
	ctx.Stdout = &page
	err = kong.DefaultHelpPrinter(options, ctx)
	ctx.Stdout = to
	if err != nil {
		return err
	}
	for line := range strings.Lines(page.String()) {
		if _, err := io.WriteString(to, frameInChinese(tight(line))); err != nil {
			return err
		}
	}
	return nil
}

// helpWidth is how many columns help takes: those of the terminal, 80 at most. The last is left to a wide character.
func helpWidth() int {
	width := 80
	if n, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && n > 0 {
		width = min(n, width)
	}
	return width - 1
}

// helpInChinese puts the Chinese of the catalogue in the place of what it has.
func helpInChinese(model *kong.Application, book map[string]string) error {
	put := func(help *string, wrapped func(string) string) {
		if said := book[*help]; said != "" {
			*help = wrapped(said)
		}
	}
	whole := func(text string) string { return text }
	return kong.Visit(model, func(n kong.Visitable, next kong.Next) error {
		switch n := n.(type) {
		case *kong.Application:
			put(&n.Help, loose)
		case *kong.Node:
			put(&n.Help, loose)
			put(&n.Detail, loose)
		case *kong.Flag:
			put(&n.Help, whole) // valueInChinese prints it
		case *kong.Value:
			put(&n.Help, whole)
		}
		return next(nil)
	})
}

// valueInChinese is the help of a flag or argument, with the names that it has in the environment before the full stop.
func valueInChinese(v *kong.Value) string {
	help := kong.DefaultHelpValueFormatter(v)
	if envs, ok := strings.CutPrefix(help, v.Help+" ("); ok && strings.HasSuffix(v.Help, "。") {
		help = strings.TrimSuffix(v.Help, "。") + "（" + strings.TrimSuffix(envs, ")") + "）。"
	}
	return loose(help)
}

// frameInChinese translates a line of help that is kong's own.
func frameInChinese(line string) string {
	text := strings.TrimSuffix(line, "\n")
	switch text {
	case "Arguments:":
		return "参数：\n"
	case "Flags:":
		return "选项：\n"
	case "Commands:":
		return "命令：\n"
	}
	if usage, ok := strings.CutPrefix(text, "Usage: "); ok {
		return "用法：" + strings.NewReplacer("[flags]", "[选项]", "<command>", "<命令>").Replace(usage) + "\n"
	}
	if rest, ok := strings.CutPrefix(text, `Run "`); ok {
		if verb, ok := strings.CutSuffix(rest, ` <command> --help" for more information on a command.`); ok {
			return "各命令的详情：" + verb + " <命令> --help\n"
		}
	}
	return line
}
