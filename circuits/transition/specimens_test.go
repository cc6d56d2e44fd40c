package transition

import (
	"testing"

	"github.com/consensys/gnark-crypto/ecc"
	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark/backend/witness"
	"github.com/consensys/gnark/constraint/solver"
	"github.com/consensys/gnark/frontend"
	"github.com/consensys/gnark/frontend/cs"
	"github.com/consensys/gnark/logger"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/circuits/gadget"
	"github.com/zksettle/settle/circuits/internal/hostile"
	"github.com/zksettle/settle/state"
)

// specimen is the witness of a valid batch that attacks start from.
type specimen struct {
	name string
	full witness.Witness
}

// specimens are batches of each kind, of a busy account, of self-transfers and with
// padding, for a shape that holds two transactions, one open and one exit or more.
func specimens(t testing.TB, shape Shape) []specimen {
	t.Helper()
	const vacantSlot = 12
	type step func(w *world, b *state.Batch) state.Transaction
	transfer := func(from, to settle.AccountIndex, amount, fee uint64) step {
		return func(w *world, b *state.Batch) state.Transaction {
			return w.transfer(b, from, to, amount, fee, func(tx *state.Transaction) { tx.ValidUntil = b.Number() + 5 })
		}
	}
	open := func(from settle.AccountIndex) step {
		return func(w *world, b *state.Batch) state.Transaction {
			return w.transfer(b, from, from, 50, 2, func(tx *state.Transaction) {
				tx.Kind, tx.To, tx.Assigned, tx.ToOwner, tx.ToL1 = settle.KindOpen, 0, vacantSlot, w.keys[1].Public().X, settle.Address{3: 7, 19: 1}
			})
		}
	}
	exit := func(from settle.AccountIndex, kind settle.Kind, amount uint64) step {
		return func(w *world, b *state.Batch) state.Transaction {
			return w.transfer(b, from, from, amount, 3, func(tx *state.Transaction) {
				tx.Kind, tx.To, tx.ToOwner, tx.ToL1 = kind, 0, fr.Element{}, b.Account(from).L1
			})
		}
	}
	var out []specimen
	for _, x := range []struct {
		name  string
		steps []step
	}{
		{"transfer and padding", []step{transfer(3, 6, 10, 1)}},
		{"hot account", []step{transfer(3, 4, 1000, 20), transfer(3, 4, 7, 1)}},
		{"self-transfers", []step{transfer(5, 5, 9, 2), transfer(0, 0, 30, 4)}},
		{"open and exit", []step{open(3), exit(4, settle.KindExit, 25)}},
		{"exit-all of the fee account", []step{transfer(7, 0, 100, 5), exit(0, settle.KindExitAll, 0)}},
		{"empty", nil},
	} {
		w := newWorld(t, 10, 1, 4)
		b := w.state.Begin()
		for _, s := range x.steps {
			require.NoError(t, b.Step(s(w, b)), x.name)
		}
		trace, err := b.Seal()
		require.NoError(t, err)
		full, err := frontend.NewWitness(mustAssign(t, shape, trace), ecc.BN254.ScalarField())
		require.NoError(t, err)
		out = append(out, specimen{x.name, full})
	}
	return out
}

// target is a shape's system with all hints that solve it.
func target(t testing.TB, shape Shape) *hostile.Target {
	t.Helper()
	logger.Disable()
	solver.RegisterHint(gadget.Hints()...)
	out, err := hostile.New(system(t, shape), map[solver.HintID]solver.Hint{
		solver.GetHintID(cs.Bsb22CommitmentComputePlaceholder): hashCommitment,
	})
	require.NoError(t, err)
	return out
}
