package keyring_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func open(t *testing.T, s *store.Store, path string) *keyring.Keyring {
	t.Helper()
	k, err := keyring.Open(t.Context(), s, path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func newProduct(t *testing.T, s *store.Store, k *keyring.Keyring, organisation, product string) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		return k.NewProductKey(t.Context(), tx, organisation, product)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func productKey(t *testing.T, s *store.Store, k *keyring.Keyring, product string) (key [32]byte, err error) {
	t.Helper()
	err = s.Read(t.Context(), func(v *store.View) error {
		got, err := k.ProductKey(t.Context(), v, product)
		key = got.Reveal()
		return err
	})
	return key, err
}

func exec(t *testing.T, s *store.Store, query string, args ...any) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), query, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRootKeyIsMadeOnceAndKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	k := open(t, s, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Fatalf("the key file is %v, %v", info, err)
	}
	newProduct(t, s, k, "org", "p1")
	want, err := productKey(t, s, k, "p1")
	if err != nil || want == [32]byte{} {
		t.Fatalf("the key of a new product: %v", err)
	}
	again := open(t, s, path)
	if got, err := productKey(t, s, again, "p1"); got != want || err != nil {
		t.Errorf("after a restart the key is another one: %v", err)
	}
	if k.Fingerprint() != again.Fingerprint() || len(k.Fingerprint()) != 16 {
		t.Errorf("the fingerprints are %s and %s", k.Fingerprint(), again.Fingerprint())
	}
	if files, _ := filepath.Glob(filepath.Dir(path) + "/*"); len(files) != 1 {
		t.Errorf("files are %v", files)
	}
}

func TestStartIsRefusedWithoutTheRightKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "data.key")
	s := storetest.Open(t)
	print := open(t, s, path).Fingerprint()
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, storetest.Open(t), filepath.Join(dir, "other.key")).Fingerprint()
	wrong, err := os.ReadFile(filepath.Join(dir, "other.key"))
	if err != nil {
		t.Fatal(err)
	}
	damaged := "the root key " + path + ` is damaged: want "lampworks-root-key-1" and 64 hexadecimal characters`
	for _, tt := range []struct {
		name string
		file []byte
		mode os.FileMode
		want string
	}{
		{"missing", nil, 0, "the root key " + path + " is missing; these data need the one with fingerprint " + print +
			": put it there, or name its place with --root-key"},
		{"another", wrong, 0o600, "the root key " + path + " has the fingerprint " + other +
			"; these data need the one with fingerprint " + print},
		{"readable by the world", right, 0o604, "the root key " + path + " may be read by others (mode 0604); run chmod 600 " + path},
		{"readable by the group", right, 0o640, "the root key " + path + " may be read by others (mode 0640); run chmod 600 " + path},
		{"empty", []byte{}, 0o600, "the root key " + path + " is empty"},
		{"short", right[:50], 0o600, damaged},
		{"longer", append(append([]byte{}, right[:len(right)-1]...), "00\n"...), 0o600, damaged},
		{"not hexadecimal", []byte("lampworks-root-key-1 " + strings.Repeat("g", 64)), 0o600, damaged},
		{"right again", right, 0o400, ""},
	} {
		_ = os.Remove(path)
		if tt.file != nil {
			if err := os.WriteFile(path, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
		}
		_, err := keyring.Open(t.Context(), s, path)
		if got := text(err); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
		if _, err := os.Stat(path); tt.file == nil && err == nil {
			t.Error("a new key was made for data that know one")
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Open(t.Context(), s, path); text(err) != "the root key "+path+" is not a regular file" {
		t.Errorf("a directory gives %v", err)
	}
}

func TestStartThatWasKilledAfterMakingTheKeyGoesOn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	first := open(t, storetest.Open(t), path) // its database is lost
	if err := os.WriteFile(path+".new", []byte("half a ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	second := open(t, storetest.Open(t), path)
	if first.Fingerprint() != second.Fingerprint() {
		t.Error("a key that was there was replaced")
	}
	third := filepath.Join(t.TempDir(), "data.key")
	if err := os.WriteFile(third+".new", []byte("half a ke"), 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, storetest.Open(t), third)
}

func TestWrappedKeyOpensOnlyInItsOwnRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	k := open(t, s, path)
	for _, p := range []struct{ organisation, product string }{{"org1", "p1"}, {"org1", "p2"}, {"org2", "p3"}} {
		newProduct(t, s, k, p.organisation, p.product)
	}
	for _, tt := range []struct{ name, query, product, want string }{
		{
			"moved to another product", `UPDATE keyring_product SET wrapped = (SELECT wrapped FROM keyring_product WHERE product = 'p2') WHERE product = 'p1'`,
			"p1", "opening the key of product p1: the sealed key does not open: it was changed, or sealed by another key or for another owner",
		},
		{
			"moved to another organisation", `UPDATE keyring_product SET organisation = 'org2' WHERE product = 'p2'`,
			"p2", "opening the key of product p2: the sealed key does not open: it was changed, or sealed by another key or for another owner",
		},
		{
			"tenant keys exchanged", `UPDATE keyring_tenant SET wrapped = (SELECT wrapped FROM keyring_tenant WHERE organisation = 'org1') WHERE organisation = 'org2'`,
			"p3", "opening the key of organisation org2: the sealed key does not open: it was changed, or sealed by another key or for another owner",
		},
		{
			"cut", `UPDATE keyring_product SET wrapped = x'01', organisation = 'org1' WHERE product = 'p2'`,
			"p2", "opening the key of product p2: the sealed key does not open: it was changed, or sealed by another key or for another owner",
		},
		{"none", `DELETE FROM keyring_product WHERE product = 'p1'`, "p1", `there is no product key "p1"`},
	} {
		exec(t, s, tt.query)
		_, err := productKey(t, s, open(t, s, path), tt.product)
		if got := text(err); got != tt.want {
			t.Errorf("%s:\n got %q\nwant %q", tt.name, got, tt.want)
		}
	}
	if _, err := productKey(t, s, k, "p9"); !fault.Is(err, fault.Missing) {
		t.Errorf("an unknown product gives %v", err)
	}
}

func TestTransferKeepsTheKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	k := open(t, s, path)
	newProduct(t, s, k, "org1", "p1")
	want, err := productKey(t, s, k, "p1")
	if err != nil {
		t.Fatal(err)
	}
	err = s.Write(t.Context(), func(tx *store.Tx) error { return k.Transfer(t.Context(), tx, "p1", "org2") })
	if err != nil {
		t.Fatal(err)
	}
	exec(t, s, `DELETE FROM keyring_tenant WHERE organisation = 'org1'`)
	if got, err := productKey(t, s, open(t, s, path), "p1"); got != want || err != nil {
		t.Errorf("after the transfer the key is another one: %v", err)
	}
}

func TestProductHasOneKeyForEver(t *testing.T) {
	s := storetest.Open(t)
	k := open(t, s, filepath.Join(t.TempDir(), "data.key"))
	newProduct(t, s, k, "org", "p1")
	err := s.Write(t.Context(), func(tx *store.Tx) error { return k.NewProductKey(t.Context(), tx, "org", "p1") })
	if !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("a second key gives %v", err)
	}
}

func TestKeyOfARefusedTransactionIsNotRemembered(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	k := open(t, s, path)
	_ = s.Write(t.Context(), func(tx *store.Tx) error {
		if err := k.NewProductKey(t.Context(), tx, "org", "p1"); err != nil {
			t.Error(err)
		}
		if _, err := k.ProductKey(t.Context(), tx, "p1"); err != nil {
			t.Errorf("its own transaction does not see the key: %v", err)
		}
		return errors.New("refused")
	})
	newProduct(t, s, k, "org", "p1")
	a, _ := productKey(t, s, k, "p1")
	b, _ := productKey(t, s, open(t, s, path), "p1")
	if a != b {
		t.Error("the keyring gives a key that was rolled back")
	}
}

func TestKeyCannotBePrinted(t *testing.T) {
	s := storetest.Open(t)
	k := open(t, s, filepath.Join(t.TempDir(), "data.key"))
	newProduct(t, s, k, "org", "p1")
	var key keyring.Key32
	_ = s.Read(t.Context(), func(v *store.View) (err error) {
		key, err = k.ProductKey(t.Context(), v, "p1")
		return err
	})
	secret := key.Reveal()
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		fmt.Fprintf(&b, verb+" "+verb+" ", key, struct{ K keyring.Key32 }{key})
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "key", key)
	j, err := json.Marshal(map[string]any{"key": key, "list": []keyring.Key32{key}})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(j)
	for _, form := range []string{fmt.Sprintf("%x", secret[:4]), fmt.Sprint(secret[0], " ", secret[1], " ", secret[2]), string(secret[:4])} {
		if strings.Contains(b.String(), form) {
			t.Fatal("the key was printed")
		}
	}
	if got, want := b.String()[:17], "[secret] {[secret"; got != want {
		t.Errorf("printed is %q, want %q", got, want)
	}
}

