package nlu

import "encoding/json"

// Params turns one action of kind OpSet or OpAdjust on one of its targets into the params of a property set, as the
// target's model has them on the wire: {"powerstate":1}. A relative change is resolved with state, which may be nil;
// what cannot be done comes back as a Reason with a Code, and params is nil then.
func (x *Index) Params(a Action, target string, state func(device, property string) (value any, known bool)) (json.RawMessage, Reason) {
	return nil, Reason{Code: NotUnderstood}
}
