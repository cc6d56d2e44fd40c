package bus

import (
	"fmt"

	"github.com/zksettle/settle/circuits/rules"
)

// Channel separates tuples by meaning. Its number is part of the fingerprint of a tuple.
type Channel int

// Channels of the transition circuit. Numbers are part of the protocol of the
// circuit (docs/protocol.md): append, never renumber.
const (
	Tree      Channel = 1
	Memory    Channel = 2
	Fee       Channel = 3
	FixedBase Channel = 4
	Opens     Channel = 5
	Exits     Channel = 6
)

// String names a channel as the circuit's documents do.
func (c Channel) String() string {
	switch c {
	case Tree:
		return "tree"
	case Memory:
		return "memory"
	case Fee:
		return "fee"
	case FixedBase:
		return "fixed-base table"
	case Opens:
		return "opens"
	case Exits:
		return "exits"
	}
	return "unknown channel"
}

// tuple is what one channel carries. The order of its fields is that of the powers of β,
// and so part of every circuit's fingerprint.
type tuple interface {
	channel() Channel
	fields() []Expr
}

// Node is the tuple of the channel Tree: a node of the tree of accounts, before and after
// the batch. Accounts are the nodes of level 0.
type Node struct{ Level, Position, Old, New Expr }

// Access is the tuple of the channel Memory: an account as an access to the batch memory
// leaves it, and the time of that access.
type Access struct{ Index, Time, Owner, Token, Nonce, Balance, L1 Expr }

// FeeAccount is the tuple of the channel Fee: a token and the index of the account that
// takes its fees.
type FeeAccount struct{ Token, Index Expr }

// TableRow is the tuple of the channel FixedBase: a point in the table of a window.
type TableRow struct{ Window, X, Y Expr }

// Open is the tuple of the channel Opens: an account that the batch opens, and its number
// among the batch's opens.
type Open struct{ Number, Owner, L1 Expr }

// Exit is the tuple of the channel Exits: a payment out of the batch, and its number among
// the batch's exits.
type Exit struct{ Number, L1, Token, Amount Expr }

func (Node) channel() Channel       { return Tree }
func (Access) channel() Channel     { return Memory }
func (FeeAccount) channel() Channel { return Fee }
func (TableRow) channel() Channel   { return FixedBase }
func (Open) channel() Channel       { return Opens }
func (Exit) channel() Channel       { return Exits }

func (t Node) fields() []Expr { return []Expr{t.Level, t.Position, t.Old, t.New} }
func (t Access) fields() []Expr {
	return []Expr{t.Index, t.Time, t.Owner, t.Token, t.Nonce, t.Balance, t.L1}
}
func (t FeeAccount) fields() []Expr { return []Expr{t.Token, t.Index} }
func (t TableRow) fields() []Expr   { return []Expr{t.Window, t.X, t.Y} }
func (t Open) fields() []Expr       { return []Expr{t.Number, t.Owner, t.L1} }
func (t Exit) fields() []Expr       { return []Expr{t.Number, t.L1, t.Token, t.Amount} }

// Permutation is a channel on which each tuple is received as often as it is sent, as
// integers: both sides count by flags, which are 0 or 1 by a rule.
type Permutation[T tuple] struct{ bus *Bus }

// Send adds a tuple if the flag is 1.
func (c Permutation[T]) Send(flag Flag, t T) { c.bus.add(t.channel(), true, flag.wire, t.fields()) }

// Receive takes a tuple if the flag is 1.
func (c Permutation[T]) Receive(flag Flag, t T) {
	c.bus.add(t.channel(), false, flag.wire, t.fields())
}

// Lookup is a channel on which each tuple that is looked up is a row that is listed. The
// prover says by a free multiplicity how often a row is looked up.
//
// It cannot say that of a row that is not listed. Look-ups count by flags, which are 0 or 1
// by a rule, and there are fewer than the order of the field. So a tuple that is looked up
// has a count that is not 0, which only a row's multiplicity can meet.
type Lookup[T tuple] struct{ bus *Bus }

// List adds a row, as often as it is looked up.
func (c Lookup[T]) List(times Multiplicity, row T) {
	c.bus.add(row.channel(), true, times.wire, row.fields())
}

// Lookup takes a row if the flag is 1.
func (c Lookup[T]) Lookup(flag Flag, row T) {
	c.bus.add(row.channel(), false, flag.wire, row.fields())
}

// Flag says whether a tuple is there. It is 0 or 1 by a rule, and known to a bus. The zero
// value is invalid.
type Flag struct {
	rules.Bool
	wire Wire
}

// Multiplicity is the number of times that a row is looked up, free for the prover to
// choose. The zero value is invalid.
type Multiplicity struct{ wire Wire }

var flagOne = Wire{id: -1}

// One is the constant flag 1. Its term uses a checked inverse.
func One() Flag { return Flag{rules.One(), flagOne} }

// Flag commits a flag that is a free witness wire (Free).
func (b *Bus) Flag(v rules.Bool) Flag { return Flag{v, b.Free(v.Value())} }

// DerivedFlag registers a flag that follows from committed wires (Derived).
func (b *Bus) DerivedFlag(v rules.Bool) Flag { return Flag{v, b.Derived(v.Value())} }

// Times is the multiplicity that a wire holds.
func Times(w Wire) Multiplicity { return Multiplicity{w} }

// add is the one way of a tuple onto the bus, whatever its channel.
func (b *Bus) add(ch Channel, sent bool, flag Wire, fields []Expr) {
	if b.closed && b.err == nil {
		b.err = ErrClosed
	}
	if flag.id == 0 && b.err == nil {
		b.err = fmt.Errorf("bus: channel %s: the flag is not a wire of this bus", ch)
	}
	for i := range fields {
		if fields[i].constant == nil && b.err == nil {
			b.err = fmt.Errorf("bus: channel %s: field %d is not set", ch, i)
		}
	}
	b.entries = append(b.entries, entry{ch, sent, flag, fields})
}
