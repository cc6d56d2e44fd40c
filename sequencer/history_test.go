package sequencer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/admission"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// moment is the state after a batch, as the traces of the batches make it.
type moment struct {
	accounts []store.Account
	root     fr.Element
}

// Random batches of every kind through a real Postgres, some settled and taken back
// by a reorganisation meanwhile. Whatever batch is asked for afterwards, each account,
// all of them, and the changes between any two batches are exactly what the batches'
// traces say, and every account has a proof against the root.
func TestExactHistoryOfEveryKind(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			r := newRigWith(t, 8, 2, kindShapes)
			r.randomHistory(random, 8)
			moments := r.moments()
			require.Greater(t, len(moments), 8)
			require.Greater(t, len(moments[len(moments)-1].accounts), 8, "no account was opened")
			for n := range moments {
				r.requireMoment(moments, settle.BatchNumber(n))
			}
			for range 30 {
				r.requireChanges(moments, settle.BatchNumber(random.IntN(len(moments))), settle.BatchNumber(random.IntN(len(moments))))
			}
			_, err := Check(t.Context(), r.store, r.hasher)
			require.NoError(t, err)
		})
	}
}

// randomHistory has a sequencer execute rounds of random transactions, restarts it
// now and then, and moves the batches' statuses as settling and a reorganisation do.
func (r *rig) randomHistory(random *rand.Rand, rounds int) {
	r.t.Helper()
	nonces := make([]settle.Nonce, len(r.keys))
	run := start(r.t, r.config())
	for range rounds {
		for range 1 + random.IntN(6) {
			from := random.IntN(len(r.keys))
			amount := uint64(1 + random.IntN(genesisBalance/20))
			request := r.transfer(from, from%2+2*random.IntN(len(r.keys)/2), amount, nonces[from])
			switch random.IntN(6) {
			case 0, 1:
				request = r.open(from, random.IntN(len(r.keys)), amount, nonces[from])
			case 2:
				request = r.exit(from, amount, nonces[from])
			case 3:
				if random.IntN(4) == 0 {
					request = r.exit(from, 0, nonces[from])
				}
			}
			outcomes, err := r.store.Admit(r.t.Context(), []admission.Checked{r.check(request)})
			require.NoError(r.t, err)
			if outcomes[0].Refusal == nil { // else it has given everything away
				nonces[from]++
			}
		}
		run.Flush()
		r.settled()
		switch random.IntN(4) {
		case 0:
			run.halt()
			run = start(r.t, r.config())
		case 1:
			r.exec(`update batches set status = 'proven', proven_at = now() where status = 'sealed'`)
			r.exec(`update batches set status = 'settling' where status = 'proven'`)
			r.exec(`update batches set status = 'settled', settled_at = now() where status = 'settling'`)
		case 2:
			r.exec(`update batches set status = 'proven', settled_at = null where status = 'settled' and number > $1`, random.IntN(rounds))
		}
	}
	run.halt()
}

func (r *rig) exec(sql string, args ...any) {
	r.t.Helper()
	_, err := r.admin.Exec(r.t.Context(), sql, args...)
	require.NoError(r.t, err)
}

// moments applies the stored traces to genesis, batch by batch.
func (r *rig) moments() []moment {
	r.t.Helper()
	s := r.world.state()
	now := append([]store.Account(nil), r.genesis.Accounts...)
	moments := []moment{{now, s.Root()}}
	for n := settle.BatchNumber(1); ; n++ {
		witness, err := r.store.WitnessInput(r.t.Context(), n)
		if errors.Is(err, store.ErrNotFound) {
			return moments
		}
		require.NoError(r.t, err)
		trace, err := state.DecodeTrace(witness.Data)
		require.NoError(r.t, err)
		now = append([]store.Account(nil), now...)
		var executed []state.Transaction
		for _, x := range trace.Transactions {
			executed = append(executed, x.Transaction)
		}
		_, err = s.Apply(executed)
		require.NoError(r.t, err)
		for _, a := range trace.Accounts {
			stored := accountToStored(a.Index, a.New, a.New.Leaf(r.hasher))
			if int(a.Index) == len(now) {
				now = append(now, stored)
			}
			now[a.Index] = stored
		}
		moments = append(moments, moment{now, s.Root()})
	}
}

func (r *rig) requireMoment(moments []moment, n settle.BatchNumber) {
	r.t.Helper()
	want := moments[n]
	var all []store.Account
	require.NoError(r.t, r.store.EachAccountAt(r.t.Context(), n, func(a store.Account) error { all = append(all, a); return nil }))
	require.Equal(r.t, want.accounts, all, "all accounts at batch %d", n)
	p, err := r.store.Point(r.t.Context(), n)
	require.NoError(r.t, err)
	require.Equal(r.t, settle.Element(want.root.Bytes()), p.Root)

	tree := r.treeOf(all)
	require.Equal(r.t, want.root, tree.Root(), "root of the accounts at batch %d", n)
	for index := range settle.AccountIndex(len(moments[len(moments)-1].accounts)) {
		a, err := r.store.AccountAt(r.t.Context(), index, n)
		proof := state.Proof{Index: index, Siblings: tree.Siblings(index)}
		if int(index) >= len(want.accounts) {
			require.ErrorIs(r.t, err, store.ErrNotFound, "account %d at batch %d", index, n)
		} else {
			require.NoError(r.t, err)
			require.Equal(r.t, want.accounts[index], a, "account %d at batch %d", index, n)
			x, _, err := accountFromStored(a)
			require.NoError(r.t, err)
			proof.Account = x.Account
		}
		require.NoError(r.t, proof.Verify(r.hasher, want.root), "account %d at batch %d", index, n)
	}
}

func (r *rig) treeOf(accounts []store.Account) *state.Tree {
	r.t.Helper()
	var indices []settle.AccountIndex
	var leaves []fr.Element
	for _, a := range accounts {
		leaf, err := element(a.Leaf, "digest")
		require.NoError(r.t, err)
		indices, leaves = append(indices, a.Index), append(leaves, leaf)
	}
	return state.BuildTree(r.hasher, indices, leaves)
}

// requireChanges moves the tree after one batch to another, back or forth.
func (r *rig) requireChanges(moments []moment, from, to settle.BatchNumber) {
	r.t.Helper()
	tree := r.treeOf(moments[from].accounts)
	changes, err := r.store.LeavesBetween(r.t.Context(), from, to)
	require.NoError(r.t, err)
	var indices []settle.AccountIndex
	var leaves []fr.Element
	for _, c := range changes {
		leaf, err := element(c.Digest, "digest")
		require.NoError(r.t, err)
		exists := int(c.Index) < len(moments[to].accounts)
		require.Equal(r.t, exists, !c.Empty, "account %d at batch %d", c.Index, to)
		if c.Empty {
			leaf = state.Account{}.Leaf(r.hasher)
		}
		indices, leaves = append(indices, c.Index), append(leaves, leaf)
	}
	tree.Update(indices, leaves)
	require.Equal(r.t, moments[to].root, tree.Root(), "from batch %d to %d", from, to)
}
