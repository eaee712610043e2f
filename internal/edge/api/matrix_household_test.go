package api_test

import "lampworks/internal/infra/access"

// householdMatrix is what a home does by itself or at a word.
var householdMatrix = []entry{
	{"GET", "/api/v1/homes/{home}/scenes", access.ReadHome, "", false},
	{"POST", "/api/v1/homes/{home}/scenes", access.WriteHome, `{"names":{"en":"quiet"},"actions":[]}`, false},
	{"GET", "/api/v1/homes/{home}/scenes/{scene}", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/scenes/{scene}", access.WriteHome, `{"names":{"en":"quieter"},"actions":[]}`, false},
	{"DELETE", "/api/v1/homes/{home}/scenes/{scene}", access.WriteHome, "", false},
	{"POST", "/api/v1/homes/{home}/scenes/{scene}/runs", access.ControlDevice, `{}`, false},
	{"GET", "/api/v1/homes/{home}/timers", access.ReadHome, "", false},
	{"POST", "/api/v1/homes/{home}/timers", access.ControlDevice, `{"seconds":60}`, false},
	{"GET", "/api/v1/homes/{home}/timers/{timer}", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/timers/{timer}", access.ControlDevice, `{"seconds":86400}`, false},
	{"DELETE", "/api/v1/homes/{home}/timers/{timer}", access.ControlDevice, "", false},
	{"GET", "/api/v1/homes/{home}/automations", access.ReadHome, "", false},
	{"POST", "/api/v1/homes/{home}/automations", access.WriteHome, `{"name":"dusk","trigger":{"kind":"time","at":"19:00"},"actions":[]}`, false},
	{"GET", "/api/v1/homes/{home}/automations/{automation}", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/automations/{automation}", access.WriteHome, `{"name":"dusk","trigger":{"kind":"time","at":"19:30"},"actions":[]}`, false},
	{"PUT", "/api/v1/homes/{home}/automations/{automation}/state", access.WriteHome, `{"enabled":false}`, false},
	{"DELETE", "/api/v1/homes/{home}/automations/{automation}", access.WriteHome, "", false},
	{"GET", "/api/v1/homes/{home}/automations/{automation}/traces", access.ReadHome, "", false},
	{"GET", "/api/v1/homes/{home}/runs", access.ReadHome, "", false},
	{"GET", "/api/v1/homes/{home}/runs/{run}", access.ReadHome, "", false},
	{"GET", "/api/v1/homes/{home}/voice-privacy", access.ReadHome, "", false},
	{"PUT", "/api/v1/homes/{home}/voice-privacy", access.ReadHome, `{"keep_text":true,"share_unrecognised":false}`, false},
	{"GET", "/api/v1/homes/{home}/sentences", access.ReadHome, "", false},
	{"DELETE", "/api/v1/homes/{home}/sentences", access.ReadHome, "", false},
	{"DELETE", "/api/v1/homes/{home}/sentences/{sentence}", access.ReadHome, "", false},
	{"GET", "/api/v1/voice/statistics", access.ReadVoice, "", true},
	{"GET", "/api/v1/voice/inbox", access.ReadVoice, "", true},
	{"GET", "/api/v1/voice/inbox/{sentence}/home", access.ReadVoice, "", false},
	{"PUT", "/api/v1/voice/inbox/{sentence}/state", access.DecideVoice, `{"act":"dismiss"}`, false},
	{"GET", "/api/v1/voice/cases", access.ReadVoice, "", true},
}
