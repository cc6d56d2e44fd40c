package cost

import "github.com/zksettle/settle"

// longSum is the number of terms at which gnark's compiler gives a sum a wire of its
// own, at one constraint (frontend.WithCompressThreshold, as it is by default).
const longSum = 300

// growing is a sum whose terms are counted.
type growing struct{ terms, constraints int }

func (s *growing) add(terms int) {
	if s.terms += terms; s.terms >= longSum {
		s.terms, s.constraints = 1, s.constraints+1
	}
}

// treeSum is what summing n wires in pairs, and pairs of pairs, costs, as gnark's
// arguments do it. All nodes of a level are alike but for the last.
func treeSum(n int) int {
	constraints, full, last := 0, 1, 1
	for ; n > 1; n = (n + 1) / 2 {
		twice := growing{terms: full}
		twice.add(full)
		pairs := n / 2
		if n%2 == 0 {
			end := growing{terms: full}
			end.add(last)
			last, pairs, constraints = end.terms, pairs-1, constraints+end.constraints
		}
		constraints += pairs * twice.constraints
		full = twice.terms
	}
	return constraints
}

// dataSums is what the sums over all slots in the public data cost: the counts in the
// header, the length, and the evaluation. Where one of them ends a few terms below
// longSum, the hash that takes it may pay for up to a handful more.
func dataSums(c settle.Capacity) int {
	const kinds = 4 // flags of a transfer's slot
	var counts growing
	total := 0
	for _, section := range []struct{ slots, flags int }{{c.FeeAccounts, 1}, {c.Transfers, kinds}, {c.Opens, 1}, {c.Exits, 1}} {
		var count growing
		for range section.slots {
			count.add(section.flags)
		}
		counts.add(count.terms)
		total += count.constraints
	}
	length := growing{terms: 1}
	for range c.FeeAccounts {
		length.add(1)
	}
	for range (c.Transfers + 1) / 2 {
		length.add(kinds)
	}
	for range c.Opens + c.Exits {
		length.add(1) // the second word has the flag of the first
	}
	value, weight := growing{terms: 5}, growing{terms: 1} // of the header's words
	for range dataWords(c) {
		value.add(1)
		weight.add(1)
	}
	value.add(1)
	return total + counts.constraints + length.constraints + value.constraints + weight.constraints
}
