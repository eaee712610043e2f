package enforce

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"lampworks/internal/infra/store"
)

// A Proof says where was looked for what a deletion deleted, and what was found.
type Proof struct {
	Deletion string    `json:"deletion"`
	Subject  string    `json:"subject"` // kind and id
	At       time.Time `json:"at"`
	IDs      int       `json:"ids"`    // how many ids were looked for: the subject's, and those of all that belonged to it
	Digest   string    `json:"digest"` // SHA-256 over the ids in order, each with a line feed, in hexadecimal
	Tables   int       `json:"tables"`
	Columns  int       `json:"columns"`
	Rows     int64     `json:"rows"`
	Rooms    []Left    `json:"rooms"`             // what each room says it still has
	Found    []Finding `json:"found,omitempty"`   // must be empty
	Residue  []Finding `json:"residue,omitempty"` // what stays, and why

	late []string // ids that were found: some of them
}

// Left is what a room still has by its own count.
type Left struct {
	Room string `json:"room"`
	Rows int64  `json:"rows"`
}

// A Finding is a column in which ids were found.
type Finding struct {
	Table  string `json:"table"`
	Column string `json:"column"`
	Rows   int64  `json:"rows"`
	Why    string `json:"why,omitempty"` // it may stay
}

// String is the finding in a sentence.
func (f Finding) String() string { return fmt.Sprintf("%s.%s (%d rows)", f.Table, f.Column, f.Rows) }

// residue is what stays on purpose, by the beginning of the table's name.
func residue() []struct{ table, why string } {
	return []struct{ table, why string }{
		{"audit_", "entries of the audit trail are never changed; they name objects by id only"},
		{"enforce_", "the measure, its appeal and this deletion itself"},
		{"notice_message", "what its organisation was told of it, as of the measure itself; they go with the organisation"},
		{"outbox_message", "the same by mail, on its way: the text goes when it has arrived, or after a day"},
		{"once_", "answers to repeated requests; they are deleted a day after"},
		{"agreement_acceptance", "evidence of what was agreed; it names persons by a random reference"},
		{"issuance_order", "bare numbers of what was issued, without an owner, so that nothing is issued twice"},
		{"issuance_range", "bare numbers of what was issued, without an owner, so that nothing is issued twice"},
		{"organisation", "the bare id, so that it is never given again; names and kinds are gone"},
	}
}

// stays is the place in residue of a table; negative if nothing may stay there.
func stays(table string) int {
	return slices.IndexFunc(residue(), func(r struct{ table, why string }) bool { return strings.HasPrefix(table, r.table) })
}

// maxLate is how many ids of what was found are deleted one by one in the next round.
const maxLate = 10_000

// prove looks for every id of the deletion in every column of every table, and asks every room.
func (s *Service) prove(ctx context.Context, d *Deletion) (Proof, error) {
	p := Proof{Deletion: d.ID, Subject: d.Subject.String(), At: moment(s.c.Now().UnixMilli())}
	ids, err := s.wanted(ctx, d, &p)
	if err != nil {
		return p, err
	}
	for _, r := range s.rooms {
		left, err := s.left(ctx, d, r)
		if err != nil {
			return p, fmt.Errorf("asking %s what it still has of %s: %w", r.Name, d.Subject, err)
		}
		p.Rooms = append(p.Rooms, Left{r.Name, left})
		if left > 0 {
			p.Found = append(p.Found, Finding{Table: r.Name, Column: "by its own count", Rows: left})
		}
	}
	tables, err := s.tables(ctx)
	if err != nil {
		return p, err
	}
	for _, table := range tables {
		if err := s.search(ctx, table, ids, &p); err != nil {
			return p, fmt.Errorf("searching the table %s: %w", table, err)
		}
	}
	return p, nil
}

