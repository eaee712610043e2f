package keyring_test

import (
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"lampworks/internal/infra/keyring"
	"lampworks/internal/infra/store"
	"lampworks/internal/infra/store/storetest"
)

func TestSignerIsMadeOnceAndReadableInItsPublicHalf(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data.key")
	s := storetest.Open(t)
	first, err := open(t, s, path).Signer(t.Context(), s, "audit")
	if err != nil {
		t.Fatal(err)
	}
	again, err := open(t, s, path).Signer(t.Context(), s, "audit")
	if err != nil || !again.Public().Equal(first.Public()) {
		t.Errorf("the second opening gives another key, %v", err)
	}
	var public ed25519.PublicKey
	err = s.Read(t.Context(), func(v *store.View) (err error) {
		public, err = keyring.SignerPublic(t.Context(), v, "audit")
		return err
	})
	if err != nil || !ed25519.Verify(public, []byte("m"), again.Sign([]byte("m"))) {
		t.Errorf("the public half does not check, %v", err)
	}
	err = s.Read(t.Context(), func(v *store.View) error {
		_, err := keyring.SignerPublic(t.Context(), v, "else")
		return err
	})
	if got := text(err); got != `there is no signing key "else"` {
		t.Errorf("another purpose gives %q", got)
	}
	marshalled, err := json.Marshal(first)
	if out := fmt.Sprintf("%v %+v %s %#v %x", first, first, first, first, first) + string(marshalled); err != nil ||
		strings.ReplaceAll(strings.ReplaceAll(out, "[secret]", ""), " ", "") != `""` {
		t.Errorf("it prints as %s, %v", out, err)
	}
}

func TestChangedSigningKeyIsRefused(t *testing.T) {
	s := storetest.Open(t)
	k := open(t, s, filepath.Join(t.TempDir(), "data.key"))
	for _, purpose := range []string{"a", "b", "c"} {
		if _, err := k.Signer(t.Context(), s, purpose); err != nil {
			t.Fatal(err)
		}
	}
	exec(t, s, `UPDATE keyring_signing SET public = ? WHERE purpose = 'a'`, make([]byte, 32))
	exec(t, s, `UPDATE keyring_signing SET sealed = (SELECT c.sealed FROM keyring_signing c WHERE c.purpose = 'c') WHERE purpose = 'b'`)
	for _, tt := range []struct{ purpose, want string }{
		{"a", "opening the key that signs for a: the public key of a was changed in the database"},
		{"b", "opening the key that signs for b: the sealed key does not open: it was changed, or sealed by another key or for another owner"},
		{"c", ""},
	} {
		_, err := k.Signer(t.Context(), s, tt.purpose)
		if got := text(err); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}
