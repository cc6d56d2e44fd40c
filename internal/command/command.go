// Package command is what the commands of this module have in common: how they read their
// command line, log, warn of settings that nothing reads, stop, and say what ended them.
package command

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/consensys/gnark/logger"
)

// Program is one of the commands.
type Program struct {
	Name        string
	Version     string
	Description string
	Vars        kong.Vars // of its flags' ${...}; version is added
	Variables   []string  // settings that it reads from the environment and that are no flags
	// Moved names what took the place of commands, flags (with their dashes) and variables
	// that are gone: who still uses one reads that.
	Moved map[string]string
	// Helper reports whether another process of ours has started this one, with its own
	// environment, and has warned of it; nil: never.
	Helper func(*kong.Context) bool
}

// Globals are flags of every program, for its command-line struct to embed.
type Globals struct {
	LogLevel  string `help:"Lowest level of log messages to write. One of: ${enum}." enum:"debug,info,warn,error" default:"info" env:"SETTLE_LOG_LEVEL"`
	LogFormat string `help:"Format of log messages on standard error. One of: ${enum}." enum:"text,json" default:"text" env:"SETTLE_LOG_FORMAT"`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

// App is what every command gets.
type App struct {
	Ctx    context.Context // ends when the process is asked to stop
	Log    *slog.Logger
	Stdout io.Writer
	Stderr io.Writer

	Globals Globals
}

// LogArgs say to another process of ours how to log.
func (a *App) LogArgs() []string {
	return []string{"--log-level", a.Globals.LogLevel, "--log-format", a.Globals.LogFormat}
}

// Quiet is an App that logs warnings and worse.
func (a *App) Quiet() *App {
	quiet := *a
	quiet.Log, quiet.Globals.LogLevel = slog.New(newHandler(a.Stderr, slog.LevelWarn, a.Globals.LogFormat)), "warn"
	return &quiet
}

// PrintJSON writes v to standard output.
func (a *App) PrintJSON(v any) error {
	encoder := json.NewEncoder(a.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// VersionLine names the program and its version.
func (p Program) VersionLine() string { return p.Name + " " + p.Version }

// Parser returns the parser of a command-line struct.
func (p Program) Parser(commandLine any) (*kong.Kong, error) {
	vars := kong.Vars{"version": p.VersionLine()}
	for name, value := range p.Vars {
		vars[name] = value
	}
	parser, err := kong.New(commandLine, kong.Name(p.Name), vars, kong.Description(p.Description))
	if err != nil {
		return nil, fmt.Errorf("command line of %s: %w", p.Name, err)
	}
	return parser, nil
}

// Main parses args into commandLine, whose Globals are globals, and runs the command that
// they name. It returns the exit code of the process.
func (p Program) Main(args []string, commandLine any, globals *Globals, run func(*kong.Context, *App) error) (code int) {
	err := p.run(args, commandLine, globals, run)
	var said *SaidError
	switch {
	case errors.As(err, &said):
		return said.Code
	case err != nil:
		return lastError(os.Stderr, p.Name, logFormatOf(args), err)
	}
	return 0
}

// SaidError ends a program with an exit code, after another process has said why.
type SaidError struct{ Code int }

func (e *SaidError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

func (p Program) run(args []string, commandLine any, globals *Globals, run func(*kong.Context, *App) error) error {
	parser, err := p.Parser(commandLine)
	if err != nil {
		return err
	}
	if err := p.moved(args, os.Environ()); err != nil {
		return err
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return usage(p.Name, err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log, err := newLogger(globals.LogLevel, globals.LogFormat)
	if err != nil {
		return err
	}
	said := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(said)
		stop() // from here on a signal ends us at once
		log.Info("asked to stop; a second signal does not wait")
	})
	defer func() {
		if !forget() {
			<-said
		}
	}()
	if p.Helper == nil || !p.Helper(parsed) {
		warnOfUnknownVariables(log, KnownVariables(parser.Model, p.Variables...), os.Environ())
	}
	logger.Set(gnarkLogger(log)) // gnark speaks zerolog; its lines become ours
	err = run(parsed, &App{Ctx: ctx, Log: log, Stdout: os.Stdout, Stderr: os.Stderr, Globals: *globals})
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil // asked to stop
	}
	return err
}
