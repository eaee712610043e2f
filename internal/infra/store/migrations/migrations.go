// Package migrations holds the steps that make and change the tables, one folder a
// dialect, one file a step: NNNN_room_what.sql, numbered over all rooms, the owner
// of the tables in the name.
//
// It promises:
//   - a step only adds: the previous program still runs on the result; one that was released is never edited;
//   - both folders have the same steps, and what they make has the same tables, columns and indexes;
//   - new data get at once what the steps make one by one;
//   - data that a newer program has changed are refused and not touched.
package migrations

import "embed"

// SQLite holds the steps for SQLite in the folder "sqlite".
//
//go:embed sqlite/*.sql
var SQLite embed.FS

// NewSQLite is what the steps for SQLite make of new data, in one piece: SQLite reads all tables again with each step that
// alters one. A test of package sqlite holds it against the steps, and with -update writes it.
//
//go:embed sqlite.sql
var NewSQLite string

// Postgres holds the steps for PostgreSQL in the folder "postgres".
//
//go:embed postgres/*.sql
var Postgres embed.FS
