package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"

	driversqlite "modernc.org/sqlite"

	"lampworks/internal/infra/store"
)

// OpenReadOnly opens the file at path to look at it, also beside a program that works with it. Nothing is migrated or
// written; tables that this program does not know, or does not find, are up to who reads.
func OpenReadOnly(ctx context.Context, path string) (*store.Store, error) {
	o := Options{Readers: 1}.withDefaults()
	query := url.Values{"mode": {"ro"}, "_pragma": {fmt.Sprintf("busy_timeout(%d)", o.Busy.Milliseconds()), "query_only(1)"}}
	base, err := driversqlite.NewConnector("file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query.Encode())
	if err != nil {
		return nil, fmt.Errorf("naming the database %s: %w", path, err)
	}
	e := &onlooker{engine{options: o, readers: sql.OpenDB(connector{base})}}
	e.readers.SetMaxOpenConns(o.Readers)
	if err := e.readers.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the database %s: %w", path, unavailable(err)), e.readers.Close())
	}
	return store.New(e), nil
}

// An onlooker is an engine that only reads.
type onlooker struct{ engine }

var errOnlooker = errors.New("the database was opened to be read only")

// Write implements store.Engine.
func (o *onlooker) Write(context.Context, func(store.Conn) error) error { return errOnlooker }

// Close implements store.Engine.
func (o *onlooker) Close() error { return o.readers.Close() }
