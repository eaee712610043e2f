package api_test

import "lampworks/internal/infra/access"

var matrixOfIssuance = []entry{
	{"POST", "/api/v1/orders/{order}/decision", access.ReviewOrder, `{"act":"approve"}`, true}, // the operator's: no stranger comes so far
	{"POST", "/api/v1/orders/{order}/revocation", access.RevokeTriples, `{"reason":"x"}`, false},
	{"GET", "/api/v1/order-limits", access.ReadOrder, "", true},
	{"GET", "/api/v1/lost-orders", access.OperatePlatform, "", true},
	{"GET", "/api/v1/mac-pools", access.ManagePools, "", true},
	{"POST", "/api/v1/mac-pools", access.ManagePools, `{"name":"x","prefix":"ACDE48"}`, true},
	{"POST", "/api/v1/mac-lists", access.IssueTriples, "", true},
	{"GET", "/api/v1/mac-lists", access.ReadOrder, "", true},
	{"GET", "/api/v1/mac-lists/{list}", access.ReadOrder, "", false},
	{"POST", "/api/v1/orders/{order}/downloads", access.DownloadTriples, `{"reason":"x"}`, false},
	{"GET", "/api/v1/downloads", access.ReadOrder, "", true},
	{"GET", "/api/v1/downloads/{download}", access.ReadOrder, "", false},
	{"GET", "/api/v1/downloads/{download}/file", access.ReadOrder, "", false},
	{"POST", "/api/v1/downloads/{download}/revocation", access.RevokeTriples, `{"reason":"x"}`, false},
	{"POST", "/api/v1/leak-reports", access.TraceTriples, "", true},
	{"POST", "/api/v1/orders/{order}/registration-window", access.DownloadTriples, `{"minutes":60,"reason":"x"}`, false},
	{"GET", "/api/v1/orders/{order}/registration-window", access.ReadOrder, "", false},
	{"DELETE", "/api/v1/orders/{order}/registration-window", access.RevokeTriples, "", false},
	{"POST", "/api/v1/products/{product}/secret", access.DownloadTriples, `{"reason":"x"}`, false},
	{"POST", "/api/v1/devices/{device}/registration-reset", access.RevokeTriples, `{"reason":"x"}`, false},
	{"POST", "/api/v1/devices/{device}/revocation", access.RevokeTriples, `{"reason":"x"}`, false},
}
