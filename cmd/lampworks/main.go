// Command lampworks is the whole platform in one program: it serves devices, people and programs, plays devices, speaks
// sentences, and measures itself. Each verb is one file here and holds no logic: it turns flags into a configuration,
// calls a room and turns the outcome into text and an exit code.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

type program struct {
	Serve     serveCommand     `cmd:"" help:"Run the platform: devices on MQTT, people and programs on HTTP."`
	Demo      demoCommand      `cmd:"" help:"Run it with a demo home, virtual devices and a virtual speaker, and open the console."`
	Say       sayCommand       `cmd:"" help:"Say one sentence to a running server and tell what came of it."`
	Device    deviceCommand    `cmd:"" help:"Play one device on the real protocol."`
	NLU       nluCommand       `cmd:"" name:"nlu" help:"Read sentences from JSON lines and write what they mean, without a server."`
	Triple    tripleCommand    `cmd:"" help:"Look at triples (三元组): keys, passwords and workbooks."`
	Order     orderCommand     `cmd:"" help:"Apply for triples, decide, download, revoke."`
	Leak      leakCommand      `cmd:"" help:"Find out of which download rows came that somebody found."`
	Burn      burnCommand      `cmd:"" help:"Upload burn logs of a factory, and see what is missing."`
	Agreement agreementCommand `cmd:"" help:"Read and accept agreements (协议)."`
	Notice    noticeCommand    `cmd:"" help:"Read announcements and messages."`
	Service   serviceCommand   `cmd:"" help:"Look at services (服务), apply for them, switch them."`
	Product   productCommand   `cmd:"" help:"Products of a running server: list them, see what they wait for, move them along."`
	Certify   certifyCommand   `cmd:"" help:"Certifications of a running server: apply, assign, decide, revoke."`
	Verify    verifyCommand    `cmd:"" help:"Verification (认证): form, papers, review, waivers."`
	Audit     auditCommand     `cmd:"" help:"Look at the audit (审计): who did what, and whether anybody changed it."`
	Limit     limitCommand     `cmd:"" help:"Limits (限额): what may be used, what is used, and what the operator sets."`
	Enforce   enforceCommand   `cmd:"" help:"Measures (处置) of the operator, appeals and deletions."`
	Bench     benchCommand     `cmd:"" help:"Measure this machine's Lampworks; prints one JSON object a figure."`
	TOTP      totpCommand      `cmd:"" name:"totp" help:"Print the code of a second factor (TOTP), for programs that sign in."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// gcPercent trades a little processor time for memory: the heap is some tens of megabytes, and half of it as garbage is
// what a small machine can do without.
const gcPercent = 50

// exit codes beyond 0 and 1.
const (
	exitUsage  = 2
	exitAsks   = 3 // the speaker asks back
	exitRefuse = 4 // the speaker refuses
)

// exitError is an outcome that is no failure of the program.
type exitError int

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var p program
	parser, err := kong.New(&p,
		kong.Name("lampworks"),
		kong.Description("An open platform for voice-controlled devices: from a maker's product and its triples to a lamp that obeys a spoken sentence.\n\n"+
			"Every flag can also be given in the environment (--root-key as LAMPWORKS_ROOT_KEY) and, by its own name, in a YAML file (--config). "+
			"The command line beats the environment, which beats the file."),
		kong.DefaultEnvars("LAMPWORKS"),
		kong.Configuration(readYAML),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lampworks:", err)
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "lampworks: %v\nTry: lampworks --help\n", err)
		return exitUsage
	}
	var code exitError
	switch err := k.Run(); {
	case errors.As(err, &code):
		return int(code)
	case err != nil:
		fmt.Fprintln(os.Stderr, "lampworks:", err)
		return 1
	}
	return 0
}

// logger writes to standard error at the level that --log-level names.
func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: want debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}
