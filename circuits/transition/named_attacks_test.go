package transition

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// memoryAttacks lie about what the batch memory held, or about which leaf is opened.
func memoryAttacks() []attack {
	const unread = "the memory channel does not balance"
	return []attack{
		{name: "two slots for one account", rules: []string{"account: indices increase"}, implied: "each leaf is received by one entry of the tree, once",
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) { c.Accounts[3] = c.Accounts[2] })
			}},
		{name: "two entries for one node", implied: "each node is received by its parent, once",
			forge: func(t *testing.T) *Circuit {
				return then(one(t, plain), func(c *Circuit) { c.Nodes[len(c.Nodes)-1] = c.Nodes[0] })
			}},
		{name: "a node opened as an account", implied: "leaf and node are two lanes of the permutation",
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				// The tree holds Node(values) where the account's leaf should be.
				account := f.open(5)
				packed := fr.NewElement(1 << settle.TokenBits)
				packed.Mul(&packed, &account.opened.nonce).Add(&packed, &account.opened.token)
				node := f.hasher.Node([4]fr.Element{account.opened.owner, packed, account.opened.balance, account.opened.l1})
				f.tree.Update([]settle.AccountIndex{5}, []fr.Element{node})
				return f.seal()
			}},
		{name: "a stale balance is read", implied: unread,
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.transfer(0, claim{from: 3, to: 4, fee: 0, amountValue: 900_000, feePay: 1})
				f.cells[3] = &cell{opened: f.cells[3].opened, now: f.cells[3].opened} // as if nothing had been spent
				f.transfer(1, claim{from: 3, to: 5, fee: 0, amountValue: 900_000, feePay: 1})
				f.fees(feeSlot(0, 0, 2))
				return f.seal()
			}},
		{name: "accesses read what later ones write", rules: []string{"transfer: times increase"},
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.transfer(0, claim{from: 3, to: 5, fee: 0, amountValue: 0, feePay: 1})
				f.transfer(1, claim{from: 4, to: 5, fee: 0, amountValue: 0, feePay: 1})
				f.fees(feeSlot(0, 0, 2))
				delete(f.cells, 5) // never opened, never closed: each of the two reads the other's write
				return then(f, func(c *Circuit) {
					c.Transfers[0].Receiver.PreviousTime = f.shape.accessTime(1, 2)
					c.Transfers[1].Receiver.PreviousTime = f.shape.accessTime(0, 2)
				})
			}},
		{name: "accesses read each other's writes under an early time", implied: "the time is in the tuple",
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				f.transfer(0, claim{from: 3, to: 5, fee: 0, amountValue: 0, feePay: 1})
				f.transfer(1, claim{from: 4, to: 5, fee: 0, amountValue: 0, feePay: 1})
				f.fees(feeSlot(0, 0, 2))
				delete(f.cells, 5)
				return then(f, func(c *Circuit) { c.Transfers[1].Receiver.PreviousTime = 0 })
			}},
		{name: "a self-transfer that credits what it did not debit", implied: unread,
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 1)
				before := valuesOf(f.state.Account(3))
				f.transfer(0, claim{from: 3, to: 3, fee: 0, amountValue: 1000, feePay: 1, edit: func(s *TransferSlot) {
					s.Receiver.PreviousTime, s.Receiver.Nonce, s.Receiver.Balance = 0, before.nonce, before.balance
				}})
				f.fees(feeSlot(0, 0, 1))
				amount := fr.NewElement(1000)
				f.cells[3].now.nonce = before.nonce
				f.cells[3].now.balance.Add(&before.balance, &amount)
				return f.seal()
			}},
		{name: "a fee account of another token", implied: "the memory carries the token, and it is the signed one for all three accounts",
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 2)
				f.transfer(0, claim{from: 2, to: 4, fee: 1, amountValue: 10, feePay: 1})
				f.fees(feeSlot(0, 1, 1))
				return f.seal()
			}},
		{name: "a receiver of another token", implied: "the memory carries the token, and it is the signed one for all three accounts",
			forge: func(t *testing.T) *Circuit {
				f := newForger(t, 10, 2)
				f.transfer(0, claim{from: 2, to: 5, fee: 0, amountValue: 10, feePay: 1})
				f.fees(feeSlot(0, 0, 1))
				return f.seal()
			}},
		{name: "a payment to another account than was signed for", implied: "the receiver's owner and l1 are the signed wires",
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) {
					signed := f.state.Account(5)
					x.message = func(m *schnorr.Message) { m.ToOwner, m.ToL1 = signed.Owner, element(address(signed.L1)) }
				}).seal()
			}},
		{name: "owner and l1 of the receiver exchanged", implied: "they are two lanes of the signed hash",
			forge: func(t *testing.T) *Circuit {
				return one(t, func(_ *forger, x *claim) {
					x.message = func(m *schnorr.Message) { m.ToOwner, m.ToL1 = m.ToL1, m.ToOwner }
				}).seal()
			}},
		{name: "an exit of more than the balance", rules: []string{"transfer: sender balance has 128 bits"},
			forge: func(t *testing.T) *Circuit {
				return exiting(t, func(_ *forger, x *claim) { x.amountValue = 1_000_001 }).seal()
			}},
	}
}

