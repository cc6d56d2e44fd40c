package bench

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"sync"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/bench/record"
	"github.com/zksettle/settle/circuits/cost"
)

// Random batches of one size: as many as hold sampledTransfers, within bounds. Means
// and deviations of slots are known well by then.
const (
	sampledTransfers = 100_000
	fewestBatches    = 50
	mostBatches      = 1000
)

// normal999 is how many standard deviations above its mean 99.9 % of a normal
// distribution lie.
const normal999 = 3.09

func patternName(p cost.Pattern) string {
	if p == cost.Uniform {
		return "uniform"
	}
	return string(p)
}

// sizes foretells circuits for batches that no shape exists for.
type sizes struct {
	CircuitsConfig
	models func() (map[int]cost.Model, error) // by number of transfers
}

func newSizes(cfg CircuitsConfig) (*sizes, error) {
	const tokens = 2
	if slices.Min(cfg.Transfers) < 1 || slices.Min(cfg.Accounts) < 2*tokens {
		return nil, fmt.Errorf("benchmark %s: transfers %v and accounts %v: expected at least 1 and %d", CircuitsName, cfg.Transfers, cfg.Accounts, 2*tokens)
	}
	if slices.Max(cfg.Accounts) > 1<<31 {
		return nil, fmt.Errorf("benchmark %s: accounts %v: expected at most 2^31", CircuitsName, cfg.Accounts)
	}
	return &sizes{cfg, sync.OnceValues(func() (map[int]cost.Model, error) { return modelsOf(cfg.Transfers) })}, nil
}

// modelsOf compiles what the circuits of all these batches are foretold from, with
// tables as wide as is best for each.
func modelsOf(transfers []int) (map[int]cost.Model, error) {
	byWindow, models := map[int]cost.Model{}, map[int]cost.Model{}
	for _, n := range transfers {
		bits := cost.BestWindow(n)
		model, ok := byWindow[bits]
		if !ok {
			var err error
			if model, err = cost.NewModel(bits); err != nil {
				return nil, err
			}
			byWindow[bits] = model
		}
		models[n] = model
	}
	return models, nil
}

// point is one size of batch and state.
type point struct {
	transfers, accounts int
	capacity            settle.Capacity
}

// grow counts the slots of random batches at every size, and what they cost.
func (g *sizes) grow(ctx context.Context, s *record.Sample, pattern cost.Pattern) error {
	models, err := g.models()
	if err != nil {
		return err
	}
	var points []*point
	for _, transfers := range g.Transfers {
		for _, accounts := range g.Accounts {
			points = append(points, &point{transfers: transfers, accounts: accounts})
		}
	}
	var todo sync.WaitGroup
	next := make(chan *point)
	for range runtime.GOMAXPROCS(0) {
		todo.Go(func() {
			for p := range next {
				p.capacity = capacityOf(g.Seed, pattern, p.transfers, p.accounts)
			}
		})
	}
	for _, p := range points {
		if ctx.Err() == nil {
			next <- p
		}
	}
	close(next)
	todo.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, p := range points {
		labels := map[string]string{
			"transfers": strconv.Itoa(p.transfers), "accounts": strconv.Itoa(p.accounts), "pattern": patternName(pattern),
		}
		model, n := models[p.transfers], float64(p.transfers)
		add := func(name, unit string, v float64) {
			s.Add(record.Value{Name: name, Labels: labels, Unit: unit, Better: record.Lower, Source: record.Projected, Value: v})
		}
		add(ConstraintsPerTransferName, "constraints", float64(model.Constraints(p.capacity))/n)
		add(NodesPerTransferName, "nodes", float64(p.capacity.Nodes)/n)
	}
	return nil
}

// capacityOf returns the slots that 99.9 % of random batches fit.
func capacityOf(seed uint64, pattern cost.Pattern, transfers, accounts int) settle.Capacity {
	population := cost.Population{Accounts: accounts, Tokens: 2, Opens: 0.05, Exits: 0.05, Pattern: pattern}
	sampler := population.Sampler(rand.New(rand.NewPCG(seed, uint64(transfers)<<32|uint64(accounts))))
	batches := min(max(sampledTransfers/transfers, fewestBatches), mostBatches)
	var accountsUsed, nodes, opens, exits, fees spread
	for range batches {
		u := sampler.Usage(transfers)
		accountsUsed.add(u.Accounts)
		nodes.add(u.Nodes)
		opens.add(u.Opens)
		exits.add(u.Exits)
		fees.add(u.FeeAccounts)
	}
	return settle.Capacity{
		Transfers: transfers, Accounts: accountsUsed.nearlyAll(), Nodes: nodes.nearlyAll(),
		FeeAccounts: fees.nearlyAll(), Opens: opens.nearlyAll(), Exits: exits.nearlyAll(),
	}
}

// spread is the distribution of a count.
type spread struct {
	n, sum, squares float64
	most            int
}

func (s *spread) add(v int) {
	s.n, s.sum, s.squares, s.most = s.n+1, s.sum+float64(v), s.squares+float64(v)*float64(v), max(s.most, v)
}

// nearlyAll is what 99.9 % of the counts do not exceed, at least 1.
func (s *spread) nearlyAll() int {
	mean := s.sum / s.n
	deviation := math.Sqrt(max(0, s.squares/s.n-mean*mean))
	return max(1, int(math.Ceil(mean+normal999*deviation)))
}
