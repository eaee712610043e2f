package main

import "context"

type voiceCommand struct {
	Privacy    voicePrivacy    `cmd:"" help:"What is kept of what one says in a home."`
	Choose     voiceChoose     `cmd:"" help:"Say what is to be kept of what one says in a home."`
	Sentences  voiceSentences  `cmd:"" help:"What one said oneself in a home, newest first."`
	Forget     voiceForget     `cmd:"" help:"Delete a sentence that one said oneself in a home, or all of them."`
	Statistics voiceStatistics `cmd:"" help:"What was said, by day, in figures."`
	Inbox      voiceInbox      `cmd:"" help:"Sentences that nobody understood, of those who give them away."`
	Vocabulary voiceVocabulary `cmd:"" help:"The names that such a sentence was said among, as a file for lampworks nlu --home."`
	Accept     voiceAccept     `cmd:"" help:"Make such a sentence a regression case, or give a case another expectation."`
	Dismiss    voiceDismiss    `cmd:"" help:"Dismiss such a sentence: nothing is to be done about it."`
	Reopen     voiceReopen     `cmd:"" help:"Take back what was decided about such a sentence."`
	Cases      voiceCases      `cmd:"" help:"Regression cases, and which of them the running program reads as it should."`
}

type ownVoice struct {
	client
	Home string `arg:"" help:"Id of the home."`
}

type voicePrivacy struct{ ownVoice }

func (v *voicePrivacy) Run(ctx context.Context) error {
	return v.do(ctx, "GET", at(homePath+"/voice-privacy", v.Home), nil)
}

type voiceChoose struct {
	ownVoice
	Keep  string `help:"yes: words are kept for 7 days, for oneself; no: they are not, and those there are get deleted." enum:"yes,no" required:"" placeholder:"yes|no" sends:"keep_text"`
	Share string `help:"yes: what was not understood may be looked at without one's name; no: it may not. Default: no." enum:"yes,no" default:"no" placeholder:"yes|no" sends:"share_unrecognised"`
}

func (v *voiceChoose) Run(ctx context.Context) error {
	return v.do(ctx, "PUT", at(homePath+"/voice-privacy", v.Home), map[string]any{"keep_text": v.Keep == "yes", "share_unrecognised": v.Share == "yes"})
}

type voiceSentences struct {
	sorted
	Home    string `arg:"" help:"Id of the home."`
	Outcome string `help:"Only those with this outcome: act, clarify, reject, chat, failed, sent." placeholder:"OUTCOME"`
	Lang    string `help:"Only those in this language: zh-CN or en." placeholder:"LANG"`
}

func (v *voiceSentences) Run(ctx context.Context) error {
	return v.list(ctx, at(homePath+"/sentences", v.Home), "at text outcome reason reply", "outcome", v.Outcome, "lang", v.Lang)
}

type voiceForget struct {
	ownVoice
	Sentence string `help:"Id of the sentence. Default: all that one said." placeholder:"ID" sends:"-"`
}

func (v *voiceForget) Run(ctx context.Context) error {
	if v.Sentence == "" {
		return v.do(ctx, "DELETE", at(homePath+"/sentences", v.Home), nil)
	}
	return v.do(ctx, "DELETE", at(homePath+"/sentences/{}", v.Home, v.Sentence), nil)
}

type voiceStatistics struct {
	client
	Since        string `help:"First day, as 2026-01-31. Default: 30 days before the last." placeholder:"DAY"`
	Until        string `help:"Last day. Default: today." placeholder:"DAY"`
	Organisation string `help:"Id of an organisation, for the operator. Default: all together." placeholder:"ID"`
}

func (v *voiceStatistics) Run(ctx context.Context) error {
	return v.do(ctx, "GET", query("/api/v1/voice/statistics", "since", v.Since, "until", v.Until, "organisation", v.Organisation), nil)
}

type voiceInbox struct {
	sorted
	State        string `help:"new, case or dismissed." placeholder:"STATE"`
	Lang         string `help:"Only those in this language: zh-CN or en." placeholder:"LANG"`
	Organisation string `help:"Id of an organisation, for the operator. Default: all together." placeholder:"ID"`
}

func (v *voiceInbox) Run(ctx context.Context) error {
	return v.list(ctx, "/api/v1/voice/inbox", "id lang text times state last_at", "state", v.State, "lang", v.Lang, "organisation", v.Organisation)
}

const inboxPath = "/api/v1/voice/inbox/{}"

type unread struct {
	client
	Sentence string `arg:"" help:"Id of the sentence, in the inbox."`
}

type voiceVocabulary struct{ unread }

func (v *voiceVocabulary) Run(ctx context.Context) error {
	return v.do(ctx, "GET", at(inboxPath, v.Sentence)+"/home", nil)
}

type voiceAccept struct {
	unread
	File string `arg:"" help:"What it should be read as: a file with outcome and actions; - is the standard input." sends:"expect"`
}

func (v *voiceAccept) Help() string {
	return `{"outcome":"act","actions":[{"op":"set","targets":["d1"],"prop":"powerstate","value":true}]}: outcome is act, clarify, reject or chat; actions are as lampworks nlu writes them, on devices as lampworks voice vocabulary names them.`
}

func (v *voiceAccept) Run(ctx context.Context) error {
	expect, err := document(v.File)
	if err != nil {
		return err
	}
	return v.do(ctx, "PUT", at(inboxPath, v.Sentence)+"/state", body("act", "accept", "expect", expect))
}

type voiceDismiss struct{ unread }

func (v *voiceDismiss) Run(ctx context.Context) error {
	return v.do(ctx, "PUT", at(inboxPath, v.Sentence)+"/state", body("act", "dismiss"))
}

type voiceReopen struct{ unread }

func (v *voiceReopen) Run(ctx context.Context) error {
	return v.do(ctx, "PUT", at(inboxPath, v.Sentence)+"/state", body("act", "reopen"))
}

type voiceCases struct {
	sorted
	Lang         string `help:"Only those in this language: zh-CN or en." placeholder:"LANG"`
	Organisation string `help:"Id of an organisation, for the operator. Default: all together." placeholder:"ID"`
}

func (v *voiceCases) Run(ctx context.Context) error {
	return v.list(ctx, "/api/v1/voice/cases", "id lang utterance passes expect got", "lang", v.Lang, "organisation", v.Organisation)
}
