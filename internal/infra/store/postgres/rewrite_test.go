package postgres

import "testing"

func TestRewrite(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"SELECT 1", "SELECT 1"},
		{"SELECT a FROM b WHERE c = ? AND (? = '' OR d = ?)", "SELECT a FROM b WHERE c = $1 AND ($2 = '' OR d = $3)"},
		{"SELECT '?', 'it''s ?', \"odd ?\", ?", "SELECT '?', 'it''s ?', \"odd ?\", $1"},
		{"SELECT 1 -- why ?\n, ?", "SELECT 1 -- why ?\n, $1"},
		{"SELECT /* ? */ ?", "SELECT /* ? */ $1"},
		{"SELECT ? -- ?", "SELECT $1 -- ?"},
		{"SELECT 'open ?", "SELECT 'open ?"},
		{"DO $$ BEGIN PERFORM '?'; END $$; SELECT ?", "DO $$ BEGIN PERFORM '?'; END $$; SELECT $1"},
		{"DO $x$ ? $$ ? $x$ ?", "DO $x$ ? $$ ? $x$ $1"},
		{"SELECT a FROM b INDEXED BY b_a WHERE a > ?", "SELECT a FROM b  WHERE a > $1"},
		{"SELECT 'INDEXED BY b_a', x'00fF', hex'1', max", `SELECT 'INDEXED BY b_a', '\x00fF'::bytea, hex'1', max`},
		{"SELECT '问？', ?", "SELECT '问？', $1"},
	} {
		if got := rewrite(tt.in); got != tt.want {
			t.Errorf("rewrite(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
	}
}
