package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle/internal/command"
	"github.com/zksettle/settle/internal/testcmd"
)

// TestWrongCommandLine: what is wrong is said in one line, with a pointer to the help of the
// command that was meant, and nothing on standard output.
func TestWrongCommandLine(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
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
		p := testcmd.Launch(t, env, c.args...)
		p.Wait()
		require.NotZero(t, p.Cmd.ProcessState.ExitCode(), p.Name)
		require.Empty(t, p.Stdout.String(), p.Name)
		require.Len(t, p.Lines(), 1, p.Name)
		require.Regexp(t, `^settle: error: .* \(settle( [a-z]+)* --help shows what there is\)$`, p.Stderr(), p.Name)
		require.Contains(t, p.Stderr(), c.says, p.Name)
	}
}

// TestMovedIsNamed: who uses what is gone reads what took its place, in one line.
func TestMovedIsNamed(t *testing.T) {
	t.Parallel()
	for old, c := range map[string]struct {
		env  map[string]string
		args []string
		says string
	}{
		"command":  {nil, []string{"bench", "all"}, "bench is gone: use settle-bench"},
		"flag":     {nil, []string{"worker", "--metrics=:1"}, "--metrics is gone: use --ops-listen"},
		"variable": {map[string]string{"SETTLE_SEQUENCER_METRICS": ":1"}, []string{"sequencer"}, "SETTLE_SEQUENCER_METRICS is gone: use SETTLE_OPS_LISTEN"},
	} {
		p := testcmd.Launch(t, testcmd.Environment(t, c.env), c.args...)
		p.Wait()
		require.NotZero(t, p.Cmd.ProcessState.ExitCode(), old)
		require.Len(t, p.Lines(), 1, old)
		require.Contains(t, p.Stderr(), c.says, old)
	}
	p := testcmd.Launch(t, testcmd.Environment(t, nil), "keys", "show", "--shape", "demo", "bench") // an argument, if a wrong one
	p.Wait()
	require.NotContains(t, p.Stderr(), "gone")
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
	env := testcmd.Environment(t, nil)
	for _, args := range [][]string{
		{"keys", "show", "--shape", "huge"}, {"keys", "show", "--aggregate", "huge-2"}, {"circuits", "stats", "--shape", "huge"},
	} {
		said := testcmd.Refuse(t, env, args...)
		require.Contains(t, said, "huge")
		for _, name := range []string{"tiny", "demo", "large"} {
			require.Contains(t, said, name, args)
		}
	}
}

// TestLastErrorAsLog: a program that reads the log reads how the process ended, however early that was.
func TestLastErrorAsLog(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, nil)
	for _, args := range [][]string{
		{"--log-format", "json", "keys", "show", "--shape", "huge"},
		{"keys", "show", "--log-format=json", "--shape", "huge"},
		{"--log-format", "json", "up", "--nonsense"},
		{"up", "--nonsense", "--log-format", "json"},
		{"--log-format", "json", "wallet", "new"},
	} {
		requireJSONLog(t, testcmd.Launch(t, env, args...))
	}
	requireJSONLog(t, testcmd.Launch(t, testcmd.Environment(t, map[string]string{"SETTLE_LOG_FORMAT": "json"}), "up", "--workers", "0"))
}

func requireJSONLog(t *testing.T, p *testcmd.Process) {
	t.Helper()
	p.Wait()
	require.NotZero(t, p.Cmd.ProcessState.ExitCode(), p.Name)
	lines := p.Lines()
	require.NotEmpty(t, lines, p.Name)
	var last map[string]any
	for _, line := range lines {
		last = map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(line), &last), "%s: %s", p.Name, line)
	}
	require.Equal(t, "ERROR", last["level"], p.Name)
	require.NotEmpty(t, last["error"], p.Name)
	require.NotEmpty(t, last["time"], p.Name)
}

// TestUnknownVariables: a setting that nothing reads is named with what was probably meant, and its
// value is not repeated. The command runs.
func TestUnknownVariables(t *testing.T) {
	t.Parallel()
	env := testcmd.Environment(t, map[string]string{"SETTLE_LISTENN": "hush-hush", "SETTLE_L1_PRIVAT_KEY": "hush-hush", "SETTLE_DATA_DIR": testcmd.NewDir(t)})
	p := testcmd.Launch(t, env, "version")
	p.Wait()
	require.Zero(t, p.Cmd.ProcessState.ExitCode())
	require.Len(t, p.Lines(), 2, p.Stderr())
	require.Contains(t, p.Stderr()+"\n", "name=SETTLE_LISTENN nearest=SETTLE_LISTEN\n")
	require.Contains(t, p.Stderr()+"\n", "name=SETTLE_L1_PRIVAT_KEY nearest=SETTLE_L1_PRIVATE_KEY\n")
	require.NotContains(t, p.Stderr(), "hush-hush")
}

// TestKnownVariables: what this package's tests and pages set or name is known.
func TestKnownVariables(t *testing.T) {
	t.Parallel()
	known := command.KnownVariables(model(t), program(&cli{}).Variables...)
	for _, setting := range testcmd.Environment(t, nil) {
		name, _, _ := strings.Cut(setting, "=")
		require.True(t, !strings.HasPrefix(name, command.VariablePrefix) || slices.Contains(known, name), name)
	}
	for _, line := range strings.Split(configurationHead, "\n") {
		if _, after, found := strings.Cut(line, "| `"+command.VariablePrefix); found {
			name, _, _ := strings.Cut(after, "`")
			require.Contains(t, known, command.VariablePrefix+name)
		}
	}
	require.Greater(t, len(known), 40)
}
