// Package test walks through the whole program from outside: real clients over real sockets against a process of its own,
// which is killed, starved and lied to. It owns nothing but its tests and promises that none of them sleeps: each waits
// for what it wants to see, with a deadline.
//
// The program is built once, or named by LAMPWORKS_BIN. What a test needs of the system and does not find (npm, Chromium,
// enough files) makes it skip and say so.
package test
