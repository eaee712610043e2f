package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"lampworks/internal/partner/account"
)

type totpCommand struct {
	Secret string `help:"Secret of the second factor, base32. Better on standard input than on the command line, where others can read it." placeholder:"SECRET"`
}

// Run prints the code that an authenticator with the secret would show now.
func (t *totpCommand) Run() error {
	secret := t.Secret
	if secret == "" {
		b, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<10))
		if err != nil {
			return fmt.Errorf("reading the secret: %w", err)
		}
		secret = strings.TrimSpace(string(b))
	}
	code, err := account.TOTP(secret, time.Now())
	if err != nil {
		return err
	}
	fmt.Println(code.Reveal())
	return nil
}
