package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"lampworks/nlu"
)

type nluCommand struct {
	Lines   nluLines   `cmd:"" default:"withargs" help:"Read sentences from JSON lines and write what they mean; this is what nlu does by itself."`
	Explain nluExplain `cmd:"" help:"Show how a sentence is understood, stage by stage."`
}

// spokenHome is the home that sentences speak about.
type spokenHome struct {
	Home string `help:"The home the sentences speak about, as data/nlu/genie-home.json. Without one, each line's own context is the home (--format ha)." type:"existingfile" placeholder:"FILE"`
	Lang string `help:"Language of the sentences: zh-CN, en, zh-TW or zh-HK. Default: recognised from each." placeholder:"LANG"`
}

// read gives the home, nil if none was given.
func (s *spokenHome) read() (*nlu.Home, error) {
	if s.Home == "" {
		return nil, nil
	}
	f, err := os.Open(s.Home)
	if err != nil {
		return nil, fmt.Errorf("reading the home: %w", err)
	}
	defer f.Close()
	home, err := nlu.ReadHome(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Home, err)
	}
	return home, nil
}

type nluLines struct {
	spokenHome
	Format string `help:"Form of the lines: genie (outcome and actions) or ha (intent and slots)." default:"genie" enum:"genie,ha"`
}

func (n *nluLines) Run(ctx context.Context) error {
	home, err := n.read()
	if err != nil {
		return err
	}
	return nlu.Lines(ctx, home, n.Format, n.Lang, os.Stdin, os.Stdout)
}

type nluExplain struct {
	spokenHome
	Room     string   `help:"Id of the room that the speaker stands in." placeholder:"ROOM"`
	Careful  bool     `help:"Ask back before what is dangerous, as a server does."`
	JSON     bool     `help:"Write JSON, an object a sentence." name:"json"`
	Sentence []string `arg:"" help:"What is said. Several are one conversation."`
}

func (n *nluExplain) Run() error {
	home, err := n.read()
	if err != nil {
		return err
	}
	if home == nil {
		return usageError{errorText(say("--home is missing: which home do the sentences speak about?", "缺少 --home：句子说的是哪个家？"))}
	}
	x, err := nlu.Compile(*home)
	if err != nil {
		return fmt.Errorf("%s: %w", n.Home, err)
	}
	c := nlu.Context{Lang: n.Lang, Room: n.Room, Careful: n.Careful}
	for _, sentence := range n.Sentence {
		e := x.Explain(&c, sentence)
		c.Previous = e.Reading.Memory
		if err := n.write(sentence, &e); err != nil {
			return err
		}
	}
	return nil
}

func (n *nluExplain) write(sentence string, e *nlu.Explanation) error {
	w := json.NewEncoder(os.Stdout)
	w.SetEscapeHTML(false)
	if n.JSON {
		return w.Encode(e)
	}
	fmt.Println(sentence)
	row := func(en, zh, text string) { fmt.Printf("  %s\t%s\n", say(en, zh), text) }
	row("text", "文本", e.Text+" ("+e.Lang+")")
	var words []string
	for _, word := range e.Words {
		if len(word.Kinds) == 0 {
			word.Kinds = []string{"?"}
		}
		words = append(words, word.Text+" ["+strings.Join(word.Kinds, ", ")+"]")
	}
	row("words", "词语", strings.Join(words, "  "))
	for _, clause := range e.Clauses {
		row("clause", "分句", strings.Join(clause, " · "))
	}
	fmt.Printf("  %s\t", say("reading", "理解"))
	return w.Encode(e.Result)
}
