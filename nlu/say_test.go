package nlu

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

func TestSay(t *testing.T) {
	name := os.Getenv("NLU_SAY")
	if name == "" {
		t.Skip()
	}
	x, err := Compile(*testHome(t))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		text := s.Text()
		if text == "" {
			continue
		}
		c := &Context{}
		if room, rest, ok := strings.Cut(text, "@"); ok {
			c.Room, text = room, rest
		}
		parts := strings.Split(text, ">")
		for _, p := range parts[:len(parts)-1] {
			c.Previous = x.Read(c, p).Memory
		}
		r := x.Read(c, parts[len(parts)-1])
		var acts []string
		for _, a := range lineOf("", r, 0).Actions {
			b, _ := json.Marshal(a)
			acts = append(acts, string(b))
		}
		fmt.Printf("%s\n      %s %s%s %s %v %s\n", s.Text(), r.Outcome, r.Reason.Code, r.Reason.Word, strings.Join(acts, " "), r.Candidates, r.Repaired)
	}
}
