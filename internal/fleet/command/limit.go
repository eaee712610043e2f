package command

import (
	"lampworks/internal/fleet/device"
	"lampworks/internal/infra/fault"
	"lampworks/internal/partner/quota"
)

// Hold makes s hold the requests to each device to its limits. It is called before the first Submit.
func (s *Commands) Hold(q *quota.Service) { s.quota = q }

// charge counts a request to a device, or refuses it.
func (s *Commands) charge(d device.Device) error {
	if s.quota == nil {
		return nil
	}
	of := quota.Device(d.ID, d.Product, d.Organisation)
	for _, l := range []quota.Limit{quota.DeviceRequestRate, quota.DeviceRequests} {
		if a := s.quota.Allow(of, l, 1); !a.OK {
			f := fault.Limit(l.String(), "used up", quota.Rule(a.Limit, l), a.Wait)
			f.Fix = "wait, or ask the operator for more"
			return f
		}
	}
	return nil
}
