package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// terminal says whether a person sits at standard input.
func terminal() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

// secretOf reads a secret: from a file, from a terminal without showing it, or as the next line of standard input. It is
// never an argument, which others can read.
func secretOf(file, what string) (string, error) {
	switch {
	case file != "":
		b, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading the %s: %w", what, err)
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	case !terminal():
		return line(what)
	}
	fmt.Fprint(os.Stderr, inTongue(what), say(": ", "："))
	b, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(os.Stderr)
	if err != nil {
		return "", fmt.Errorf("reading the %s: %w", what, err)
	}
	return string(b), nil
}

// textOf is a text that was given, or is asked for on a terminal and read as the next line of standard input otherwise.
func textOf(given, what string) (string, error) {
	if given != "" {
		return given, nil
	}
	if terminal() {
		fmt.Fprint(os.Stderr, inTongue(what), say(": ", "："))
	}
	return line(what)
}

// line reads the next line of standard input and not a byte more: what follows is for who reads next.
func line(what string) (string, error) {
	var text []byte
	one := make([]byte, 1)
	for len(text) < 4<<10 {
		_, err := os.Stdin.Read(one)
		switch {
		case errors.Is(err, io.EOF) && len(text) == 0:
			return "", fmt.Errorf("there is no %s on standard input", what)
		case errors.Is(err, io.EOF) || err == nil && one[0] == '\n':
			return strings.TrimSuffix(string(text), "\r"), nil
		case err != nil:
			return "", fmt.Errorf("reading the %s: %w", what, err)
		}
		text = append(text, one[0])
	}
	return "", fmt.Errorf("the %s is too long", what)
}
