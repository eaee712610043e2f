package keyring

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"lampworks/internal/infra/fault"
)

// marks are numbers that never fall. They live in a text file of their own,
// "name value" a line under a first line that names the format, so that a restore
// of older data cannot take them back.
type marks struct {
	mu     sync.Mutex // guards values and the file
	path   string
	values map[string]uint64
}

const marksHeader = "lampworks-high-water-1"

// open reads the file, if there is one.
func (m *marks) open(path string) error {
	m.path, m.values = path, make(map[string]uint64)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the high-water marks: %w", err)
	}
	lines := trimmed(b)
	if lines[0] != marksHeader {
		return fmt.Errorf("the high-water marks %s are damaged: the first line is not %q", path, marksHeader)
	}
	for i, line := range lines[1:] {
		name, number, _ := strings.Cut(line, " ")
		value, err := strconv.ParseUint(number, 10, 64)
		if err != nil || !validName(name) {
			return fmt.Errorf("the high-water marks %s are damaged: line %d is not a name and a number", path, i+2)
		}
		m.values[name] = value
	}
	return nil
}

// HighWater gives the mark called name, 0 if it was never set.
func (k *Keyring) HighWater(name string) uint64 {
	k.marks.mu.Lock()
	defer k.marks.mu.Unlock()
	return k.marks.values[name]
}

// HighWaters gives all marks.
func (k *Keyring) HighWaters() map[string]uint64 {
	k.marks.mu.Lock()
	defer k.marks.mu.Unlock()
	return maps.Clone(k.marks.values)
}

// SetHighWater raises the mark called name (visible ASCII without blanks, 1 to 100
// characters) to value. When it returns nil the mark is on disk. A value that is
// not higher changes nothing: a mark never falls.
func (k *Keyring) SetHighWater(name string, value uint64) error {
	if !validName(name) {
		return fmt.Errorf("the high-water mark %q needs a name of 1 to 100 visible characters", name)
	}
	m := &k.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	if value <= m.values[name] {
		return nil
	}
	next := maps.Clone(m.values)
	next[name] = value
	b := []byte(marksHeader + "\n")
	for _, n := range slices.Sorted(maps.Keys(next)) {
		b = fmt.Appendf(b, "%s %d\n", n, next[n])
	}
	if err := replaceSynced(m.path, b); err != nil {
		return fmt.Errorf("writing the high-water mark %s: %w", name, full(err))
	}
	m.values = next
	return nil
}

// full says what a full disk means.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.Unavailable("the disk of the root key is full", err)
	}
	return err
}

func validName(name string) bool {
	return name != "" && len(name) <= 100 && !strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r > '~' })
}
