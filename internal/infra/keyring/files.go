package keyring

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// The root key file is one line: this word, a blank, 64 hexadecimal characters.
const rootHeader = "lampworks-root-key-1"

var errNoFile = errors.New("no root key file")

// readRoot reads and checks the root key file.
func readRoot(path string) (Key32, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Key32{}, errNoFile
	}
	if err != nil {
		return Key32{}, fmt.Errorf("reading the root key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key32{}, fmt.Errorf("reading the root key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return Key32{}, fmt.Errorf("the root key %s is not a regular file", path)
	}
	if m := info.Mode().Perm(); m&0o077 != 0 {
		return Key32{}, fmt.Errorf("the root key %s may be read by others (mode %04o); run chmod 600 %s", path, m, path)
	}
	b := make([]byte, 256)
	n, err := f.Read(b)
	if err != nil && n == 0 {
		return Key32{}, fmt.Errorf("the root key %s is empty", path)
	}
	fields := strings.Fields(string(b[:n]))
	clear(b)
	var k Key32
	if len(fields) != 2 || fields[0] != rootHeader || len(fields[1]) != 64 {
		return Key32{}, fmt.Errorf("the root key %s is damaged: want %q and 64 hexadecimal characters", path, rootHeader)
	}
	if _, err := hex.Decode(k.b[:], []byte(fields[1])); err != nil {
		return Key32{}, fmt.Errorf("the root key %s is damaged: want %q and 64 hexadecimal characters", path, rootHeader)
	}
	return k, nil
}

// makeRoot makes a root key and its file, which must not exist. The file is
// on disk, whole, before it has its name.
func makeRoot(path string) (Key32, error) {
	k := newKey()
	line := append(hex.AppendEncode([]byte(rootHeader+" "), k.b[:]), '\n')
	defer clear(line)
	temp := path + ".new"
	_ = os.Remove(temp) // left by a start that was killed; it never had the name of a key
	if err := writeSynced(temp, line); err != nil {
		return Key32{}, fmt.Errorf("making the root key: %w", err)
	}
	err := os.Link(temp, path) // unlike a rename it does not replace a key that came meanwhile
	_ = os.Remove(temp)
	if err == nil {
		err = syncDir(path)
	}
	if err != nil {
		return Key32{}, fmt.Errorf("making the root key: %w", err)
	}
	return k, nil
}

// fingerprint names a root key without telling it.
func fingerprint(k Key32) string {
	h := sha256.New()
	h.Write([]byte("lampworks root key fingerprint 1"))
	h.Write(k.b[:])
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// writeSynced makes the file at path, mode 0600, with content b on disk.
func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err2 := f.Close(); err == nil {
		err = err2
	}
	return err
}

// replaceSynced puts b in the place of the file at path; after a crash there is the old or the new content.
func replaceSynced(path string, b []byte) error {
	temp := path + ".new"
	_ = os.Remove(temp)
	if err := writeSynced(temp, b); err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return syncDir(path)
}

// syncDir makes the name of path durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	err = d.Sync()
	if err2 := d.Close(); err == nil {
		err = err2
	}
	return err
}

// trimmed gives the lines of a text file without blanks around it.
func trimmed(b []byte) []string {
	return strings.Split(string(bytes.TrimSpace(b)), "\n")
}
