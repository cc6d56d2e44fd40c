package sequencer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
)

func drawCapacity(t *rapid.T, label string) settle.Capacity {
	n := func(field string, low, high int) int { return rapid.IntRange(low, high).Draw(t, label+field) }
	return settle.Capacity{
		Transfers: n("transfers", 1, 12), Accounts: n("accounts", 3, 20),
		Nodes: n("nodes", settle.TreeLevels, 120), FeeAccounts: n("fees", 1, 3),
		Opens: n("opens", 0, 4), Exits: n("exits", 0, 4),
	}
}

func drawPolicy(t *rapid.T) Policy {
	p := Policy{
		MaxAge:      time.Duration(rapid.IntRange(1, 1000).Draw(t, "age")) * time.Millisecond,
		MaxIdle:     time.Duration(rapid.IntRange(0, 1000).Draw(t, "idle")) * time.Millisecond,
		MaxUnproven: rapid.IntRange(1, 5).Draw(t, "cap"),
		MaxDeferred: rapid.IntRange(0, 5).Draw(t, "deferred"),
	}
	for range rapid.IntRange(1, 3).Draw(t, "shapes") {
		p.Shapes = append(p.Shapes, Shape{Name: "s", KeyHash: settle.KeyHash{1}, Capacity: drawCapacity(t, "shape ")})
	}
	return p
}

// A life of open batches under arbitrary policies: whatever comes, a batch fits
// the shape that it is sealed for, is never empty, and never outlives its age.
func TestPolicyLifeOfBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPolicy(t)
		require.NoError(t, p.Validate())
		var s Snapshot
		sealed := func(d Decision) {
			require.Positive(t, s.Usage.Transfers, "an empty batch was sealed")
			require.True(t, d.Shape.Capacity.Fits(s.Usage), "a batch was sealed for a shape that is too small")
			for _, shape := range p.Shapes {
				if shape.Capacity.Fits(s.Usage) {
					require.Equal(t, shape, d.Shape, "a smaller shape would have done")
					break
				}
			}
			require.Less(t, s.Unproven, p.MaxUnproven, "sealed above the bound on unproven batches")
			s = Snapshot{Unproven: s.Unproven + 1, Limit: s.Limit}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "proven") {
				s.Unproven = max(0, s.Unproven-1)
			}
			s.Limit = rapid.SampledFrom([]int{0, 0, 0, 1, 3}).Draw(t, "limit")
			next := s.Usage
			next.Transfers++
			next.Accounts += rapid.IntRange(0, 3).Draw(t, "new accounts")
			next.Nodes += rapid.IntRange(0, 46).Draw(t, "new nodes")
			next.FeeAccounts += rapid.IntRange(0, 1).Draw(t, "new tokens")
			switch rapid.IntRange(0, 4).Draw(t, "kind") {
			case 0:
				next.Opens++
			case 1:
				next.Exits++
			}
			s.Next = &next
			switch d := p.Decide(s); d.Action {
			case Execute:
				require.Less(t, s.Unproven, p.MaxUnproven)
				s.Usage = next
			case Seal:
				sealed(d)
			case Defer:
				s.Deferred++
				require.LessOrEqual(t, s.Deferred, p.MaxDeferred)
			case Unfit:
				require.Zero(t, s.Usage.Transfers, "a transaction was given up beside others")
			case Blocked:
				require.GreaterOrEqual(t, s.Unproven, p.MaxUnproven)
			default:
				t.Fatalf("%s with a next transaction", d.Action)
			}
			s.Next = nil
			s.Age += time.Duration(rapid.IntRange(0, 400).Draw(t, "ms")) * time.Millisecond
			s.Quiet = time.Duration(rapid.IntRange(0, int(s.Age/time.Millisecond)).Draw(t, "quiet")) * time.Millisecond
			s.Flush = rapid.Bool().Draw(t, "flush")
			switch d := p.Decide(s); d.Action {
			case Seal:
				sealed(d)
			case Wait:
				if s.Usage.Transfers > 0 {
					require.Less(t, s.Age, p.MaxAge, "a batch outlived its age")
					require.False(t, s.Flush)
					require.Positive(t, d.Wake, "a batch waits with nobody to wake it")
					require.LessOrEqual(t, s.Age+d.Wake, p.MaxAge, "woken too late for the deadline")
				}
			case Blocked:
				require.GreaterOrEqual(t, s.Unproven, p.MaxUnproven)
			default:
				t.Fatalf("%s without a next transaction", d.Action)
			}
		}
	})
}

