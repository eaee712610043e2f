package postgres

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Insert adds rows by COPY in its text format
// (https://www.postgresql.org/docs/current/sql-copy.html, File Formats), which needs no knowledge of the columns' types.
func (c *conn) Insert(ctx context.Context, into string, rows iter.Seq[[]any]) error {
	if c.broken != nil {
		return fmt.Errorf("the transaction has failed: %w", c.broken)
	}
	columns := strings.Count(into, ",") + 1
	c.copied.Reset()
	for row := range rows {
		if len(row) != columns {
			return fmt.Errorf("a row of %d values for %d columns", len(row), columns)
		}
		if err := c.encode(row); err != nil {
			return err
		}
	}
	if c.copied.Len() == 0 {
		return nil
	}
	return c.copyIn(ctx, "COPY"+strings.TrimPrefix(strings.TrimSpace(into), "INSERT INTO")+" FROM STDIN")
}

func (c *conn) copyIn(ctx context.Context, statement string) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	_, err := c.send(ctx, c.ahead(true), "", nil)
	if err == nil {
		_, err = c.pg.PgConn().CopyFrom(ctx, &c.copied, statement)
	}
	if err != nil {
		return c.failed(ctx, true, c.explain(err))
	}
	c.wrote = true
	return nil
}

// encode appends a row to what is copied.
func (c *conn) encode(row []any) error {
	for i, v := range row {
		named := driver.NamedValue{Value: v}
		if err := c.CheckNamedValue(&named); err != nil {
			return err
		}
		if i > 0 {
			c.copied.WriteByte('\t')
		}
		if err := appendField(&c.copied, named.Value); err != nil {
			return err
		}
	}
	c.copied.WriteByte('\n')
	return nil
}

// escapes are the bytes that mean something else in the text format.
var escapes = strings.NewReplacer("\\", `\\`, "\t", `\t`, "\n", `\n`, "\r", `\r`)

func appendField(b *bytes.Buffer, v driver.Value) error {
	switch v := v.(type) {
	case nil:
		b.WriteString(`\N`)
	case string:
		if strings.ContainsAny(v, "\\\t\n\r") {
			v = escapes.Replace(v)
		}
		b.WriteString(v)
	case int64:
		b.Write(strconv.AppendInt(b.AvailableBuffer(), v, 10))
	case float64:
		b.Write(strconv.AppendFloat(b.AvailableBuffer(), v, 'g', -1, 64))
	case []byte:
		fmt.Fprintf(b, `\\x%x`, v)
	case time.Time:
		b.WriteString(v.Format(time.RFC3339Nano))
	default:
		return fmt.Errorf("a value of %T cannot be kept", v)
	}
	return nil
}
