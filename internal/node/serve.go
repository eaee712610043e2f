package node

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// Operator says what happens at start while there is no operator.
type Operator int

// The ways.
const (
	OperatorCode  Operator = iota // a one-time code is made
	OperatorLater                 // nothing: whoever built the node makes one
)

const codeFile = "first-operator"

// openOperator makes the first operator from the bootstrap file, or a code for whoever started the program.
func (n *Node) openOperator(ctx context.Context) error {
	if n.c.Bootstrap != "" {
		made, err := n.Accounts.Bootstrap(ctx, n.c.Bootstrap)
		if err != nil {
			return fmt.Errorf("making the first operator: %w", err)
		}
		if made {
			n.log.LogAttrs(ctx, slog.LevelInfo, "the first operator was made from the bootstrap file")
		}
	}
	if n.c.Operator == OperatorLater {
		return nil
	}
	code, needed, err := n.Accounts.SetupCode(ctx)
	if err != nil {
		return fmt.Errorf("looking for an operator: %w", err)
	}
	path := filepath.Join(n.c.Data, codeFile)
	if !needed {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("removing the used code: %w", err)
		}
		return nil
	}
	n.firstCode = code.Reveal()
	return nil
}

// announce tells whoever started the program where the first operator is made: on a terminal the address with the code,
// which stands behind # and so reaches no server log; otherwise a file.
func (n *Node) announce(ctx context.Context) error {
	if n.firstCode == "" {
		return nil
	}
	address := n.c.PublicURL
	if address == "" {
		address = n.Addresses().HTTP
	}
	address += "/setup#" + n.firstCode
	if info, err := os.Stderr.Stat(); err == nil && info.Mode()&fs.ModeCharDevice != 0 {
		fmt.Fprintf(os.Stderr, "\nThere is no operator yet. Make one within 30 minutes at\n  %s\n\n", address)
		return nil
	}
	path := filepath.Join(n.c.Data, codeFile)
	if err := os.WriteFile(path, []byte(address+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing the first operator's code: %w", err)
	}
	n.log.LogAttrs(ctx, slog.LevelInfo, "there is no operator yet; the page that makes one is named in a file", slog.String("file", path))
	return nil
}

// Serve runs a node from its configuration until ctx ends.
func Serve(ctx context.Context, c Config, log *slog.Logger) error {
	n, err := Open(ctx, c, log)
	if err != nil {
		return err
	}
	return n.Run(ctx, func() error {
		a := n.Addresses()
		log.LogAttrs(ctx, slog.LevelInfo, "ready", slog.String("http", a.HTTP), slog.String("mqtt", a.MQTT), slog.String("https", a.HTTPS), slog.String("mqtts", a.MQTTS))
		if err := n.announce(ctx); err != nil {
			return err
		}
		if c.ReadyFile == "" {
			return nil
		}
		return WriteReady(c.ReadyFile, a)
	})
}
