package aggregator_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
)

const longest = 600 // seconds: more than any wait that is drawn

func drawPolicy(t *rapid.T) aggregator.Policy {
	seconds := func(name string, low, high int) time.Duration {
		return time.Duration(rapid.IntRange(low, high).Draw(t, name)) * time.Second
	}
	p := aggregator.Policy{
		Circuits: map[settle.KeyHash]aggregator.Circuit{}, MaxWords: rapid.SampledFrom([]int{0, 40, 90}).Draw(t, "words"),
		Wait: seconds("wait", 0, 120), ExitWait: seconds("exit wait", 0, 60), FoldWait: seconds("fold wait", 0, 100),
	}
	for k := range rapid.IntRange(0, 2).Draw(t, "circuits") {
		slots := rapid.IntRange(2, 5).Draw(t, "slots")
		p.Circuits[key(k)] = aggregator.Circuit{Shape: "toy", Slots: slots, KeyHash: key(100 + k)}
	}
	if rapid.Bool().Draw(t, "gas") {
		p.LowGas, p.LowWait = 10, min(p.Wait, seconds("low wait", 0, 60))
		p.HighGas, p.HighWait = 100, p.Wait+seconds("high wait", 0, 300)
	}
	return p
}

// drawSnapshot is any queue: settling ones first, groups anywhere among what could
// have been grouped, unproven batches and dead letters.
func drawSnapshot(t *rapid.T) aggregator.Snapshot {
	s := aggregator.Snapshot{Now: at(longest + rapid.IntRange(0, longest).Draw(t, "now"))}
	if rapid.Bool().Draw(t, "priced") {
		s.GasPrice = price(rapid.Uint64Range(0, 200).Draw(t, "price"))
	}
	n := rapid.IntRange(0, 14).Draw(t, "batches")
	first := rapid.IntRange(1, 100).Draw(t, "first")
	settling := rapid.IntRange(0, n).Draw(t, "settling") / 4
	for i := range n {
		b := aggregator.Batch{
			Number: settle.BatchNumber(first + i), Status: settle.BatchProven, KeyHash: key(rapid.IntRange(0, 5).Draw(t, "key") / 4),
			Words: rapid.IntRange(5, 50).Draw(t, "size"), ProvenAt: at(longest + rapid.IntRange(-longest, longest).Draw(t, "proven")),
			Exits: max(0, rapid.IntRange(-6, 2).Draw(t, "exits")),
		}
		if b.ProvenAt.After(s.Now) {
			b.ProvenAt = s.Now
		}
		switch {
		case i < settling:
			b.Status = settle.BatchSettling
		case rapid.IntRange(0, 7).Draw(t, "sealed") == 0:
			b.Status, b.ProvenAt = settle.BatchSealed, time.Time{}
			b.DeadLetter = rapid.Bool().Draw(t, "dead")
		}
		s.Batches = append(s.Batches, b)
	}
	for i := 0; i < n; {
		end := i
		for end < n && end-i < 3 && s.Batches[end].Status == settle.BatchProven && s.Batches[end].KeyHash == s.Batches[i].KeyHash {
			end++
		}
		if end > i && rapid.IntRange(0, 3).Draw(t, "grouped") == 0 {
			s.Groups = append(s.Groups, aggregator.Group{
				First: s.Batches[i].Number, Last: s.Batches[end-1].Number, PlannedAt: s.Now.Add(-time.Duration(rapid.IntRange(0, 100).Draw(t, "planned")) * time.Second),
				Status:     rapid.SampledFrom([]aggregator.GroupStatus{aggregator.GroupPlanned, aggregator.GroupProven, aggregator.GroupDirect}).Draw(t, "status"),
				DeadLetter: rapid.IntRange(0, 3).Draw(t, "dead group") == 0,
			})
		}
		i = max(end, i+1)
	}
	return s
}

func decide(t *rapid.T, p aggregator.Policy, s aggregator.Snapshot) []aggregator.Decision {
	out, err := aggregator.Plan(p, s)
	require.NoError(t, err)
	return out
}

