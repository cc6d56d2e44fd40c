package transition

import (
	"slices"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// endsShape holds one batch of TestEveryCombinationOfAccounts: one transaction that
// touches both ends of the tree.
func endsShape() Shape {
	return Shape{Name: "ends", WindowBits: 4, Capacity: settle.Capacity{Transfers: 1, Accounts: 3, Nodes: 47, FeeAccounts: 1, Opens: 1, Exits: 1}}
}

// TestEveryCombinationOfAccounts: sender, receiver and fee account in every combination,
// for each kind: all one, two of them one, of another token, empty, the first and the
// last index. The circuit has a witness iff Apply accepts the transaction, and then it
// is Apply's root and commitment, which D alone leads to.
func TestEveryCombinationOfAccounts(t *testing.T) {
	const last = 1<<32 - 1
	shape := endsShape()
	ccs := system(t, shape)
	key, err := schnorr.GenerateKey(randReader{newWorld(t, 1, 1, 5).rand})
	require.NoError(t, err)
	accepted, refused := map[settle.Kind]int{}, map[settle.Kind]int{}
	for _, occupied := range []settle.AccountIndex{last, last - 1} { // the other one is empty
		s := &strange{keys: []schnorr.PrivateKey{key}, number: 1<<32 - 2}
		for _, a := range []struct {
			index settle.AccountIndex
			token settle.TokenID
		}{{0, last}, {1, last}, {6, 0}, {occupied, last}} {
			s.accounts = append(s.accounts, state.Indexed{Index: a.index, Account: state.Account{
				Owner: key.Public().X, Token: a.token, Nonce: settle.MaxNonce - 1, Balance: settle.NewAmount(1000), L1: settle.Address{0: 255, 19: byte(a.index)},
			}})
		}
		genesis := slices.Clone(s.accounts)
		own := []settle.AccountIndex{0, 1, occupied}
		for _, kind := range []settle.Kind{settle.KindTransfer, settle.KindOpen, settle.KindExit, settle.KindExitAll} {
			receivers := []settle.AccountIndex{0, 1, 6, 9, last - 1, last}
			if kind == settle.KindExit || kind == settle.KindExitAll {
				receivers = []settle.AccountIndex{0}
			}
			for _, from := range own {
				for _, fee := range own {
					for _, to := range receivers {
						s.accounts, s.fees = slices.Clone(genesis), map[settle.TokenID]settle.AccountIndex{last: fee}
						tx := s.between(t, kind, from, to)
						trace, refusal := s.load(t).Apply([]state.Transaction{tx})
						c := s.force(t, shape, []state.Transaction{tx})
						solved := solve(t, ccs, c)
						if refusal != nil {
							refused[kind]++
							require.Error(t, solved, "%s from %d to %d, fees to %d: Apply refuses: %v", kind, from, to, fee, refusal)
							continue
						}
						accepted[kind]++
						require.NoError(t, solved, "%s from %d to %d, fees to %d", kind, from, to, fee)
						require.Equal(t, trace.Header.NewRoot, element(c.Header.NewRoot))
						commitment, err := trace.Data().Commitment(poseidon.New(), shape.Capacity)
						require.NoError(t, err)
						require.Equal(t, commitment, element(c.C))
						require.Equal(t, trace.Header.NewRoot, s.rebuild(t, trace.Data().Words()))
					}
				}
			}
		}
	}
	t.Logf("accepted %v, refused %v", accepted, refused)
	// A transfer can go to three accounts, an open to two slots.
	require.Equal(t, map[settle.Kind]int{1: 2 * 9 * 3, 2: 2 * 9 * 2, 3: 2 * 9, 4: 2 * 9}, accepted)
}

// between is a transaction in the last batch that there is, of the last nonce that can
// be used.
func (s *strange) between(t testing.TB, kind settle.Kind, from, to settle.AccountIndex) state.Transaction {
	st := s.load(t)
	sender, receiver := st.Account(from), st.Account(to)
	tx := state.Transaction{
		Kind: kind, From: from, To: to, Token: sender.Token, Amount: 990, Fee: 10, Nonce: sender.Nonce, ValidUntil: 1<<32 - 1,
		ToOwner: receiver.Owner, ToL1: receiver.L1,
	}
	switch kind {
	case settle.KindOpen: // also of the very account that is there
		tx.To, tx.Assigned = 0, to
		if receiver.IsEmpty() {
			tx.ToOwner = newOwner()
		}
	case settle.KindExit, settle.KindExitAll:
		tx.To, tx.ToOwner, tx.ToL1 = 0, fr.Element{}, sender.L1
		if kind == settle.KindExitAll {
			tx.Amount = 0
		}
	}
	s.sign(t, &tx, sender.Owner)
	return tx
}

// TestInactiveSlotsReceiveNothing: a slot of each chip that is declared unused, with all
// else as it was, gives back what it took from the bus, and is missed there.
func TestInactiveSlotsReceiveNothing(t *testing.T) {
	ccs := system(t, forgeShape())
	honest := func() *Circuit {
		f := opening(t, func(f *forger, _ *claim) { f.fees(feeSlot(0, 0, 2)) })
		f.transfer(1, claim{kind: settle.KindExit, from: 4, fee: 0, amountValue: 20, feePay: 1})
		return f.seal()
	}
	require.NoError(t, solve(t, ccs, honest()))
	node := func(c *Circuit, level uint64) *NodeSlot {
		for i := range c.Nodes {
			if n := &c.Nodes[i]; uintOf(n.Active) == 1 && uintOf(n.Level) == level {
				return n
			}
		}
		require.Fail(t, "no node", "of level %d", level)
		return nil
	}
	for name, deactivate := range map[string]func(c *Circuit){
		"account":             func(c *Circuit) { c.Accounts[3].Active = 0 },
		"node above accounts": func(c *Circuit) { node(c, 1).Active = 0 },
		"root":                func(c *Circuit) { node(c, settle.TreeLevels).Active = 0 },
		"node that touches nothing either": func(c *Circuit) {
			n := node(c, 1)
			n.Active = 0
			for i := range n.Touched {
				n.Touched[i], n.New[i] = 0, n.Old[i]
			}
		},
		"transfer": func(c *Circuit) { c.Transfers[1].Kind = assignKind(settle.KindNone) },
		"transfer, with its exit": func(c *Circuit) {
			c.Transfers[1].Kind, c.Exits[0].Active = assignKind(settle.KindNone), 0
		},
		"transfer, with its exit and fee": func(c *Circuit) {
			c.Transfers[1].Kind, c.Exits[0].Active, c.FeeAccounts[0].Uses = assignKind(settle.KindNone), 0, 1
		},
		"fee account": func(c *Circuit) { c.FeeAccounts[0].Active = 0 },
		"open":        func(c *Circuit) { c.Opens[0].Active = 0 },
		"exit":        func(c *Circuit) { c.Exits[0].Active = 0 },
	} {
		c := honest()
		deactivate(c)
		publish(t, c)
		require.Error(t, solve(t, ccs, c), name)
	}
}

// reviewAttacks try rules in accesses and kinds in which no other attack tries them.
func reviewAttacks() []attack {
	emptying := func(t *testing.T, edit func(x *claim)) *forger {
		return exiting(t, func(_ *forger, x *claim) {
			x.kind, x.amountValue = settle.KindExitAll, 1_000_000-1
			edit(x)
		})
	}
	return []attack{
		{name: "an account opened as a node", rules: []string{"tree: level in 1..16"}, implied: "leaf and node are two lanes of the permutation",
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				account := f.open(5).opened
				packed := weigh(account.token, 0, account.nonce, settle.TokenBits)
				return then(f, func(c *Circuit) {
					// The four fields of account 5 are children, of which none is touched.
					c.Accounts[3].Active = 0
					spare := &c.Nodes[len(c.Nodes)-1]
					spare.Active, spare.Level, spare.Position = 1, 0, 5
					for i, field := range []fr.Element{account.owner, packed, account.balance, account.l1} {
						spare.Old[i], spare.New[i] = field, field
					}
				})
			}},
		{name: "money is spent before it arrives", rules: []string{"transfer: times increase"},
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.setLeaf(5, func(l *leafValues) { l.balance = fr.Element{} })
				f.fees(feeSlot(0, 0, 2))
				f.transfer(1, claim{from: 3, to: 5, fee: 0, amountValue: 10, feePay: 0})
				f.transfer(0, claim{from: 5, to: 4, fee: 0, amountValue: 10, feePay: 0})
				return then(f, func(c *Circuit) { // the fee account alone is accessed in order
					c.Transfers[0].FeeTaker.PreviousTime = 0
					c.Transfers[1].FeeTaker.PreviousTime = f.shape.accessTime(0, 3)
					c.Accounts[0].LastTime = f.shape.accessTime(1, 3)
				})
			}},
		{name: "a fee account outside the tree reads its own write", rules: []string{"transfer: times increase"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, func(f *forger, x *claim) { x.fee, x.feePay = 6, 0; f.fees(feeSlot(0, 6, 1)) })
				delete(f.cells, 6) // never opened, never closed
				return then(f, func(c *Circuit) { c.Transfers[0].FeeTaker.PreviousTime = f.shape.accessTime(0, 3) })
			}},
		{name: "an account closes as it was opened", implied: "the memory channel does not balance",
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				*f.cells[3] = cell{opened: f.cells[3].opened, now: f.cells[3].opened} // as if nothing had been spent
				return f.seal()
			}},
		{name: "an empty slot takes the fee of an exit", rules: []string{"transfer: fee account exists"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(f *forger, x *claim) { x.fee = 11; f.fees(feeSlot(0, 11, 1)) }).seal()
			}},
		{name: "exit-all with a receiver's index", rules: []string{"exit: to is 0"},
			forge: func(t *testing.T) *Circuit {
				return emptying(t, func(x *claim) {
					x.to = 7
					x.signed = func(tx *state.Transaction) { tx.To = 7 }
				}).seal()
			}},
		{name: "exit-all that signs an owner", rules: []string{"exit: toOwner is 0"},
			forge: func(t *testing.T) *Circuit {
				return emptying(t, func(x *claim) {
					x.signed = func(tx *state.Transaction) { tx.ToOwner = newOwner() }
					x.edit = func(s *TransferSlot) { s.ToOwner = newOwner() }
				}).seal()
			}},
		{name: "exit-all signed for another address", rules: []string{"exit: to the account's own l1"},
			forge: func(t *testing.T) *Circuit {
				return emptying(t, func(x *claim) {
					x.signed = func(tx *state.Transaction) { tx.ToL1 = settle.Address{19: 99} }
					x.edit = func(s *TransferSlot) { s.ToL1 = 99 }
				}).seal()
			}},
	}
}
