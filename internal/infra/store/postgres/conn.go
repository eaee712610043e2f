package postgres

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// maxStatements is how many prepared statements a connection keeps. The program has a few hundred.
const maxStatements = 512

// connectTimeout is the longest wait for a connection.
const connectTimeout = 5 * time.Second

// configure reads the address and says what every connection is to be like.
func configure(address string, o Options) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, badAddress(err)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec // statements are prepared by conn
	config.ConnectTimeout = min(connectTimeout, o.Patience)
	for name, value := range map[string]string{
		"application_name":                    "lampworks " + rand.Text()[:8], // tells this program's connections from others
		"standard_conforming_strings":         "on",
		"synchronous_commit":                  "on", // an answer is given after the commit is on disk
		"lock_timeout":                        strconv.FormatInt(o.Busy.Milliseconds(), 10),
		"idle_in_transaction_session_timeout": strconv.FormatInt(max(2*o.Patience, time.Minute).Milliseconds(), 10), // a frozen program does not hold the others for ever
		"tcp_keepalives_idle":                 "30",
		"tcp_keepalives_interval":             "10",
		"tcp_keepalives_count":                "3",
	} {
		config.RuntimeParams[name] = value
	}
	return config, nil
}

// badAddress says what is wrong with an address without repeating it.
func badAddress(err error) error {
	if e, ok := errors.AsType[*pgconn.ParseConfigError](err); ok && e.Unwrap() != nil {
		err = e.Unwrap()
	}
	return fmt.Errorf("the address is none that PostgreSQL knows, want postgres://user:password@host:port/name: %w", err)
}

// pool gives up to size connections.
func pool(config *pgx.ConnConfig, size int) *sql.DB {
	db := sql.OpenDB(connector{config})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db
}

// A connector makes connections that keep their statements prepared.
type connector struct{ config *pgx.ConnConfig }

// Connect dials.
func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	pg, err := pgx.ConnectConfig(ctx, c.config)
	if err != nil {
		return nil, err
	}
	return &conn{pg: pg, texts: make(map[string]string), prepared: make(map[string][]uint32)}, nil
}

// Driver is required by database/sql, which does not use it here.
func (c connector) Driver() driver.Driver { return nil }

// A conn is one connection with its prepared statements. One goroutine uses it at a time; database/sql sees to that.
// The rows of a statement are read whole before the next one begins: PostgreSQL answers one at a time, and rooms
// run statements within the rows of another.
type conn struct {
	pg       *pgx.Conn
	texts    map[string]string   // a room's statement → PostgreSQL's
	prepared map[string][]uint32 // the types of its parameters
	copied   bytes.Buffer        // the rows of an Insert, kept for the next one

	parts    bool          // statements that write stand behind savepoints: the connection of the writer
	patience time.Duration // the longest wait of such a statement
	saved    bool          // the savepoint of the member is there
	stale    bool          // it is that of the member before, which was kept
	wrote    bool          // the member has written something
	part     bool          // the savepoint of a statement is there
	broken   error         // what ended the member's part; no statement runs after it
}

// The statements about the transaction. They are short and few, and go out in one message with what follows them.
const (
	saveOne     = "SAVEPOINT one"
	releaseOne  = "RELEASE SAVEPOINT one"
	undoOne     = "ROLLBACK TO SAVEPOINT one"
	savePart    = "SAVEPOINT part"
	releasePart = "RELEASE SAVEPOINT part"
	undoPart    = "ROLLBACK TO SAVEPOINT part"
)

// control runs a statement about the transaction itself.
func (c *conn) control(ctx context.Context, query string) error {
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	_, err := c.pg.PgConn().Exec(ctx, query).ReadAll()
	return c.explain(err)
}

// bounded is ctx with an end, where statements do not end with their caller's.
func (c *conn) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.patience <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, c.patience)
}

