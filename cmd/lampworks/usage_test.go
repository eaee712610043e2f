package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongUsage: what cannot be meant exits with 2, and the server is not asked.
func TestWrongUsage(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	t.Cleanup(srv.Close)
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	t.Setenv("LAMPWORKS_SERVER", srv.URL)
	t.Setenv("LAMPWORKS_TOKEN", "t")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("junk.txt", []byte("\njunk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ args, want string }{
		{"order download ORDER", "--reason"},
		{"device --triple 10009,MAC", "--triple: "},
		{"device --triple 10009,ACDE48000001,00112233445566778899aabbccddeeff --child @nofile", "--child: "},
		{"device --triple 10009,ACDE48000001,00112233445566778899aabbccddeeff --child @junk.txt", "--child @junk.txt, line 2: "},
		{"enforce impose suspend ID --cause x --reason x", "want KIND:ID"},
		{"fleet command D power", "<params> power: want JSON"},
		{"fleet list --product xyz", "--product xyz: want an id"},
		{"order open ORDER --window 0s --reason x", "--window 0s: want whole minutes"},
		{"order revoke ORDER --download ID --reason x", "one of them, not both"},
		{"product show ''", "<product> is empty"},
	} {
		args := strings.Fields(tt.args)
		for i := range args {
			args[i] = strings.Trim(args[i], "'")
		}
		code, told := ran(t, args)
		if code != exitUsage || !strings.Contains(told, tt.want) || asked != 0 {
			t.Errorf("%s: exit %d, asked %d, %q; want %q", tt.args, code, asked, told, tt.want)
		}
	}
	if code, _ := ran(t, []string{"order", "download", "ORDER", "--reason", "x", "--out", "none/m.xlsx"}); code != 1 || asked != 0 {
		t.Errorf("a file that cannot be made: exit %d, asked %d", code, asked)
	}
	srv.Close()
	if code, told := ran(t, []string{"product", "show", "x"}); code != 1 || !strings.Contains(told, "nothing answers at "+srv.URL) {
		t.Errorf("no server: exit %d, %q", code, told)
	}
}

// ran is a whole run of the program: its exit code, and what it writes to standard error.
func ran(t *testing.T, args []string) (int, string) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "err"))
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	code := run(args)
	os.Stderr = before
	file.Close()
	told, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return code, string(told)
}
