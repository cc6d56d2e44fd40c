package main

import (
	"os"

	"github.com/zksettle/settle/bench"
)

// benchLoadCmd is the load generator, a process that benchmarks start: the plan comes
// over standard input, the result goes to standard output.
type benchLoadCmd struct{}

// Run generates the load that it is told to.
func (benchLoadCmd) Run(a *app) error {
	return bench.Load(a.Ctx, os.Stdin, a.Stdout)
}
