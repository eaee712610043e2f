package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

type agreementCommand struct {
	List        agreementListCommand        `cmd:"" help:"List the agreements (协议) and the version in force of each."`
	Outstanding agreementOutstandingCommand `cmd:"" help:"Tell what has to be accepted, now and later."`
	Versions    agreementVersionsCommand    `cmd:"" help:"The versions of an agreement, newest first."`
	Show        agreementShowCommand        `cmd:"" help:"Print the text of a version."`
	Accept      agreementAcceptCommand      `cmd:"" help:"Accept a version, for oneself or in the name of one's organisation."`
	Decline     agreementDeclineCommand     `cmd:"" help:"Decline a version. Export and leaving stay open."`
	Evidence    agreementEvidenceCommand    `cmd:"" help:"List what was accepted and declined."`
	New         agreementNewCommand         `cmd:"" help:"Add an agreement, from a JSON file; operators only."`
	Draft       agreementDraftCommand       `cmd:"" help:"Write the draft of the next version, from a JSON file; operators only."`
	Publish     agreementPublishCommand     `cmd:"" help:"Publish a version; operators only."`
	Withdraw    agreementWithdrawCommand    `cmd:"" help:"Withdraw a version; operators only."`
}

const agreementPath = "/api/v1/agreements/{}"

type agreementListCommand struct {
	sorted
	Subject string `help:"Only those that are accepted by: user, organisation or product." placeholder:"SUBJECT"`
}

func (c *agreementListCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/agreements", "id subject precedence in_force.version in_force.effective_at ahead.version ahead.effective_at names", "subject", c.Subject)
}

type agreementOutstandingCommand struct{ client }

func (c *agreementOutstandingCommand) Run(ctx context.Context) error {
	return c.do(ctx, "GET", "/api/v1/outstanding-agreements", nil)
}

type agreementVersionsCommand struct {
	sorted
	Agreement string `arg:"" help:"Id of the agreement."`
	State     string `help:"draft, published, superseded or withdrawn." placeholder:"STATE"`
}

func (c *agreementVersionsCommand) Run(ctx context.Context) error {
	return c.list(ctx, at(agreementPath+"/versions", c.Agreement), "version state published_at effective_at ended_at id", "state", c.State)
}

type agreementEvidenceCommand struct {
	sorted
	Organisation string `help:"Only that of this organisation." placeholder:"ID"`
	Agreement    string `help:"Only that of this agreement." placeholder:"ID"`
	Version      string `help:"Only that of this version, by its id." placeholder:"ID"`
	Person       string `help:"Only that of this person; me: what you decided." placeholder:"ID"`
}

func (c *agreementEvidenceCommand) Run(ctx context.Context) error {
	return c.list(ctx, "/api/v1/acceptances", "id decision agreement version lang subject subject_id person decided_at channel hash",
		"organisation", c.Organisation, "agreement", c.Agreement, "version", c.Version, "person", c.Person)
}

// versionArgs name a version of an agreement.
type versionArgs struct {
	client
	Agreement string `arg:"" help:"Id of the agreement."`
	Version   int    `arg:"" help:"Number of the version."`
	Lang      string `help:"zh-CN or en. Default: that of the terminal." default:"${tongue}" enum:"zh-CN,en"`
}

type versionText struct {
	Texts map[string]struct {
		Body    string `json:"body"`
		Changes string `json:"changes"`
		Hash    string `json:"hash"`
	} `json:"texts"`
	Digest string `json:"digest"`
}

func (v *versionArgs) read(ctx context.Context) (text versionText, err error) {
	return text, v.call(ctx, "GET", at(agreementPath+"/versions/{}", v.Agreement, strconv.Itoa(v.Version)), nil, &text)
}

type agreementShowCommand struct{ versionArgs }

func (c *agreementShowCommand) Run(ctx context.Context) error {
	text, err := c.read(ctx)
	if err != nil {
		return err
	}
	fmt.Println(text.Texts[c.Lang].Body)
	return nil
}

// answerArgs say something to a version whose text was read.
type answerArgs struct {
	versionArgs
	Hash    string `help:"Hash of the text that was read; without it the text is printed and its hash with it." placeholder:"SHA256"`
	Product string `help:"Id of the product that the terms are accepted for." placeholder:"ID"`
}

