package history

import (
	"context"
	"fmt"
)

// EraseDevices deletes the whole history of some devices.
func (s *Service) EraseDevices(ctx context.Context, devices []string) error {
	if err := s.series.Erase(ctx, devices); err != nil {
		return fmt.Errorf("erasing the history of %d devices: %w", len(devices), err)
	}
	return nil
}

// HoldsDevices counts what is kept of some devices.
func (s *Service) HoldsDevices(ctx context.Context, devices []string) (int64, error) {
	n, err := s.series.Holds(ctx, devices)
	if err != nil {
		return 0, fmt.Errorf("looking for the history of %d devices: %w", len(devices), err)
	}
	return n, nil
}
