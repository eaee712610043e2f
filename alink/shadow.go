package alink

import (
	"errors"
	"fmt"
	"strconv"
)

// MaxAttributes is how many attributes one message about the classic shadow may name, as at Alibaba Cloud.
const MaxAttributes = 128

// Codes with which a message about the classic shadow is refused, those of Alibaba Cloud's documentation of the device shadow.
const (
	ShadowBadJSON     = 400
	ShadowNoMethod    = 401
	ShadowNoState     = 402
	ShadowBadVersion  = 403
	ShadowNoReported  = 404
	ShadowEmpty       = 405
	ShadowBadMethod   = 406
	ShadowNoDocument  = 407
	ShadowTooMany     = 408
	ShadowConflict    = 409
	ShadowServerError = 500
)

// A ShadowFault is why a message about the classic shadow is not taken.
type ShadowFault struct {
	Code int
	Err  error
}

// Error is the sentence that is sent to the device.
func (f *ShadowFault) Error() string { return f.Err.Error() }

// Unwrap gives the reason.
func (f *ShadowFault) Unwrap() error { return f.Err }

// A ShadowMethod is what a device wants with its classic shadow.
type ShadowMethod string

// The methods of a device.
const (
	ShadowOfGet    ShadowMethod = "get"
	ShadowOfUpdate ShadowMethod = "update"
	ShadowOfDelete ShadowMethod = "delete"
)

// AnyVersion is the version with which a device begins to count again, at 0.
const AnyVersion = -1

// A ShadowRequest is a message on the topic of the classic shadow (设备影子). Its slices alias the message.
type ShadowRequest struct {
	Method      ShadowMethod
	Version     int64    // of update and delete: [AnyVersion], or one above that of the shadow
	Reported    []byte   // update: an object of values, nil if it says none
	DropDesired bool     // update: what is desired is done, all of it
	Names       []string // delete: attributes that are reported no longer
	All         bool     // delete: every one
}

// ParseShadow reads {"method":"update","state":{"reported":{…}},"version":1} and what is like it. The error is a [*ShadowFault].
func ParseShadow(payload []byte) (ShadowRequest, error) {
	r := ShadowRequest{Version: AnyVersion - 1}
	var method string
	var state []byte
	s := scanner{b: payload}
	m := s.open()
	code, seen := ShadowBadJSON, make(map[string]bool)
	for first := true; m == nil; first = false {
		key, value, more, wrong := s.member(first)
		if m = wrong; m != nil || !more {
			break
		}
		name := Text(key)
		if seen[name] && (name == "method" || name == "state" || name == "version") {
			m = &Malformed{Where: "/" + name, Got: "is given twice"}
			break
		}
		seen[name] = true
		switch name {
		case "method":
			if method, m = textOf("/method", value, MaxWord); m != nil {
				code = ShadowBadMethod
			}
		case "state":
			state = value
		case "version":
			if r.Version, m = shadowVersion(value); m != nil {
				code = ShadowBadVersion
			}
		}
	}
	if m == nil {
		m = s.close()
	}
	if m != nil {
		return r, &ShadowFault{code, m}
	}
	r.Method = ShadowMethod(method)
	if f := r.fill(state); f != nil {
		return r, f
	}
	return r, nil
}

// fill reads the state, as the method has it.
func (r *ShadowRequest) fill(state []byte) *ShadowFault {
	switch r.Method {
	case "":
		return &ShadowFault{ShadowNoMethod, errors.New("/method is missing, want get, update or delete")}
	case ShadowOfGet:
		return nil
	case ShadowOfUpdate, ShadowOfDelete:
	default:
		return &ShadowFault{ShadowBadMethod, fmt.Errorf("/method is %s, want get, update or delete", cut([]byte(r.Method)))}
	}
	if len(state) == 0 || state[0] != '{' {
		return &ShadowFault{ShadowNoState, errors.New(`/state is missing, want an object such as {"reported":{"powerstate":1}}`)}
	}
	if r.Version < AnyVersion {
		return &ShadowFault{ShadowBadVersion, errors.New("/version is missing, want a whole number, or -1 to begin again at 0")}
	}
	var reported []byte
	m := members("/state", state, "an object", func(name string, value []byte) *Malformed {
		switch name {
		case "reported":
			reported = value
		case "desired":
			if r.DropDesired = none(value); !r.DropDesired {
				return &Malformed{Where: "/state/desired", Got: cut(value), Rule: `"null": a device says only that all of it is done`}
			}
		}
		return nil
	})
	if m != nil {
		return &ShadowFault{ShadowNoDocument, m}
	}
	if r.Method == ShadowOfDelete {
		return r.deleted(reported)
	}
	return r.updated(reported)
}

func (r *ShadowRequest) updated(reported []byte) *ShadowFault {
	if reported == nil && r.DropDesired {
		return nil
	}
	n, f := attributes(reported, nil)
	switch {
	case f != nil:
		return f
	case n == 0:
		return &ShadowFault{ShadowEmpty, errors.New("/state/reported is empty, want at least one value")}
	}
	r.Reported = reported
	return nil
}

func (r *ShadowRequest) deleted(reported []byte) *ShadowFault {
	if r.All = none(reported); r.All {
		return nil
	}
	n, f := attributes(reported, func(name string, value []byte) *Malformed {
		if !none(value) {
			return &Malformed{Where: "/state/reported/" + cut([]byte(name)), Got: cut(value), Rule: `"null"`}
		}
		r.Names = append(r.Names, name)
		return nil
	})
	if f == nil && n == 0 {
		f = &ShadowFault{ShadowEmpty, errors.New("/state/reported is empty, want at least one attribute")}
	}
	return f
}

// attributes counts the members of what is reported, and calls do, if not nil, for each.
func attributes(reported []byte, do func(name string, value []byte) *Malformed) (n int, f *ShadowFault) {
	if len(reported) == 0 || reported[0] != '{' {
		return 0, &ShadowFault{ShadowNoReported, errors.New(`/state/reported is missing, want an object such as {"powerstate":1}`)}
	}
	m := members("/state/reported", reported, "an object", func(name string, value []byte) *Malformed {
		if n++; n > MaxAttributes {
			f = &ShadowFault{ShadowTooMany, fmt.Errorf("/state/reported has more than %d attributes", MaxAttributes)}
			return &Malformed{}
		}
		if do == nil {
			return nil
		}
		return do(name, value)
	})
	if f == nil && m != nil {
		f = &ShadowFault{ShadowNoDocument, m}
	}
	return n, f
}

// none reports whether a value says that there is nothing: the text null, as devices have written it, or null.
func none(value []byte) bool { return string(value) == "null" || string(value) == `"null"` }

func shadowVersion(value []byte) (int64, *Malformed) {
	n, err := strconv.ParseInt(string(value), 10, 64)
	if err != nil || n < AnyVersion || n > 1<<53 {
		return 0, &Malformed{Where: "/version", Got: cut(value), Rule: "a whole number up to 9007199254740992, or -1 to begin again at 0"}
	}
	return n, nil
}
