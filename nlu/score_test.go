package nlu

import (
	"bytes"
	"context"
	"os"
	"testing"
)

func testHome(t testing.TB) *Home {
	t.Helper()
	f, err := os.Open("testdata/genie-home.json")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	h, err := ReadHome(f)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDump(t *testing.T) {
	dir := os.Getenv("NLU_DUMP")
	if dir == "" {
		t.Skip()
	}
	h := testHome(t)
	for _, n := range []string{"ha-zh-CN", "ha-en", "ha-zh-TW", "ha-zh-HK"} {
		in, err := os.ReadFile("testdata/" + n + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := Lines(context.Background(), nil, "ha", "", bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+n+".out", out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []string{"genie-zh-CN", "genie-en", "genie-noise-zh-CN"} {
		in, err := os.ReadFile("testdata/" + n + ".jsonl")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := Lines(context.Background(), h, "genie", "", bytes.NewReader(in), &out); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(dir+"/"+n+".out", out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
