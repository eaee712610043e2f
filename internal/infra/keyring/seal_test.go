package keyring_test

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"lampworks/internal/infra/fault"
	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func openRing(t *testing.T) (*keyring.Keyring, *store.Store) {
	t.Helper()
	s := storetest.Open(t)
	k, err := keyring.Open(t.Context(), s, filepath.Join(t.TempDir(), "root.key"))
	if err != nil {
		t.Fatal(err)
	}
	return k, s
}

func seal(t *testing.T, k *keyring.Keyring, s *store.Store, organisation, purpose, identity, plain string) (sealed []byte) {
	t.Helper()
	err := s.Write(t.Context(), func(tx *store.Tx) (err error) {
		sealed, err = k.Seal(t.Context(), tx, organisation, purpose, identity, []byte(plain))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func unseal(ctx context.Context, k *keyring.Keyring, s *store.Store, organisation, purpose, identity string, sealed []byte) (plain string, err error) {
	err = s.Read(ctx, func(v *store.View) error {
		b, err := k.Unseal(ctx, v, organisation, purpose, identity, sealed)
		plain = string(b)
		return err
	})
	return plain, err
}

func TestASealedValueOpensInItsOwnPlaceOnly(t *testing.T) {
	k, s := openRing(t)
	seal(t, k, s, "o2", "x", "y", "another organisation has a key, too")
	for _, organisation := range []string{"o1", ""} {
		sealed := seal(t, k, s, organisation, "id number", "row 1", "11010519491231002X")
		if bytes.Contains(sealed, []byte("1949")) {
			t.Fatal("it is not sealed")
		}
		changed := bytes.Clone(sealed)
		changed[len(changed)-1] ^= 1
		const closed = "the sealed key does not open: it was changed, or sealed by another key or for another owner"
		for _, tt := range []struct {
			name, organisation, purpose, identity string
			sealed                                []byte
			want                                  string
		}{
			{"its place", organisation, "id number", "row 1", sealed, "11010519491231002X"},
			{"another row", organisation, "id number", "row 2", sealed, closed},
			{"another purpose", organisation, "phone", "row 1", sealed, closed},
			{"another organisation", "o2", "id number", "row 1", sealed, closed},
			{"parts moved", organisation, "id numberrow", " 1", sealed, closed},
			{"a changed byte", organisation, "id number", "row 1", changed, closed},
			{"nothing", organisation, "id number", "row 1", nil, closed},
		} {
			got, err := unseal(t.Context(), k, s, tt.organisation, tt.purpose, tt.identity, tt.sealed)
			if err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("of %q, %s:\n got %s\nwant %s", organisation, tt.name, got, tt.want)
			}
		}
	}
}

func TestAForgottenKeyOpensNothing(t *testing.T) {
	k, s := openRing(t)
	ctx := t.Context()
	sealed := seal(t, k, s, "o1", "paper", "1", "licence")
	kept := seal(t, k, s, "o2", "paper", "1", "licence")
	err := s.Write(ctx, func(tx *store.Tx) error {
		for i := range 5 {
			if err := k.NewProductKey(ctx, tx, "o1", fmt.Sprintf("p%d", i)); err != nil {
				return err
			}
		}
		return k.NewProductKey(ctx, tx, "o2", "theirs")
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for more := true; more; calls++ {
		err := s.Write(ctx, func(tx *store.Tx) (err error) {
			more, err = k.Erase(ctx, tx, "organisation", "o1", 2)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if calls != 3 {
		t.Errorf("five keys by two at a time took %d calls", calls)
	}
	if _, err := unseal(ctx, k, s, "o1", "paper", "1", sealed); !fault.Is(err, fault.Lapsed) {
		t.Errorf("a value of the forgotten key: %v", err)
	}
	if got, err := unseal(ctx, k, s, "o2", "paper", "1", kept); got != "licence" {
		t.Errorf("a value of another key: %q, %v", got, err)
	}
	err = s.Read(ctx, func(v *store.View) error {
		for organisation, want := range map[string]int64{"o1": 0, "o2": 2} {
			if n, err := k.Holds(ctx, v, "organisation", organisation); n != want || err != nil {
				t.Errorf("%s holds %d keys, %v, want %d", organisation, n, err, want)
			}
		}
		if _, err := k.ProductKey(ctx, v, "p0"); !fault.Is(err, fault.Missing) {
			t.Errorf("the key of an erased product: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDataKeysAreTheirOwn(t *testing.T) {
	k, s := openRing(t)
	key := func(organisation, purpose, identity string) [32]byte {
		t.Helper()
		key, err := k.DataKey(t.Context(), s, organisation, purpose, identity)
		if err != nil {
			t.Fatal(err)
		}
		return key.Reveal()
	}
	seen := make(map[[32]byte]string)
	for _, of := range [][3]string{{"o1", "blob", "1"}, {"o1", "blob", "2"}, {"o2", "blob", "1"}, {"", "blob", "1"}, {"o1", "blob1", ""}, {"o1", "icon", "1"}} {
		a := key(of[0], of[1], of[2])
		if b := key(of[0], of[1], of[2]); a != b {
			t.Errorf("%v gives two keys", of)
		}
		if other := seen[a]; other != "" {
			t.Errorf("%v and %s share a key", of, other)
		}
		seen[a] = fmt.Sprint(of)
	}
}
