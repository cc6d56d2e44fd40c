package aggregator

import (
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle"
)

// Errors of Plan: the caller's, never a user's.
var (
	ErrPolicy   = errors.New("policy of folding makes no sense")
	ErrSnapshot = errors.New("the snapshot of the queue makes no sense")
)

// Batch is a batch that is not settled yet, as the planner sees it.
type Batch struct {
	Number     settle.BatchNumber
	Status     settle.BatchStatus // sealed, proven or settling
	KeyHash    settle.KeyHash     // of the key that it is proven under; one shape has one
	ProvenAt   time.Time          // from proven on
	Exits      int                // records of exits that wait for its settlement
	Words      int                // of its public data
	DeadLetter bool               // nobody tries to prove it any more
}

// GroupStatus is the state of a group (docs/state-machines.md).
type GroupStatus string

// Statuses of a group. A batch belongs to one group at most, for ever.
const (
	GroupPlanned GroupStatus = "planned" // its proof is to be made
	GroupProven  GroupStatus = "proven"  // one proof settles all its batches
	GroupDirect  GroupStatus = "direct"  // each of its batches settles by its own proof
)

// Group is a range of batches about which was decided.
type Group struct {
	First, Last settle.BatchNumber
	Status      GroupStatus
	PlannedAt   time.Time
	DeadLetter  bool // nobody tries to fold it any more
}

// Snapshot is the queue at one moment.
type Snapshot struct {
	Now      time.Time
	GasPrice *uint64 // wei per gas on L1; nil: not known
	Batches  []Batch // all that are not settled, by number, without gaps
	Groups   []Group // that hold any of them, by number
}

// Circuit is an aggregate circuit for proofs under one key.
type Circuit struct {
	Shape   string // "demo-2"
	Slots   int    // proofs that it folds at most
	KeyHash settle.KeyHash
}

// Policy says when a group that is not full is folded all the same. Times count from
// the moment that a batch was proven.
type Policy struct {
	Circuits map[settle.KeyHash]Circuit // by the key of the proofs that they fold
	MaxWords int                        // of public data in one L1 transaction; 0: no bound

	Wait     time.Duration // how long a batch waits for others
	ExitWait time.Duration // how long one with exits does, if that is shorter

	// While the price of gas is at most LowGas a batch waits for LowWait, from HighGas
	// on for HighWait: folding is worth as much as the gas it saves. 0: no such price.
	LowGas, HighGas   uint64 // wei per gas
	LowWait, HighWait time.Duration

	// FoldWait is how long a planned group may be without its proof; then its batches
	// settle directly. 0: no bound.
	FoldWait time.Duration
}

// Check returns ErrPolicy for circuits that fold nothing and for waits that do not
// grow with the price of gas.
func (p Policy) Check() error {
	for _, c := range p.Circuits {
		if c.Slots < 2 {
			return fmt.Errorf("%w: circuit %s folds %d proofs, expected 2 or more", ErrPolicy, c.Shape, c.Slots)
		}
	}
	switch {
	case p.Wait < 0 || p.ExitWait < 0 || p.LowWait < 0 || p.FoldWait < 0 || p.MaxWords < 0:
		return fmt.Errorf("%w: a wait or bound is below 0", ErrPolicy)
	case p.LowGas > 0 && p.LowWait > p.Wait:
		return fmt.Errorf("%w: batches wait for %v at low prices of gas and for %v else", ErrPolicy, p.LowWait, p.Wait)
	case p.HighGas > 0 && p.HighWait < p.Wait:
		return fmt.Errorf("%w: batches wait for %v at high prices of gas and for %v else", ErrPolicy, p.HighWait, p.Wait)
	case p.HighGas > 0 && p.HighGas <= p.LowGas:
		return fmt.Errorf("%w: the high price of gas, %d, is not above the low one, %d", ErrPolicy, p.HighGas, p.LowGas)
	}
	return nil
}

// Action is what a decision does.
type Action string

// Actions.
const (
	Fold   Action = "fold"   // make one proof of First to Last
	Direct Action = "direct" // settle First to Last each by its own proof; gives up a group that was planned for them
	Wait   Action = "wait"   // nothing about First to Last before Until, unless the queue changes
)

// Reason says why.
type Reason string

// Reasons of decisions.
const (
	ReasonFull     Reason = "full"      // no slot is left
	ReasonSize     Reason = "size"      // the next batch does not fit the L1 transaction
	ReasonKey      Reason = "key"       // the next batch is proven under another key
	ReasonBlocked  Reason = "blocked"   // the next batch is a dead letter
	ReasonDecided  Reason = "decided"   // the next batch is settled otherwise already
	ReasonDeadline Reason = "deadline"  // a batch has waited long enough
	ReasonExits    Reason = "exits"     // exits have waited long enough
	ReasonNoFold   Reason = "no_fold"   // there is no aggregate circuit for the key
	ReasonDead     Reason = "dead_fold" // the group's job is a dead letter
	ReasonLate     Reason = "late_fold" // the group's proof did not come in time
	ReasonMore     Reason = "more"      // of a wait: others may join
)

// Decision is one step of a plan. A Fold has 2 batches or more; a single one costs
// less by its own proof and is Direct.
type Decision struct {
	Action      Action
	First, Last settle.BatchNumber
	Circuit     Circuit   // of a Fold
	Until       time.Time // of a Wait
	Reason      Reason
}

