package report

// Kind of a plot.
type Kind int

// Kinds.
const (
	Bars  Kind = iota // a bar per value of the label X, or per measurement where X is empty
	Lines             // a line over the numeric label X
)

// Plot says what to draw; labels of the measurements that it does not name tell bars
// of one place or lines apart. Where a run has nothing to draw, there is no plot.
type Plot struct {
	Benchmark string
	Title     string
	Kind      Kind
	Names     []string          // measurements, of one unit
	X         string            // label on the axis
	Each      string            // label with a plot of its own for each of its values, if not empty
	Where     map[string]string // labels that a measurement must have; empty value: must not have
	LogX      bool
	LogY      bool
}

// Plots lists what the report draws, by benchmark in the order of the page.
func Plots() []Plot {
	return []Plot{
		{Benchmark: "circuits", Title: "Constraints by chip", Names: []string{"constraints"}, X: "chip", Each: "shape"},
		{Benchmark: "circuits", Title: "Constraints of one slot of a chip", Names: []string{"constraints each"}, X: "chip", Each: "shape"},
		{
			Benchmark: "circuits", Title: "Constraints per transfer over the transfers of a batch", Kind: Lines,
			Names: []string{"constraints per transfer"}, X: "transfers", Each: "pattern", LogX: true,
		},
		{
			Benchmark: "circuits", Title: "Constraints per transfer over the accounts of the state", Kind: Lines,
			Names: []string{"constraints per transfer"}, X: "accounts", Each: "pattern", LogX: true,
		},

		{Benchmark: "prove", Title: "Where the time of a proof goes", Names: []string{"piece"}, X: "piece", Each: "shape"},
		{Benchmark: "prove", Title: "From a batch to its proof", Names: []string{"assign", "solve", "prove", "verify"}, Each: "shape"},
		{Benchmark: "prove", Title: "Before the first proof", Names: []string{"compile", "setup", "key load"}, Each: "shape"},
		{Benchmark: "prove", Title: "Where the memory of a proof goes", Names: []string{"memory"}, X: "of", Each: "shape"},
		{Benchmark: "prove", Title: "Transfers per second by proofs side by side", Kind: Lines, Names: []string{"transfers per second"}, X: "parallel"},
		{
			Benchmark: "prove", Title: "Transfers per second beside a plain rollup circuit",
			Names: []string{"settle transfers per second beside the baseline", "baseline transfers per second"}, Each: "shape",
		},

		{
			Benchmark: "pipeline", Title: "Proofs per second beside groth16.Prove back to back",
			Names: []string{"proofs", "raw proofs"}, X: "workers",
		},
		{Benchmark: "pipeline", Title: "Transfers proven per second over workers", Kind: Lines, Names: []string{"transfers proven"}, X: "workers", LogX: true},

		{Benchmark: "api", Title: "Transfers accepted durably per second", Names: []string{"transfers accepted"}, X: "array"},
		{Benchmark: "api", Title: "Processor time per 1,000 transfers", Names: []string{"processor time per 1,000 transfers"}, X: "role"},

		{
			Benchmark: "gas", Title: "Where the gas of a settlement goes", Names: []string{"gas by part"}, X: "part", Each: "route",
			Where: map[string]string{"load": "mixed"},
		},
		{
			Benchmark: "gas", Title: "Where the gas of a settlement goes, projected", Names: []string{"projected gas by part"}, X: "part", Each: "shape",
			Where: map[string]string{"load": "mixed"},
		},
		{
			Benchmark: "gas", Title: "Gas per transfer over the batches that settle together, projected", Kind: Lines,
			Names: []string{"projected gas per transfer"}, X: "batches", Where: map[string]string{"load": "mixed"}, LogX: true, LogY: true,
		},
		{Benchmark: "gas", Title: "Gas of the verifier", Names: []string{"gas of the verifier"}, X: "part"},

		{
			Benchmark: "growth", Title: "Transfers proven per second over workers", Kind: Lines, Names: []string{"throughput"}, X: "workers",
			Each: "shape", LogX: true, LogY: true,
		},
		{Benchmark: "growth", Title: "Wait in the queue over workers", Kind: Lines, Names: []string{"queue wait"}, X: "workers", Each: "shape", LogX: true},

		{Benchmark: "e2e", Title: "From submission to settled", Names: []string{"submission to settled"}, X: "quantile"},
		{Benchmark: "e2e", Title: "Processor time per 1,000 transfers", Names: []string{"processor time per 1,000 transfers"}, X: "role"},
		{Benchmark: "e2e", Title: "Cost of 1,000 transfers", Names: []string{"cost of 1,000 transfers"}, X: "part"},
	}
}
