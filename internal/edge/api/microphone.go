package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"lampworks/internal/household/voice"
	"lampworks/internal/infra/access"
	"lampworks/internal/infra/fault"
	"lampworks/speech"
	"lampworks/speech/opus"
)

// Limits of a microphone.
const (
	maxPiece    = 64 << 10         // bytes of a message
	pieceWithin = 10 * time.Second // from one to the next
	heardWithin = 2 * time.Minute  // all of it
	tellWithin  = 5 * time.Second  // for the other end to take what it is told
	waiting     = 16               // pieces that wait to be heard
)

type microphoneInput struct {
	Home    string `path:"home" maxLength:"64"`
	Room    string `query:"room" maxLength:"64" doc:"Id of the room the speaker stands in."`
	Lang    string `query:"lang" enum:"zh-CN,en" doc:"What is spoken; recognised, if it is not given, where the recogniser can."`
	Speaker string `query:"speaker" maxLength:"64" doc:"Sentences to one speaker are one conversation."`
	Later   bool   `query:"later" doc:"As of a sentence."`
	Codec   string `query:"codec" enum:"pcm,opus" default:"pcm" doc:"Of the sound: signed 16 bit, little endian, mono, or one packet of Opus (RFC 6716) a message."`
	Upgrade string `header:"Upgrade"`
	Rate    int    `query:"rate" minimum:"8000" maximum:"48000" default:"16000" doc:"Samples a second of PCM."`
}

// microphoneNews is what the other end is told, one JSON text a message.
type microphoneNews struct {
	Type    string        `json:"type" enum:"listening,speaking,partial,heard,answer,nothing,problem" doc:"listening: sound is taken. speaking: somebody began. partial: what was understood so far. heard: what was said. answer, nothing and problem end it."`
	Text    string        `json:"text,omitempty" doc:"Of partial and heard."`
	HeardUS int64         `json:"heard_us,omitempty" doc:"Of heard: from the end of the speech to its text, microseconds."`
	Ended   string        `json:"ended,omitempty" enum:"silence,asked,too long,nobody,cancelled" doc:"Of heard and nothing: what ended it."`
	Answer  *voice.Answer `json:"answer,omitempty"`
	Problem *Problem      `json:"problem,omitempty"`
}

func (a *API) microphoneRoutes() {
	hearings := hearingSeats()
	op := a.operation("GET", "/api/v1/homes/{home}/microphone", access.Speak, ofHome, "Say a sentence to a home as it is spoken: a WebSocket that takes sound. Nothing of it is kept")
	op.Description += " Messages of bytes are sound; the end of the sentence is found in it, after 600 ms of silence, or 300 ms once what was said is a whole command. " +
		`The text {"type":"end"} ends it at once, {"type":"cancel"} gives it up. A sentence a connection: it ends with answer, nothing or problem.`
	op.Middlewares = append(huma.Middlewares{a.onlyGet}, op.Middlewares...)
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[microphoneNews](), true, "MicrophoneNews")
	op.DefaultStatus = http.StatusSwitchingProtocols
	op.Responses["101"] = &huma.Response{Description: "A WebSocket; each of its texts is one of these.", Content: map[string]*huma.MediaType{"application/vnd.lampworks.microphone+json": {Schema: schema}}}
	huma.Register(a.huma, op, func(ctx context.Context, in *microphoneInput) (*huma.StreamResponse, error) {
		who, _ := access.Of(ctx)
		m, err := a.microphone(ctx, who, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		leave, err := hearings.take(who.Organisation)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return &huma.StreamResponse{Body: func(hc huma.Context) {
			leave := sync.OnceFunc(leave)
			defer leave()
			r, w := humago.Unwrap(hc)
			m.serve(w, r, leave)
		}}, nil
	})
}

