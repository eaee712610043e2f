package alink

import "strconv"

// An Entry is what a batch post, a pack post or a history post says of one device. The slices alias the payload.
type Entry struct {
	Where      string // JSON Pointer: "/params/0"
	ProductKey []byte // what stands between the quotes; empty with DeviceName: the entry is of the device that sends it
	DeviceName []byte
	Properties []byte // the value as it came; nil if there is none
	Events     []byte // as Properties
}

// Of reports whether the entry is of the device: it names that one, or none.
func (e *Entry) Of(productKey, deviceName string) bool {
	return len(e.ProductKey) == 0 && len(e.DeviceName) == 0 || string(e.ProductKey) == productKey && string(e.DeviceName) == deviceName
}

// MaxEntries is how many entries one post may hold.
const MaxEntries = 200

// Entries takes the params of a request apart that posts for one device, or for several: an object of properties, events,
// identity and subDevices, or a list of such objects. What it does not know it refuses, because what is acknowledged is kept.
// params must have come from [ParseRequest]. The error is a [*Malformed].
func Entries(params []byte) ([]Entry, error) {
	if len(params) == 0 {
		return nil, &Malformed{Where: "/params", Got: "missing", Rule: "an object with properties and events"}
	}
	w := entries{scanner: scanner{b: params}}
	if m := w.list("/params", true); m != nil {
		return nil, m
	}
	return w.out, nil
}

type entries struct {
	scanner
	out []Entry
}

// list reads an object, or a list of them.
func (w *entries) list(where string, whole bool) *Malformed {
	if w.peek() != '[' {
		return w.entry(where, whole)
	}
	if m := w.enter(); m != nil {
		return m
	}
	for n := 0; w.peek() != ']'; n++ {
		if m := w.entry(where+"/"+strconv.Itoa(n), false); m != nil {
			return m
		}
		if w.space(); w.peek() == ',' {
			w.i++
			w.space()
		} else if w.peek() != ']' {
			return w.wrong("a comma or ]")
		}
	}
	w.i++
	w.depth--
	return nil
}

// entry reads one object. whole says that it is all of params, so that it may have entries of others within.
func (w *entries) entry(where string, whole bool) *Malformed {
	if w.peek() != '{' {
		return &Malformed{Where: where, Got: cut(w.b[w.i:]), Rule: "an object with properties and events"}
	}
	if len(w.out) == MaxEntries {
		return &Malformed{Where: where, Got: "one entry too many", Rule: "at most " + strconv.Itoa(MaxEntries)}
	}
	w.out = append(w.out, Entry{Where: where})
	at := len(w.out) - 1
	if m := w.enter(); m != nil {
		return m
	}
	for first := true; ; first = false {
		key, value, more, m := w.member(first)
		if m != nil || !more {
			return m
		}
		if m := w.field(at, where, key, value, whole); m != nil {
			return m
		}
	}
}

func (w *entries) field(at int, where string, key, value []byte, whole bool) *Malformed {
	e := &w.out[at]
	switch name := Text(key); {
	case name == "properties":
		return put(&e.Properties, where+"/properties", value)
	case name == "events":
		return put(&e.Events, where+"/events", value)
	case name == "identity":
		return e.identify(where+"/identity", value)
	case name == "subDevices" && whole:
		sub := entries{scanner: scanner{b: value, depth: w.depth}, out: w.out}
		m := sub.list(where+"/subDevices", false)
		w.out = sub.out
		return m
	default:
		return &Malformed{Where: where + "/" + cut(key), Got: "unknown", Rule: "properties, events or identity"}
	}
}

// put sets what must be given once.
func put(to *[]byte, where string, value []byte) *Malformed {
	if *to != nil {
		return &Malformed{Where: where, Got: "is given twice"}
	}
	*to = value
	return nil
}

func (e *Entry) identify(where string, value []byte) *Malformed {
	if value[0] != '{' {
		return &Malformed{Where: where, Got: cut(value), Rule: `an object such as {"productKey":"…","deviceName":"…"}`}
	}
	s := scanner{b: value}
	_ = s.enter() // the value was walked before, so nothing can be wrong with it
	for first := true; ; first = false {
		key, v, more, m := s.member(first)
		if m != nil || !more {
			return m
		}
		to := &e.ProductKey
		switch Text(key) {
		case "productKey":
		case "deviceName":
			to = &e.DeviceName
		default:
			continue
		}
		if v[0] != '"' {
			return &Malformed{Where: where + "/" + cut(key), Got: cut(v), Rule: "a string"}
		}
		*to = v[1 : len(v)-1]
	}
}
