package main

import (
	"context"
	"encoding/json"
	"strconv"
)

type wordingCommand struct {
	Show     wordingShow     `cmd:"" help:"Print the draft, or the version in force, with what is wrong with it."`
	Set      wordingSet      `cmd:"" help:"Save the draft from a file."`
	Trial    wordingTrial    `cmd:"" help:"Try it in a home: which sentences come to the product, and which words collide."`
	Publish  wordingPublish  `cmd:"" help:"Publish the draft as the next version of the voice configuration."`
	Versions wordingVersions `cmd:"" help:"Published versions of the voice configuration."`
	Diff     wordingDiff     `cmd:"" help:"Print a published version with what it changes."`
}

type wordingShow struct{ oneProduct }

func (w *wordingShow) Run(ctx context.Context) error {
	return w.do(ctx, "GET", w.path("/voice"), nil)
}

type wordingSet struct {
	oneProduct
	File     string `arg:"" help:"Voice configuration, JSON; it may still have problems. - reads standard input."`
	Revision int    `help:"The one that was edited. Default: whatever stands there is replaced." placeholder:"N"`
}

func (w *wordingSet) Run(ctx context.Context) error {
	words, err := document(w.File)
	if err != nil {
		return err
	}
	return w.do(ctx, "PUT", w.path("/voice"), body("document", words, "revision", w.Revision))
}

type wordingTrial struct {
	oneProduct
	Home     string   `help:"Id of a home of yours. Default: one with two rooms and the product in each." placeholder:"HOME"`
	File     string   `help:"Voice configuration, JSON. Default: the draft, or else the version in force." placeholder:"FILE"`
	Sentence []string `arg:"" optional:"" help:"What people might say."`
}

func (w *wordingTrial) Run(ctx context.Context) error {
	var words json.RawMessage
	if w.File != "" {
		var err error
		if words, err = document(w.File); err != nil {
			return err
		}
	}
	return w.do(ctx, "POST", w.path("/voice/trial"), body("home", w.Home, "document", words, "sentences", w.Sentence))
}

type wordingPublish struct {
	oneProduct
	Note string `help:"What has changed." placeholder:"TEXT"`
}

func (w *wordingPublish) Run(ctx context.Context) error {
	return w.do(ctx, creates, w.path("/voice/versions"), body("note", w.Note))
}

type wordingVersions struct {
	pages
	Product string `arg:"" help:"Id of the product."`
}

func (w *wordingVersions) Run(ctx context.Context) error {
	return w.list(ctx, at(productPath+"/voice/versions", w.Product), "number model published_at published_by note")
}

type wordingDiff struct {
	oneProduct
	Version int `arg:"" help:"Its number."`
	Base    int `name:"base" help:"The version that changes are told from. Default: the one before." placeholder:"N"`
}

func (w *wordingDiff) Run(ctx context.Context) error {
	path := w.path("/voice/versions/" + strconv.Itoa(w.Version))
	if w.Base > 0 {
		path += "?base=" + strconv.Itoa(w.Base)
	}
	return w.do(ctx, "GET", path, nil)
}
