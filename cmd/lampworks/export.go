package main

import "context"

type exportCommand struct {
	New     exportNew     `cmd:"" help:"Collect everything that the platform has of an organisation, as one file."`
	List    exportList    `cmd:"" help:"Exports of an organisation, newest first."`
	Show    exportShow    `cmd:"" help:"One export."`
	Fetch   exportFetch   `cmd:"" help:"Write the file of an export, a zip; wants a session that showed the second factor."`
	Discard exportDiscard `cmd:"" help:"Cancel an export that is being collected, or discard its file."`
}

const exportPath = organisationPath + "/exports/{}"

type exportNew struct {
	oneOrganisation
	waits
	Reason string `help:"Stays on record." placeholder:"TEXT"`
}

func (e *exportNew) Run(ctx context.Context) error {
	return e.act(ctx, &e.client, creates, e.path("/exports"), body("reason", e.Reason), func(id string) string { return at(exportPath, e.Organisation, id) })
}

type exportList struct {
	sorted
	Organisation string `arg:"" help:"Id of the organisation."`
	State        string `help:"collecting, ready, failed, cancelled, discarded or expired." placeholder:"STATE"`
}

func (e *exportList) Run(ctx context.Context) error {
	return e.list(ctx, at(organisationPath+"/exports", e.Organisation), "id state size_bytes rows created_at expires_at job reason", "state", e.State)
}

type oneExport struct {
	oneOrganisation
	Export string `arg:"" help:"Id of the export."`
}

type exportShow struct{ oneExport }

func (e *exportShow) Run(ctx context.Context) error {
	return e.do(ctx, "GET", at(exportPath, e.Organisation, e.Export), nil)
}

type exportFetch struct {
	fetched
	Organisation string `arg:"" help:"Id of the organisation."`
	Export       string `arg:"" help:"Id of the export."`
}

func (e *exportFetch) Run(ctx context.Context) error {
	return e.save(ctx, at(exportPath+"/file", e.Organisation, e.Export), e.Out)
}

type exportDiscard struct{ oneExport }

func (e *exportDiscard) Run(ctx context.Context) error {
	return e.do(ctx, "DELETE", at(exportPath, e.Organisation, e.Export), nil)
}
