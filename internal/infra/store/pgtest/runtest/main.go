// Runtest runs a command beside a PostgreSQL server that all tests below it share: starting one for each package would
// take longer than its tests. It owns the server, which ends with it however it ends, and promises to exit as the command
// does. Where PostgreSQL is not installed it says so and runs the command all the same: the tests are skipped and say why.
//
// usage: go run ./internal/infra/store/pgtest/runtest COMMAND [ARGUMENT …]
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"lampworks/internal/infra/store/pgtest"
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: runtest COMMAND [ARGUMENT …]")
		return 2
	}
	command := exec.Command(args[0], args[1:]...) // it ends by itself, and this program with it
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Env = os.Environ()
	server, err := pgtest.New()
	if err != nil {
		fmt.Fprintln(os.Stderr, "runtest: no server:", err)
	} else {
		defer server.Close()
		command.Env = append(command.Env, pgtest.Variable+"="+server.Address("postgres"))
	}
	err = command.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "runtest:", err)
		return 1
	}
	return 0
}
