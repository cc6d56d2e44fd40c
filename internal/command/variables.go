package command

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// VariablePrefix begins the name of every environment variable of ours, but for DATABASE_URL and L1_URL.
const VariablePrefix = "SETTLE_"

// KnownVariables are the names that some command reads: those of flags, and more.
func KnownVariables(model *kong.Application, more ...string) []string {
	known := slices.Clone(more)
	_ = kong.Visit(model, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok {
			known = append(known, flag.Envs...)
		}
		return next(nil)
	})
	slices.Sort(known)
	return slices.Compact(known)
}

// warnOfUnknownVariables names the settings that nothing reads, which are most likely misspelt. Values may be
// secret and are not said.
func warnOfUnknownVariables(log *slog.Logger, known, environment []string) {
	for _, setting := range environment {
		name, _, _ := strings.Cut(setting, "=")
		if strings.HasPrefix(name, VariablePrefix) && !slices.Contains(known, name) {
			log.Warn("an environment variable that nothing reads", "name", name, "nearest", nearest(name, known))
		}
	}
}

// nearest is the known name that takes the fewest edits to get to; names holds at least one.
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return edits(name, a) - edits(name, b) })
}

// edits is the Levenshtein distance of two ASCII strings.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
