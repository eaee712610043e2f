package main

import (
	"cmp"
	"os"
	"strings"
)

// The languages that the server answers in.
const (
	chinese = "zh-CN"
	english = "en"
)

// tongue is the language of the user's locale, as far as the server speaks it.
func tongue() string {
	if strings.HasPrefix(cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG")), "zh") {
		return chinese
	}
	return english
}

// say gives a text in the language of the locale.
func say(en, zh string) string {
	if tongue() == chinese {
		return zh
	}
	return en
}