// A microphone is one sentence as it is spoken.
type microphone struct {
	a   *API
	who access.Actor
	in  *microphoneInput
	ask speech.Ask

	conn    *websocket.Conn
	pieces  chan piece
	over    chan struct{} // closed when nothing is heard any more
	hearing speech.Hearing
	turn    *speech.Turn
	convert *speech.Converter // of PCM
	opus    *opus.Decoder     // nil: it is PCM
	whole   atomic.Bool       // what was understood so far is a whole command
}

// A piece is a message of the other end.
type piece struct {
	sound []byte
	does  string // of a text
	err   error
	gone  bool // nobody is there any more
}

// microphone makes ready to hear, before the connection becomes a WebSocket: what is refused is told as everywhere.
func (a *API) microphone(ctx context.Context, who access.Actor, in *microphoneInput) (*microphone, error) {
	if !strings.EqualFold(in.Upgrade, "websocket") {
		return nil, fault.Invalid("/header/Upgrade", in.Upgrade, "websocket", "connect by WebSocket")
	}
	if a.Hears == nil {
		return nil, deaf(speech.ErrUnavailable)
	}
	h, err := a.Homes.Load(ctx, who, in.Home)
	if err != nil {
		return nil, err
	}
	m := &microphone{a: a, who: who, in: in, pieces: make(chan piece, waiting), over: make(chan struct{})}
	words, err := a.likely(ctx, who, &h, in.Lang)
	if err != nil {
		return nil, err
	}
	m.ask = speech.Ask{Lang: in.Lang, Words: words}
	m.turn = speech.NewTurn(speech.TurnConfig{Whole: m.whole.Load})
	if in.Codec == "opus" {
		m.opus, err = opus.NewDecoder()
	} else {
		m.convert, err = speech.NewConverter(speech.Format{Rate: in.Rate, Channels: 1})
	}
	return m, err
}

// serve hears a sentence; leave is called when nothing is heard any more, before the other end is told what came of it.
func (m *microphone) serve(w http.ResponseWriter, r *http.Request, leave func()) {
	conn, err := websocket.Accept(w, r, nil) // of a browser, from a page of this server alone
	if err != nil {
		return // it was answered
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxPiece)
	m.conn = conn
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), heardWithin) // the request's own ends with its connection's taking
	defer cancel()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		m.read(ctx)
	}()
	last := m.sentence(ctx)
	close(m.over)
	leave()
	m.tell(ctx, last)
	_ = conn.Close(websocket.StatusNormalClosure, "")
	cancel()
	<-reading
}

