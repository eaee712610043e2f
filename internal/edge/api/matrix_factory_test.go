package api_test

import "lampworks/internal/infra/access"

var matrixOfFactory = []entry{
	{"POST", "/api/v1/orders/{order}/burn-logs", access.WriteBurnLog, "", false},
	{"GET", "/api/v1/burn-logs", access.ReadBurnLog, "", true},
	{"GET", "/api/v1/burn-logs/{log}", access.ReadBurnLog, "", false},
	{"GET", "/api/v1/burn-logs/{log}/rows", access.ReadBurnLog, "", false},
	{"GET", "/api/v1/orders/{order}/burn-status", access.ReadBurnLog, "", false},
	{"GET", "/api/v1/orders/{order}/burns", access.ReadBurnLog, "", false},
	{"GET", "/api/v1/orders/{order}/unburned", access.ReadBurnLog, "", false},
}
