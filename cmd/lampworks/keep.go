package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	cookieName    = "lw_session"
	defaultServer = "http://127.0.0.1:8080"
)

// kept is the file that keeps sessions: one a server, by its address. It is the user's alone.
type kept struct {
	Sessions map[string]keptSession `json:"sessions"`
}

type keptSession struct {
	Token string    `json:"token"`
	Login string    `json:"login"`
	Since time.Time `json:"since"`
}

// sign puts what proves who asks into a request: the token that was given, or the session that was kept for the server.
func (c *client) sign(req *http.Request) error {
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
		return nil
	}
	k, err := readKept()
	if err != nil {
		return err
	}
	s, ok := k.Sessions[c.address()]
	if !ok && c.open {
		return nil
	}
	if !ok {
		return fmt.Errorf(say("nobody is signed in at %s: run lampworks login --server %[1]s, or give an API token in LAMPWORKS_TOKEN",
			"尚未登录 %s：请运行 lampworks login --server %[1]s，或用 LAMPWORKS_TOKEN 给出 API 令牌"), c.address())
	}
	req.AddCookie(&http.Cookie{Name: cookieName, Value: s.Token}) //nolint:gosec // of a request, which has no such attributes
	return nil
}

// address is the server's address as sessions are kept by.
func (s *server) address() string {
	u, err := url.Parse(s.Server)
	if err != nil || u.Host == "" {
		return strings.TrimRight(s.Server, "/")
	}
	return strings.ToLower(u.Scheme+"://"+u.Host) + strings.TrimRight(u.Path, "/")
}

// keep keeps the session that an answer opens in the place of the one before.
func (s *server) keep(res *http.Response, login string) error {
	for _, c := range res.Cookies() {
		if c.Name == cookieName && c.Value != "" {
			return changeKept(func(k *kept) {
				k.Sessions[s.address()] = keptSession{c.Value, login, time.Now().UTC().Truncate(time.Second)}
			})
		}
	}
	return errors.New("the server answered without a session")
}

// forget forgets the session of the server.
func (s *server) forget() error {
	return changeKept(func(k *kept) { delete(k.Sessions, s.address()) })
}

// keptPath is where sessions are kept.
func keptPath() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("finding the folder for the session: %w", err)
	}
	return filepath.Join(dir, "lampworks", "session.json"), nil
}

func readKept() (*kept, error) {
	k := &kept{Sessions: make(map[string]keptSession)}
	path, err := keptPath()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the session: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading the session: %w", err)
	}
	if open := info.Mode().Perm() & 0o077; open != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s is open to others (%04o): it must be yours alone, chmod 600; if somebody may have read it, run lampworks logout", path, info.Mode().Perm())
	}
	if err := json.NewDecoder(f).Decode(k); err != nil || k.Sessions == nil {
		return nil, fmt.Errorf("%s cannot be read; remove it and sign in again", path) // what stands in it is told to nobody
	}
	return k, nil
}

// changeKept writes the file anew beside its place and moves it there: it is whole, before and after.
func changeKept(change func(*kept)) error {
	k, err := readKept()
	if err != nil {
		return err
	}
	change(k)
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	path, err := keptPath()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "session-*") // 0600
	if err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("keeping the session: %w", err), os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("keeping the session: %w", err)
	}
	return nil
}
