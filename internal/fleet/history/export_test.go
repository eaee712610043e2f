package history

import (
	"context"
	"time"
)

// Jump lets the clock jump by a year.
func (s *Service) Jump() { s.clock.Read(time.Now().AddDate(1, 0, 0), 0) }

// DropOld forgets what is too old at now.
func (s *Service) DropOld(ctx context.Context, now time.Time) { s.drop(ctx, now) }