func TestHighWaterNeverFallsAndSurvives(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	k := open(t, s, path)
	for _, tt := range []struct{ set, want uint64 }{{5, 5}, {3, 5}, {5, 5}, {1<<64 - 1, 1<<64 - 1}} {
		if err := k.SetHighWater("mac/020000", tt.set); err != nil {
			t.Fatal(err)
		}
		if got := k.HighWater("mac/020000"); got != tt.want {
			t.Errorf("after %d the mark is %d, want %d", tt.set, got, tt.want)
		}
	}
	if err := k.SetHighWater("generation", 2); err != nil {
		t.Fatal(err)
	}
	b, _ := os.ReadFile(path + ".marks")
	if got, want := string(b), "lampworks-high-water-1\ngeneration 2\nmac/020000 18446744073709551615\n"; got != want {
		t.Errorf("the file is %q, want %q", got, want)
	}
	again := open(t, s, path)
	if again.HighWater("generation") != 2 || again.HighWater("none") != 0 || len(again.HighWaters()) != 2 {
		t.Errorf("after a restart the marks are %v", again.HighWaters())
	}
	for _, name := range []string{"", "a b", "a\n", strings.Repeat("a", 101)} {
		if err := k.SetHighWater(name, 1); err == nil {
			t.Errorf("the name %q is accepted", name)
		}
	}
}

func TestDamagedMarksStopTheStart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	open(t, s, path)
	for _, tt := range []struct{ file, want string }{
		{"", "the high-water marks " + path + `.marks are damaged: the first line is not "lampworks-high-water-1"`},
		{"lampworks-high-water-1\nmac x\n", "the high-water marks " + path + ".marks are damaged: line 2 is not a name and a number"},
		{"lampworks-high-water-1\nmac 1\n-1\n", "the high-water marks " + path + ".marks are damaged: line 3 is not a name and a number"},
		{"lampworks-high-water-1\n", ""},
	} {
		if err := os.WriteFile(path+".marks", []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := keyring.Open(t.Context(), s, path)
		if got := text(err); got != tt.want {
			t.Errorf("%q:\n got %q\nwant %q", tt.file, got, tt.want)
		}
	}
}

func TestHighWaterThatCannotBeWrittenIsNotSet(t *testing.T) {
	dir := t.TempDir()
	k := open(t, storetest.Open(t), filepath.Join(dir, "data.key"))
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := k.SetHighWater("mac", 7); err == nil || k.HighWater("mac") != 0 {
		t.Errorf("without its directory the mark is %d, %v", k.HighWater("mac"), err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s := storetest.Open(t)
	k := open(t, s, filepath.Join(t.TempDir(), "data.key"))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			ctx := context.Background()
			p := fmt.Sprintf("p%d", i)
			err := s.Write(ctx, func(tx *store.Tx) error { return k.NewProductKey(ctx, tx, "org", p) })
			if err != nil {
				t.Error(err)
			}
			for range 20 {
				if err := s.Read(ctx, func(v *store.View) error { _, err := k.ProductKey(ctx, v, p); return err }); err != nil {
					t.Error(err)
				}
			}
			if err := k.SetHighWater("mac", uint64(i)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if k.HighWater("mac") != 7 {
		t.Errorf("the mark is %d", k.HighWater("mac"))
	}
}

func BenchmarkProductKey(b *testing.B) {
	s := storetest.Open(b)
	k, err := keyring.Open(b.Context(), s, filepath.Join(b.TempDir(), "data.key"))
	if err != nil {
		b.Fatal(err)
	}
	err = s.Write(b.Context(), func(tx *store.Tx) error { return k.NewProductKey(b.Context(), tx, "org", "p") })
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	_ = s.Read(b.Context(), func(v *store.View) error {
		for b.Loop() {
			if _, err := k.ProductKey(b.Context(), v, "p"); err != nil {
				b.Fatal(err)
			}
		}
		return nil
	})
}
