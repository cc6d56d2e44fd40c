package aggregator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/aggregator"
)

func at(seconds int) time.Time {
	return time.Unix(1_000_000, 0).Add(time.Duration(seconds) * time.Second)
}

func key(n int) settle.KeyHash { return settle.KeyHash{31: byte(n)} }

// policy folds up to three proofs of key 1; a batch waits 60 s, with exits 10 s.
func policy() aggregator.Policy {
	return aggregator.Policy{
		Circuits: map[settle.KeyHash]aggregator.Circuit{key(1): {Shape: "demo-3", Slots: 3, KeyHash: key(101)}},
		MaxWords: 100, Wait: time.Minute, ExitWait: 10 * time.Second,
		LowGas: 10, LowWait: 0, HighGas: 1000, HighWait: 5 * time.Minute, FoldWait: time.Hour,
	}
}

// proven is a queue of proven batches from number 1 on, batch i proven at second i.
func proven(n int) []aggregator.Batch {
	var out []aggregator.Batch
	for i := 1; i <= n; i++ {
		out = append(out, aggregator.Batch{
			Number: settle.BatchNumber(i), Status: settle.BatchProven, KeyHash: key(1), ProvenAt: at(i), Words: 10,
		})
	}
	return out
}

func plan(t *testing.T, s aggregator.Snapshot) []aggregator.Decision {
	t.Helper()
	out, err := aggregator.Plan(policy(), s)
	require.NoError(t, err)
	return out
}

func fold(first, last settle.BatchNumber, reason aggregator.Reason) aggregator.Decision {
	return aggregator.Decision{Action: aggregator.Fold, First: first, Last: last, Circuit: policy().Circuits[key(1)], Reason: reason}
}

func direct(first, last settle.BatchNumber, reason aggregator.Reason) aggregator.Decision {
	return aggregator.Decision{Action: aggregator.Direct, First: first, Last: last, Reason: reason}
}

func wait(first, last settle.BatchNumber, until time.Time) aggregator.Decision {
	return aggregator.Decision{Action: aggregator.Wait, First: first, Last: last, Until: until, Reason: aggregator.ReasonMore}
}

func price(v uint64) *uint64 { return &v }

