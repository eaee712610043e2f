package api_test

import "lampworks/internal/infra/access"

// accountMatrix is the part of the matrix about people: second factors, roles, invitations. What needs neither a body nor an id carries a parameter that no route knows, so that asking does nothing.
var accountMatrix = []entry{
	{"GET", "/api/v1/factor", signedIn, "", true},
	{"POST", "/api/v1/factor?unknown=1", signedIn, "", true},
	{"PUT", "/api/v1/factor", signedIn, `{"code":"000000"}`, true},
	{"DELETE", "/api/v1/factor?unknown=1", signedIn, "", true},
	{"POST", "/api/v1/factor/recovery-codes?unknown=1", signedIn, "", true},
	{"PUT", "/api/v1/session/proof", signedIn, `{"code":"000000"}`, true},
	{"DELETE", "/api/v1/sessions?unknown=1", signedIn, "", true},
	{"GET", "/api/v1/contacts", signedIn, "", true},
	{"GET", "/api/v1/session/user/preferences", signedIn, "", true},
	{"PUT", "/api/v1/session/user/preferences", signedIn, `{"lang":"en","mail_notices":true}`, true},
	{"POST", "/api/v1/contacts/codes", signedIn, `{"contact":"nobody"}`, true},
	{"PUT", "/api/v1/contacts", signedIn, `{"id":"x","code":"000000"}`, true},
	{"POST", "/api/v1/session/user/deletion", signedIn, `{"password":"wrong"}`, true},
	{"GET", "/api/v1/invitations", signedIn, "", true},
	{"PUT", "/api/v1/invitations/acceptance", signedIn, `{"invitation":"x"}`, true},
	{"DELETE", "/api/v1/memberships/{organisation}?unknown=1", signedIn, "", false},
	{"GET", "/api/v1/organisations/{organisation}/invitations", access.ReadMembers, "", false},
	{"POST", "/api/v1/organisations/{organisation}/invitations", access.ManageMembers, `{"login":"boris","role":"query"}`, false},
	{"GET", "/api/v1/organisations/{organisation}/invitations/{invitation}", access.ReadMembers, "", false},
	{"DELETE", "/api/v1/organisations/{organisation}/invitations/{invitation}", access.ManageMembers, "", false},
	{"PUT", "/api/v1/organisations/{organisation}/invitations/{invitation}/sending", access.ManageMembers, "", false},
	{"PUT", "/api/v1/organisations/{organisation}/owner", access.ManageMembers, `{"user":"{user}"}`, false},
	{"GET", "/api/v1/dead-messages", access.OperatePlatform, "", true},
	{"PUT", "/api/v1/users/{user}/role", access.ManageUsers, `{"role":"reviewer"}`, true},
	{"DELETE", "/api/v1/users/{user}/factor", access.ManageUsers, "", true},
}
