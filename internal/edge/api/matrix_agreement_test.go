package api_test

import (
	"fmt"

	"lampworks/internal/infra/access"
)

// What needs neither a body nor an id carries a parameter that no route knows, so that asking does nothing.
var agreementMatrix = []entry{
	{"GET", "/api/v1/agreements", signedIn, "", true},
	{"POST", "/api/v1/agreements", access.ManageAgreements, `{"precedence":1,"names":{"en":"x"},"prevails":{"en":"x"},"subject":"user"}`, true},
	{"PUT", "/api/v1/agreements/{agreement}/draft", access.ManageAgreements, `{"texts":{}}`, true},
	{"GET", "/api/v1/agreements/{agreement}/versions", signedIn, "", true},
	{"GET", "/api/v1/agreements/{agreement}/versions/{version}", signedIn, "", true},
	{"PUT", "/api/v1/agreements/{agreement}/versions/{version}/state", access.ManageAgreements, `{"state":"published"}`, true},
	{"GET", "/api/v1/outstanding-agreements", signedIn, "", true},
	{"POST", "/api/v1/agreements/{agreement}/acceptances", signedIn, `{"version":1,"lang":"en","hash":"x"}`, true},
	{"POST", "/api/v1/agreements/{agreement}/refusals", signedIn, `{"version":1,"lang":"en","hash":"x"}`, true},
	{"GET", "/api/v1/acceptances", signedIn, "", true},
	{"PUT", "/api/v1/capacity", signedIn, `{"needs_guardian":true}`, true},
	{"PUT", "/api/v1/users/{user}/capacity", access.ReviewVerification, `{"needs_guardian":true,"reason":"x"}`, true},
	{"GET", "/api/v1/guardian-consents", signedIn, "", true},
	{"POST", "/api/v1/guardian-consents", signedIn, `{"name":"x","relation":"x","contact":"x","lang":"en"}`, true},
	{"GET", "/api/v1/guardian-consents/{consent}", signedIn, "", false},
	{"POST", "/api/v1/guardian-consents/{consent}/proof", signedIn, `{"code":"x"}`, false},
	{"PUT", "/api/v1/guardian-consents/{consent}/state", signedIn, `{"act":"withdraw","reason":"x"}`, false},
	{"POST", "/api/v1/guardian-consents/{consent}/reveal", access.ReviewVerification, `{"reason":"x"}`, true},
	{"POST", "/api/v1/guardian-consents/{consent}/papers?kind=consent", signedIn, "", false},
	{"GET", "/api/v1/guardian-consents/{consent}/papers/{paper}", signedIn, "", false},
	{"DELETE", "/api/v1/guardian-consents/{consent}/papers/{paper}", signedIn, "", false},
}

var noticeMatrix = []entry{
	{"GET", "/api/v1/inbox", signedIn, "", true},
	{"GET", "/api/v1/inbox/unread", signedIn, "", true},
	{"POST", "/api/v1/inbox/receipts?unknown=1", signedIn, "", true},
	{"PUT", "/api/v1/inbox/{notice}/receipt", signedIn, "", false},
	{"GET", "/api/v1/announcements", access.ManageNotices, "", true},
	{"POST", "/api/v1/announcements", access.ManageNotices, `{"severity":"info","audience":{"everybody":true},"texts":{}}`, true},
	{"GET", "/api/v1/announcements/{announcement}", access.ManageNotices, "", true},
	{"PUT", "/api/v1/announcements/{announcement}", access.ManageNotices, `{"severity":"info","audience":{"everybody":true},"texts":{}}`, true},
	{"PUT", "/api/v1/announcements/{announcement}/state", access.ManageNotices, `{"state":"published"}`, true},
	{"GET", "/api/v1/announcements/{announcement}/receipts", access.ManageNotices, "", true},
}

var serviceMatrix = []entry{
	{"GET", "/api/v1/services", access.ReadEntitlement, "", true},
	{"GET", "/api/v1/service-bars", access.ManageServices, "", true},
	{"POST", "/api/v1/service-bars", access.ManageServices, `{"service":"voice","kind":"open","reason":"x"}`, true},
	{"DELETE", "/api/v1/service-bars/{bar}", access.ManageServices, "", true},
	{"GET", "/api/v1/service-switches", access.ManageServices, "", true},
	{"POST", "/api/v1/service-switches", access.ManageServices, `{"service":"voice","on":true,"reason":"x"}`, true},
	{"DELETE", "/api/v1/service-switches/{switch}", access.ManageServices, "", true},
	{"GET", "/api/v1/plans", access.ReadEntitlement, "", true},
	{"POST", "/api/v1/plans", access.ManageServices, `{"service":"voice","names":{"en":"x"},"period":"month","amount":1,"currency":"CNY"}`, true},
	{"DELETE", "/api/v1/plans/{plan}", access.ManageServices, "", true},
	{"GET", "/api/v1/service-applications", access.ReadEntitlement, "", true},
	{"POST", "/api/v1/service-applications", access.ApplyEntitlement, `{"service":"remote_control","purpose":"x"}`, true},
	{"GET", "/api/v1/service-applications/{application}", access.ReadEntitlement, "", false},
	{"DELETE", "/api/v1/service-applications/{application}?reason=x", access.ApplyEntitlement, "", false},
	{"PUT", "/api/v1/service-applications/{application}/decision", access.DecideEntitlement, `{"act":"grant"}`, true},
	{"GET", "/api/v1/service-overrides", access.ReadEntitlement, "", true},
	{"POST", "/api/v1/service-overrides", access.ManageServices, `{"organisation":"{organisation}","service":"voice","allowed":true,"reason":"x"}`, true},
	{"DELETE", "/api/v1/service-overrides/{override}", access.ManageServices, "", true},
}

// agree makes what the routes of agreements, notices and services may name, of organisation a.
func (w *world) agree() map[string]string {
	w.t.Helper()
	ids := map[string]string{"agreement": "0197-none", "announcement": "0197-none", "bar": "0197-none", "switch": "0197-none", "plan": "0197-none", "override": "0197-none"}
	ids["consent"] = w.want(w.call(w.owner, "POST", "/api/v1/guardian-consents", `{"name":"Mary","relation":"mother","contact":"mary@example.com","lang":"en"}`), 201).id()
	w.want(w.call(w.operator, "POST", "/api/v1/service-bars", `{"service":"device_access_mesh","kind":"application","emergency":true,"reason":"for tests"}`), 201)
	ids["application"] = w.want(w.call(w.owner, "POST", "/api/v1/service-applications", `{"service":"device_access_mesh","purpose":"for tests"}`), 201).id()
	w.want(w.call(w.operator, "POST", "/api/v1/service-overrides", fmt.Sprintf(`{"organisation":%q,"service":"virtual_device","allowed":true,"reason":"for tests"}`, w.a)), 201)
	ids["notice"] = w.want(w.call(w.owner, "GET", "/api/v1/inbox", ""), 200).text("items/0/id")
	return ids
}
