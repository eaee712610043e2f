package wyoming

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"
)

// info is what a server tells of itself. Every field is there, because the reference library asks for it.
type info struct {
	ASR    []offered `json:"asr"`
	TTS    []offered `json:"tts"`
	Handle []offered `json:"handle"`
	Intent []offered `json:"intent"`
	Wake   []offered `json:"wake"`
	Mic    []offered `json:"mic"`
	Snd    []offered `json:"snd"`
}

type offered struct {
	artifact
	Models []offeredModel `json:"models"`
	Stream bool           `json:"supports_handled_streaming"`
	Home   bool           `json:"supports_home_control"`
}

type offeredModel struct {
	artifact
	Languages []string `json:"languages"`
}

type artifact struct {
	Name        string      `json:"name"`
	Attribution attribution `json:"attribution"`
	Installed   bool        `json:"installed"`
	Description string      `json:"description"`
	Version     string      `json:"version"`
}

type attribution struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

func describe(c ServerConfig) info {
	a := artifact{Name: c.Name, Attribution: attribution{c.By, c.URL}, Installed: true, Description: c.Description, Version: c.Version}
	none := []offered{}
	return info{
		ASR: none, TTS: none, Intent: none, Wake: none, Mic: none, Snd: none,
		Handle: []offered{{artifact: a, Home: true, Models: []offeredModel{{a, c.Languages}}}},
	}
}

// A caller is a connection that asks.
type caller struct {
	*Server
	conn net.Conn
	from string
	out  []byte // reused
}

// said is the text of an answer, and the context that belongs to it.
type said struct {
	Text    string   `json:"text"`
	Context *talking `json:"context,omitempty"`
}

type talking struct {
	Conversation string `json:"conversation_id"`
}

// answer does what an event asks for. An error is one of the connection.
func (c *caller) answer(ctx context.Context, e Event) (answered bool, err error) {
	switch e.Type {
	case Describe:
		return true, c.send(Info, c.info, nil)
	case Ping:
		return true, c.send(Pong, Data{"text": orNull(e.Data["text"])}, nil)
	case Transcript:
		return true, c.sentence(ctx, e, c.handle)
	case Recognize:
		return true, c.sentence(ctx, e, c.recognize)
	case Intent: // one of another's names
		return true, c.send(NotHandled, said{Text: "send the sentence itself, as a transcript"}, nil)
	}
	return false, nil
}

func orNull(v json.RawMessage) json.RawMessage {
	if absent(v) {
		return json.RawMessage("null")
	}
	return v
}

// sentence reads what was said and has it answered within its time.
func (c *caller) sentence(ctx context.Context, e Event, do func(context.Context, Sentence) error) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	in, err := c.said(e)
	if err == nil {
		err = do(ctx, in)
	}
	var wire *net.OpError
	if err == nil || errors.As(err, &wire) {
		return err
	}
	var told *Refusal
	if !errors.As(err, &told) {
		c.c.Logger.LogAttrs(ctx, slog.LevelError, "a sentence over Wyoming was not answered", slog.Any("error", err))
		told = &Refusal{Code: "internal", Text: "something went wrong here; the log of the server says what"}
	}
	return c.send(Error, struct {
		Text string `json:"text"`
		Code string `json:"code"`
	}{told.Text, told.Code}, nil)
}

// said takes a sentence out of an event.
func (c *caller) said(e Event) (in Sentence, err error) {
	in.From = c.from
	about, err := e.Data.object("context")
	for _, f := range []struct {
		of   Data
		name string
		into *string
	}{{e.Data, "text", &in.Text}, {e.Data, "language", &in.Lang}, {about, "conversation_id", &in.Conversation}} {
		if err == nil {
			*f.into, err = f.of.text(f.name)
		}
	}
	if err != nil {
		return in, &Refusal{Code: "invalid", Text: fmt.Sprintf("the data of %s have %v", e.Type, err)}
	}
	return in, nil
}

func (c *caller) handle(ctx context.Context, in Sentence) error {
	answer := said{Context: talk(in)}
	if in.Lang != "" && !speaks(c.c.Languages, in.Lang) {
		answer.Text = fmt.Sprintf("%.16q is not spoken here; %s are", in.Lang, strings.Join(c.c.Languages, ", "))
		return c.send(NotHandled, answer, nil)
	}
	reply, err := c.c.Handler.Handle(ctx, in)
	if err != nil {
		return err
	}
	kind := NotHandled
	if reply.Understood {
		kind = Handled
	}
	answer.Text = reply.Text
	return c.send(kind, answer, nil)
}

func talk(in Sentence) *talking {
	if in.Conversation == "" {
		return nil
	}
	return &talking{in.Conversation}
}

func (c *caller) recognize(ctx context.Context, in Sentence) error {
	var meanings []Meaning
	if in.Lang == "" || speaks(c.c.Languages, in.Lang) {
		var err error
		if meanings, err = c.c.Handler.Meanings(ctx, in); err != nil {
			return err
		}
	}
	switch len(meanings) {
	case 0:
		return c.send(NotRecognized, said{Text: in.Text}, nil)
	case 1:
		return c.send(Intent, meanings[0], nil)
	}
	if err := c.send(IntentsStart, nil, nil); err != nil {
		return err
	}
	for _, m := range meanings {
		if err := c.send(Intent, m, nil); err != nil {
			return err
		}
	}
	return c.send(IntentsStop, nil, nil)
}

func (c *caller) send(kind string, data any, payload []byte) error {
	b, err := Append(c.out[:0], kind, data, payload)
	if err != nil {
		return err
	}
	c.out = b
	if err := c.conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return err
	}
	_, err = c.conn.Write(b)
	return err
}
