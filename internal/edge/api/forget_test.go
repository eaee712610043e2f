package api_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lampworks/internal/infra/audit"
	"lampworks/internal/infra/store"
)

// find looks for texts in every column of every table, and says where they stand.
func (w *world) find(texts ...string) (found []string) {
	w.t.Helper()
	for _, table := range w.tables() {
		err := w.store.Read(w.t.Context(), func(v *store.View) error {
			rows, err := v.Query(w.t.Context(), `SELECT * FROM "`+table+`"`)
			if err != nil {
				return err
			}
			defer rows.Close()
			columns, err := rows.Columns()
			if err != nil {
				return err
			}
			values, into := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			for rows.Next() {
				if err := rows.Scan(into...); err != nil {
					return err
				}
				for i, b := range values {
					for _, text := range texts {
						if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(text))) {
							found = append(found, table+"."+columns[i]+" has "+text)
						}
					}
				}
			}
			return rows.Err()
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	return found
}

// tables lists every table of the database, whichever it is.
func (w *world) tables() (names []string) {
	w.t.Helper()
	read := func(query string) error {
		return w.store.Read(w.t.Context(), func(v *store.View) error {
			rows, err := v.Query(w.t.Context(), query)
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
	if read("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'") != nil {
		if err := read("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"); err != nil {
			w.t.Fatal(err)
		}
	}
	return names
}

// code is the newest code that was sent to a contact.
func (w *world) code(to string) (code string) {
	w.t.Helper()
	form := regexp.MustCompile(`\b[a-z2-7]{4}-[a-z2-7]{4}\b`)
	w.eventually("the code has come", func() bool {
		files, _ := filepath.Glob(filepath.Join(w.mail, "*"))
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || !bytes.Contains(b, []byte(to)) {
				continue
			}
			_, text, _ := bytes.Cut(b, []byte("code is "))
			if found := form.Find(text); found != nil {
				code = string(found)
			}
		}
		return code != ""
	})
	return code
}

// A person who is deleted is named in no table any more; what they did stays on record, and the record still holds.
func TestDeletedPersonIsForgotten(t *testing.T) {
	w := newWorld(t)
	w.people()
	const login, mail, phone = "quentin.canary", "quentin@canary.example", "+8613912345678"
	user := w.want(w.call(w.operator, "POST", "/api/v1/users", fmt.Sprintf(`{"login":%q,"password":%q,"email":%q}`, login, password, mail)), 201).id()
	w.want(w.call(w.operator, "POST", "/api/v1/organisations/"+w.a+"/members", fmt.Sprintf(`{"login":%q,"role":"engineer"}`, login)), 201)
	session := w.signIn(login)
	for _, contact := range []string{mail, phone} {
		id := w.want(w.call(session, "POST", "/api/v1/contacts/codes", fmt.Sprintf(`{"contact":%q}`, contact)), 200).id()
		w.want(w.call(session, "PUT", "/api/v1/contacts", fmt.Sprintf(`{"id":%q,"code":%q}`, id, w.code(contact))), 200)
	}
	p := w.want(w.call(session, "POST", "/api/v1/products", `{"category":"light","names":{"en":"Spark"}}`, "Idempotency-Key", "q"), 201).id()
	w.want(w.call(session, "POST", "/api/v1/products/"+p+"/orders", `{"quantity":3,"purpose":"debug"}`), 201)
	w.want(w.call(session, "POST", "/api/v1/tokens", `{"name":"mine"}`), 201)
	consent := w.want(w.call(session, "POST", "/api/v1/guardian-consents", fmt.Sprintf(`{"name":"Mary Canary","relation":"mother","contact":%q,"lang":"en"}`, mail)), 201).id()
	w.want(w.call(session, "POST", "/api/v1/guardian-consents/"+consent+"/papers?kind=consent", paper, "Content-Type", "application/pdf"), 201)
	w.want(w.call(w.owner, "PATCH", "/api/v1/organisations/"+w.a+"/members/"+user, `{"role":"query"}`), 204)
	if found := w.find(login, mail, phone); len(found) < 5 {
		t.Fatalf("the test looks in the wrong place: %q", found)
	}
	w.want(w.call(session, "POST", "/api/v1/session/user/deletion", fmt.Sprintf(`{"password":%q}`, password)), 204)
	if found := w.find(login, mail, phone, strings.TrimPrefix(phone, "+")); len(found) > 0 {
		t.Errorf("the person is still named: %q", found)
	}
	entries := w.want(w.call(w.owner, "GET", "/api/v1/audit?act=member.role", ""), 200)
	if object := entries.text("items/0/object"); !strings.HasPrefix(object, "person:") {
		t.Errorf("the entry about the person says %s", entries.body)
	}
	made := w.want(w.call(w.owner, "GET", "/api/v1/audit?act=product.create", ""), 200)
	if made.get("items/0/actor/deleted") != true || made.get("items/0/actor/login") != nil {
		t.Errorf("the entry of the person says %s", made.body)
	}
	w.auditHolds()
}

// auditHolds seals and signs what there is, and verifies all of it.
func (w *world) auditHolds() {
	w.t.Helper()
	ctx := w.t.Context()
	key := must(w.keys.Signer(ctx, w.store, audit.Purpose))(w.t)
	sealer := must(audit.NewSealer(w.store, key, 0, slog.New(slog.DiscardHandler)))(w.t)
	if err := sealer.Finish(ctx); err != nil {
		w.t.Fatal(err)
	}
	public := must(hex.DecodeString(w.want(w.call(w.owner, "GET", "/api/v1/audit/key", ""), 200).text("public_key")))(w.t)
	file := w.want(w.call(w.operator, "GET", "/api/v1/audit/export", ""), 200)
	if _, err := audit.VerifyFile(bytes.NewReader(file.body), public, nil); err != nil {
		w.t.Errorf("the audit does not hold: %v", err)
	}
	if _, err := audit.Verify(ctx, w.store, public, nil); err != nil {
		w.t.Errorf("the audit does not hold in the database: %v", err)
	}
}
