package gateway

import (
	"lampworks/alink"
)

// says reports whether a topic is for what a device says of itself beside its thing model, which is kept in the Log.
func says(t alink.Template) bool {
	return t == alink.LogPost || t == alink.Reset || t == alink.OTAInform || t == alink.ListFound
}

// checkSaid holds what a device says of itself against its form.
func checkSaid(t alink.Template, payload []byte) (answer, *refusal) {
	req, err := alink.ParseRequest(payload)
	if err != nil {
		return answer{}, &refusal{alink.CodeBadRequest, err.Error()}
	}
	a := answer{id: req.ID, wanted: req.Ack}
	switch t {
	case alink.LogPost:
		_, err = alink.ParseLog(req.Params)
	case alink.ListFound:
		_, err = alink.ParseChildren(req.Params, false)
	case alink.OTAInform:
		_, err = alink.ParseFirmware(req.Params)
	}
	if err != nil {
		return a, &refusal{alink.CodeParam, err.Error()}
	}
	return a, nil
}

// answers reports whether a topic is for what a device answers the platform in the form of Alink.
func answers(t alink.Template) bool {
	return t.Direction() == alink.Up && t.Implemented() && enveloped(t)
}
