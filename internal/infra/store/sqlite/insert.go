package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"strings"
)

// rowsAtOnce is how many rows one statement carries; more gains nothing and costs memory to parse.
const rowsAtOnce = 100

// Insert adds rows by statements of many rows each.
func (c *conn) Insert(ctx context.Context, into string, rows iter.Seq[[]any]) error {
	columns := strings.Count(into, ",") + 1
	args := make([]driver.NamedValue, 0, columns*rowsAtOnce)
	flush := func() error {
		if len(args) == 0 {
			return nil
		}
		_, err := c.ExecContext(ctx, valuesOf(into, columns, len(args)/columns), args)
		args = args[:0]
		return err
	}
	for row := range rows {
		if len(row) != columns {
			return fmt.Errorf("a row of %d values for %d columns", len(row), columns)
		}
		for _, v := range row {
			value, err := driver.DefaultParameterConverter.ConvertValue(v)
			if err != nil {
				return err
			}
			args = append(args, driver.NamedValue{Ordinal: len(args) + 1, Value: value})
		}
		if len(args) == cap(args) {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// valuesOf is the statement that adds n rows.
func valuesOf(into string, columns, n int) string {
	row := "(?" + strings.Repeat(", ?", columns-1) + ")"
	return into + " VALUES " + row + strings.Repeat(", "+row, n-1)
}