// unwrittenAttacks read a field of the receiver that nobody wrote; all else agrees.
func unwrittenAttacks() []attack {
	var all []attack
	for field, edit := range map[string]func(*leafValues){
		"owner":   func(l *leafValues) { l.owner = newOwner() },
		"token":   func(l *leafValues) { l.token = fr.NewElement(9) },
		"nonce":   func(l *leafValues) { l.nonce = fr.NewElement(77) },
		"balance": func(l *leafValues) { l.balance = power(100) },
		"l1":      func(l *leafValues) { l.l1 = fr.NewElement(500) },
	} {
		all = append(all, attack{name: "another " + field + " is read than was written", implied: "the memory channel does not balance",
			forge: func(t *testing.T) *Circuit {
				return one(t, func(f *forger, x *claim) { edit(&f.open(x.to).now) }).seal()
			}})
	}
	return all
}

// flagAttacks need a flag that is no flag.
func flagAttacks() []attack {
	return []attack{
		{name: "a second root that sends as many leaves as it receives", rules: []string{"tree: touched is boolean"},
			forge: func(t *testing.T) *Circuit { return paidBack(t, 3, 2, 0) }},
		{name: "an unused fee account listed as two", rules: []string{"fee: active is boolean"},
			forge: func(t *testing.T) *Circuit {
				f := one(t, plain)
				s := feeSlot(77, 1234, 0)
				s.Active = 2
				f.fees(feeSlot(0, 0, 1), s)
				return f.seal()
			}},
	}
}

// TestSignatureIsForOneMessage: a signature over another domain, sender, nonce,
// receiver, token, amount, fee or expiry executes nothing.
func TestSignatureIsForOneMessage(t *testing.T) {
	ccs := system(t, forgeShape())
	require.NoError(t, solve(t, ccs, one(t, plain).seal()))
	for name, edit := range map[string]func(f *forger, x *claim){
		"domain": func(f *forger, x *claim) {
			x.message = func(m *schnorr.Message) { m.Domain = publicdata.Domain(1338, settle.Address{1, 2, 3}) }
		},
		"sender":   func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.From = 5 } },
		"receiver": func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.To = 5 } },
		"token":    func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.Token = 1 } },
		"nonce":    func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.Nonce++ } },
		"amount":   func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.Amount++ } },
		"fee":      func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.Fee++ } },
		"owner":    func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.ToOwner = newOwner() } },
		"l1":       func(_ *forger, x *claim) { x.signed = func(tx *state.Transaction) { tx.ToL1[0]++ } },
		"expiry": func(f *forger, x *claim) {
			x.signed = func(tx *state.Transaction) { tx.ValidUntil = settle.BatchNumber(f.number - 1) }
			x.edit = func(s *TransferSlot) { s.ValidUntil = 0 }
		},
	} {
		require.Error(t, solve(t, ccs, one(t, edit).seal()), name)
	}
	// The signature of one account over another's message: its own key does not own it.
	c := one(t, plain).seal()
	thief, err := schnorr.GenerateKey(randReader{newWorld(t, 1, 1, 99).rand})
	require.NoError(t, err)
	s := &c.Transfers[0]
	message := schnorr.Message{
		M: weigh(1, 0, s.From, 4, s.To, 36, s.Token, 68, 10, 100, 1, 140, s.Nonce, 156), Domain: element(c.Header.Domain),
		ToOwner: element(s.ToOwner), ToL1: element(s.ToL1),
	}
	signature, err := schnorr.Sign(thief, message, rand0{})
	require.NoError(t, err)
	s.Signature, err = gadget.AssignSignature(forgeShape().WindowBits, thief.Public().X, message, signature)
	require.NoError(t, err)
	require.Error(t, solve(t, ccs, c))
}

