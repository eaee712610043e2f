package sqlite

import (
	"database/sql"
	"errors"
	"strings"

	lib "modernc.org/sqlite/lib"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

// unavailable turns errors of the disk and the file into faults that an operator understands.
func unavailable(err error) error {
	if err == nil || fault.Of(err) != nil {
		return err
	}
	switch primary(err) {
	case lib.SQLITE_FULL:
		return fault.Unavailable(errFull, err)
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fault.Unavailable("another process holds the database", err)
	case lib.SQLITE_IOERR:
		return fault.Unavailable("the disk of the database gives errors", err)
	case lib.SQLITE_READONLY, lib.SQLITE_CANTOPEN, lib.SQLITE_PERM:
		return fault.Unavailable("the database file cannot be opened for writing", err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fault.Unavailable("the database file is damaged", err)
	case lib.SQLITE_NOMEM:
		return fault.Unavailable("the database has no memory left", err)
	}
	return err
}

// closedError names the closed store as package store does.
func closedError(err error) error {
	if errors.Is(err, sql.ErrConnDone) || strings.HasSuffix(err.Error(), "database is closed") {
		return store.ErrClosed
	}
	return err
}