func TestPolicyExamples(t *testing.T) {
	demo := Shape{Name: "demo", KeyHash: settle.KeyHash{1}, Capacity: settle.Capacity{Transfers: 3, Accounts: 9, Nodes: 140, FeeAccounts: 1}}
	tiny := Shape{Name: "tiny", KeyHash: settle.KeyHash{2}, Capacity: settle.Capacity{Transfers: 1, Accounts: 3, Nodes: 46, FeeAccounts: 1}}
	p := Policy{Shapes: []Shape{tiny, demo}, MaxAge: time.Second, MaxUnproven: 2, MaxDeferred: 1}
	one := settle.Usage{Transfers: 1, Accounts: 3, Nodes: 40, FeeAccounts: 1}
	two := settle.Usage{Transfers: 2, Accounts: 5, Nodes: 70, FeeAccounts: 1}
	otherToken := settle.Usage{Transfers: 2, Accounts: 6, Nodes: 70, FeeAccounts: 2}
	wide := settle.Usage{Transfers: 1, Accounts: 3, Nodes: 400, FeeAccounts: 1}
	full := settle.Usage{Transfers: 3, Accounts: 5, Nodes: 70, FeeAccounts: 1}
	over := settle.Usage{Transfers: 4, Accounts: 5, Nodes: 70, FeeAccounts: 1}

	for name, c := range map[string]struct {
		in   Snapshot
		want Decision
	}{
		"first":                    {Snapshot{Next: &one}, Decision{Action: Execute}},
		"old ones still fill up":   {Snapshot{Usage: one, Next: &two, Age: time.Hour}, Decision{Action: Execute}},
		"full":                     {Snapshot{Usage: full, Next: &over}, Decision{Action: Seal, Shape: demo, Reason: Full}},
		"limit":                    {Snapshot{Usage: one, Next: &two, Limit: 1}, Decision{Action: Seal, Shape: tiny, Reason: Full}},
		"other token":              {Snapshot{Usage: one, Next: &otherToken}, Decision{Action: Defer}},
		"too many of other tokens": {Snapshot{Usage: one, Next: &otherToken, Deferred: 1}, Decision{Action: Seal, Shape: tiny, Reason: Full}},
		"fits nothing":             {Snapshot{Next: &wide}, Decision{Action: Unfit}},
		"young":                    {Snapshot{Usage: one, Age: 400 * time.Millisecond}, Decision{Action: Wait, Wake: 600 * time.Millisecond}},
		"aged":                     {Snapshot{Usage: one, Age: time.Second}, Decision{Action: Seal, Shape: tiny, Reason: Aged}},
		"flushed":                  {Snapshot{Usage: two, Flush: true}, Decision{Action: Seal, Shape: demo, Reason: Flushed}},
		"nothing to flush":         {Snapshot{Flush: true, Age: time.Hour}, Decision{Action: Wait}},
		"blocked":                  {Snapshot{Usage: two, Age: time.Hour, Unproven: 2}, Decision{Action: Blocked}},
		"blocked and empty":        {Snapshot{Unproven: 2}, Decision{Action: Wait}},
	} {
		require.Equal(t, c.want, p.Decide(c.in), name)
	}
	p.MaxIdle = 100 * time.Millisecond
	require.Equal(t, Decision{Action: Seal, Shape: tiny, Reason: Idle}, p.Decide(Snapshot{Usage: one, Quiet: 100 * time.Millisecond}))
	require.Equal(t, 60*time.Millisecond, p.Decide(Snapshot{Usage: one, Quiet: 40 * time.Millisecond}).Wake)
}

func TestPolicyValidate(t *testing.T) {
	err := Policy{Shapes: []Shape{{}}}.Validate()
	for _, want := range []string{"no name", "no room", "maximum age", "unproven"} {
		require.ErrorContains(t, err, want)
	}
	require.ErrorContains(t, Policy{MaxAge: 1, MaxUnproven: 1}.Validate(), "no shape")
}
