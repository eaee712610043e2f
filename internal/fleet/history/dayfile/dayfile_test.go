package dayfile_test

import (
	"testing"

	"go.uber.org/goleak"

	"lampworks/internal/fleet/history"
	"lampworks/internal/fleet/history/dayfile"
	"lampworks/internal/fleet/history/historytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSeries(t *testing.T) {
	historytest.Run(t, func(t testing.TB, path string) history.Series {
		f, err := dayfile.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		return f
	})
}
