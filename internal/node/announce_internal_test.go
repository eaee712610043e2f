package node

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/job"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
	"lampworks/internal/partner/account"
	"lampworks/internal/partner/agreement"
	"lampworks/internal/partner/notice"
)

// Every organisation hears once of a version that was published, also when telling was interrupted; one that was deleted does not.
func TestEveryOrganisationHearsOfNewTerms(t *testing.T) {
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	n := &Node{Store: storetest.Open(t), log: log}
	keys, err := keyring.Open(ctx, n.Store, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	n.Jobs = job.New(n.Store, log)
	n.Accounts = account.New(account.Config{CheapHashes: true, Store: n.Store, Keys: keys, Logger: log})
	copied := 0
	running, stop := context.WithCancel(ctx)
	n.Notices = notice.New(notice.Config{Store: n.Store, Copy: func(_ context.Context, _ *store.Tx, l notice.Letter) error {
		if copied++; copied == tellAtOnce+10 {
			stop() // the program ends in the middle of the second page
		}
		if !l.Always {
			t.Error("new terms can be declined")
		}
		return running.Err()
	}})
	n.Jobs.Handle(agreementJob, access.ManageAgreements, n.tellAgreement)
	const organisations = 2*tellAtOnce + 7
	err = n.Store.Write(ctx, func(tx *store.Tx) error {
		for i := range organisations {
			names := `{"en":"x"}`
			if i == 3 {
				names = "{}"
			}
			_, err := tx.Exec(ctx, "INSERT INTO organisation (id, names, kinds, created_at) VALUES (?, ?, '[]', 1)", fmt.Sprintf("o-%05d", i), names)
			if err != nil {
				return err
			}
		}
		return n.announceAgreement(ctx, tx, &agreement.Agreement{ID: "g", Names: account.Names{"en": "Master"}},
			&agreement.Version{ID: "v", Number: 2, EffectiveAt: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Jobs.Run(running); err != nil {
		t.Fatal(err)
	}
	running, stop = context.WithCancel(ctx)
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- n.Jobs.Run(running) }()
	var id string
	var told, most int
	read := func(query string, into ...any) {
		t.Helper()
		if err := n.Store.Read(ctx, func(v *store.View) error { return v.QueryRow(ctx, query).Scan(into...) }); err != nil {
			t.Fatal(err)
		}
	}
	read("SELECT id FROM job", &id)
	if j, err := n.Jobs.Wait(ctx, access.System("test", ""), id); err != nil || j.State != job.Done {
		t.Fatalf("the job is %s: %s, %v", j.State, j.Error, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	read("SELECT COUNT(*), MAX(n) FROM (SELECT COUNT(*) AS n FROM notice_message GROUP BY organisation) AS each", &told, &most)
	if told != organisations-1 || most != 1 {
		t.Errorf("%d of %d organisations were told, up to %d times", told, organisations-1, most)
	}
}
