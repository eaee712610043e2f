package api

import (
	"context"

	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/access"
)

type ofDeviceInput struct {
	ListInput
	Device string `path:"device" maxLength:"64"`
}

type tagView struct {
	Key       string `json:"key"`
	Value     string `json:"value"`
	UpdatedAt moment `json:"updated_at"`
}

type firmwareView struct {
	Module     string `json:"module" doc:"A part of the device; default where it names none."`
	Version    string `json:"version"`
	InformedAt moment `json:"informed_at" doc:"When it first told of this version."`
}

type linesInput struct {
	ListInput
	Device string `path:"device" maxLength:"64"`
	Level  string `query:"level" maxLength:"64" doc:"FATAL, ERROR, WARN, INFO, DEBUG, or a word of the device's own."`
	Module string `query:"module" maxLength:"64"`
	Text   string `query:"text" maxLength:"256" doc:"Any part of what the line says, in any case."`
}

type lineView struct {
	ReceivedAt moment `json:"received_at"`
	At         moment `json:"at,omitzero" doc:"By the device."`
	Level      string `json:"level"`
	Module     string `json:"module,omitempty"`
	Code       string `json:"code,omitempty"`
	Trace      string `json:"trace,omitempty" doc:"The message, or the call, that the line belongs to."`
	Text       string `json:"text"`
}

// saidRoutes are about what a device says of itself beside its thing model.
func (a *API) saidRoutes() {
	list(a, "/api/v1/devices/{device}/tags", access.ReadDevice, ofDevice, "Tags of a device (设备标签), by key", func(ctx context.Context, who access.Actor, in *ofDeviceInput) (page[tagView], error) {
		tags, err := a.Devices.Tags(ctx, who, in.Device, in.ask(nil))
		return pageFrom(tags, func(t *device.Tag) tagView { return tagView{t.Key, t.Value, moment(t.UpdatedAt)} }), err
	})
	list(a, "/api/v1/devices/{device}/firmware", access.ReadDevice, ofDevice, "Versions that a device says it runs, by module", func(ctx context.Context, who access.Actor, in *ofDeviceInput) (page[firmwareView], error) {
		versions, err := a.Devices.Firmware(ctx, who, in.Device, in.ask(nil))
		return pageFrom(versions, func(f *device.Firmware) firmwareView {
			return firmwareView{f.Module, f.Version, moment(f.InformedAt)}
		}), err
	})
	list(a, "/api/v1/devices/{device}/log", access.ReadDevice, ofDevice, "Lines of a device's own log (设备本地日志), newest first", func(ctx context.Context, who access.Actor, in *linesInput) (page[lineView], error) {
		lines, err := a.Devices.Lines(ctx, who, in.Device, in.ask(map[string]string{device.ByLevel: in.Level, device.ByModule: in.Module, device.ByText: in.Text}))
		return pageFrom(lines, func(l *device.Line) lineView {
			return lineView{moment(l.Received), moment(l.At), l.Level, l.Module, l.Code, l.Trace, l.Text}
		}), err
	})
}
