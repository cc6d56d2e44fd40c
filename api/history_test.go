package api_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

func proofOf(t *testing.T, w wire.AccountProof) state.Proof {
	t.Helper()
	field := func(e settle.Element) (x fr.Element) {
		require.NoError(t, x.SetBytesCanonical(e[:]))
		return x
	}
	p := state.Proof{Index: w.Index, Account: state.Account{Owner: field(w.Owner), Token: w.Token, Nonce: w.Nonce, Balance: w.Balance, L1: w.L1}}
	require.Len(t, w.Siblings, 48)
	for i, e := range w.Siblings {
		p.Siblings[i/3][i%3] = field(e)
	}
	return p
}

// After a random history, every account at every batch has a proof against that
// batch's root, in whatever order they are asked for, and all accounts together
// have it as root.
func TestProofsAgainstEveryRoot(t *testing.T) {
	r, h := newRig(t), poseidon.New()
	random := rand.New(rand.NewPCG(3, 4))
	nonces := map[int]settle.Nonce{}
	for range 6 {
		for range 1 + random.IntN(5) {
			from := alice + random.IntN(2)
			r.accept(r.transfer(from, alice+random.IntN(2), random.Uint64N(1000), nonces[from]))
			nonces[from]++
		}
		r.execute()
	}
	last, err := r.store.LastBatch(t.Context())
	require.NoError(t, err)
	require.Greater(t, last.Number, settle.BatchNumber(4))
	root := map[settle.BatchNumber]settle.Element{0: r.genesis.Rollup.GenesisRoot}
	for n := settle.BatchNumber(1); n <= last.Number; n++ {
		b, err := r.store.Batch(t.Context(), n)
		require.NoError(t, err)
		root[n] = b.NewRoot
	}
	for n, want := range root {
		var accounts []state.Indexed
		require.NoError(t, r.store.EachAccountAt(t.Context(), n, func(a store.Account) error {
			var owner fr.Element
			require.NoError(t, owner.SetBytesCanonical(a.Owner[:]))
			accounts = append(accounts, state.Indexed{Index: a.Index, Account: state.Account{
				Owner: owner, Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1}})
			return nil
		}))
		s, err := state.Load(h, fr.Element{}, n, accounts, nil)
		require.NoError(t, err)
		got := s.Root()
		require.Equal(t, want, settle.Element(got.Bytes()), "batch %d", n)
	}
	for range 80 {
		n, index := settle.BatchNumber(random.IntN(int(last.Number)+1)), random.IntN(users)
		var w wire.AccountProof
		r.get(fmt.Sprintf("/v1/accounts/%d/proof?batch=%d", index, n), &w)
		require.Equal(t, root[n], w.Root)
		require.Equal(t, n, w.Batch)
		var expected fr.Element
		require.NoError(t, expected.SetBytesCanonical(w.Root[:]))
		proof := proofOf(t, w)
		require.NoError(t, proof.Verify(h, expected))
		proof.Account.Balance.Lo++
		require.ErrorIs(t, proof.Verify(h, expected), state.ErrProof)
		var a wire.Account
		r.get(fmt.Sprintf("/v1/accounts/%d?batch=%d", index, n), &a)
		require.Equal(t, w.Balance, a.Balance)
		require.Equal(t, w.Nonce, a.Nonce)
		require.Equal(t, n, *a.Batch)
	}
	// Nothing is settled: the default is genesis.
	var w wire.AccountProof
	r.get("/v1/accounts/2/proof", &w)
	require.Equal(t, root[0], w.Root)
	require.Equal(t, settle.BatchFinal, w.BatchStatus)
}

func TestHistoryRefuses(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		path   string
		status int
		code   settle.Code
	}{
		{"/v1/accounts/2?batch=1", http.StatusNotFound, settle.CodeNotFound},
		{"/v1/accounts/99?batch=0", http.StatusNotFound, settle.CodeNotFound},
		{"/v1/accounts/2?batch=x", http.StatusBadRequest, settle.CodeInvalidField},
		{"/v1/accounts/2/proof?batch=1", http.StatusNotFound, settle.CodeNotFound},
		{"/v1/accounts/99/proof", http.StatusNotFound, settle.CodeNotFound},
		{"/v1/accounts/x/proof", http.StatusBadRequest, settle.CodeInvalidField},
		{"/v1/accounts/2/proof?batch=-1", http.StatusBadRequest, settle.CodeInvalidField},
		{"/v1/accounts/2/proof?block=1", http.StatusBadRequest, settle.CodeUnknownField},
	} {
		out := r.send(http.MethodGet, c.path, nil)
		require.Equal(t, c.status, out.status, c.path)
		require.Equal(t, c.code, out.problem.Code, c.path)
	}
}
