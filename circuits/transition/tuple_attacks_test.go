package transition

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/bus"
	"github.com/zksettle/settle/circuits/diagnosis"
	"github.com/zksettle/settle/state"
)

// pairForgery takes from one field of a tuple what it adds to another.
type pairForgery struct {
	channel bus.Channel
	fields  [2]int
	forge   func(t *testing.T) *Circuit
}

// channelFields are what package bus lists. Rows of the fixed-base table are constants,
// which no batch can bend: the tests of package bus have their three pairs.
func channelFields() map[bus.Channel][]string {
	return map[bus.Channel][]string{
		bus.Tree:   {"level", "position", "old", "new"},
		bus.Memory: {"index", "time", "owner", "token", "nonce", "balance", "l1"},
		bus.Fee:    {"token", "index"},
		bus.Opens:  {"number", "owner", "l1"},
		bus.Exits:  {"number", "l1", "token", "amount"},
	}
}

// TestFieldsOfTuplesAreApart: for each channel and two fields of its tuples, a batch that
// breaks no rule if the two have one power of β, as their sums agree. With a power for
// each it breaks the balance of that channel and nothing else.
func TestFieldsOfTuplesAreApart(t *testing.T) {
	a := mergingAudit{newAudit(t, forgeShape())}
	widths := map[bus.Channel]int{bus.FixedBase: 3}
	for channel, fields := range channelFields() {
		widths[channel] = len(fields)
	}
	for _, tuple := range a.Tuples() {
		require.Equal(t, widths[tuple.Channel], tuple.Fields, tuple.Channel)
	}
	require.Empty(t, a.findings(t, one(t, plain).seal(), nil))

	tried := map[string]bool{}
	for _, p := range pairForgeries() {
		names := channelFields()[p.channel]
		name := fmt.Sprintf("%s of %s and %s", names[p.fields[0]], p.channel, names[p.fields[1]])
		require.Less(t, p.fields[0], p.fields[1], name)
		require.False(t, tried[name], name)
		tried[name] = true
		c := p.forge(t)
		require.Empty(t, a.findings(t, c, &p), "%s: with one power for both it should work", name)
		for _, v := range a.findings(t, c, nil) {
			require.Equal(t, "bus: "+p.channel.String(), v.Rule, "%s: %v", name, v)
		}
		require.Error(t, engine(forgeShape(), c), name)
	}
	pairs := 0
	for _, fields := range channelFields() {
		pairs += len(fields) * (len(fields) - 1) / 2
	}
	require.Len(t, tried, pairs, "each pair has a forgery")
}

// mergingAudit evaluates the rules of a circuit whose bus gives two fields one power.
type mergingAudit struct{ *diagnosis.Audit }

func (a mergingAudit) findings(t *testing.T, c *Circuit, p *pairForgery) []diagnosis.ViolationError {
	t.Helper()
	look := func(q *big.Int, in, out []*big.Int) error {
		values := append([]*big.Int{}, in...)
		for _, tuple := range a.Tuples() {
			if p != nil && tuple.Channel == p.channel {
				i, j := tuple.At+1+p.fields[0], tuple.At+1+p.fields[1]
				sum := new(big.Int).Add(values[i], values[j])
				values[i], values[j] = sum.Mod(sum, q), new(big.Int)
			}
		}
		return a.Look(q, values, out)
	}
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	require.NoError(t, err)
	found, err := a.Run(w, solver.OverrideHint(solver.GetHintID(a.Look), look))
	require.Equal(t, err != nil, len(found) > 0, "%v", err)
	return found
}

func pairForgeries() []pairForgery {
	all := append(treePairs(), recordPairs()...)
	for j := range len(channelFields()[bus.Memory]) {
		for i := range j {
			all = append(all, pairForgery{bus.Memory, [2]int{i, j}, func(t *testing.T) *Circuit { return misreadPair(t, i, j) }})
		}
	}
	return all
}

// bump adds d to a variable.
func bump(v *frontend.Variable, d int64) {
	e := element(*v)
	*v = shifted(e, d)
}

func shifted(e fr.Element, d int64) fr.Element {
	var by fr.Element
	by.SetInt64(d)
	return *e.Add(&e, &by)
}

