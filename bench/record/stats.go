package record

import (
	"math"
	"slices"
)

// Summary of repeated values. The spread is the whole range, not a deviation: with
// three to ten repetitions nothing is known about a distribution's tails.
type Summary struct {
	Median float64 `json:"median"`
	Least  float64 `json:"least"`
	Most   float64 `json:"most"`
}

// Summarize summarizes at least one value.
func Summarize(values []float64) Summary {
	sorted := slices.Sorted(slices.Values(values))
	return Summary{Median: Quantile(sorted, 0.5), Least: sorted[0], Most: sorted[len(sorted)-1]}
}

// Spread is the range as a share of the median, 0 where the median is 0.
func (s Summary) Spread() float64 {
	if s.Median == 0 {
		return 0
	}
	return (s.Most - s.Least) / math.Abs(s.Median)
}

// Quantile of sorted values, at least one, between neighbours by their distance
// (Hyndman and Fan 1996, type 7).
func Quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	share, distance := at-float64(low), sorted[low+1]-sorted[low]
	if math.IsInf(distance, 0) { // between the largest numbers of both signs
		return (1-share)*sorted[low] + share*sorted[low+1]
	}
	return sorted[low] + share*distance
}
