package main

import "context"

type automationCommand struct {
	List   automationList   `cmd:"" help:"The automations of a home."`
	Show   automationShow   `cmd:"" help:"One automation."`
	New    automationNew    `cmd:"" help:"Make an automation of a file."`
	Set    automationSet    `cmd:"" help:"Make an automation anew of a file."`
	State  automationState  `cmd:"" help:"Switch an automation on or off."`
	Remove automationRemove `cmd:"" help:"Take an automation away, with its traces."`
	Traces automationTraces `cmd:"" help:"What became of an automation each time it was set off, newest first."`
}

const automationPath = homePath + "/automations/{}"

type automationList struct {
	pages
	Home string `arg:"" help:"Id of the home."`
}

func (m *automationList) Run(ctx context.Context) error {
	return m.list(ctx, at(homePath+"/automations", m.Home), "id name enabled trigger condition due_at")
}

type oneAutomation struct {
	client
	Home       string `arg:"" help:"Id of the home."`
	Automation string `arg:"" help:"Id of the automation."`
}

func (m *oneAutomation) path(rest string) string {
	return at(automationPath, m.Home, m.Automation) + rest
}

type automationShow struct{ oneAutomation }

func (m *automationShow) Run(ctx context.Context) error { return m.do(ctx, "GET", m.path(""), nil) }

const automationHelp = `The file is {"name":…,"trigger":{"kind":"property","device":ID,"property":"temperature","is":"above","value":28},"devices":{"fan":ID},"condition":"!fan.powerstate","actions":[…]}, with actions as of a scene.`

type automationNew struct {
	client
	Home string `arg:"" help:"Id of the home."`
	File string `arg:"" help:"The automation, as JSON; - is the standard input."`
}

func (m *automationNew) Help() string { return automationHelp }

func (m *automationNew) Run(ctx context.Context) error {
	in, err := document(m.File)
	if err != nil {
		return err
	}
	return m.do(ctx, creates, at(homePath+"/automations", m.Home), in)
}

type automationSet struct {
	oneAutomation
	held
	File string `arg:"" help:"The automation, as JSON; - is the standard input."`
}

func (m *automationSet) Help() string { return automationHelp }

func (m *automationSet) Run(ctx context.Context) error {
	in, err := document(m.File)
	if err != nil {
		return err
	}
	return m.edit(ctx, m.held, "PUT", m.path(""), in)
}

type automationState struct {
	oneAutomation
	State string `arg:"" help:"enabled or disabled." enum:"enabled,disabled"`
}

func (m *automationState) Run(ctx context.Context) error {
	return m.do(ctx, "PUT", m.path("/state"), map[string]bool{"enabled": m.State == "enabled"})
}

type automationRemove struct{ oneAutomation }

func (m *automationRemove) Run(ctx context.Context) error {
	return m.do(ctx, "DELETE", m.path(""), nil)
}

type automationTraces struct {
	pages
	Home       string `arg:"" help:"Id of the home."`
	Automation string `arg:"" help:"Id of the automation."`
}

func (m *automationTraces) Run(ctx context.Context) error {
	return m.list(ctx, at(automationPath+"/traces", m.Home, m.Automation), "at outcome why cause depth times run")
}