// apply is the queue after the plan was carried out.
func apply(s aggregator.Snapshot, plan []aggregator.Decision) aggregator.Snapshot {
	s.Groups = slices.Clone(s.Groups)
	for _, d := range plan {
		status := map[aggregator.Action]aggregator.GroupStatus{aggregator.Fold: aggregator.GroupPlanned, aggregator.Direct: aggregator.GroupDirect}[d.Action]
		known := slices.IndexFunc(s.Groups, func(g aggregator.Group) bool { return g.First == d.First })
		switch {
		case d.Action == aggregator.Wait:
		case known >= 0:
			s.Groups[known].Status = status
		default:
			s.Groups = append(s.Groups, aggregator.Group{First: d.First, Last: d.Last, Status: status, PlannedAt: s.Now})
		}
	}
	slices.SortFunc(s.Groups, func(a, b aggregator.Group) int { return int(a.First) - int(b.First) })
	return s
}

// free counts by batch the groups that hold it and the new decisions about it.
func free(s aggregator.Snapshot, plan []aggregator.Decision) (held, planned map[settle.BatchNumber]int) {
	held, planned = map[settle.BatchNumber]int{}, map[settle.BatchNumber]int{}
	for _, b := range s.Batches {
		if b.Status == settle.BatchSettling {
			held[b.Number]++
		}
	}
	for _, g := range s.Groups {
		for n := g.First; n <= g.Last; n++ {
			held[n]++
		}
	}
	for _, d := range plan {
		if d.Reason == aggregator.ReasonDead || d.Reason == aggregator.ReasonLate {
			continue // about a group that is there
		}
		for n := d.First; n <= d.Last; n++ {
			planned[n]++
		}
	}
	return held, planned
}

// TestNothingSkippedNothingTwice: up to the first unproven batch every batch is in one
// group, or in one decision; behind it in none.
func TestNothingSkippedNothingTwice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSnapshot(t)
		plan := decide(t, p, s)
		held, planned := free(s, plan)
		behind := false
		for _, b := range s.Batches {
			taken := held[b.Number] > 0
			behind = behind || (b.Status == settle.BatchSealed && !taken)
			for _, d := range plan {
				behind = behind || (d.Action == aggregator.Wait && b.Number > d.Last)
			}
			switch {
			case taken || behind:
				require.Zero(t, planned[b.Number], "batch %d", b.Number)
			default:
				require.Equal(t, 1, planned[b.Number], "batch %d", b.Number)
			}
		}
	})
}

// TestGroupsAreOfOneKind: two or more batches of one key that fit, for the circuit of
// that key; only one wait, and it comes last.
func TestGroupsAreOfOneKind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSnapshot(t)
		plan := decide(t, p, s)
		for i, d := range plan {
			require.LessOrEqual(t, d.First, d.Last)
			if d.Action == aggregator.Wait {
				require.Equal(t, len(plan)-1, i)
				require.True(t, d.Until.After(s.Now))
			}
			if d.Action != aggregator.Fold {
				continue
			}
			members := s.Batches[d.First-s.Batches[0].Number:][:d.Last-d.First+1]
			require.GreaterOrEqual(t, len(members), 2)
			require.LessOrEqual(t, len(members), d.Circuit.Slots)
			require.Equal(t, p.Circuits[members[0].KeyHash], d.Circuit)
			words := 0
			for _, b := range members {
				require.Equal(t, settle.BatchProven, b.Status)
				require.Equal(t, members[0].KeyHash, b.KeyHash)
				words += b.Words
			}
			if p.MaxWords > 0 {
				require.LessOrEqual(t, words, p.MaxWords)
			}
		}
	})
}

