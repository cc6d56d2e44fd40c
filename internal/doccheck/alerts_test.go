package doccheck

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	alertName   = regexp.MustCompile(`(?m)^ +- alert: (\w+)$`)
	comment     = regexp.MustCompile(`(?m)^ *#.*$`)
	metricName  = regexp.MustCompile(`\bsettle_[a-z0-9_]+`)
	metricMade  = regexp.MustCompile(`"(settle_[a-z0-9_]+)"`)
	runbookName = regexp.MustCompile(`\bSettle[A-Z]\w+`)
)

// TestAlertsNameMetrics: each metric in deploy/alerts.yml is one that a role makes. An
// alert on another one never fires, and promtool does not know. (TestLogsAndMetrics of
// cmd/settle finds their labels in what running roles show.)
func TestAlertsNameMetrics(t *testing.T) {
	made := map[string]bool{}
	for _, dir := range []string{"node", "jobs", "api"} {
		files, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			source, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range metricMade.FindAllStringSubmatch(string(source), -1) {
				made[m[1]] = true
			}
		}
	}
	named := metricName.FindAllString(comment.ReplaceAllString(read(t, "deploy", "alerts.yml"), ""), -1)
	require.Contains(t, named, "settle_last_step_timestamp_seconds")
	for _, name := range named {
		require.True(t, made[name], "no role makes %s", name)
	}
}

// TestRunbookExplainsAlerts: each alert has its row, and each row its alert.
func TestRunbookExplainsAlerts(t *testing.T) {
	runbook := read(t, "docs", "runbook.md")
	alerts := map[string]bool{}
	for _, m := range alertName.FindAllStringSubmatch(read(t, "deploy", "alerts.yml"), -1) {
		require.False(t, alerts[m[1]], "%s twice", m[1])
		alerts[m[1]] = true
		require.Contains(t, runbook, "\n| `"+m[1]+"` |")
	}
	require.NotEmpty(t, alerts)
	for _, name := range runbookName.FindAllString(runbook, -1) {
		require.True(t, alerts[name], "the runbook explains %s, which is no alert", name)
	}
}
