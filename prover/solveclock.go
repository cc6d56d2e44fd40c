package prover

import (
	"io"
	"time"

	"github.com/consensys/gnark/constraint/solver"
	"github.com/rs/zerolog"

	"github.com/zksettle/settle/provingkeys"
)

// solveClock notes when gnark's solver is done. groth16.Prove solves and proves in
// one call, and solving apart would cost its time twice (7 % of a proof). The
// solver's last act is to print the system's log lines to the logger of this call;
// provingkeys.Open gives each system one line, which arrives here. What it measures
// includes the multi-exponentiation of the commitment, which the solver asks for.
type solveClock struct{ at time.Time }

// Run implements zerolog.Hook.
func (c *solveClock) Run(_ *zerolog.Event, _ zerolog.Level, msg string) {
	if msg == provingkeys.SolvedMark {
		c.at = time.Now()
	}
}

func (c *solveClock) option() solver.Option {
	return solver.WithLogger(zerolog.New(io.Discard).Hook(c))
}

// since is the time from start to the end of solving; 0 if that never came.
func (c *solveClock) since(start time.Time) time.Duration {
	if c.at.IsZero() {
		return 0
	}
	return c.at.Sub(start)
}
