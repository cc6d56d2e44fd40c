package report

import "github.com/zksettle/settle/bench/record"

// headline picks what the table on top shows; labels that it does not name may be any.
type headline struct {
	benchmark, title, name string
	where                  map[string]string
}

func headlines() []headline {
	return []headline{
		{"circuits", "Constraints per transfer", "constraints per transfer", map[string]string{"accounts": "", "transfers": ""}},
		{"prove", "Time of a proof", "prove", map[string]string{"parallel": "1"}},
		{"prove", "Peak memory of a proof", "peak memory", map[string]string{"parallel": "1"}},
		{"prove", "Transfers per second over a plain rollup circuit", "settle over baseline", nil},
		{"pipeline", "Transfers proven per second", "transfers proven", nil},
		{"pipeline", "Pipeline over groth16.Prove back to back", "pipeline over raw", nil},
		{"api", "Transfers accepted durably per second", "transfers accepted", nil},
		{"gas", "Gas per transfer", "gas per transfer", nil},
		{"e2e", "From submission to settled, median", "submission to settled", map[string]string{"quantile": "p50"}},
		{"e2e", "Cost of 1,000 transfers", "cost of 1,000 transfers", map[string]string{"part": "both"}},
	}
}

// mostOfHeadline bounds the rows of one headline: the rest is in its section.
const mostOfHeadline = 4

type headlineRow struct {
	Benchmark, Title, Labels, Value string
	Source                          record.Source
}

func headlineRows(files []*record.File) []headlineRow {
	var rows []headlineRow
	for _, h := range headlines() {
		n := 0
		for _, f := range files {
			for _, m := range f.Measurements {
				if n < mostOfHeadline && h.picks(f, m) {
					rows = append(rows, headlineRow{f.Benchmark, h.title, record.ShowLabels(m.Labels), record.ShowSummary(m.Summary, m.Unit), m.Source})
					n++
				}
			}
		}
	}
	return rows
}

func (h headline) picks(f *record.File, m record.Measurement) bool {
	if f.Benchmark != h.benchmark || m.Name != h.name {
		return false
	}
	for label, want := range h.where {
		if m.Labels[label] != want {
			return false
		}
	}
	return true
}
