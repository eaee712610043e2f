package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"lampworks/internal/demo"
	"lampworks/internal/household/voice"
)

type sayCommand struct {
	client
	Home     string `help:"Id of the home. Default: the only one there is." placeholder:"ID"`
	Speaker  string `help:"Which speaker is spoken to: sentences to one speaker are one conversation." placeholder:"NAME"`
	Room     string `help:"Id of the room the speaker stands in." placeholder:"ID"`
	Lang     string `help:"zh-CN or en. Default: recognised from the sentence." placeholder:"LANG"`
	JSON     bool   `name:"json" help:"Print the whole answer as JSON."`
	Sound    string `help:"WAV file with the sentence, in the place of its words." type:"existingfile" placeholder:"FILE"`
	Sentence string `arg:"" optional:"" help:"What is said, as 打开客厅的灯."`
}

func (s *sayCommand) Help() string {
	return "Exits 0 when the sentence was carried out, 3 when the speaker asks back, 4 when it refuses, 1 on errors."
}

func (s *sayCommand) Run(ctx context.Context) error {
	if (s.Sentence == "") == (s.Sound == "") {
		return usageError{errorText(say("give the sentence, or --sound", "请给出句子，或 --sound"))}
	}
	home, err := s.home(ctx)
	if err != nil {
		return err
	}
	raw, err := s.ask(ctx, home)
	if err != nil {
		return err
	}
	var a voice.Answer
	if err := json.Unmarshal(raw, &a); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	if s.JSON {
		fmt.Println(string(raw))
	} else {
		rooms, err := s.rooms(ctx, home, a.Lang)
		if err != nil {
			return err
		}
		demo.Print(os.Stdout, &a, rooms)
	}
	switch a.Outcome {
	case "act":
		return nil
	case "clarify":
		return exitError(exitAsks)
	case "reject", "chat":
		return exitError(exitRefuse)
	}
	return exitError(1)
}

// ask sends the sentence, or its sound, and returns the answer.
func (s *sayCommand) ask(ctx context.Context, home string) (raw json.RawMessage, err error) {
	if s.Sound != "" {
		return s.record(ctx, home)
	}
	in := map[string]string{"text": s.Sentence}
	for key, v := range map[string]string{"speaker": s.Speaker, "room": s.Room, "lang": s.Lang} {
		if v != "" {
			in[key] = v
		}
	}
	err = s.call(ctx, "POST", at("/api/v1/homes/{}/sentences", home), in, &raw)
	return raw, err
}

// record sends the sound.
func (s *sayCommand) record(ctx context.Context, home string) (json.RawMessage, error) {
	var out struct {
		Heard  string          `json:"heard"`
		Answer json.RawMessage `json:"answer"`
	}
	path := query(at("/api/v1/homes/{}/recordings", home), "speaker", s.Speaker, "room", s.Room, "lang", s.Lang)
	if err := s.send(ctx, "POST", path, s.Sound, &out); err != nil {
		return nil, err
	}
	if out.Heard == "" {
		return nil, errorText(say("nothing was heard in "+s.Sound, s.Sound+" 里没有听到话"))
	}
	return out.Answer, nil
}

// rooms are the names of a home's rooms in a language, by id.
func (s *sayCommand) rooms(ctx context.Context, home, lang string) (map[string]string, error) {
	var h struct {
		Rooms []struct {
			ID    string            `json:"id"`
			Names map[string]string `json:"names"`
		} `json:"rooms"`
	}
	if err := s.call(ctx, "GET", at("/api/v1/homes/{}", home), nil, &h); err != nil {
		return nil, err
	}
	names := make(map[string]string, len(h.Rooms))
	for _, r := range h.Rooms {
		names[r.ID] = r.Names[lang]
	}
	return names, nil
}

// home is the one that was named, or the only one.
func (s *sayCommand) home(ctx context.Context) (string, error) {
	if s.Home != "" {
		return s.Home, nil
	}
	var list struct {
		Items []struct {
			ID string `json:"id"`
		} `json:"items"`
	}
	if err := s.call(ctx, "GET", "/api/v1/homes?limit=2", nil, &list); err != nil {
		return "", err
	}
	switch len(list.Items) {
	case 0:
		return "", errors.New("there is no home yet; make one first")
	case 1:
		return list.Items[0].ID, nil
	}
	return "", errors.New("there are several homes; name one with --home")
}