// TestDataIsTheBatch: public inputs of words that differ from the batch's in a count,
// their order, their length or their padding, or that leave something out.
func TestDataIsTheBatch(t *testing.T) {
	shape := mustShape(t, "demo")
	ccs := system(t, shape)
	w := newWorld(t, 10, 1, 4)
	b := w.state.Begin()
	for _, p := range []pair{{3, 4}, {4, 5}, {5, 6}} {
		require.NoError(t, b.Step(w.transfer(b, p[0], p[1], 10, 1)))
	}
	for _, from := range []settle.AccountIndex{3, 4} {
		require.NoError(t, b.Step(w.transfer(b, from, from, 7, 1, func(tx *state.Transaction) {
			tx.Kind, tx.To, tx.ToOwner, tx.ToL1 = settle.KindExit, 0, fr.Element{}, b.Account(from).L1
		})))
	}
	trace, err := b.Seal()
	require.NoError(t, err)
	for name, edit := range map[string]func(d *publicdata.Data){
		"nothing":              func(*publicdata.Data) {},
		"a transfer less":      func(d *publicdata.Data) { d.Transfers = d.Transfers[:len(d.Transfers)-1] },
		"a transfer of zeros":  func(d *publicdata.Data) { d.Transfers = append(d.Transfers, publicdata.Transfer{}) },
		"a transfer twice":     func(d *publicdata.Data) { d.Transfers = append(d.Transfers, d.Transfers[0]) },
		"transfers exchanged":  func(d *publicdata.Data) { d.Transfers[0], d.Transfers[1] = d.Transfers[1], d.Transfers[0] },
		"an exit less":         func(d *publicdata.Data) { d.Exits = d.Exits[:1] },
		"an exit of zeros":     func(d *publicdata.Data) { d.Exits = append(d.Exits, publicdata.Exit{}) },
		"exits exchanged":      func(d *publicdata.Data) { d.Exits[0], d.Exits[1] = d.Exits[1], d.Exits[0] },
		"an open of zeros":     func(d *publicdata.Data) { d.Opens = append(d.Opens, publicdata.Open{}) },
		"no fee account":       func(d *publicdata.Data) { d.FeeAccounts = nil },
		"a fee account's zero": func(d *publicdata.Data) { d.FeeAccounts = append(d.FeeAccounts, publicdata.FeeAccount{}) },
		"number":               func(d *publicdata.Data) { d.Header.Number++ },
		"old root":             func(d *publicdata.Data) { d.Header.OldRoot = d.Header.NewRoot },
		"new root":             func(d *publicdata.Data) { d.Header.NewRoot = d.Header.OldRoot },
		"domain":               func(d *publicdata.Data) { d.Header.Domain = newOwner() },
	} {
		data := trace.Data()
		edit(data)
		inputs, err := data.PublicInputs(poseidon.New(), shape.Capacity)
		require.NoError(t, err, name)
		c := mustAssign(t, shape, trace)
		c.C, c.Zeta, c.V = inputs[0], inputs[1], inputs[2]
		if err := solve(t, ccs, c); name == "nothing" {
			require.NoError(t, err)
		} else {
			require.Error(t, err, name)
		}
	}
}