// ahead lists what must stand before a statement: the member's savepoint, if it has none yet, and one of the statement's
// own if it could fail and take with it what the member has written.
func (c *conn) ahead(writes bool) []string {
	switch {
	case !c.saved:
		return []string{saveOne}
	case c.stale:
		return []string{releaseOne, saveOne}
	case !writes || !c.wrote:
		return nil
	case c.part:
		return []string{releasePart, savePart}
	}
	return []string{savePart}
}

// stands notes that a statement about the transaction was carried out.
func (c *conn) stands(control string) {
	switch control {
	case releaseOne:
		c.saved, c.stale, c.part = false, false, false
	case saveOne:
		c.saved, c.stale, c.wrote, c.part = true, false, false, false
	case savePart:
		c.part = true
	case releasePart:
		c.part = false
	}
}

// run carries out one statement and gives all its rows.
func (c *conn) run(ctx context.Context, query string, args []driver.NamedValue) (*rows, error) {
	if c.broken != nil {
		return nil, fmt.Errorf("the transaction has failed: %w", c.broken)
	}
	ctx, cancel := c.bounded(ctx)
	defer cancel()
	text := c.text(query)
	writes := c.parts && !reads(text)
	var ahead []string
	if c.parts {
		ahead = c.ahead(writes)
	}
	r, err := c.try(ctx, ahead, text, args)
	if err == nil {
		c.wrote = c.wrote || writes
		return r, nil
	}
	err = c.explain(err)
	c.forget(ctx, text, err)
	if !c.parts {
		return nil, err
	}
	return nil, c.failed(ctx, writes, err)
}

// failed undoes a statement that failed, alone if that can be; if not, the member's part has ended.
func (c *conn) failed(ctx context.Context, writes bool, err error) error {
	c.broken = err
	if c.pg.IsClosed() || !writes || c.pg.PgConn().TxStatus() != 'E' || !c.saved || c.stale {
		return err
	}
	undo := undoOne
	if c.wrote {
		if undo = undoPart; !c.part {
			return err
		}
	}
	if c.control(ctx, undo) == nil {
		c.broken = nil
	}
	return err
}

// try sends a statement together with what must stand before it.
func (c *conn) try(ctx context.Context, ahead []string, text string, args []driver.NamedValue) (*rows, error) {
	if _, ok := c.prepared[text]; !ok {
		if _, err := c.send(ctx, ahead, "", nil); err != nil {
			return nil, err
		}
		ahead = nil
		if err := c.prepare(ctx, text); err != nil {
			return nil, err
		}
	}
	return c.send(ctx, ahead, text, args)
}

// send carries out the statements of ahead and then text, unless it is empty, in one message.
func (c *conn) send(ctx context.Context, ahead []string, text string, args []driver.NamedValue) (*rows, error) {
	var batch pgx.Batch
	for _, control := range ahead {
		batch.Queue(control)
	}
	if text != "" {
		batch.Queue(text, fitting(args, c.prepared[text])...)
	}
	if batch.Len() == 0 {
		return nil, nil
	}
	results := c.pg.SendBatch(ctx, &batch)
	for _, control := range ahead {
		if _, err := results.Exec(); err != nil {
			_ = results.Close()
			return nil, err
		}
		c.stands(control)
	}
	var r *rows
	var err error
	if text != "" {
		r, err = collect(results)
	}
	if err2 := results.Close(); err == nil {
		err = err2
	}
	return r, err
}

// fitting gives the arguments as the types of a statement want them: where SQLite takes a number for a truth, as in
// (? OR owner = ?), PostgreSQL wants a truth.
func fitting(args []driver.NamedValue, types []uint32) []any {
	values := make([]any, len(args))
	for i, a := range args {
		values[i] = a.Value
		if n, ok := a.Value.(int64); ok && i < len(types) && types[i] == pgtype.BoolOID {
			values[i] = n != 0
		}
	}
	return values
}

// prepare has text prepared; the oldest of too many is forgotten.
func (c *conn) prepare(ctx context.Context, text string) error {
	if len(c.prepared) >= maxStatements {
		for old := range c.prepared { // any: which one is rarely a matter
			if err := c.pg.Deallocate(ctx, old); err != nil {
				return err
			}
			delete(c.prepared, old)
			break
		}
	}
	description, err := c.pg.Prepare(ctx, text, text)
	if err != nil {
		return err
	}
	c.prepared[text] = description.ParamOIDs
	return nil
}

