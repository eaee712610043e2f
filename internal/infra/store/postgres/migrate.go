package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"lampworks/internal/infra/store/migrations"
)

// Keys of locks in the database: "lampwork" in ASCII and the two numbers after it.
const (
	nodeLock    = 0x6c616d70776f726b + iota // held by a program as long as it uses the database
	writeLock                               // held by a group of writes
	migrateLock                             // held while the tables are brought up to date
)

// migrate brings the tables up to date. Programs that start together do it one after the other.
func migrate(ctx context.Context, config *pgx.ConnConfig) error {
	steps, err := fs.Sub(migrations.Postgres, "postgres")
	if err != nil {
		return err
	}
	return migrateWith(ctx, config, steps)
}

func migrateWith(ctx context.Context, config *pgx.ConnConfig, steps fs.FS) error {
	config = config.Copy()
	config.RuntimeParams["lock_timeout"] = "0" // another program may migrate for long
	delete(config.RuntimeParams, "idle_in_transaction_session_timeout")
	db := stdlib.OpenDB(*config)
	defer db.Close()
	held, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer held.Close()
	if _, err := held.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, int64(migrateLock)); err != nil {
		return fmt.Errorf("waiting for another program that migrates: %w", err)
	}
	defer unlock(ctx, held)
	return migrations.Run(ctx, db, goose.DialectPostgres, steps)
}

func unlock(ctx context.Context, held *sql.Conn) {
	_, _ = held.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, int64(migrateLock)) // else the end of the connection does
}
