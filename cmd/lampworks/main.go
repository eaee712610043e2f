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
	"slices"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set by the build.
var version = "dev"

type program struct {
	Serve  serveCommand  `cmd:"" help:"Run the platform: devices on MQTT, people and programs on HTTP."`
	Demo   demoCommand   `cmd:"" help:"Run it with a demo home, virtual devices and a virtual speaker, and open the console."`
	Say    sayCommand    `cmd:"" help:"Say one sentence to a running server and tell what came of it."`
	Device deviceCommand `cmd:"" help:"Play one device on the real protocol."`
	NLU    nluCommand    `cmd:"" name:"nlu" help:"Read sentences from JSON lines and write what they mean, without a server."`
	Triple tripleCommand `cmd:"" help:"Look at triples (三元组): keys, passwords and workbooks."`

	Setup        setupCommand        `cmd:"" group:"account" help:"Make the first operator of a new server, and sign in as such."`
	Login        loginCommand        `cmd:"" group:"account" help:"Sign in to a running server."`
	Logout       logoutCommand       `cmd:"" group:"account" help:"Sign out."`
	Whoami       whoamiCommand       `cmd:"" group:"account" help:"Tell who is signed in, and what they may do."`
	Prove        proveCommand        `cmd:"" group:"account" help:"Show a code of the second factor: for 15 minutes what shows secrets is open."`
	Factor       factorCommand       `cmd:"" group:"account" help:"The second factor (第二因素): enrol, confirm, recovery codes, remove."`
	Session      sessionCommand      `cmd:"" group:"account" help:"One's own sessions: list and end."`
	Signup       signupCommand       `cmd:"" group:"account" help:"Make an account of one's own."`
	Password     passwordCommand     `cmd:"" group:"account" help:"Change one's password, or set a new one by a code."`
	Contact      contactCommand      `cmd:"" group:"account" help:"One's own verified contacts."`
	Token        tokenCommand        `cmd:"" group:"account" help:"API tokens (令牌) for programs."`
	Organisation organisationCommand `cmd:"" group:"account" help:"Organisations (组织): list, make, change, act for, end."`
	Export       exportCommand       `cmd:"" group:"account" help:"Everything that the platform has of an organisation, as one file (数据导出)."`
	Member       memberCommand       `cmd:"" group:"account" help:"Members of an organisation and their roles."`
	Invite       inviteCommand       `cmd:"" group:"account" help:"Invitations: send, take back, accept."`
	User         userCommand         `cmd:"" group:"account" help:"Users of the platform and the operator's people."`
	Guardian     guardianCommand     `cmd:"" group:"account" help:"Consents of guardians (监护人同意)."`

	Category   categoryCommand   `cmd:"" group:"product" help:"Categories (品类) of products."`
	Product    productCommand    `cmd:"" group:"product" help:"Products: make, change, thing models, what they wait for, move them along."`
	Paper      paperCommand      `cmd:"" group:"product" help:"Compliance papers (合规证件) of products."`
	Certify    certifyCommand    `cmd:"" group:"product" help:"Certifications and certificates: apply, assign, decide, revoke."`
	Laboratory laboratoryCommand `cmd:"" group:"product" help:"Laboratories (实验室) and what they are appointed for."`
	Order      orderCommand      `cmd:"" group:"product" help:"Apply for triples, decide, download, revoke."`
	Leak       leakCommand       `cmd:"" group:"product" help:"Find out of which download rows came that somebody found."`
	Burn       burnCommand       `cmd:"" group:"product" help:"Upload burn logs of a factory, and see what is missing."`
	Fleet      fleetCommand      `cmd:"" group:"product" help:"Devices (设备) of a running server: list, look into, command, enable, revoke."`

	Resident   residentCommand   `cmd:"" group:"household" help:"Residents (住户): sign up and in by a code, one's own homes."`
	Home       homeCommand       `cmd:"" group:"household" help:"Homes (家庭): list, look into, say where they lie, who lives there."`
	Timer      timerCommand      `cmd:"" group:"household" help:"Timers (定时) of a home: list, set, change, cancel."`
	Scene      sceneCommand      `cmd:"" group:"household" help:"Scenes (场景) of a home: make, change, run, see what came of it."`
	Automation automationCommand `cmd:"" group:"household" help:"Automations (自动化) of a home: make, change, switch, see why they ran."`
	Announce   announceCommand   `cmd:"" group:"household" help:"Announcements (播报) on the speakers of a home: say, list, cancel."`
	Voice      voiceCommand      `cmd:"" group:"household" help:"What is kept of what people say (语音隐私), for themselves, and figures of it."`

	Agreement agreementCommand `cmd:"" group:"platform" help:"Read, accept and publish agreements (协议)."`
	Notice    noticeCommand    `cmd:"" group:"platform" help:"Read and publish announcements and messages."`
	Service   serviceCommand   `cmd:"" group:"platform" help:"Services (服务): look, apply, bars, plans, switches."`
	Verify    verifyCommand    `cmd:"" group:"platform" help:"Verification (认证): form, papers, review, waivers."`
	Limit     limitCommand     `cmd:"" group:"platform" help:"Limits (限额): what may be used, what is used, and what the operator sets."`
	Enforce   enforceCommand   `cmd:"" group:"platform" help:"Measures (处置) of the operator, appeals and deletions."`
	Audit     auditCommand     `cmd:"" group:"platform" help:"Look at the audit (审计): who did what, and whether anybody changed it."`
	Job       jobCommand       `cmd:"" group:"platform" help:"Jobs of a running server: look, wait, cancel."`

	Bench   benchCommand   `cmd:"" help:"Measure this machine's Lampworks; prints one JSON object a figure."`
	TOTP    totpCommand    `cmd:"" name:"totp" help:"Print the code of a second factor (TOTP), for programs that sign in."`
	Version versionCommand `cmd:"" help:"Print the version."`
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
	parser, err := newProgram(ctx)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lampworks:", explained(err))
		return 1
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	k, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintf(os.Stderr, "lampworks: %s\n%s%s --help\n", explained(err), say("Try: ", "可以看："), verbOf(err))
		return exitUsage
	}
	err = emptyArgument(k)
	if err == nil {
		err = inFlags(k.Run(), k.Selected())
	}
	var code exitError
	var wrong usageError
	switch {
	case errors.As(err, &code):
		return int(code)
	case errors.As(err, &wrong):
		fmt.Fprintf(os.Stderr, "lampworks: %s\n%s%s --help\n", explained(err), say("Try: ", "可以看："), k.Selected().FullPath())
		return exitUsage
	case err != nil:
		fmt.Fprintln(os.Stderr, "lampworks:", explained(err))
		return 1
	}
	return 0
}