// Plan decides in order of the batches' numbers what can be decided now:
//
//   - groups hold consecutive proven batches of one key, at most as many as the
//     circuit has slots and the L1 transaction has room for;
//   - a full group is folded at once; one that nothing can join any more, too;
//     another one at the deadline of the first batch in it that has one;
//   - nothing is decided behind a batch that is not proven: it could not settle
//     before that one, and may yet form a better group with it. What lies before a
//     dead letter does not wait for it.
//
// What is decided stays decided at any later time and any lower price of gas, if the
// queue is the same. Plan returns ErrPolicy or ErrSnapshot.
func Plan(p Policy, s Snapshot) ([]Decision, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	plan := p.giveUps(s)
	decided := s.decided()
	for i := 0; i < len(s.Batches); {
		switch {
		case decided[i]:
			i++
			continue
		case s.Batches[i].Status == settle.BatchSealed:
			return plan, nil
		}
		d := p.next(s, decided, i)
		plan = append(plan, d)
		if d.Action == Wait {
			return plan, nil
		}
		i += int(d.Last-d.First) + 1
	}
	return plan, nil
}

// check refuses gaps and groups that overlap.
func (s Snapshot) check() error {
	for i, b := range s.Batches {
		switch {
		case i > 0 && b.Number != s.Batches[i-1].Number+1:
			return fmt.Errorf("%w: batch %d comes after %d", ErrSnapshot, b.Number, s.Batches[i-1].Number)
		case b.Status != settle.BatchSealed && b.Status != settle.BatchProven && b.Status != settle.BatchSettling:
			return fmt.Errorf("%w: batch %d is %s", ErrSnapshot, b.Number, b.Status)
		}
	}
	for i, g := range s.Groups {
		if g.Last < g.First || (i > 0 && g.First <= s.Groups[i-1].Last) {
			return fmt.Errorf("%w: group %d to %d comes after one that ends at %d", ErrSnapshot, g.First, g.Last, s.Groups[max(i-1, 0)].Last)
		}
	}
	return nil
}

// decided marks the batches that need no decision.
func (s Snapshot) decided() []bool {
	out := make([]bool, len(s.Batches))
	g := 0
	for i, b := range s.Batches {
		for g < len(s.Groups) && s.Groups[g].Last < b.Number {
			g++
		}
		out[i] = b.Status == settle.BatchSettling || (g < len(s.Groups) && s.Groups[g].First <= b.Number)
	}
	return out
}

// giveUps ends groups whose proof will not come.
func (p Policy) giveUps(s Snapshot) []Decision {
	var out []Decision
	for _, g := range s.Groups {
		reason := ReasonDead
		switch {
		case g.Status != GroupPlanned:
			continue
		case g.DeadLetter:
		case p.FoldWait > 0 && !s.Now.Before(g.PlannedAt.Add(p.FoldWait)):
			reason = ReasonLate
		default:
			continue
		}
		out = append(out, Decision{Action: Direct, First: g.First, Last: g.Last, Reason: reason})
	}
	return out
}

// next decides about the proven batch at i and those that can join it.
func (p Policy) next(s Snapshot, decided []bool, i int) Decision {
	first := s.Batches[i]
	d := Decision{Action: Direct, First: first.Number, Last: first.Number, Reason: ReasonNoFold}
	circuit, ok := p.Circuits[first.KeyHash]
	if !ok {
		return d
	}
	words, due, end := 0, time.Time{}, i
	for d.Reason = ""; d.Reason == ""; end++ {
		b := s.Batches[end]
		words += b.Words
		if at := b.ProvenAt.Add(p.wait(b, s.GasPrice)); end == i || at.Before(due) {
			due = at
		}
		switch next := end + 1; {
		case next-i == circuit.Slots:
			d.Reason = ReasonFull
		case next == len(s.Batches):
			d.Reason = ReasonMore
		default:
			d.Reason = p.joins(s.Batches[next], first.KeyHash, words, decided[next])
		}
	}
	d.Last = s.Batches[end-1].Number
	if d.Reason == ReasonMore {
		if s.Now.Before(due) {
			d.Action, d.Until = Wait, due
			return d
		}
		d.Reason = p.overdue(s, s.Batches[i:end])
	}
	if d.Last > d.First {
		d.Action, d.Circuit = Fold, circuit
	}
	return d
}

// joins says why b cannot join a group of batches of a key that hold so many words:
// nothing if it can, ReasonMore if it may do so later.
func (p Policy) joins(b Batch, key settle.KeyHash, words int, decided bool) Reason {
	switch {
	case decided:
		return ReasonDecided
	case b.KeyHash != key:
		return ReasonKey
	case p.MaxWords > 0 && words+b.Words > p.MaxWords:
		return ReasonSize
	case b.Status == settle.BatchProven:
		return ""
	case b.DeadLetter:
		return ReasonBlocked
	}
	return ReasonMore
}

// wait is how long b waits for others after it was proven.
func (p Policy) wait(b Batch, gas *uint64) time.Duration {
	w := p.Wait
	switch {
	case gas == nil:
	case p.LowGas > 0 && *gas <= p.LowGas:
		w = p.LowWait
	case p.HighGas > 0 && *gas >= p.HighGas:
		w = p.HighWait
	}
	if b.Exits > 0 {
		w = min(w, p.ExitWait)
	}
	return w
}

// overdue tells waiting exits from any other deadline.
func (p Policy) overdue(s Snapshot, group []Batch) Reason {
	for _, b := range group {
		plain := b
		plain.Exits = 0
		if !s.Now.Before(b.ProvenAt.Add(p.wait(plain, s.GasPrice))) {
			return ReasonDeadline
		}
	}
	return ReasonExits
}
