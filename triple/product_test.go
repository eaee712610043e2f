package triple

import "testing"

// TestProductSecret pins the secret of a product, which is built into devices: it must never come out otherwise.
func TestProductSecret(t *testing.T) {
	var key [32]byte
	for i := range key {
		key[i] = byte(i)
	}
	const id = "0192f0c4-7c1e-7a3b-8a51-6c0d2f9b4e11"
	first, second := DeriveProduct(key, id, 1).Reveal(), DeriveProduct(key, id, 2).Reveal()
	if first != "RGVaTw3SIXFo0EPv" || second != "GW6WPgMsfK9l1W28" {
		t.Errorf("got %q and %q", first, second)
	}
}
