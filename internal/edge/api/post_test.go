package api_test

import (
	"lampworks/alink"
	"lampworks/internal/fleet/device"
)

func propertyPost(product, params string) *device.Message {
	return &device.Message{Product: product, Template: alink.PropertyPost, Payload: []byte(`{"id":"1","version":"1.0","params":` + params + `,"method":"thing.event.property.post"}`)}
}
