package account

import "testing"

func BenchmarkAuthenticate(b *testing.B) {
	w := newTown(b)
	_, token := w.token(b, w.owner)
	b.Run("believed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Authenticate(b.Context(), token, home); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.believed.forget()
			if _, err := w.Authenticate(b.Context(), token, home); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("malformed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := w.Authenticate(b.Context(), token[:60], home); err == nil {
				b.Fatal("a cut token is believed")
			}
		}
	})
}

func BenchmarkLogin(b *testing.B) {
	w := newTown(b)
	b.ReportAllocs()
	for b.Loop() {
		w.login(b, "ann")
	}
}
