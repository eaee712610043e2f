package tsl

import "slices"

// Export is the document as a device gets it: with its names in the profile, without what Lampworks adds for people, and
// without the default post, set and get unless they are wanted.
func (m *Model) Export(productKey, deviceName string, defaults bool) ([]byte, error) {
	d := *m.document
	d.Profile = &Profile{ProductKey: productKey, DeviceName: deviceName}
	if old := m.document.Profile; old != nil {
		d.Profile.Version = old.Version
	}
	d.Properties = slices.Clone(d.Properties)
	for i := range d.Properties {
		d.Properties[i].Lampworks = nil
		d.Properties[i].DataType = plainType(d.Properties[i].DataType)
	}
	d.Events = slices.DeleteFunc(slices.Clone(d.Events), func(e EventDef) bool { return !defaults && e.Identifier == "post" })
	for i := range d.Events {
		d.Events[i].Lampworks = nil
		d.Events[i].OutputData = plainList(d.Events[i].OutputData)
	}
	d.Services = slices.DeleteFunc(slices.Clone(d.Services), func(s ServiceDef) bool {
		return !defaults && (s.Identifier == "set" || s.Identifier == "get")
	})
	for i := range d.Services {
		s := &d.Services[i]
		s.Lampworks = nil
		s.InputData, s.OutputData = plainList(s.InputData), plainList(s.OutputData)
	}
	return encode(&d)
}

// plainList is a copy of the list without hints.
func plainList(list []ParameterDef) []ParameterDef {
	list = slices.Clone(list)
	for i := range list {
		list[i].Lampworks = nil
		list[i].DataType = plainType(list[i].DataType)
	}
	return list
}

func plainType(d DataType) DataType {
	d.Specs.Fields = plainList(d.Specs.Fields)
	if d.Specs.Item != nil {
		item := plainType(*d.Specs.Item)
		d.Specs.Item = &item
	}
	return d
}