func (s *Service) left(ctx context.Context, d *Deletion, r Room) (n int64, err error) {
	if r.Holds != nil {
		err = s.c.Store.Read(ctx, func(v *store.View) error {
			n, err = r.Holds(ctx, v, d.Subject.Kind, d.Subject.ID)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	if r.Outside != nil {
		err = s.eachDevice(ctx, d, func(ctx context.Context, devices []string) error {
			held, err := r.Outside.HoldsDevices(ctx, devices)
			n += held
			return err
		})
	}
	return n, err
}

// wanted is the set of ids to look for: as numbers, because there may be a million.
type wanted struct {
	uuids map[uuid.UUID]struct{}
	texts map[string]struct{} // those that are no UUIDs
}

func (s *Service) wanted(ctx context.Context, d *Deletion, p *Proof) (wanted, error) {
	w := wanted{make(map[uuid.UUID]struct{}), make(map[string]struct{})}
	sum := sha256.New()
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, "SELECT id FROM enforce_erased WHERE deletion = ? ORDER BY kind, id", d.ID)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				return err
			}
			p.IDs++
			sum.Write([]byte(id + "\n"))
			if u, err := uuid.Parse(id); err == nil && len(id) == uuidLength {
				w.uuids[u] = struct{}{}
			} else {
				w.texts[id] = struct{}{}
			}
		}
		return rows.Err()
	})
	if err != nil {
		return w, fmt.Errorf("reading the ids of deletion %s: %w", d.ID, err)
	}
	p.Digest = hex.EncodeToString(sum.Sum(nil))
	return w, nil
}

const uuidLength = 36

// in says whether one of the ids stands anywhere in a value.
func (w *wanted) in(b []byte) (id string, found bool) {
	if _, ok := w.texts[string(b)]; ok {
		return string(b), true
	}
	for i := 0; i+uuidLength <= len(b); i++ {
		if b[i+8] != '-' || b[i+13] != '-' || b[i+18] != '-' || b[i+23] != '-' {
			continue
		}
		if u, err := uuid.ParseBytes(b[i : i+uuidLength]); err == nil {
			if _, ok := w.uuids[u]; ok {
				return u.String(), true
			}
		}
	}
	return "", false
}

// tables lists every table of the database.
func (s *Service) tables(ctx context.Context) ([]string, error) {
	const sqlite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
	const postgres = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name"
	var names []string
	read := func(query string) error {
		return s.c.Store.Read(ctx, func(v *store.View) error {
			rows, err := v.Query(ctx, query)
			if err != nil {
				return err
			}
			defer rows.Close()
			for rows.Next() {
				var name string
				if err := rows.Scan(&name); err != nil {
					return err
				}
				names = append(names, name)
			}
			return rows.Err()
		})
	}
	if err := read(sqlite); err != nil {
		if err := read(postgres); err != nil {
			return nil, fmt.Errorf("listing the tables: %w", err)
		}
	}
	return names, nil
}

// search looks through one table.
func (s *Service) search(ctx context.Context, table string, ids wanted, p *Proof) error {
	hits := make(map[string]int64)
	var columns []string
	err := s.c.Store.Read(ctx, func(v *store.View) error {
		rows, err := v.Query(ctx, `SELECT * FROM "`+table+`"`)
		if err != nil {
			return err
		}
		defer rows.Close()
		if columns, err = rows.Columns(); err != nil {
			return err
		}
		values := make([]sql.RawBytes, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		for rows.Next() {
			if err := rows.Scan(into...); err != nil {
				return err
			}
			p.Rows++
			for i, b := range values {
				if id, found := ids.in(b); found {
					hits[columns[i]]++
					if stays(table) < 0 && len(p.late) < maxLate {
						p.late = append(p.late, id)
					}
				}
			}
		}
		return rows.Err()
	})
	p.Tables++
	p.Columns += len(columns)
	for _, column := range columns {
		if hits[column] == 0 {
			continue
		}
		f := Finding{Table: table, Column: column, Rows: hits[column]}
		i := stays(table)
		if i < 0 {
			p.Found = append(p.Found, f)
			continue
		}
		if table == "enforce_erased" {
			continue // the list of the search itself; it goes with the proof
		}
		f.Why = residue()[i].why
		p.Residue = append(p.Residue, f)
	}
	return err
}
