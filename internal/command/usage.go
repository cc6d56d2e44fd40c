package command

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// usageError is a command line that cannot be taken, in one line with a pointer to the help.
type usageError struct {
	cause   error
	command string // as far as it was understood
	code    int    // of the process's exit
}

func (e *usageError) Error() string {
	said := strings.Join(strings.Fields(strings.ReplaceAll(e.cause.Error(), "\n", "; ")), " ")
	return fmt.Sprintf("%s (%s --help shows what there is)", said, e.command)
}

func (e *usageError) Unwrap() error { return e.cause }

// usage makes a parser's error one line.
func usage(program string, err error) error {
	var parse *kong.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	words := []string{program}
	for _, step := range parse.Context.Path {
		if step.Command != nil {
			words = append(words, step.Command.Name)
		}
	}
	return &usageError{cause: err, command: strings.Join(words, " "), code: parse.ExitCode()}
}

// moved refuses what is gone, with the name that took its place. Of commands only the first
// word counts: a later one may be an argument.
func (p Program) moved(args, environment []string) error {
	refuse := func(old string) error {
		return &usageError{cause: fmt.Errorf("%s is gone: use %s", old, p.Moved[old]), command: p.Name, code: 1}
	}
	for i, arg := range args {
		name, _, _ := strings.Cut(arg, "=")
		if name == "--" {
			break
		}
		if p.Moved[name] != "" && (i == 0 || strings.HasPrefix(name, "--")) {
			return refuse(name)
		}
	}
	for _, setting := range environment {
		name, value, _ := strings.Cut(setting, "=")
		if value != "" && strings.HasPrefix(name, VariablePrefix) && p.Moved[name] != "" {
			return refuse(name)
		}
	}
	return nil
}

// lastError says what ended the process, in the form of its log, and returns the exit code.
func lastError(out io.Writer, program, format string, err error) (code int) {
	code, text := 1, program+": "
	var wrong *usageError
	if errors.As(err, &wrong) {
		code, text = wrong.code, program+": error: "
	}
	if format == "json" {
		slog.New(newHandler(out, slog.LevelError, format)).Error("the command ends with an error", "error", err)
	} else {
		fmt.Fprintln(out, text+err.Error())
	}
	return code
}

// logFormatOf finds the form of log messages in a command line that may be wrong elsewhere.
func logFormatOf(args []string) string {
	const name = "--log-format"
	format := os.Getenv("SETTLE_LOG_FORMAT")
	for i, arg := range args {
		switch value, joined := strings.CutPrefix(arg, name+"="); {
		case arg == "--":
			return format
		case joined:
			format = value
		case arg == name && i+1 < len(args):
			format = args[i+1]
		}
	}
	return format
}
