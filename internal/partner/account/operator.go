package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/store"
)

const (
	codeLife     = 30 * time.Minute
	maxBootstrap = 64 << 10 // bytes of a bootstrap file
)

// setup holds the hash of the one-time code, in memory only.
type setup struct {
	mu    sync.Mutex // guards the fields below
	hash  [sha256.Size]byte
	until time.Time // zero: there is no code
}

// SetupNeeded says whether there is no operator yet.
func (s *Service) SetupNeeded(ctx context.Context) (bool, error) {
	var found bool
	err := s.store.Read(ctx, func(v *store.View) error {
		var err error
		found, err = hasOperator(ctx, v)
		return err
	})
	return !found, err
}

func hasOperator(ctx context.Context, q store.Querier) (bool, error) {
	found, err := exists(ctx, q, "SELECT 1 FROM account_user WHERE platform_role <> ''")
	if err != nil {
		return false, fmt.Errorf("looking for an operator: %w", err)
	}
	return found, nil
}

// SetupCode draws the code that makes the first operator, or says that there is one already. The code holds for 30
// minutes, once, in this process; drawing another ends it. The caller shows it to whoever started the program.
func (s *Service) SetupCode(ctx context.Context) (code Code, needed bool, err error) {
	needed, err = s.SetupNeeded(ctx)
	if err != nil || !needed {
		return Code{}, false, err
	}
	code = Code{hide(letters.EncodeToString(random(16)))}
	s.setup.mu.Lock()
	defer s.setup.mu.Unlock()
	s.setup.hash, s.setup.until = digest(code.Reveal()), s.now().Add(codeLife)
	return code, true, nil
}

// Setup makes the first operator for whoever has the code. The code is used up by success only.
func (s *Service) Setup(ctx context.Context, code string, n NewUser, from string) (User, error) {
	if !s.knows(code) {
		f := fault.Unauthenticated("the code is wrong, used or older than 30 minutes")
		f.Fix = "start the program again for a new code"
		return User{}, f
	}
	u, err := s.addUser(ctx, n, access.Admin, func(tx *store.Tx, u User) (access.Actor, error) {
		who := access.Actor{Kind: access.KindUser, ID: u.ID, User: u.ID, Login: u.Login, From: from}
		return who, first(ctx, tx)
	})
	if err != nil {
		return User{}, err
	}
	s.setup.mu.Lock()
	defer s.setup.mu.Unlock()
	s.setup.until = time.Time{}
	return u, nil
}

// first refuses within the transaction if somebody was faster.
func first(ctx context.Context, tx *store.Tx) error {
	found, err := hasOperator(ctx, tx)
	if err == nil && found {
		return fault.Conflict("operator", "there is an operator already")
	}
	return err
}

func (s *Service) knows(code string) bool {
	code = strings.ToLower(strings.TrimSpace(code))
	if len(code) != codeChars {
		return false
	}
	hash := digest(code)
	s.setup.mu.Lock()
	defer s.setup.mu.Unlock()
	return s.now().Before(s.setup.until) && subtle.ConstantTimeCompare(hash[:], s.setup.hash[:]) == 1
}

// Bootstrap makes the first operator from a file, {"login","password","email","totp_secret"}, if there is none yet, and says
// whether it did. With a TOTP secret (base32) the second factor is enrolled, for programs that compute its codes. With an operator, the file is not looked at. It must be readable by its owner only; it is not changed, and nothing in
// it is repeated in an error.
func (s *Service) Bootstrap(ctx context.Context, path string) (made bool, err error) {
	needed, err := s.SetupNeeded(ctx)
	if err != nil || !needed {
		return false, err
	}
	n, secret, err := readBootstrap(path)
	if err != nil {
		return false, fmt.Errorf("reading the bootstrap file %s: %w", path, err)
	}
	_, err = s.addUser(ctx, n, access.Admin, func(tx *store.Tx, u User) (access.Actor, error) {
		if err := first(ctx, tx); err != nil {
			return access.Actor{}, err
		}
		return access.System("bootstrap", ""), s.giveFactor(ctx, tx, u.ID, secret)
	})
	if fault.Is(err, fault.Clash) {
		return false, nil // another start was faster
	}
	if f := fault.Of(err); f != nil {
		return false, fmt.Errorf("reading the bootstrap file %s: %s does not follow the rule: %s", path, f.Where, f.Rule)
	}
	return err == nil, err
}

// giveFactor puts a secret that was brought along in force; an empty one is none.
func (s *Service) giveFactor(ctx context.Context, tx *store.Tx, user, secret string) error {
	if secret == "" {
		return nil
	}
	secret, err := checkSecret(secret)
	if err != nil {
		return err
	}
	now := s.now().UnixMilli()
	return s.putFactor(ctx, tx, user, secret, now, now)
}

func readBootstrap(path string) (NewUser, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return NewUser{}, "", errors.Unwrap(err) // the path is named by the caller
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return NewUser{}, "", fmt.Errorf("reading its mode: %w", err)
	}
	if !info.Mode().IsRegular() {
		return NewUser{}, "", errors.New("it is not a regular file")
	}
	if mode := info.Mode().Perm(); mode&^0o600 != 0 {
		return NewUser{}, "", fmt.Errorf("its mode is %04o and others may read the password in it: chmod 600 it", mode)
	}
	b, err := io.ReadAll(io.LimitReader(f, maxBootstrap+1))
	if err != nil {
		return NewUser{}, "", fmt.Errorf("reading its text: %w", err)
	}
	if len(b) > maxBootstrap {
		return NewUser{}, "", fmt.Errorf("it is longer than %d bytes", maxBootstrap)
	}
	return decodeBootstrap(b)
}

func decodeBootstrap(b []byte) (n NewUser, secret string, err error) {
	const want = `it is not one JSON object with "login", "password", "email" and "totp_secret"`
	var in struct {
		Login    string   `json:"login"`
		Password Password `json:"password"`
		Email    string   `json:"email"`
		TOTP     Code     `json:"totp_secret"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return NewUser{}, "", fmt.Errorf(want+" (at byte %d)", d.InputOffset()) // the decoder's own error may quote the password
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return NewUser{}, "", fmt.Errorf(want+" (more follows at byte %d)", d.InputOffset())
	}
	return NewUser{Login: in.Login, Password: in.Password, Email: in.Email}, in.TOTP.Reveal(), nil
}
