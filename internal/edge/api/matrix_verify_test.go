package api_test

import "lampworks/internal/infra/access"

// verificationMatrix is the routes of verification. What only reviewers may is shared: whoever is of an organisation has no
// such act.
var verificationMatrix = []entry{
	{"GET", "/api/v1/verification/catalogue", signedIn, "", true},
	{"GET", "/api/v1/verifications", access.ReviewVerification, "", true},
	{"GET", "/api/v1/verifications/figures", access.ReviewVerification, "", true},
	{"GET", "/api/v1/waivers", access.ReadVerification, "", true},
	{"GET", "/api/v1/organisations/{organisation}/verification", access.ReadVerification, "", false},
	{"GET", "/api/v1/organisations/{organisation}/verification/form", access.ReadVerification, "", false},
	{"PUT", "/api/v1/organisations/{organisation}/verification/form", access.SubmitVerification, `{"form":"person","values":{}}`, false},
	{"POST", "/api/v1/organisations/{organisation}/verification/papers?slot=other", access.SubmitVerification, "", false},
	{"GET", "/api/v1/organisations/{organisation}/verification/papers/{paper}", access.ReadVerification, "", false},
	{"DELETE", "/api/v1/organisations/{organisation}/verification/papers/{paper}", access.SubmitVerification, "", false},
	{"GET", "/api/v1/organisations/{organisation}/verification/submissions", access.ReadVerification, "", false},
	{"POST", "/api/v1/organisations/{organisation}/verification/submissions", access.SubmitVerification, "", false},
	{"DELETE", "/api/v1/organisations/{organisation}/verification/submissions", access.SubmitVerification, "", false},
	{"GET", "/api/v1/organisations/{organisation}/verification/submissions/{number}", access.ReadVerification, "", false},
	{"POST", "/api/v1/organisations/{organisation}/verification/submissions/{number}/reveal", access.ReviewVerification, `{"reason":"x"}`, true},
	{"PUT", "/api/v1/organisations/{organisation}/verification/claim", access.ReviewVerification, `{}`, true},
	{"DELETE", "/api/v1/organisations/{organisation}/verification/claim", access.ReviewVerification, "", true},
	{"POST", "/api/v1/organisations/{organisation}/verification/decision", access.ReviewVerification, `{"submission":1,"decision":"approve"}`, true},
	{"PUT", "/api/v1/organisations/{organisation}/verification/demand", access.ReviewVerification, `{"act":"ask_recheck","text":"x","due":"2099-01-01T00:00:00Z","consequence":"level_drops"}`, true},
	{"POST", "/api/v1/organisations/{organisation}/verification/demand/clear", access.ReviewVerification, `{"reason":"x"}`, true},
	{"POST", "/api/v1/organisations/{organisation}/verification/revocation", access.ReviewVerification, `{"reason":"x"}`, true},
	{"POST", "/api/v1/organisations/{organisation}/verification/reinstatement", access.ReviewVerification, `{"reason":"x"}`, true},
	{"POST", "/api/v1/organisations/{organisation}/verification/waivers", access.ReviewVerification, `{"condition":"qualification.radio","reason":"x","wording":"x","ends_at":"2026-01-01T00:00:00Z"}`, true},
	{"DELETE", "/api/v1/organisations/{organisation}/verification/waivers/{waiver}?reason=x", access.ReviewVerification, "", true},
}
