package api_test

import "lampworks/internal/infra/access"

var takeoutMatrix = []entry{
	{"POST", "/api/v1/organisations/{organisation}/exports", access.LeaveOrganisation, `{}`, false},
	{"GET", "/api/v1/organisations/{organisation}/exports", access.LeaveOrganisation, "", false},
	{"GET", "/api/v1/organisations/{organisation}/exports/{export}", access.LeaveOrganisation, "", false},
	{"DELETE", "/api/v1/organisations/{organisation}/exports/{export}", access.LeaveOrganisation, "", false},
	{"GET", "/api/v1/organisations/{organisation}/exports/{export}/file", access.LeaveOrganisation, "", false},
}
