package listing

import (
	"fmt"
	"time"

	"lampworks/internal/infra/fault"
)

// MadeAt reads a time as the least id that is made then. Ids are UUIDv7: their order is that of their making, so that a list
// that an index serves by id is served by when its rows were made, too.
func MadeAt(text string) (any, error) {
	ms, err := millis(text)
	if err != nil {
		return nil, err
	}
	return fmt.Sprintf("%08x-%04x-7", ms>>16, ms&0xffff), nil
}

// Millis reads a time as columns have it: milliseconds since 1970.
func Millis(text string) (any, error) {
	ms, err := millis(text)
	return ms, err
}

func millis(text string) (int64, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.UnixMilli() < 0 || t.UnixMilli() >= 1<<48 {
		return 0, fault.Invalid("/query", text, "a time, RFC 3339", "such as 2027-01-31T08:00:00Z")
	}
	return t.UnixMilli(), nil
}
