package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	maxSound  = 16 << 20 // bytes one child may write: over six minutes at 22,050 Hz
	maxPieces = 24       // children for one text; what is beyond is read by the voice of the last
)

// The voices of eSpeak NG 1.51. The voice "cmn" would read pinyin as English
// letters and characters as their Unicode names.
const (
	voicePinyin  = "cmn-latn-pinyin"
	voiceEnglish = "en"
)

// ESpeakConfig says how eSpeak NG is run. The zero value is ready to use.
type ESpeakConfig struct {
	Path     string        // the program; "" looks for espeak-ng in PATH at each call
	Deadline time.Duration // longest time for one text, waiting included; default 5 s
	Parallel int           // texts spoken at once; default 2. Others wait within their deadline
}

// ESpeak speaks with eSpeak NG, one child process for each run of one language.
type ESpeak struct {
	path     string
	deadline time.Duration
	slots    chan struct{}
}

// NewESpeak starts nothing; eSpeak NG may be installed later.
func NewESpeak(c ESpeakConfig) *ESpeak {
	if c.Path == "" {
		c.Path = "espeak-ng"
	}
	if c.Deadline <= 0 {
		c.Deadline = 5 * time.Second
	}
	if c.Parallel <= 0 {
		c.Parallel = 2
	}
	return &ESpeak{path: c.Path, deadline: c.Deadline, slots: make(chan struct{}, c.Parallel)}
}

// Available is nil when the program is there, and [ErrUnavailable] with what
// to install when it is not.
func (e *ESpeak) Available() error {
	if _, err := exec.LookPath(e.path); err != nil {
		return fmt.Errorf("%w: %s was not found; install the package espeak-ng (Debian and Ubuntu: apt-get install espeak-ng)", ErrUnavailable, e.path)
	}
	return nil
}

// Speak implements [Synthesizer].
func (e *ESpeak) Speak(ctx context.Context, text, lang string) ([]byte, error) {
	if err := CheckText(text, lang); err != nil {
		return nil, err
	}
	parts := words(text, lang)
	if len(parts) == 0 {
		return nil, errNothing()
	}
	if err := e.Available(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.deadline)
	defer cancel()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for one of %d eSpeak NG processes: %w", cap(e.slots), ctx.Err())
	}
	sounds := make([]pcm, 0, len(parts))
	for i, p := range parts {
		s, err := e.run(ctx, p, i == len(parts)-1)
		if err != nil {
			return nil, err
		}
		sounds = append(sounds, s)
	}
	all, err := join(sounds)
	if err != nil {
		return nil, err
	}
	return all.wav(), nil
}

// run speaks one piece. Only the last keeps the pause after a sentence.
func (e *ESpeak) run(ctx context.Context, p piece, last bool) (pcm, error) {
	args := []string{"-v", p.voice, "-b", "1", "--stdin", "--stdout"}
	if !last {
		args = append(args, "-z")
	}
	cmd := exec.CommandContext(ctx, e.path, args...) // no shell; the text goes in by standard input
	cmd.Stdin = strings.NewReader(p.text)
	cmd.Env = environment()
	cmd.WaitDelay = 200 * time.Millisecond // for a child of the child that keeps the pipe open
	out, complaint := &limited{max: maxSound}, &limited{max: 512, quiet: true}
	cmd.Stdout, cmd.Stderr = out, complaint
	if err := cmd.Run(); err != nil {
		switch {
		case ctx.Err() != nil:
			return pcm{}, fmt.Errorf("running eSpeak NG: stopped: %w", ctx.Err())
		case out.full:
			return pcm{}, fmt.Errorf("running eSpeak NG: more than %d bytes of sound", maxSound)
		case errors.Is(err, os.ErrNotExist), errors.Is(err, os.ErrPermission):
			return pcm{}, fmt.Errorf("%w: running %s: %w; install the package espeak-ng", ErrUnavailable, e.path, err)
		}
		return pcm{}, fmt.Errorf("running eSpeak NG: %w: %s", err, complaint.line())
	}
	sound, err := parseWAV(out.kept.Bytes())
	if err != nil {
		return pcm{}, fmt.Errorf("reading what eSpeak NG wrote (%d bytes): %w", out.kept.Len(), err)
	}
	return sound, nil
}

// environment is all the child gets to know: no token of ours is in it.
func environment() []string {
	env := []string{"LC_ALL=C.UTF-8"}
	for _, name := range []string{"PATH", "ESPEAK_DATA_PATH"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// limited keeps at most max bytes. Beyond that it fails the writer, or drops
// silently when quiet. The buffer is a field: embedded, its ReadFrom would let
// a copy pass the limit.
type limited struct {
	kept  bytes.Buffer
	max   int
	quiet bool
	full  bool
}

var errFull = errors.New("too much output")

func (l *limited) Write(b []byte) (int, error) {
	room := l.max - l.kept.Len()
	if len(b) <= room {
		return l.kept.Write(b)
	}
	l.full = true
	if !l.quiet {
		return 0, errFull
	}
	l.kept.Write(b[:room])
	return len(b), nil
}

func (l *limited) line() string {
	first, _, _ := strings.Cut(strings.TrimSpace(l.kept.String()), "\n")
	return first
}
