package main

import (
	"context"
	"time"

	"github.com/zksettle/settle/bench"
	"github.com/zksettle/settle/bench/record"
)

// endToEndFlags say what the benchmark from submission to settlement measures. The
// default prices are round figures to compute with, not quotations.
type endToEndFlags struct {
	rigFlags
	Workers       int           `help:"Number of worker processes." default:"1"`
	Rate          float64       `help:"Transfers to submit per second, at random times." default:"6"`
	Duration      time.Duration `help:"Time during which each repetition submits transfers." default:"12s"`
	SealAge       time.Duration `help:"Longest time that a transfer waits for its batch to fill." default:"5s"`
	CoreHourPrice float64       `help:"Price of one core for an hour, in US dollars. The default is a round figure for rented machines." default:"0.04"`
	GasPriceGwei  float64       `help:"Price of gas in gwei. The default is a round figure." default:"1"`
	EthPrice      float64       `help:"Price of one ether, in US dollars. The default is a round figure." default:"3000"`
}

func (f endToEndFlags) measured(_ *app) measured {
	return func(ctx context.Context, c bench.Common) (*record.File, error) {
		rig, err := f.config()
		if err != nil {
			return nil, err
		}
		return bench.EndToEnd(ctx, c, bench.E2EConfig{
			RigConfig: rig, Workers: f.Workers, Rate: f.Rate, Duration: f.Duration, SealAge: f.SealAge,
			Prices: bench.Prices{CoreHour: f.CoreHourPrice, Gas: f.GasPriceGwei, Ether: f.EthPrice},
		})
	}
}

type benchE2ECmd struct {
	benchFlags
	endToEndFlags
}

// Run measures from submission to settlement.
func (c benchE2ECmd) Run(a *app) error { return c.measure(a, c.measured(a)) }
