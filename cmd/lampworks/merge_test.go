package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

// TestWhatIsNotNamedStays: a verb that changes a part of something sends the rest as it is.
func TestWhatIsNotNamedStays(t *testing.T) {
	file := filepath.Join(t.TempDir(), "form.json")
	const (
		form        = "/api/v1/organisations/x/verification/form"
		preferences = preferencesPath
	)
	for _, tt := range []struct {
		args             []string
		path, have, fill string
		want, match      string
	}{
		{[]string{"contact", "prefer", "--lang=en"}, preferences, `{"lang":"zh-CN","mail_notices":false}`, "", `{"lang":"en","mail_notices":false}`, ""},
		{[]string{"contact", "prefer", "--lang=both"}, preferences, `{"lang":"zh-CN","mail_notices":false}`, "", `{"mail_notices":false}`, ""},
		{[]string{"contact", "prefer", "--no-mail-notices"}, preferences, `{"lang":"zh-CN","mail_notices":true}`, "", `{"lang":"zh-CN","mail_notices":false}`, ""},
		{[]string{"contact", "prefer", "--mail-notices"}, preferences, `{"mail_notices":false}`, "", `{"mail_notices":true}`, ""},
		{
			[]string{"verify", "form", "x", "--fill=" + file},
			form, `{"version":7,"form":"person","values":{"name":"王","phone":"138****0000"}}`,
			`{"values":{"name":"李","email":"a@b.c"}}`, `{"form":"person","values":{"email":"a@b.c","name":"李","phone":"138****0000"}}`, `"7"`,
		},
		{
			[]string{"verify", "form", "x", "--fill=" + file},
			form, `{"version":7,"form":"person","values":{"name":"王"}}`,
			`{"values":{"name":""}}`, `{"form":"person","values":{"name":""}}`, `"7"`,
		},
		{
			[]string{"verify", "form", "x", "--revision=3", "--fill=" + file},
			form, `{"version":7,"form":"person","values":{"name":"王"}}`,
			`{"form":"organisation","values":{"title":"y"}}`, `{"form":"organisation","values":{"title":"y"}}`, `"3"`,
		},
	} {
		if err := os.WriteFile(file, []byte(tt.fill), 0o600); err != nil {
			t.Fatal(err)
		}
		var sent, match string
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != tt.path {
				t.Errorf("%q asks %s", tt.args, r.URL.Path)
			}
			if r.Method == http.MethodPut {
				b, _ := io.ReadAll(r.Body)
				sent, match = string(b), r.Header.Get("If-Match")
			}
			io.WriteString(w, tt.have)
		}))
		o := printed(t, func() error { return runVerb(newParser(t), append(tt.args, "--token=t", "--server="+srv.URL)) })
		srv.Close()
		if o.err != nil || sent != tt.want || match != tt.match {
			t.Errorf("%q: %v\n got %s at %s\nwant %s at %s", tt.args, o.err, sent, match, tt.want, tt.match)
		}
	}
}