func TestPlan(t *testing.T) {
	for name, c := range map[string]struct {
		at     int
		queue  []aggregator.Batch
		change func(*aggregator.Snapshot)
		want   []aggregator.Decision
	}{
		"nothing":                  {0, nil, nil, nil},
		"full groups at once":      {7, proven(7), nil, []aggregator.Decision{fold(1, 3, "full"), fold(4, 6, "full"), wait(7, 7, at(67))}},
		"others may join":          {5, proven(2), nil, []aggregator.Decision{wait(1, 2, at(61))}},
		"deadline of the first":    {61, proven(2), nil, []aggregator.Decision{fold(1, 2, "deadline")}},
		"one alone settles itself": {61, proven(1), nil, []aggregator.Decision{direct(1, 1, "deadline")}},
		"exits wait less": {14, proven(2), func(s *aggregator.Snapshot) { s.Batches[1].Exits = 1 },
			[]aggregator.Decision{fold(1, 2, "exits")}},
		"exits set the deadline": {11, proven(2), func(s *aggregator.Snapshot) { s.Batches[1].Exits = 1 },
			[]aggregator.Decision{wait(1, 2, at(12))}},
		"cheap gas waits for nobody": {2, proven(2), func(s *aggregator.Snapshot) { s.GasPrice = price(10) },
			[]aggregator.Decision{fold(1, 2, "deadline")}},
		"dear gas waits longer": {299, proven(2), func(s *aggregator.Snapshot) { s.GasPrice = price(1000) },
			[]aggregator.Decision{wait(1, 2, at(301))}},
		"dear gas holds no full group": {3, proven(3), func(s *aggregator.Snapshot) { s.GasPrice = price(5000) },
			[]aggregator.Decision{fold(1, 3, "full")}},
		"exits do not wait for gas": {12, proven(2), func(s *aggregator.Snapshot) { s.GasPrice = price(1000); s.Batches[0].Exits = 3 },
			[]aggregator.Decision{fold(1, 2, "exits")}},
		"one key": {3, proven(4), func(s *aggregator.Snapshot) { s.Batches[2].KeyHash = key(2) },
			[]aggregator.Decision{fold(1, 2, "key"), direct(3, 3, "no_fold"), wait(4, 4, at(64))}},
		"unproven batches hold back what comes after": {200, proven(4), func(s *aggregator.Snapshot) { s.Batches[1].Status = settle.BatchSealed },
			[]aggregator.Decision{direct(1, 1, "deadline")}},
		"an unproven one may join": {5, proven(4), func(s *aggregator.Snapshot) { s.Batches[1].Status = settle.BatchSealed },
			[]aggregator.Decision{wait(1, 1, at(61))}},
		"an unproven one of another key may not": {5, proven(4), func(s *aggregator.Snapshot) {
			s.Batches[2].Status, s.Batches[2].KeyHash = settle.BatchSealed, key(2)
		}, []aggregator.Decision{fold(1, 2, "key")}},
		"nobody waits for a dead letter": {5, proven(4), func(s *aggregator.Snapshot) {
			s.Batches[2].Status, s.Batches[2].DeadLetter = settle.BatchSealed, true
		}, []aggregator.Decision{fold(1, 2, "blocked")}},
		"behind a dead letter": {500, proven(4), func(s *aggregator.Snapshot) {
			s.Batches[0].Status, s.Batches[0].DeadLetter = settle.BatchSealed, true
		}, nil},
		"too large for one transaction": {5, proven(3), func(s *aggregator.Snapshot) { s.Batches[2].Words = 81 },
			[]aggregator.Decision{fold(1, 2, "size"), wait(3, 3, at(63))}},
		"a huge one settles itself": {5, proven(2), func(s *aggregator.Snapshot) { s.Batches[0].Words = 1000 },
			[]aggregator.Decision{direct(1, 1, "size"), wait(2, 2, at(62))}},
		"decided ones are passed": {5, proven(4), func(s *aggregator.Snapshot) {
			s.Batches[0].Status = settle.BatchSettling
			s.Groups = []aggregator.Group{{First: 2, Last: 3, Status: aggregator.GroupPlanned, PlannedAt: at(3)}}
		}, []aggregator.Decision{wait(4, 4, at(64))}},
		"a group that gave up is not folded again": {500, proven(2), func(s *aggregator.Snapshot) {
			s.Groups = []aggregator.Group{{First: 1, Last: 2, Status: aggregator.GroupDirect, PlannedAt: at(3)}}
		}, nil},
		"a fold that is late": {3603, proven(2), func(s *aggregator.Snapshot) {
			s.Groups = []aggregator.Group{{First: 1, Last: 2, Status: aggregator.GroupPlanned, PlannedAt: at(3)}}
		}, []aggregator.Decision{direct(1, 2, "late_fold")}},
		"a proven fold is never late": {9999, proven(2), func(s *aggregator.Snapshot) {
			s.Groups = []aggregator.Group{{First: 1, Last: 2, Status: aggregator.GroupProven, PlannedAt: at(3)}}
		}, nil},
		"a fold that is a dead letter": {5, proven(3), func(s *aggregator.Snapshot) {
			s.Groups = []aggregator.Group{{First: 1, Last: 2, Status: aggregator.GroupPlanned, PlannedAt: at(3), DeadLetter: true}}
		}, []aggregator.Decision{direct(1, 2, "dead_fold"), wait(3, 3, at(63))}},
	} {
		t.Run(name, func(t *testing.T) {
			s := aggregator.Snapshot{Now: at(c.at), Batches: c.queue}
			if c.change != nil {
				c.change(&s)
			}
			require.Equal(t, c.want, plan(t, s))
		})
	}
}

func TestPlanRefusesNonsense(t *testing.T) {
	for name, change := range map[string]func(*aggregator.Policy){
		"one slot":               func(p *aggregator.Policy) { p.Circuits[key(1)] = aggregator.Circuit{Slots: 1} },
		"negative wait":          func(p *aggregator.Policy) { p.Wait = -1 },
		"cheap gas waits more":   func(p *aggregator.Policy) { p.LowWait = 2 * time.Minute },
		"dear gas waits less":    func(p *aggregator.Policy) { p.HighWait = time.Second },
		"prices the wrong way":   func(p *aggregator.Policy) { p.HighGas = 10 },
		"negative bound on size": func(p *aggregator.Policy) { p.MaxWords = -1 },
	} {
		p := policy()
		change(&p)
		_, err := aggregator.Plan(p, aggregator.Snapshot{})
		require.ErrorIs(t, err, aggregator.ErrPolicy, name)
	}
	for name, s := range map[string]aggregator.Snapshot{
		"gap":              {Batches: append(proven(1), proven(3)[2])},
		"settled":          {Batches: []aggregator.Batch{{Number: 1, Status: settle.BatchSettled}}},
		"overlap":          {Batches: proven(3), Groups: []aggregator.Group{{First: 1, Last: 2}, {First: 2, Last: 3}}},
		"group in reverse": {Batches: proven(3), Groups: []aggregator.Group{{First: 2, Last: 1}}},
	} {
		_, err := aggregator.Plan(policy(), s)
		require.ErrorIs(t, err, aggregator.ErrSnapshot, name)
	}
}