// verbOf is the verb that a mistake was made with, as far as it was named.
func verbOf(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		for _, p := range slices.Backward(wrong.Context.Path) {
			if node := p.Node(); node != nil {
				return node.FullPath()
			}
		}
	}
	return "lampworks"
}

// newProgram is the parser of the command line.
func newProgram(ctx context.Context) (*kong.Kong, error) {
	var p program
	return kong.New(&p,
		kong.Name("lampworks"),
		kong.Description("An open platform for voice-controlled devices: from a maker's product and its triples to a lamp that obeys a spoken sentence.\n\n"+
			"Every flag of serve can also be given in the environment (--root-key as LAMPWORKS_ROOT_KEY) and, by its own name, in a YAML file (--config). "+
			"The command line beats the environment, which beats the file. Of other verbs only --server and --token are in the environment (LAMPWORKS_SERVER, LAMPWORKS_TOKEN)."),
		kong.PostBuild(fewEnvars), kong.Help(printHelp),
		timeFlags(), durationFlags(), serverFlags(), kong.Vars{"tongue": tongue()},
		kong.DefaultEnvars("LAMPWORKS"),
		kong.Configuration(readYAML),
		kong.ExplicitGroups([]kong.Group{
			{Key: "account", Title: say("Accounts and organisations of a running server:", "账号与组织（连接运行中的服务端）：")},
			{Key: "product", Title: say("Products, triples and devices of a running server:", "产品、三元组与设备（连接运行中的服务端）：")},
			{Key: "household", Title: say("Households of a running server:", "家庭（连接运行中的服务端）：")},
			{Key: "platform", Title: say("Rules and records of a running server:", "规则与记录（连接运行中的服务端）：")},
		}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
	)
}

// fewEnvars keeps the environment from flags that are a verb's own: one name would mean something else to each of them. The
// flags of serve, --server and --token mean the same everywhere.
func fewEnvars(k *kong.Kong) error {
	served := make(map[string]bool)
	for _, leaf := range k.Model.Leaves(false) {
		if leaf.FullPath() == "lampworks serve" {
			for _, f := range leaf.Flags {
				served[f.Name] = true
			}
		}
	}
	for _, leaf := range k.Model.Leaves(false) {
		node := leaf.FullPath() == "lampworks serve" || leaf.FullPath() == "lampworks demo"
		for _, f := range leaf.Flags {
			client := f.Name == "server" || f.Name == "token"
			if len(f.Envs) == 0 && !client && !(node && served[f.Name]) {
				f.Envs = []string{"-"}
			}
		}
	}
	return nil
}

// logger writes to standard error at the level that --log-level names.
func logger(level string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: want debug, info, warn or error", level)
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l})), nil
}
