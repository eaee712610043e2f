package config

import "time"

// SetClock makes s live at other times.
func (s *Service) SetClock(now func() time.Time) { s.now = now }
