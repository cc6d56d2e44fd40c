package testcmd

import (
	"encoding/json"

	"github.com/stretchr/testify/require"
)

// LogLine is a line of a JSON log.
type LogLine map[string]any

// Message is what it says.
func (l LogLine) Message() string { return l["msg"].(string) }

// JSONLog parses all that the process has said.
func (p *Process) JSONLog() []LogLine {
	p.t.Helper()
	var lines []LogLine
	for _, text := range p.Lines() {
		var line LogLine
		require.NoError(p.t, json.Unmarshal([]byte(text), &line), "settle %s: %q", p.Name, text)
		for _, field := range []string{"time", "level", "msg"} {
			require.NotEmpty(p.t, line[field], text)
		}
		for name, value := range line {
			require.NotRegexp(p.t, `^\d+(\.\d+)?(ns|µs|ms|s)$`, value, "%s of %q: a duration in JSON is a number", name, text)
		}
		lines = append(lines, line)
	}
	return lines
}
