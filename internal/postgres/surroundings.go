package postgres

import (
	"os"
	"regexp"
	"strings"
)

// clientVariable is the name of a variable that clients of Postgres read, known today or not.
var clientVariable = regexp.MustCompile(`^PG[A-Z]+(_TIMEOUT)?$`)

// IgnoreSurroundings takes every PG* variable out of this process's environment, and so out of that of the processes
// it starts. They are the user's settings for other servers. A URL can override most of them, but not PGSERVICE, and
// none of those that a later client reads. A process that connects to a private server calls it first; one that is
// given DATABASE_URL leaves them as they are.
func IgnoreSurroundings() {
	for _, setting := range os.Environ() {
		if name, _, _ := strings.Cut(setting, "="); clientVariable.MatchString(name) {
			_ = os.Unsetenv(name) // fails for impossible names alone
		}
	}
}
