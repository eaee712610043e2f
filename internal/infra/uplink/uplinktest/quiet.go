package uplinktest

import "log/slog"

// quiet is a logger for reports that a test expects.
func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