// TestDeadlinesAreKept: a batch that can be decided is, at the latest when it has
// waited as long as the policy says.
func TestDeadlinesAreKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSnapshot(t)
		for _, d := range decide(t, p, s) {
			if d.Action != aggregator.Wait {
				continue
			}
			require.Less(t, int(d.Last-d.First+1), p.Circuits[s.Batches[d.First-s.Batches[0].Number].KeyHash].Slots, "a full group waits")
			for _, b := range s.Batches {
				if b.Number < d.First || b.Number > d.Last {
					continue
				}
				most := p.Wait
				if s.GasPrice != nil && p.HighGas > 0 && *s.GasPrice >= p.HighGas {
					most = p.HighWait
				}
				if s.GasPrice != nil && p.LowGas > 0 && *s.GasPrice <= p.LowGas {
					most = p.LowWait
				}
				if b.Exits > 0 {
					most = min(most, p.ExitWait)
				}
				require.True(t, s.Now.Before(b.ProvenAt.Add(most)), "batch %d waits beyond its time", b.Number)
				require.False(t, d.Until.After(b.ProvenAt.Add(most)), "batch %d would", b.Number)
			}
		}
	})
}

// TestWhatIsDecidedStaysDecided: later, or at a lower price, the plan holds the same
// decisions and perhaps more; at the end of a wait something is decided.
func TestWhatIsDecidedStaysDecided(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSnapshot(t)
		done := func(plan []aggregator.Decision) (out []aggregator.Decision) {
			for _, d := range plan {
				if d.Action != aggregator.Wait {
					d.Reason = ""
					out = append(out, d)
				}
			}
			return out
		}
		plan := decide(t, p, s)
		later := s
		later.Now = s.Now.Add(time.Duration(rapid.IntRange(0, 400).Draw(t, "later")) * time.Second)
		require.Subset(t, done(decide(t, p, later)), done(plan))
		if s.GasPrice != nil {
			cheaper := s
			cheaper.GasPrice = price(rapid.Uint64Range(0, *s.GasPrice).Draw(t, "cheaper"))
			require.Subset(t, done(decide(t, p, cheaper)), done(plan))
		}
		for _, d := range plan {
			if d.Action == aggregator.Wait {
				later.Now = d.Until
				require.Greater(t, len(done(decide(t, p, later))), len(done(plan)))
				later.Now = d.Until.Add(-1)
				bounded := p
				bounded.FoldWait = 0 // groups give up by themselves
				require.Len(t, done(decide(t, bounded, later)), len(done(decide(t, bounded, s))))
			}
		}
		require.Empty(t, done(decide(t, p, apply(s, plan))), "a plan that was carried out leaves nothing to do")
	})
}

// TestDeadLettersHoldBackOnlyWhatComesAfter: before one nobody waits.
func TestDeadLettersHoldBackOnlyWhatComesAfter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSnapshot(t)
		plan := decide(t, p, s)
		for _, d := range plan {
			if d.Action != aggregator.Wait {
				continue
			}
			next := slices.IndexFunc(s.Batches, func(b aggregator.Batch) bool { return b.Number == d.Last+1 })
			require.False(t, next >= 0 && s.Batches[next].DeadLetter, "batches wait for dead letter %d", d.Last+1)
		}
	})
}

// TestQueueDrains plays a queue in which batches are proven in any order and time
// goes on: in the end each was decided once, in order.
func TestQueueDrains(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSnapshot(t)
		var waiting []int
		for i := range s.Batches {
			s.Batches[i].DeadLetter = false
			if s.Batches[i].Status == settle.BatchSealed {
				waiting = append(waiting, i)
			}
		}
		waiting = rapid.Permutation(waiting).Draw(t, "order")
		last := settle.BatchNumber(0)
		step := func() {
			plan := decide(t, p, s)
			for _, d := range plan {
				if d.Action == aggregator.Wait || d.Reason == aggregator.ReasonDead || d.Reason == aggregator.ReasonLate {
					continue
				}
				require.Greater(t, d.First, last)
				last = d.Last
			}
			s = apply(s, plan)
		}
		for _, i := range waiting {
			step()
			s.Now = s.Now.Add(time.Duration(rapid.IntRange(0, 60).Draw(t, "pass")) * time.Second)
			s.Batches[i].Status, s.Batches[i].ProvenAt = settle.BatchProven, s.Now
		}
		step()
		s.Now = s.Now.Add(2 * longest * time.Second)
		step()
		held, _ := free(s, nil)
		for _, b := range s.Batches {
			require.Equal(t, 1, held[b.Number], "batch %d", b.Number)
		}
	})
}
