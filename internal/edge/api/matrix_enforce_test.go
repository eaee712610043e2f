package api_test

import (
	"fmt"

	"lampworks/internal/infra/access"
)

// limitRoutes are the rows of the matrix about limits.
var limitRoutes = []entry{
	{"GET", "/api/v1/limits", access.ReadQuota, "", true},
	{"GET", "/api/v1/organisations/{organisation}/limits", access.ReadQuota, "", false},
	{"POST", "/api/v1/organisations/{organisation}/limits/recount", access.ManageQuota, "", true}, // a stranger is no operator
	{"GET", "/api/v1/products/{product}/limits", access.ReadQuota, "", false},
	{"GET", "/api/v1/devices/{device}/limits", access.ReadQuota, "", false},
	{"GET", "/api/v1/limits/overrides", access.ReadQuota, "", true},
	{"POST", "/api/v1/limits/overrides", access.ManageQuota, `{"subject":{"kind":"platform"},"limit":"products","purpose":"set","value":70,"reason":"x"}`, true},
	{"PUT", "/api/v1/limits/overrides/{limit_override}/answer", access.WriteOrganisation, `{"answer":"x"}`, false},
	{"DELETE", "/api/v1/limits/overrides/{limit_override}", access.ManageQuota, "", true},
	{"GET", "/api/v1/limits/notices", access.ReadQuota, "", true},
}

// enforcementRoutes are the rows of the matrix about measures.
var enforcementRoutes = []entry{
	{"GET", "/api/v1/enforcement/catalogue", access.ReadEnforcement, "", true},
	{"GET", "/api/v1/enforcement/measures", access.ReadEnforcement, "", true},
	{"POST", "/api/v1/enforcement/measures", access.Enforce, `{"subject":{"kind":"product","id":"{product}"},"kind":"warn","cause":"abnormal_use","reason":"x"}`, true},
	{"GET", "/api/v1/enforcement/measures/{measure}", access.ReadEnforcement, "", false},
	{"GET", "/api/v1/enforcement/measures/{measure}/events", access.ReadEnforcement, "", false},
	{"POST", "/api/v1/enforcement/measures/{measure}/lift", access.Enforce, `{"reason":"x"}`, true},
	{"POST", "/api/v1/enforcement/measures/{measure}/fulfilment", access.Appeal, `{"confirm":"x"}`, false},
	{"POST", "/api/v1/enforcement/measures/{measure}/appeals", access.Appeal, `{"statement":"x"}`, false},
	{"GET", "/api/v1/enforcement/appeals", access.ReadEnforcement, "", true},
	{"GET", "/api/v1/enforcement/appeals/{appeal}", access.ReadEnforcement, "", false},
	{"PUT", "/api/v1/enforcement/appeals/{appeal}/decision", access.DecideAppeal, `{"act":"uphold","reason":"x"}`, true},
	{"DELETE", "/api/v1/enforcement/appeals/{appeal}", access.Appeal, "", false},
	{"GET", "/api/v1/enforcement/deletions", access.ReadEnforcement, "", true},
	{"GET", "/api/v1/enforcement/deletions/{deletion}", access.ReadEnforcement, "", false},
	{"POST", "/api/v1/organisations/{organisation}/leave", access.LeaveOrganisation, `{"confirm":"{organisation}"}`, false},
	{"DELETE", "/api/v1/organisations/{organisation}/leave?deletion={deletion}", access.LeaveOrganisation, "", false},
}

// cases makes an override, a measure, an appeal and a deletion that is held, of organisation a; once.
func (w *world) cases(m maker) map[string]string {
	w.t.Helper()
	if w.made != nil {
		return w.made
	}
	post := func(token, path, body string) string {
		return w.want(w.call(token, "POST", "/api/v1/"+path, body), 201).id()
	}
	measure := post(w.operator, "enforcement/measures", fmt.Sprintf(`{"subject":{"kind":"product","id":%q},"kind":"warn","cause":"abnormal_use","reason":"x"}`, m.product))
	w.made = map[string]string{
		"limit_override": post(w.operator, "limits/overrides", fmt.Sprintf(`{"subject":{"kind":"organisation","id":%q},"limit":"products","purpose":"set","value":70,"reason":"x"}`, w.a)),
		"measure":        measure,
		"appeal":         post(w.owner, "enforcement/measures/"+measure+"/appeals", `{"statement":"x"}`),
		"deletion":       post(w.owner, "organisations/"+w.a+"/leave", fmt.Sprintf(`{"confirm":%q}`, w.a)),
		"export":         post(w.owner, "organisations/"+w.a+"/exports", `{"reason":"x"}`),
	}
	return w.made
}