// misreadPair has the receiver, account 4, read with one more in field i of the memory's
// tuple and one less in field j than it was opened with. What is read of a leaf is honest:
// it was opened otherwise. What is read of another index is written back there, and closes
// under 4.
func misreadPair(t *testing.T, i, j int) *Circuit {
	const token = 3 // read as 0, the sender's; so it must be opened as 1
	var read [7]int64
	read[i], read[j] = 1, -1
	if i == token {
		read[i], read[j] = -1, 1
	}
	add := func(l *leafValues, sign int64) {
		for k, field := range []*fr.Element{&l.owner, &l.token, &l.nonce, &l.balance, &l.l1} {
			*field = shifted(*field, sign*read[2+k])
		}
	}
	f := newForger(t, 10, 1)
	honest := valuesOf(f.state.Account(4))
	f.setLeaf(4, func(l *leafValues) { add(l, -1) })
	opened := f.cells[4].opened
	to := settle.AccountIndex(4 + read[0])
	f.cells[to] = &cell{opened: opened, now: honest, time: int(read[1])}
	f.transfer(0, claim{from: 3, to: to, fee: 0, amountValue: 10, feePay: 1})
	f.fees(feeSlot(0, 0, 1))
	if to != 4 {
		now := f.cells[to].now
		add(&now, -1)
		f.cells[4] = &cell{opened: opened, now: now, time: f.cells[to].time - int(read[1])}
		delete(f.cells, to)
	}
	return f.seal()
}

// treePairs forge digests and places of nodes.
func treePairs() []pairForgery {
	pair := func(i, j int, forge func(t *testing.T) *Circuit) pairForgery {
		return pairForgery{bus.Tree, [2]int{i, j}, forge}
	}
	// bent gives the node above account 4 another level or position, and makes up for it
	// in a digest of its child and of itself.
	bent := func(level, position, old, new int64) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit {
			return then(one(t, plain), func(c *Circuit) {
				for i := range c.Nodes {
					n := &c.Nodes[i]
					if uintOf(n.Active) == 0 || uintOf(n.Level) != 1 || uintOf(n.Position) != 1 {
						continue
					}
					child := -level - settle.TreeArity*position
					bump(&n.Old[0], child*old)
					bump(&n.New[0], child*new)
					reroot(c, 1, 1, (level+position)*old, (level+position)*new)
					bump(&n.Level, level)
					bump(&n.Position, position)
					return
				}
			})
		}
	}
	return []pairForgery{
		pair(0, 1, anotherPlace),
		pair(0, 2, bent(1, 0, 1, 0)),
		pair(0, 3, bent(1, 0, 0, 1)),
		pair(1, 2, bent(0, 1, 1, 0)),
		pair(1, 3, bent(0, 1, 0, 1)),
		pair(2, 3, func(t *testing.T) *Circuit {
			// Account 3 is opened with a balance that the tree does not have; what its old
			// digest has too much, the new one in the tree has too little.
			f := newForger(t, 10, 1)
			f.fees(feeSlot(0, 0, 1))
			stored := f.open(3).opened.digest(f.hasher)
			f.cells[3].opened.balance = power(100)
			f.cells[3].now = f.cells[3].opened
			f.transfer(0, claim{from: 3, to: 4, fee: 0, amountValue: 1 << 34, feePay: 1})
			old, now := f.cells[3].opened.digest(f.hasher), f.cells[3].now.digest(f.hasher)
			now.Add(&now, &old).Sub(&now, &stored)
			f.closing = map[settle.AccountIndex]fr.Element{3: now}
			return f.seal()
		}),
	}
}

// reroot rehashes the path of the node at (level, position) up to the roots, with its own
// digests larger by old and new.
func reroot(c *Circuit, level, position uint64, old, new int64) {
	at := func(level, position uint64) *NodeSlot {
		for i := range c.Nodes {
			if n := &c.Nodes[i]; uintOf(n.Active) == 1 && uintOf(n.Level) == level && uintOf(n.Position) == position {
				return n
			}
		}
		return nil
	}
	for n := at(level, position); ; level, position = level+1, position/settle.TreeArity {
		before, after := shifted(nodeDigest(n.Old), old), shifted(nodeDigest(n.New), new)
		if old, new = 0, 0; level == settle.TreeLevels {
			c.Header.OldRoot, c.Header.NewRoot = before, after
			return
		}
		n = at(level+1, position/settle.TreeArity)
		n.Old[position%settle.TreeArity], n.New[position%settle.TreeArity] = before, after
	}
}

