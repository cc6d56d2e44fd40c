package bench

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/zksettle/settle/bench/record"
)

// FleetConfig is a fleet of provers to simulate. Times are seconds.
type FleetConfig struct {
	Workers int
	Proofs  []float64 // measured times of proofs, each as likely as another
	Rest    float64   // what a job takes besides: reading its input, storing the proof
	Claim   float64   // to take a job from the queue
	Single  bool      // claims go one at a time, as if the database did nothing else meanwhile; else side by side
	Every   float64   // mean time between batches, which arrive at random (Poisson); 0: all wait from the start
	Settle  float64   // between settlements, of all batches proven and not behind an unproven one; 0: at once
	Batches int       // to simulate, at least 1
	Seed    uint64
}

// FleetResult is what a simulated fleet did.
type FleetResult struct {
	Rate    float64   // proofs per second, in the middle of the run
	Idle    float64   // share of the workers' time without a proof, in the middle of the run
	Last    float64   // when the last proof was stored
	Waits   []float64 // from a batch's arrival to its job taken, in ascending order
	Settled []float64 // from a batch's arrival to its settlement, in ascending order
}

// errFleet reports a fleet that cannot be simulated.
var errFleet = errors.New("fleet")

func (c FleetConfig) check() error {
	switch {
	case c.Workers < 1 || c.Batches < 1 || len(c.Proofs) == 0:
		return fmt.Errorf("%w of %d workers, %d batches, %d times of proofs: expected at least one of each", errFleet, c.Workers, c.Batches, len(c.Proofs))
	case slices.Min(c.Proofs) <= 0 || c.Rest < 0 || c.Claim < 0 || c.Every < 0 || c.Settle < 0:
		return fmt.Errorf("%w: a negative time", errFleet)
	}
	return nil
}

// simulatedJob is a batch on its way. Times count from the start.
type simulatedJob struct{ sealed, begun, stored float64 }

// Simulate runs the queue of proofs as events: batches arrive, the worker that is free
// first takes the oldest, and what is stored is settled in the batches' order. A batch
// takes the same time whoever proves it, so that fleets of one seed can be compared.
func Simulate(c FleetConfig) (FleetResult, error) {
	if err := c.check(); err != nil {
		return FleetResult{}, err
	}
	r := rand.New(rand.NewPCG(c.Seed, 0))
	free := make(instants, c.Workers) // when each worker is
	database := 0.0                   // when the next claim can begin, if they go one at a time
	jobs, clock := make([]simulatedJob, c.Batches), 0.0
	for i := range jobs {
		if c.Every > 0 {
			clock += r.ExpFloat64() * c.Every
		}
		takes := c.Proofs[r.IntN(len(c.Proofs))] + c.Rest
		begun := max(clock, free[0])
		if c.Single {
			begun = max(begun, database)
			database = begun + c.Claim
		}
		jobs[i] = simulatedJob{clock, begun + c.Claim, begun + c.Claim + takes}
		free[0] = jobs[i].stored
		heap.Fix(&free, 0)
	}
	return c.result(jobs), nil
}

func (c FleetConfig) result(jobs []simulatedJob) FleetResult {
	var out FleetResult
	provenTo := 0.0 // when all batches up to this one are proven
	stored := make([]float64, len(jobs))
	for i, j := range jobs {
		stored[i] = j.stored
		provenTo = max(provenTo, j.stored)
		settled := provenTo
		if c.Settle > 0 {
			settled = (float64(int(provenTo/c.Settle)) + 1) * c.Settle
		}
		out.Waits, out.Settled = append(out.Waits, j.begun-j.sealed), append(out.Settled, settled-j.sealed)
	}
	slices.Sort(stored)
	slices.Sort(out.Waits)
	slices.Sort(out.Settled)
	out.Last = stored[len(stored)-1]
	// The middle: a fifth at either end is filling and draining. Whole rounds of the
	// fleet, as proofs that began together end together.
	from := len(stored) / 5
	rounds := max(1, 3*len(stored)/5/c.Workers)
	to := min(from+rounds*c.Workers, len(stored)-1)
	if to == from {
		from, to = 0, len(stored)-1
	}
	begin, end := stored[from], stored[to]
	if end <= begin {
		begin, end, from, to = 0, out.Last, 0, len(stored)
	}
	out.Rate = float64(to-from) / (end - begin)
	busy := 0.0
	for _, j := range jobs {
		busy += max(0, min(j.stored, end)-max(j.begun, begin))
	}
	out.Idle = max(0, 1-busy/(float64(c.Workers)*(end-begin)))
	return out
}

// Wait is a quantile of the time that batches wait for a worker.
func (r FleetResult) Wait(q float64) float64 { return record.Quantile(r.Waits, q) }

// instants is a heap, the earliest first.
type instants []float64

// Len implements heap.Interface.
func (h instants) Len() int { return len(h) }

// Less implements heap.Interface.
func (h instants) Less(i, j int) bool { return h[i] < h[j] }

// Swap implements heap.Interface.
func (h instants) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements heap.Interface; the number of workers does not change.
func (h *instants) Push(x any) { *h = append(*h, x.(float64)) }

// Pop implements heap.Interface.
func (h *instants) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
