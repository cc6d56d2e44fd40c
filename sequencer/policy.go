package sequencer

import (
	"errors"
	"fmt"
	"time"

	"github.com/zksettle/settle"
)

// Shape is a size of circuit that batches may be sealed for, with the key that
// will verify them.
type Shape struct {
	Name     string
	Capacity settle.Capacity
	KeyHash  settle.KeyHash
}

// Policy says when a batch is sealed and for which shape. It holds no state.
type Policy struct {
	Shapes      []Shape       // in order of preference, the cheapest to prove first
	MaxAge      time.Duration // how long a transaction may wait in the open batch
	MaxIdle     time.Duration // seal when nothing came for this long; 0: wait for MaxAge
	MaxUnproven int           // sealed batches without a proof above which nothing is executed
	MaxDeferred int           // transactions put off to the next batch for want of a slot for their fee, open or exit
}

// Action is what the policy wants done.
type Action string

// Actions. Execute, Defer and Unfit answer for a next transaction; Wait comes
// when there is none.
const (
	Execute Action = "execute" // the next transaction joins the open batch
	Defer   Action = "defer"   // the next transaction waits for the next batch, others may still fit
	Unfit   Action = "unfit"   // the next transaction fits no shape even alone
	Seal    Action = "seal"    // seal the open batch for Decision.Shape
	Wait    Action = "wait"    // nothing to do before Decision.Wake
	Blocked Action = "blocked" // too many unproven batches: neither execute nor seal
)

// Reason says why a batch is sealed.
type Reason string

// Reasons.
const (
	Full    Reason = "full"
	Aged    Reason = "aged"
	Idle    Reason = "idle"
	Flushed Reason = "flushed"
)

// Snapshot is everything that a decision depends on.
type Snapshot struct {
	Usage    settle.Usage  // of the open batch; Usage.Transfers is 0 when it is empty
	Next     *settle.Usage // the same with the next transaction; nil when all have been looked at
	Age      time.Duration // of the oldest transaction in the open batch or deferred
	Quiet    time.Duration // since a transaction was executed
	Flush    bool          // somebody asked for the open batch to be sealed
	Unproven int           // sealed batches without a proof
	Deferred int           // transactions deferred so far
	Limit    int           // seal at this many transactions; 0: no limit (see suspect)
}

// Decision is the policy's answer.
type Decision struct {
	Action Action
	Shape  Shape         // for Seal
	Reason Reason        // for Seal
	Wake   time.Duration // for Wait: when to ask again; 0: nothing is due
}

// Validate reports settings with which nothing could ever be sealed.
func (p Policy) Validate() error {
	var errs []error
	if len(p.Shapes) == 0 {
		errs = append(errs, errors.New("no shape to seal batches for"))
	}
	for _, s := range p.Shapes {
		if s.Name == "" || s.KeyHash == (settle.KeyHash{}) {
			errs = append(errs, fmt.Errorf("shape %q has no name or no key hash", s.Name))
		}
		if c := s.Capacity; c.Transfers < 1 || c.Accounts < 3 || c.Nodes < settle.TreeLevels || c.FeeAccounts < 1 {
			errs = append(errs, fmt.Errorf("shape %q has no room for one transfer: %+v", s.Name, c))
		}
	}
	if p.MaxAge <= 0 {
		errs = append(errs, fmt.Errorf("maximum age of a batch is %s, expected more than 0", p.MaxAge))
	}
	if p.MaxIdle < 0 || p.MaxDeferred < 0 {
		errs = append(errs, errors.New("negative idle time or number of deferred transactions"))
	}
	if p.MaxUnproven < 1 {
		errs = append(errs, fmt.Errorf("bound on unproven batches is %d, expected 1 or more", p.MaxUnproven))
	}
	return errors.Join(errs...)
}

// Decide is a pure function. It never seals an empty batch, never lets a batch
// outgrow every shape, and once all transactions have been looked at it seals a
// batch whose oldest transaction has reached MaxAge. Age is not looked at while
// there is a next transaction: after an outage all of them are old, and each
// would become a batch of its own.
func (p Policy) Decide(s Snapshot) Decision {
	switch {
	case s.Unproven >= p.MaxUnproven && (s.Next != nil || s.Usage.Transfers > 0):
		return Decision{Action: Blocked}
	case s.Next != nil:
		return p.next(s)
	case s.Usage.Transfers == 0:
		return Decision{Action: Wait}
	case s.Flush:
		return p.seal(s, Flushed)
	case s.Age >= p.MaxAge:
		return p.seal(s, Aged)
	case p.MaxIdle > 0 && s.Quiet >= p.MaxIdle:
		return p.seal(s, Idle)
	}
	wake := p.MaxAge - s.Age
	if p.MaxIdle > 0 {
		wake = min(wake, p.MaxIdle-s.Quiet)
	}
	return Decision{Action: Wait, Wake: wake}
}

func (p Policy) next(s Snapshot) Decision {
	empty := s.Usage.Transfers == 0
	if s.Limit > 0 && s.Usage.Transfers >= s.Limit {
		return p.seal(s, Full)
	}
	if _, fits := p.smallest(*s.Next); fits {
		return Decision{Action: Execute}
	}
	if empty {
		return Decision{Action: Unfit}
	}
	// Two tokens that alternate must not seal a batch for each transaction when
	// only fee slots are short, nor a run of opens or exits one for the few that it
	// has slots for: these wait for the next batch, and others fill this one.
	without := *s.Next
	without.FeeAccounts, without.Opens, without.Exits = s.Usage.FeeAccounts, s.Usage.Opens, s.Usage.Exits
	if _, fits := p.smallest(without); fits && s.Deferred < p.MaxDeferred {
		return Decision{Action: Defer}
	}
	return p.seal(s, Full)
}

func (p Policy) seal(s Snapshot, why Reason) Decision {
	shape, fits := p.smallest(s.Usage)
	if !fits {
		// Only Execute lets a batch grow, and it asks for a shape first.
		panic(fmt.Sprintf("sequencer: open batch outgrew every shape: %+v", s.Usage))
	}
	return Decision{Action: Seal, Shape: shape, Reason: why}
}

// smallest returns the first shape that has room for u.
func (p Policy) smallest(u settle.Usage) (Shape, bool) {
	for _, s := range p.Shapes {
		if s.Capacity.Fits(u) {
			return s, true
		}
	}
	return Shape{}, false
}