// anotherPlace executes the batch of accounts 12, 15 and 16 on a tree that has them at 0,
// 3 and 4: the node above both of their parents says level 1 and position 1 instead of
// level 2 and position 0, and the parents are three places further.
func anotherPlace(t *testing.T) *Circuit {
	const further = 12
	f := newForger(t, 20, 1)
	f.tree = state.NewTree(f.hasher)
	indices := []settle.AccountIndex{0, 3, 4}
	var leaves []fr.Element
	for _, i := range indices {
		leaves = append(leaves, f.open(i+further).opened.digest(f.hasher))
	}
	f.tree.Update(indices, leaves)
	f.transfer(0, claim{from: 3 + further, to: 4 + further, fee: further, amountValue: 10, feePay: 1})
	f.fees(feeSlot(0, further, 1))
	moved := f.cells
	f.cells = map[settle.AccountIndex]*cell{}
	for _, i := range indices {
		f.cells[i] = moved[i+further]
	}
	return then(f, func(c *Circuit) {
		for i := range indices {
			bump(&c.Accounts[i].Index, further)
		}
		for i := range c.Nodes {
			switch n := &c.Nodes[i]; {
			case uintOf(n.Active) == 0:
			case uintOf(n.Level) == 1:
				bump(&n.Position, 3)
			case uintOf(n.Level) == 2:
				n.Level, n.Position = 1, 1
			}
		}
	})
}

// recordPairs publish what was not executed.
func recordPairs() []pairForgery {
	opened := func(edit func(c *Circuit)) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit { return then(opening(t, func(*forger, *claim) {}), edit) }
	}
	exited := func(edit func(x *ExitSlot)) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit {
			f := newForger(t, 10, 2)
			f.transfer(0, claim{kind: settle.KindExit, from: 3, fee: 1, amountValue: 10, feePay: 1})
			f.fees(feeSlot(1, 1, 1))
			return then(f, func(c *Circuit) { edit(&c.Exits[0]) })
		}
	}
	// Numbers are constants: the records are exchanged, and differ by the numbers' difference.
	opensExchanged := func(field func(*OpenSlot) *frontend.Variable) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit {
			f := opening(t, func(f *forger, _ *claim) { f.fees(feeSlot(0, 0, 2)) })
			f.transfer(1, claim{kind: settle.KindOpen, from: 4, to: 12, fee: 0, amountValue: 10, feePay: 1, newOwner: fr.NewElement(4343), newL1: fr.NewElement(78)})
			return then(f, func(c *Circuit) {
				c.Opens[0], c.Opens[1] = c.Opens[1], c.Opens[0]
				bump(field(&c.Opens[0]), 1)
				bump(field(&c.Opens[1]), -1)
			})
		}
	}
	exitsExchanged := func(field func(*ExitSlot) *frontend.Variable) func(t *testing.T) *Circuit {
		return func(t *testing.T) *Circuit {
			f := newForger(t, 10, 2)
			f.transfer(0, claim{kind: settle.KindExit, from: 3, fee: 1, amountValue: 10, feePay: 1})
			f.transfer(1, claim{kind: settle.KindExit, from: 4, fee: 0, amountValue: 20, feePay: 1})
			f.fees(feeSlot(0, 0, 1), feeSlot(1, 1, 1))
			return then(f, func(c *Circuit) {
				c.Exits[0], c.Exits[1] = c.Exits[1], c.Exits[0]
				bump(field(&c.Exits[0]), 1)
				bump(field(&c.Exits[1]), -1)
			})
		}
	}
	return []pairForgery{
		{bus.Fee, [2]int{0, 1}, func(t *testing.T) *Circuit {
			return one(t, func(f *forger, x *claim) { x.fee = 6; f.fees(feeSlot(1, 5, 1)) }).seal()
		}},
		{bus.Opens, [2]int{0, 1}, opensExchanged(func(o *OpenSlot) *frontend.Variable { return &o.Owner })},
		{bus.Opens, [2]int{0, 2}, opensExchanged(func(o *OpenSlot) *frontend.Variable { return &o.L1 })},
		{bus.Opens, [2]int{1, 2}, opened(func(c *Circuit) { bump(&c.Opens[0].Owner, 1); bump(&c.Opens[0].L1, -1) })},
		{bus.Exits, [2]int{0, 1}, exitsExchanged(func(x *ExitSlot) *frontend.Variable { return &x.L1 })},
		{bus.Exits, [2]int{0, 2}, exitsExchanged(func(x *ExitSlot) *frontend.Variable { return &x.Token })},
		{bus.Exits, [2]int{0, 3}, exitsExchanged(func(x *ExitSlot) *frontend.Variable { return &x.Amount })},
		{bus.Exits, [2]int{1, 2}, exited(func(x *ExitSlot) { bump(&x.L1, 1); bump(&x.Token, -1) })},
		{bus.Exits, [2]int{1, 3}, exited(func(x *ExitSlot) { bump(&x.L1, -3); bump(&x.Amount, 3) })},
		{bus.Exits, [2]int{2, 3}, exited(func(x *ExitSlot) { bump(&x.Token, 5); bump(&x.Amount, -5) })},
	}
}
