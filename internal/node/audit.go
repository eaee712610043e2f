package node

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"lampworks/internal/infra/audit"
	storesqlite "lampworks/internal/infra/store/sqlite"
)

// AuditCheck verifies an audit where it lies: in the data directory of a server, which may run, or in an exported file.
type AuditCheck struct {
	Where  string
	Key    ed25519.PublicKey // nil: the one beside the audit
	Anchor *audit.Anchor
}

// Run reads and changes nothing.
func (c *AuditCheck) Run(ctx context.Context) (report audit.Report, err error) {
	info, err := os.Stat(c.Where)
	if err != nil {
		return report, err
	}
	if !info.IsDir() {
		f, err := os.Open(c.Where)
		if err != nil {
			return report, err
		}
		defer f.Close()
		return audit.VerifyFile(f, c.Key, c.Anchor)
	}
	path := filepath.Join(c.Where, "lampworks.db")
	if _, err := os.Stat(path); err != nil {
		return report, fmt.Errorf("it is no data directory of a server: %w", err)
	}
	s, err := storesqlite.OpenReadOnly(ctx, path)
	if err != nil {
		return report, err
	}
	report, err = audit.Verify(ctx, s, c.Key, c.Anchor)
	return report, errors.Join(err, s.Close())
}
