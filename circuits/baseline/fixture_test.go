package baseline

import (
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/logger"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/diagnosis"
)

// depth of the trees of quick tests: 16 accounts.
const depth = 4

// stateCircuit is the circuit without the hash of its data: gnark's SHA-256 is nine
// tenths of a small one.
type stateCircuit struct {
	NewRoot frontend.Variable `gnark:",public"`
	Circuit
}

func (c *stateCircuit) Define(api frontend.API) error {
	g, err := newGadgets(api, c.without)
	if err != nil {
		return err
	}
	e, err := c.execute(g)
	if err != nil {
		return err
	}
	api.AssertIsEqual(c.NewRoot, e.root)
	return nil
}

// transition runs an assignment's transfers in gnark's test engine, without a rule.
func transition(c *Circuit, newRoot fr.Element, without string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: %v", r)
		}
	}()
	circuit := newCircuit(len(c.Transfers), len(c.Operator.Path))
	circuit.without = without
	return test.IsSolved(&stateCircuit{Circuit: *circuit}, &stateCircuit{NewRoot: newRoot, Circuit: *c}, ecc.BN254.ScalarField())
}

// systems holds the whole circuit at the small depth, for 1 and 2 transfers.
type systems struct {
	once [2]sync.Once
	ccs  [2]constraint.ConstraintSystem
	err  [2]error
}

func (s *systems) get(t testing.TB, transfers int) constraint.ConstraintSystem {
	i := transfers - 1
	s.once[i].Do(func() {
		logger.Disable()
		s.ccs[i], s.err[i] = compile(newCircuit(transfers, depth))
	})
	require.NoError(t, s.err[i])
	return s.ccs[i]
}

// solve runs gnark's solver on the whole circuit.
func (s *systems) solve(t testing.TB, c *Circuit) error {
	w, err := frontend.NewWitness(c, ecc.BN254.ScalarField())
	require.NoError(t, err)
	return diagnosis.Solve(s.get(t, len(c.Transfers)), w)
}

func mustWorld(t testing.TB, change ...func([]Account)) *world {
	w, err := newWorld(1, depth, 8)
	require.NoError(t, err)
	accounts := w.rollup.accounts
	for _, f := range change {
		f(accounts)
	}
	w.rollup, err = newRollup(depth, w.rollup.domain, w.rollup.operator, accounts)
	require.NoError(t, err)
	for i, a := range accounts {
		w.nonces[settle.AccountIndex(i)] = a.Nonce
	}
	return w
}

func (w *world) mustTransfer(t testing.TB, from, to settle.AccountIndex, amount uint64, fee uint16) Transfer {
	tr, err := w.transfer(from, to, amount, fee)
	require.NoError(t, err)
	return tr
}

// batch applies transfers of 1000 with a fee of 10 between pairs of accounts.
func (w *world) batch(t testing.TB, pairs ...[2]settle.AccountIndex) *Batch {
	var transfers []Transfer
	for _, p := range pairs {
		transfers = append(transfers, w.mustTransfer(t, p[0], p[1], 1000, 10))
	}
	b, err := w.rollup.Apply(transfers)
	require.NoError(t, err)
	return b
}

func mustAssign(t testing.TB, b *Batch) *Circuit {
	c, err := Assign(b)
	require.NoError(t, err)
	return c
}

// reading is what a forger says of an account's fields. Numbers are taken modulo the
// field.
type reading struct{ nonce, balance *big.Int }

// forgery is a transfer executed by a prover who checks nothing: everything fits
// together, whatever the transfer says. Sender, receiver and operator differ.
type forgery struct {
	transfer                   Transfer
	token                      *big.Int // of the batch
	sender, receiver, operator reading
}

// forge begins with what an honest prover would say.
func (w *world) forge(t Transfer) *forgery {
	said := func(i settle.AccountIndex) reading {
		return reading{number(w.rollup.accounts[i].Nonce), w.rollup.accounts[i].Balance.Big()}
	}
	return &forgery{t, number(worldToken), said(t.From), said(t.To), said(w.rollup.operator)}
}

// assign executes the forgery on the world's tree.
func (w *world) assign(t testing.TB, f *forgery) (*Circuit, fr.Element) {
	tr := &f.transfer
	honest := &Batch{
		Domain: w.rollup.domain, OldRoot: w.rollup.Root(), Token: worldToken,
		Steps:    []Step{{Transfer: *tr, Key: w.rollup.accounts[tr.From].Owner}},
		Operator: w.rollup.open(w.rollup.operator),
	}
	c := mustAssign(t, honest)
	c.Token = f.token
	slot := &c.Transfers[0]
	debit := new(big.Int).Add(tr.amount(), tr.fee())
	slot.Sender = w.pass(t, tr.From, f.token, f.sender, reading{big.NewInt(1), debit.Neg(debit)})
	slot.Receiver = w.pass(t, tr.To, f.token, f.receiver, reading{new(big.Int), tr.amount()})
	c.Operator = w.pass(t, w.rollup.operator, f.token, f.operator, reading{new(big.Int), tr.fee()})
	return c, w.rollup.Root()
}

// pass opens an account as it is said to be and adds a change to what is said.
func (w *world) pass(t testing.TB, i settle.AccountIndex, token *big.Int, said, change reading) AccountWires {
	o := w.rollup.open(i)
	wires := o.wires()
	wires.Nonce, wires.Balance = said.nonce, said.balance
	packed := pack(leafWidths(), token, new(big.Int).Add(said.nonce, change.nonce), new(big.Int).Add(said.balance, change.balance))
	require.NoError(t, w.rollup.tree.set(int(i), hash2(o.Owner, packed)))
	return wires
}
