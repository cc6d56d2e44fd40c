package transition

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/constraint"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/test"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

// world is a small state whose keys the test holds. Account i holds token
// i mod tokens; account i < tokens takes the fees of token i.
type world struct {
	t     testing.TB
	keys  []schnorr.PrivateKey
	state *state.State
	rand  *rand.Rand
}

type randReader struct{ r *rand.Rand }

func (r randReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.r.Uint32())
	}
	return len(b), nil
}

func newWorld(t testing.TB, accounts, tokens int, seed uint64) *world {
	w := &world{t: t, rand: rand.New(rand.NewPCG(seed, 7))}
	list, fees := make([]state.Indexed, accounts), map[settle.TokenID]settle.AccountIndex{}
	for i := range list {
		key, err := schnorr.GenerateKey(randReader{w.rand})
		require.NoError(t, err)
		w.keys = append(w.keys, key)
		token := settle.TokenID(i % tokens)
		if i < tokens {
			fees[token] = settle.AccountIndex(i)
		}
		list[i] = state.Indexed{Index: settle.AccountIndex(i), Account: state.Account{
			Owner: key.Public().X, Token: token, Nonce: settle.Nonce(i), Balance: settle.NewAmount(1_000_000), L1: settle.Address{19: byte(i + 1)},
		}}
	}
	var err error
	w.state, err = state.Load(poseidon.New(), publicdata.Domain(1337, settle.Address{1, 2, 3}), 41, list, fees)
	require.NoError(t, err)
	return w
}

// transfer signs a transfer on top of what the batch has executed.
func (w *world) transfer(b *state.Batch, from, to settle.AccountIndex, amount, fee uint64, edit ...func(*state.Transaction)) state.Transaction {
	sender, receiver := b.Account(from), b.Account(to)
	a, err := state.NewFloat40(settle.NewAmount(amount))
	require.NoError(w.t, err)
	f, err := state.NewFloat16(settle.NewAmount(fee))
	require.NoError(w.t, err)
	tx := state.Transaction{
		Kind: settle.KindTransfer, From: from, To: to, Token: sender.Token, Amount: a, Fee: f, Nonce: sender.Nonce,
		ToOwner: receiver.Owner, ToL1: receiver.L1, PublicKey: sender.Owner,
	}
	for _, e := range edit {
		e(&tx)
	}
	w.sign(&tx)
	return tx
}

func (w *world) sign(tx *state.Transaction) {
	var err error
	tx.Signature, err = schnorr.Sign(w.keys[tx.From], tx.Message(w.state.Domain()), randReader{w.rand})
	require.NoError(w.t, err)
}

// batch executes transfers (from, to) with amount 10 and fee 1 and seals them.
func (w *world) batch(pairs ...[2]settle.AccountIndex) *state.Trace {
	b := w.state.Begin()
	for _, p := range pairs {
		require.NoError(w.t, b.Step(w.transfer(b, p[0], p[1], 10, 1)))
	}
	trace, err := b.Seal()
	require.NoError(w.t, err)
	return trace
}

func mustShape(t testing.TB, name string) Shape {
	shape, err := ShapeByName(name)
	require.NoError(t, err)
	return shape
}

func mustAssign(t testing.TB, shape Shape, trace *state.Trace) *Circuit {
	c, err := Assign(shape, trace)
	require.NoError(t, err)
	return c
}

// engine runs the assignment through gnark's test engine against the circuit
// with rules left out.
func engine(shape Shape, assignment *Circuit, without ...string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("engine: %v", r)
		}
	}()
	circuit := New(shape)
	circuit.without = without
	assignment.without = without
	return test.IsSolved(circuit, assignment, ecc.BN254.ScalarField())
}

var compiled sync.Map // key shape name; the value a *lazySystem

type lazySystem struct {
	once sync.Once
	ccs  constraint.ConstraintSystem
	err  error
}

// system compiles the shape once a process.
func system(t testing.TB, shape Shape) constraint.ConstraintSystem {
	v, _ := compiled.LoadOrStore(shape.Name, new(lazySystem))
	lazy := v.(*lazySystem)
	lazy.once.Do(func() {
		lazy.ccs, lazy.err = Compile(shape)
	})
	require.NoError(t, lazy.err)
	return lazy.ccs
}

// solve runs gnark's solver with the commitment replaced by a hash of the
// committed values, and other hints replaced as given.
func solve(t testing.TB, ccs constraint.ConstraintSystem, assignment *Circuit, opts ...solver.Option) error {
	w, err := frontend.NewWitness(assignment, ecc.BN254.ScalarField())
	require.NoError(t, err)
	solver.RegisterHint(gadget.Hints()...)
	opts = append([]solver.Option{solver.OverrideHint(solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder), hashCommitment)}, opts...)
	_, err = ccs.Solve(w, opts...)
	return err
}

func hashCommitment(_ *big.Int, inputs, outputs []*big.Int) error {
	h := sha256.New()
	for _, in := range inputs {
		b := in.FillBytes(make([]byte, fr.Bytes))
		h.Write(b)
	}
	var e fr.Element
	e.SetBytes(h.Sum(nil))
	e.BigInt(outputs[0])
	return nil
}
