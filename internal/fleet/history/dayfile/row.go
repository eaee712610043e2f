package dayfile

import (
	"encoding/binary"
	"errors"

	"lampworks/internal/fleet/history"
)

// A row holds the points of one report that have one time: number of the first point, then for each point the id of its
// property (uvarint), the length of its value (uvarint) and the value.

// appendPoint adds a point to a row.
func appendPoint(row []byte, property uint64, value []byte) []byte {
	row = binary.AppendUvarint(row, property)
	row = binary.AppendUvarint(row, uint64(len(value)))
	return append(row, value...)
}

var errRow = errors.New("a row of the history is damaged")

// eachPoint calls do with the place of each point in the row, its property and its value, which aliases row.
func eachPoint(row []byte, do func(place int, property uint64, value []byte)) error {
	for place := 0; len(row) > 0; place++ {
		property, n := binary.Uvarint(row)
		if n <= 0 {
			return errRow
		}
		row = row[n:]
		size, n := binary.Uvarint(row)
		if n <= 0 || size > uint64(len(row)-n) {
			return errRow
		}
		do(place, property, row[n:n+int(size)])
		row = row[n+int(size):]
	}
	return nil
}

// together is how many of the points stand in one row: those of one report and device with one time, in their order.
func together(points []history.Point) int {
	first := &points[0]
	for i := 1; i < len(points); i++ {
		p := &points[i]
		if p.Pos != first.Pos || p.Device != first.Device || p.N != first.N+i || !p.At.Equal(first.At) {
			return i
		}
	}
	return len(points)
}