// read takes the messages of the other end until there are no more.
func (m *microphone) read(ctx context.Context) {
	for {
		kind, b, err := m.conn.Read(ctx)
		p := piece{sound: b, gone: err != nil}
		if err == nil && kind == websocket.MessageText {
			var text struct{ Type string }
			p.sound = nil
			if json.Unmarshal(b, &text) != nil || text.Type != "end" && text.Type != "cancel" {
				p.err = fault.Invalid("message", fault.Cut(string(b)), `{"type":"end"} or {"type":"cancel"}`, "send sound as bytes")
			}
			p.does = text.Type
		}
		select {
		case m.pieces <- p:
		case <-m.over: // what still comes is not wanted: it is read so that the end is
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// sentence hears a sentence and carries it out; it gives what is told last.
func (m *microphone) sentence(ctx context.Context) microphoneNews {
	m.ask.Partial = func(text string) {
		m.whole.Store(m.isWhole(ctx, text))
		m.tell(ctx, microphoneNews{Type: "partial", Text: text})
	}
	h, err := m.a.Hears.Listen(ctx, m.ask)
	if err != nil {
		return m.problem(ctx, deaf(err))
	}
	defer func() { _ = h.Close() }()
	m.hearing = h
	m.tell(ctx, microphoneNews{Type: "listening"})
	ended, err := m.listen(ctx)
	switch {
	case err != nil:
		return m.problem(ctx, err)
	case ended == "nobody" || ended == "cancelled":
		return microphoneNews{Type: "nothing", Ended: ended}
	}
	began := time.Now()
	heard, err := h.Finish()
	if err != nil {
		return m.problem(ctx, deaf(err))
	}
	if heard.Text == "" {
		return microphoneNews{Type: "nothing", Ended: ended}
	}
	m.tell(ctx, microphoneNews{Type: "heard", Text: heard.Text, HeardUS: time.Since(began).Microseconds(), Ended: ended})
	return m.carryOut(ctx, heard.Text)
}

func (m *microphone) carryOut(ctx context.Context, text string) microphoneNews {
	who, err := m.a.still(ctx, m.who, access.Speak) // it has taken a while
	if err != nil {
		return m.problem(ctx, err)
	}
	said, err := m.a.Voice.Say(ctx, who, voice.Sentence{Home: m.in.Home, Room: m.in.Room, Text: text, Lang: m.in.Lang, Speaker: m.in.Speaker, Later: m.in.Later})
	if err != nil {
		return m.problem(ctx, err)
	}
	return microphoneNews{Type: "answer", Answer: &said}
}

// isWhole says whether a text is a command by itself.
func (m *microphone) isWhole(ctx context.Context, text string) bool {
	a, err := m.a.Voice.Understand(ctx, m.who, voice.Sentence{Home: m.in.Home, Room: m.in.Room, Text: text, Lang: m.in.Lang, Speaker: m.in.Speaker})
	return err == nil && a.Outcome == voice.Acted
}

// listen takes sound until the sentence is over, and says what ended it.
func (m *microphone) listen(ctx context.Context) (ended string, err error) {
	idle := time.NewTimer(pieceWithin)
	defer idle.Stop()
	speaking := false
	for {
		var p piece
		select {
		case p = <-m.pieces:
		case <-idle.C:
			return "", fault.Invalid("message", "nothing for 10 s", "sound as it is spoken, silence, too", "send it in pieces of some tens of milliseconds")
		case <-m.a.Closing:
			return "", fault.Unavailable("the server is about to end", nil)
		case <-ctx.Done():
			return "", ctx.Err()
		}
		idle.Reset(pieceWithin)
		switch {
		case p.gone:
			return "cancelled", nil
		case p.err != nil:
			return "", p.err
		case p.does == "end":
			return "asked", nil
		case p.does == "cancel":
			return "cancelled", nil
		}
		now, err := m.hear(p.sound)
		if err != nil {
			return "", err
		}
		if now == speech.Speaking && !speaking {
			speaking = true
			m.tell(ctx, microphoneNews{Type: "speaking"})
		}
		if now.Over() {
			return map[speech.Moment]string{speech.Finished: "silence", speech.Nobody: "nobody", speech.TooLong: "too long"}[now], nil
		}
	}
}

// hear gives the recogniser a piece, and says where the sentence is.
func (m *microphone) hear(sound []byte) (speech.Moment, error) {
	var pcm []byte
	if m.opus != nil {
		var voice bool
		var err error
		if pcm, voice, err = m.opus.Append(nil, sound); err != nil {
			return 0, fault.Invalid("message", "something else", "one packet of Opus", "send packets without a container, one a message")
		}
		m.turn.Hint(voice)
	} else {
		pcm = m.convert.Append(nil, sound)
	}
	if _, err := m.hearing.Write(pcm); err != nil {
		return 0, deaf(err)
	}
	return m.turn.Write(pcm), nil
}

// tell sends a text to the other end, if it is still there.
func (m *microphone) tell(ctx context.Context, news microphoneNews) {
	b, err := json.Marshal(news)
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	_ = m.conn.Write(ctx, websocket.MessageText, b)
}

func (m *microphone) problem(ctx context.Context, err error) microphoneNews {
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.Unavailable("it took longer than two minutes", err)
	}
	return microphoneNews{Type: "problem", Problem: m.a.problem(ctx, err)}
}
