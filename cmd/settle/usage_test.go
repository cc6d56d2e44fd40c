package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWrongCommandLine: what is wrong is said in one line, with a pointer to the help of the
// command that was meant, and nothing on standard output.
func TestWrongCommandLine(t *testing.T) {
	t.Parallel()
	env := environment(t, nil)
	for _, c := range []struct {
		says string
		args []string
	}{
		{"settle --help", []string{"settled"}},
		{"settle --help", nil},
		{"settle up --help", []string{"up", "--nonsense"}},
		{"settle worker --help", []string{"worker", "--keys-budget", "much"}},
		{"settle jobs show --help", []string{"jobs", "show", "1", "2"}},
		{"settle jobs --help", []string{"jobs", "forget"}},
		{"settle api --help", []string{"api", "--data-dir"}},
		{"settle submitter --help", []string{"submitter", "--log-window", "0"}},
		{`"debug","info","warn","error"`, []string{"--log-level", "loud", "version"}},
		{`"discarded"`, []string{"jobs", "list", "--state", "completed,unheard-of"}},
	} {
		p := launch(t, env, c.args...)
		p.wait()
		require.NotZero(t, p.cmd.ProcessState.ExitCode(), p.name)
		require.Empty(t, p.stdout.String(), p.name)
		require.Len(t, p.lines(), 1, p.name)
		require.Regexp(t, `^settle: error: .* \(settle( [a-z]+)* --help shows what there is\)$`, p.stderr(), p.name)
		require.Contains(t, p.stderr(), c.says, p.name)
	}
}

// TestJobStates: the states that may be named are those that a job can have.
func TestJobStates(t *testing.T) {
	t.Parallel()
	var named, known []string
	for _, leaf := range model(t).Leaves(true) {
		for _, f := range leaf.Flags {
			if leaf.Path() == "jobs list" && f.Name == "state" {
				named = f.EnumSlice()
			}
		}
	}
	files, err := filepath.Glob("../../migrations/*_proof_jobs.sql")
	require.NoError(t, err)
	require.Len(t, files, 1)
	sql, err := os.ReadFile(files[0])
	require.NoError(t, err)
	statuses := regexp.MustCompile(`check \(status in \(([^)]*)\)\)`).FindSubmatch(sql)
	for _, status := range strings.Split(string(statuses[1]), ", ") {
		known = append(known, strings.Trim(status, "'"))
	}
	require.ElementsMatch(t, known, named)
}

// TestNamesAreListed: an unknown name is refused with those that there are.
func TestNamesAreListed(t *testing.T) {
	t.Parallel()
	env := environment(t, nil)
	for _, args := range [][]string{
		{"keys", "show", "--shape", "huge"}, {"keys", "show", "--aggregate", "huge-2"}, {"circuits", "stats", "--shape", "huge"},
		{"demo", "--shape", "huge"},
	} {
		said := refuse(t, env, args...)
		require.Contains(t, said, "huge")
		for _, name := range []string{"tiny", "demo", "large"} {
			require.Contains(t, said, name, args)
		}
	}
}

// TestLastErrorAsLog: a program that reads the log reads how the process ended, however early that was.
func TestLastErrorAsLog(t *testing.T) {
	t.Parallel()
	env := environment(t, nil)
	for _, args := range [][]string{
		{"--log-format", "json", "keys", "show", "--shape", "huge"},
		{"keys", "show", "--log-format=json", "--shape", "huge"},
		{"--log-format", "json", "up", "--nonsense"},
		{"up", "--nonsense", "--log-format", "json"},
		{"--log-format", "json", "wallet", "new"},
		{"--log-format", "json", "demo", "--transfers", "1"},
	} {
		requireJSONLog(t, launch(t, env, args...))
	}
	requireJSONLog(t, launch(t, environment(t, map[string]string{"SETTLE_LOG_FORMAT": "json"}), "up", "--workers", "0"))
}

func requireJSONLog(t *testing.T, p *process) {
	t.Helper()
	p.wait()
	require.NotZero(t, p.cmd.ProcessState.ExitCode(), p.name)
	lines := p.lines()
	require.NotEmpty(t, lines, p.name)
	var last map[string]any
	for _, line := range lines {
		last = map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &last), "%s: %s", p.name, line)
	}
	require.Equal(t, "ERROR", last["level"], p.name)
	require.NotEmpty(t, last["error"], p.name)
	require.NotEmpty(t, last["time"], p.name)
}

// TestLastErrorOfSeveralLines stays one JSON object.
func TestLastErrorOfSeveralLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	require.Equal(t, 1, lastError(&out, "json", errors.Join(errors.New("one"), errors.New("two"))))
	require.Equal(t, 1, strings.Count(out.String(), "\n"))
	require.True(t, json.Valid(out.Bytes()))
}

// TestUnknownVariables: a setting that nothing reads is named with what was probably meant, and its
// value is not repeated. The command runs.
func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	env := environment(t, map[string]string{"SETTLE_LISTENN": "hush-hush", "SETTLE_L1_PRIVAT_KEY": "hush-hush", "SETTLE_DATA_DIR": newDir(t)})
	p := launch(t, env, "version")
	p.wait()
	require.Zero(t, p.cmd.ProcessState.ExitCode())
	require.Len(t, p.lines(), 2, p.stderr())
	require.Contains(t, p.stderr()+"\n", "name=SETTLE_LISTENN nearest=SETTLE_LISTEN\n")
	require.Contains(t, p.stderr()+"\n", "name=SETTLE_L1_PRIVAT_KEY nearest=SETTLE_L1_PRIVATE_KEY\n")
	require.NotContains(t, p.stderr(), "hush-hush")
}

// TestKnownVariables: what this package's tests and pages set or name is known.
func TestKnownVariables(t *testing.T) {
	t.Parallel()
	known := knownVariables(model(t))
	for _, setting := range environment(t, nil) {
		name, _, _ := strings.Cut(setting, "=")
		require.True(t, !strings.HasPrefix(name, variablePrefix) || slices.Contains(known, name), name)
	}
	for _, line := range strings.Split(configurationHead, "\n") {
		if _, after, found := strings.Cut(line, "| `"+variablePrefix); found {
			name, _, _ := strings.Cut(after, "`")
			require.Contains(t, known, variablePrefix+name)
		}
	}
	require.Greater(t, len(known), 40)
	var out bytes.Buffer
	warnOfUnknownVariables(slog.New(slog.NewTextHandler(&out, nil)), known, []string{"PATH=/bin", "L1_URL=x", "SETTLE_LISTEN=x", "SETTLEMENT=x"})
	require.Empty(t, out.String())
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "ab", 2}, {"kitten", "sitting", 3}, {"LISTENN", "LISTEN", 1}, {"ab", "ba", 2}} {
		require.Equal(t, c.want, edits(c.a, c.b), "%s %s", c.a, c.b)
		require.Equal(t, c.want, edits(c.b, c.a), "%s %s", c.b, c.a)
	}
}