func (c *answerArgs) answer(ctx context.Context, what string) error {
	if c.Hash == "" {
		text, err := c.read(ctx)
		if err != nil {
			return err
		}
		fmt.Printf("%s\n\n--hash %s\n", text.Texts[c.Lang].Body, text.Texts[c.Lang].Hash)
		return exitError(exitAsks)
	}
	return c.do(ctx, creates, at(agreementPath, c.Agreement)+"/"+what, body("version", c.Version, "lang", c.Lang, "hash", c.Hash, "product", c.Product))
}

type agreementAcceptCommand struct{ answerArgs }

func (c *agreementAcceptCommand) Run(ctx context.Context) error { return c.answer(ctx, "acceptances") }

func (c *agreementAcceptCommand) Help() string {
	return "Without --hash the text is printed with its hash, and the exit code is 3; with the hash of what was read it is accepted."
}

type agreementDeclineCommand struct{ answerArgs }

func (c *agreementDeclineCommand) Run(ctx context.Context) error { return c.answer(ctx, "refusals") }

// fromFile is a JSON document.
type fromFile struct {
	client
	File string `arg:"" help:"JSON; - reads standard input."`
}

// submit sends the document as it is.
func (f *fromFile) submit(ctx context.Context, method, path string) error {
	in, err := document(f.File)
	if err != nil {
		return err
	}
	return f.do(ctx, method, path, in)
}

type agreementNewCommand struct{ fromFile }

func (c *agreementNewCommand) Help() string {
	return `The file: {"subject":"user|organisation|product","names":{"zh-CN":"…","en":"…"},"precedence":10,"prevails":{…}} and, where wanted, kinds and categories.`
}

func (c *agreementNewCommand) Run(ctx context.Context) error {
	return c.submit(ctx, creates, "/api/v1/agreements")
}

type agreementDraftCommand struct {
	client
	Agreement string `arg:"" help:"Id of the agreement."`
	File      string `arg:"" help:"JSON: {\"texts\":{\"zh-CN\":{\"body\":\"…\"},\"en\":{\"body\":\"…\",\"changes\":\"…\"}}}; - reads standard input."`
}

func (c *agreementDraftCommand) Run(ctx context.Context) error {
	f := fromFile{c.client, c.File}
	return f.submit(ctx, "PUT", at(agreementPath+"/draft", c.Agreement))
}

// versionState names a version whose state changes.
type versionState struct {
	client
	Agreement string `arg:"" help:"Id of the agreement."`
	Version   int    `arg:"" help:"Number of the version."`
	Reason    string `help:"Why." aliases:"note" placeholder:"TEXT"`
}

func (v *versionState) set(ctx context.Context, state, digest string, effective time.Time) error {
	return v.do(ctx, "PUT", at(agreementPath+"/versions/{}/state", v.Agreement, strconv.Itoa(v.Version)),
		body("state", state, "digest", digest, "note", v.Reason, "effective_at", effective))
}

type agreementPublishCommand struct {
	versionState
	Digest    string    `help:"Digest of the texts that were read; without it they are printed, and it with them." placeholder:"SHA256"`
	Effective time.Time `help:"From when it holds. Default: now." placeholder:"TIME" sends:"effective_at"`
}

func (c *agreementPublishCommand) Help() string {
	return "Without --digest the texts are printed with it, and the exit code is 3; with the digest of what was read they are published, unless they were changed since."
}

func (c *agreementPublishCommand) Run(ctx context.Context) error {
	if c.Digest != "" {
		return c.set(ctx, "published", c.Digest, c.Effective)
	}
	v := versionArgs{client: c.client, Agreement: c.Agreement, Version: c.Version}
	text, err := v.read(ctx)
	if err != nil {
		return err
	}
	for _, lang := range slices.Sorted(maps.Keys(text.Texts)) {
		fmt.Printf("[%s]\n%s\n%s\n\n", lang, text.Texts[lang].Body, text.Texts[lang].Changes)
	}
	fmt.Printf("--digest %s\n", text.Digest)
	return exitError(exitAsks)
}

type agreementWithdrawCommand struct{ versionState }

func (c *agreementWithdrawCommand) Run(ctx context.Context) error {
	return c.set(ctx, "withdrawn", "", time.Time{})
}
