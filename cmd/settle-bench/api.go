package main

import (
	"context"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
)

// apiBenchAccounts are so many that few transfers of one sender are pending at once.
const apiBenchAccounts = 16_384

// submissionFlags say what the benchmark of the API measures.
type submissionFlags struct {
	rigFlags
	Arrays      []int `help:"Number of transfers per request. 0 sends one transfer without an array." default:"100,0"`
	Connections int   `help:"Number of requests in flight at once." default:"8"`
	Transfers   int   `help:"Number of transfers in each repetition. Single submissions use a tenth of it." default:"4000"`
	Rate        int   `help:"Transfers per second at which latency is measured too, in arrays of the first size. 0 measures full load only." default:"1500"`
}

func (f submissionFlags) measured(_ *app) measured {
	return func(ctx context.Context, c bench.Common) (*record.File, error) {
		if f.Accounts == 0 {
			f.Accounts = apiBenchAccounts
		}
		rig, err := f.config()
		if err != nil {
			return nil, err
		}
		return bench.API(ctx, c, bench.APIConfig{RigConfig: rig, Arrays: f.Arrays, Connections: f.Connections, Transfers: f.Transfers, Rate: f.Rate})
	}
}

type benchAPICmd struct {
	benchFlags
	submissionFlags
}

// Run measures the API.
func (c benchAPICmd) Run(a *app) error { return c.measure(a, c.measured(a)) }
