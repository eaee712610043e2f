package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

type fleetTimeline struct {
	sorted
	Device string `arg:"" help:"Id of the device."`
	Kind   string `help:"Only entries of this kind: connected, disconnected, refused, slowed, message, will, registered, fight, command, answer." placeholder:"KIND"`
	Text   string `help:"Only entries with this anywhere, in any case." placeholder:"TEXT"`
	Follow bool   `help:"Stay and print what happens, one JSON object a line, until interrupted." short:"f"`
}

func (f *fleetTimeline) Run(ctx context.Context) error {
	path := at(devicePath+"/timeline", f.Device)
	if f.Follow {
		return f.watch(ctx, path+"/live", func(event string, data []byte) error {
			if event == "ping" {
				return nil
			}
			if event == "gap" {
				_, err := fmt.Fprintln(os.Stderr, say("lampworks: some of what happened is forgotten", "lampworks：有些记录已不再保留"))
				return err
			}
			var e struct{ Kind, What, Why string }
			if json.Unmarshal(data, &e) != nil || f.Kind != "" && e.Kind != f.Kind || !strings.Contains(strings.ToLower(e.What+" "+e.Why), strings.ToLower(f.Text)) {
				return nil
			}
			_, err := fmt.Fprintln(os.Stdout, string(data))
			return err
		})
	}
	return f.list(ctx, path, "at kind times what why state", "kind", f.Kind, "text", f.Text)
}

var errOver = errors.New("the stream is over")

// watch reads server-sent events until ctx ends; where the connection is lost it goes on behind the last event.
func (s *server) watch(ctx context.Context, path string, each func(event string, data []byte) error) error {
	last := ""
	for {
		err := s.watchOnce(ctx, path, &last, each)
		switch {
		case ctx.Err() != nil || errors.Is(err, errOver):
			return nil
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(time.Second):
		}
	}
}

func (s *server) watchOnce(ctx context.Context, path string, last *string, each func(event string, data []byte) error) error {
	req, err := s.request(ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "text/event-stream")
	if *last != "" {
		req.Header.Set("Last-Event-ID", *last)
	}
	res, err := answered(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusNoContent { // there is no more: who serves events says so by this
		return errOver
	}
	if kind := res.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return fmt.Errorf("%s answered with %s, want text/event-stream", path, kind)
	}
	lines := bufio.NewReader(res.Body)
	event, id := "", ""
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err
		}
		switch name, value, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ": "); name {
		case "event":
			event = value
		case "id":
			id = value
		case "data":
			if err := each(event, []byte(value)); err != nil {
				return err
			}
			if id != "" {
				*last = id
			}
			event, id = "", ""
		}
	}
}