// forget has a statement prepared anew whose tables were changed since.
func (c *conn) forget(ctx context.Context, text string, err error) {
	if code(err) == "0A000" { // cached plan must not change result type
		delete(c.prepared, text)
		_ = c.pg.Deallocate(ctx, text)
	}
}

// text gives a room's statement in PostgreSQL's words.
func (c *conn) text(query string) string {
	if text, ok := c.texts[query]; ok {
		return text
	}
	if len(c.texts) >= 2*maxStatements {
		clear(c.texts)
	}
	text := rewrite(query)
	c.texts[query] = text
	return text
}

// reads says whether a statement only reads.
func reads(text string) bool {
	text = strings.TrimSpace(text)
	return len(text) >= 6 && strings.EqualFold(text[:6], "SELECT")
}

// ExecContext runs query by its prepared statement.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	r, err := c.run(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return driver.RowsAffected(r.affected), nil
}

// QueryContext runs query by its prepared statement and gives its rows, all of which are here already.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	r, err := c.run(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// CheckNamedValue turns what a room binds into what PostgreSQL keeps: flags are numbers, and text is UTF-8 without NUL.
func (c *conn) CheckNamedValue(v *driver.NamedValue) error {
	value, err := driver.DefaultParameterConverter.ConvertValue(v.Value)
	if err != nil {
		return err
	}
	switch value := value.(type) {
	case bool:
		v.Value = int64(0)
		if value {
			v.Value = int64(1)
		}
	case string:
		v.Value = strings.ReplaceAll(strings.ToValidUTF8(value, "\uFFFD"), "\x00", "\uFFFD")
	default:
		v.Value = value
	}
	return nil
}

// ResetSession refuses a connection that was lost, or whose transaction did not end.
func (c *conn) ResetSession(context.Context) error {
	if !c.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid says whether the connection may go back to the pool.
func (c *conn) IsValid() bool { return !c.pg.IsClosed() && c.pg.PgConn().TxStatus() == 'I' }

// Close ends the connection.
func (c *conn) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = c.pg.Close(ctx) // the server ends what it does not hear of any more
	return nil
}

// Prepare is required by database/sql, which has no use for it here.
func (c *conn) Prepare(string) (driver.Stmt, error) { return nil, errors.ErrUnsupported }

// Begin is required by database/sql, which has no use for it here.
func (c *conn) Begin() (driver.Tx, error) { return nil, errors.ErrUnsupported }

// rows are the answer to one statement.
type rows struct {
	columns  []string
	values   [][]driver.Value
	affected int64
}

// collect reads the answer to the next statement.
func collect(results pgx.BatchResults) (*rows, error) {
	in, err := results.Query()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := &rows{}
	for _, f := range in.FieldDescriptions() {
		r.columns = append(r.columns, f.Name)
	}
	for in.Next() {
		values, err := in.Values()
		if err != nil {
			return nil, err
		}
		row := make([]driver.Value, len(values))
		for i, v := range values {
			if row[i], err = plain(v); err != nil {
				return nil, err
			}
		}
		r.values = append(r.values, row)
	}
	in.Close()
	r.affected = in.CommandTag().RowsAffected()
	return r, in.Err()
}

// plain gives a value as database/sql knows it, and as SQLite would give it.
func plain(v any) (driver.Value, error) {
	switch v := v.(type) {
	case int16:
		return int64(v), nil
	case int32:
		return int64(v), nil
	case float32:
		return float64(v), nil
	case driver.Valuer: // the sum of numbers
		return v.Value()
	}
	return v, nil
}

func (r *rows) Columns() []string { return r.columns }

func (r *rows) Next(dest []driver.Value) error {
	if len(r.values) == 0 {
		return io.EOF
	}
	copy(dest, r.values[0])
	r.values = r.values[1:]
	return nil
}

func (r *rows) Close() error { return nil }
