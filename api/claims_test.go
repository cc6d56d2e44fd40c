package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// settle records made-up settlements of proven batches, in order.
func (r *rig) settle(numbers ...settle.BatchNumber) {
	r.t.Helper()
	ctx := r.t.Context()
	w, err := r.store.AcquireWriter(ctx, store.RoleSubmitter, "test")
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, w.Release(context.WithoutCancel(ctx))) }()
	for _, n := range numbers {
		s, err := r.store.PrepareSettlement(ctx, w.Epoch(), store.NewSettlement{
			Batch: n, Last: n, RawTx: []byte{byte(n)}, TxHash: settle.Hash{byte(n)}, Sender: settle.Address{1}, Nonce: uint64(n), GasLimit: 1,
		})
		require.NoError(r.t, err)
		require.NoError(r.t, r.store.MarkSent(ctx, w.Epoch(), s.TxHash))
		require.NoError(r.t, r.store.RecordMined(ctx, w.Epoch(), s.TxHash, store.Receipt{BlockNumber: uint64(n), BlockHash: settle.Hash{byte(n)}, GasUsed: 1}))
	}
}

// follow stores what a search of L1 up to its head found, as the submitter does.
func (r *rig) follow(head uint64, claims ...store.ExitClaim) {
	r.t.Helper()
	ctx := r.t.Context()
	w, err := r.store.AcquireWriter(ctx, store.RoleSubmitter, "test")
	require.NoError(r.t, err)
	defer func() { require.NoError(r.t, w.Release(context.WithoutCancel(ctx))) }()
	since, err := r.store.ClaimsFollowed(ctx)
	require.NoError(r.t, err)
	_, err = r.store.ReplaceClaims(ctx, w.Epoch(), store.ClaimsRead{Since: since, To: head, AtHead: true, Claims: claims})
	require.NoError(r.t, err)
}

// exitRig has settled batches with exits: alice leaves twice and bob once, two to a
// batch. One more batch is proven and not settled.
func exitRig(t *testing.T) (r *rig, last settle.BatchNumber) {
	r = newKindRig(t)
	for _, by := range []int{alice, bob, alice} {
		_, err := r.client.Exit(t.Context(), r.wallets[by], 0, settle.NewAmount(uint64(100*by)))
		require.NoError(t, err)
	}
	r.executeOn(kindShape())
	_, err := r.client.Pay(t.Context(), r.wallets[alice], r.wallets[bob].Address(), 0, settle.NewAmount(7))
	require.NoError(t, err)
	r.executeOn(kindShape())
	b, err := r.store.LastBatch(t.Context())
	require.NoError(t, err)
	for n := settle.BatchNumber(1); n <= b.Number; n++ {
		r.prove(n)
		r.settle(n)
	}
	_, err = r.client.ExitAll(t.Context(), r.wallets[bob], 0)
	require.NoError(t, err)
	r.executeOn(kindShape())
	r.prove(b.Number + 1)
	return r, b.Number
}

func TestClaimsOfSettledExits(t *testing.T) {
	r, last := exitRig(t)
	ctx := t.Context()
	var all []wire.Claim
	for n := settle.BatchNumber(0); n <= last; n++ {
		exits, err := r.client.BatchExits(ctx, n)
		require.NoError(t, err)
		require.Equal(t, n, exits.Batch)
		require.Equal(t, len(exits.Claims) > 0, exits.ExitsRoot != nil)
		all = append(all, exits.Claims...)
	}
	require.Len(t, all, 3)
	for by, amounts := range map[int][]uint64{alice: {100 * alice, 100 * alice}, bob: {100 * bob}, carol: nil} {
		l1 := r.wallets[by].Address().L1
		claims, err := r.client.Claims(ctx, l1)
		require.NoError(t, err)
		require.Len(t, claims, len(amounts))
		for i, c := range claims {
			require.Equal(t, settle.NewAmount(amounts[i]), c.Amount)
			require.True(t, slices.ContainsFunc(all, func(x wire.Claim) bool {
				return x.Batch == c.Batch && x.Index == c.Index && x.Leaf == c.Leaf && x.ExitsRoot == c.ExitsRoot
			}))
			require.NoError(t, client.VerifyClaim(c, c.ExitsRoot))
			c.Amount.Lo++
			require.ErrorIs(t, client.VerifyClaim(c, c.ExitsRoot), publicdata.ErrExitProof)
		}
	}
	// Page by page, by batches.
	var first, second wire.Claims
	path := "/v1/exits" + query("l1", r.wallets[alice].Address().L1.String(), "limit", "1")
	r.get(path, &first)
	require.NotEmpty(t, first.Claims)
	if len(first.Claims) < 2 {
		r.get(path+"&after="+fmt.Sprint(*first.Next), &second)
		require.Len(t, second.Claims, 1)
		require.Greater(t, second.Claims[0].Batch, first.Claims[0].Batch)
	}
}

// Whether an exit is claimed is said where claims were followed up to the settlement of
// its batch, and as of which block. Nothing is said before, and nothing false.
func TestClaimsSayWhetherTheyWereMade(t *testing.T) {
	r, last := exitRig(t) // batch n is settled in block n
	require.Greater(t, last, settle.BatchNumber(1))
	l1 := r.wallets[alice].Address().L1
	list := func() (out wire.Claims) {
		r.get("/v1/exits"+query("l1", l1.String()), &out)
		require.Len(t, out.Claims, 2)
		for _, c := range out.Claims { // the other list says the same
			exits, err := r.client.BatchExits(t.Context(), c.Batch)
			require.NoError(t, err)
			require.Equal(t, c, exits.Claims[c.Index])
			require.Equal(t, out.ClaimsBlock, exits.ClaimsBlock)
		}
		return out
	}
	unknown := list()
	require.Zero(t, unknown.ClaimsBlock)
	for _, c := range unknown.Claims {
		require.Nil(t, c.Claimed)
		require.Nil(t, c.ClaimTx)
	}
	body := string(r.send(http.MethodGet, "/v1/exits"+query("l1", l1.String()), nil).body)
	require.NotContains(t, body, "claimed")
	require.NotContains(t, body, "claims_block")

	first, second := unknown.Claims[0], unknown.Claims[1]
	require.Less(t, first.Batch, second.Batch)
	r.follow(uint64(first.Batch))
	behind := list()
	require.EqualValues(t, first.Batch, behind.ClaimsBlock)
	require.False(t, *behind.Claims[0].Claimed)
	require.Nil(t, behind.Claims[1].Claimed, "settled in a later block than was read")

	r.follow(100, store.ExitClaim{Batch: second.Batch, Index: second.Index, Block: 90, TxHash: settle.Hash{7}})
	made := list()
	require.EqualValues(t, 100, made.ClaimsBlock)
	require.False(t, *made.Claims[0].Claimed)
	require.Nil(t, made.Claims[0].ClaimTx)
	require.True(t, *made.Claims[1].Claimed)
	require.Equal(t, settle.Hash{7}, *made.Claims[1].ClaimTx)
	claims, err := r.client.Claims(t.Context(), l1)
	require.NoError(t, err)
	require.Equal(t, made.Claims, claims)

	r.follow(101) // a reorg took it back
	require.False(t, *list().Claims[1].Claimed)
	var none wire.Claims
	r.get("/v1/exits"+query("l1", settle.Address{1}.String()), &none)
	require.Empty(t, none.Claims)
	require.Zero(t, none.ClaimsBlock)
}

func TestClaimsAreRefused(t *testing.T) {
	r, last := exitRig(t)
	l1 := r.wallets[alice].Address().L1.String()
	for _, c := range []struct {
		path   string
		status int
		code   settle.Code
		says   string
	}{
		{fmt.Sprintf("/v1/batches/%d/exits", last+1), http.StatusNotFound, settle.CodeNotFound, "is proven: exits can be claimed once it is settled"},
		{fmt.Sprintf("/v1/batches/%d/exits", last+2), http.StatusNotFound, settle.CodeNotFound, "is not sealed"},
		{"/v1/batches/x/exits", http.StatusBadRequest, settle.CodeInvalidField, "a batch number"},
		{"/v1/batches/1/exits?l1=" + l1, http.StatusBadRequest, settle.CodeUnknownField, "query parameter"},
		{"/v1/exits", http.StatusBadRequest, settle.CodeInvalidField, `"l1" is missing`},
		{"/v1/exits?l1=0x12", http.StatusBadRequest, settle.CodeInvalidField, "40 hexadecimal digits"},
		{"/v1/exits?l1=" + l1 + "&after=x", http.StatusBadRequest, settle.CodeInvalidField, "a batch number"},
		{"/v1/exits?l1=" + l1 + "&limit=201", http.StatusBadRequest, settle.CodeInvalidField, "from 1 to 200"},
		{"/v1/exits?owner=" + l1, http.StatusBadRequest, settle.CodeUnknownField, "query parameter"},
	} {
		out := r.send(http.MethodGet, c.path, nil)
		require.Equal(t, c.status, out.status, c.path)
		require.Equal(t, c.code, out.problem.Code, c.path)
		require.Contains(t, out.problem.Detail, c.says, c.path)
	}
	_, err := r.client.BatchExits(t.Context(), last+1)
	require.Equal(t, settle.CodeNotFound, client.CodeOf(err))
	_, err = r.client.Claims(t.Context(), settle.Address{})
	require.NoError(t, err, "nobody exits there")
}

// The proof that the client gets holds for the root that settled, and for nothing else.
func TestClientChecksAccounts(t *testing.T) {
	r, last := exitRig(t)
	ctx := t.Context()
	batch, err := r.client.Batch(ctx, last)
	require.NoError(t, err)
	p, err := r.client.SettledAccountProof(ctx, alice)
	require.NoError(t, err)
	require.Equal(t, last, p.Batch)
	require.NoError(t, client.VerifyAccount(p, batch.NewRoot))
	require.ErrorIs(t, client.VerifyAccount(p, batch.OldRoot), state.ErrProof)
	then, err := r.client.AccountAt(ctx, alice, last)
	require.NoError(t, err)
	require.Equal(t, p.Balance, then.Balance)
	at, err := r.client.AccountProof(ctx, alice, 0)
	require.NoError(t, err)
	first, err := r.client.Batch(ctx, 1)
	require.NoError(t, err)
	require.NoError(t, client.VerifyAccount(at, first.OldRoot))
	require.Equal(t, settle.NewAmount(balance), at.Balance)
	_, err = r.client.AccountAt(ctx, alice, last+9)
	require.Equal(t, settle.CodeNotFound, client.CodeOf(err))
	_, err = r.client.AccountProof(ctx, 99, last)
	require.Equal(t, settle.CodeNotFound, client.CodeOf(err))

	short, wide := p, p
	short.Siblings = p.Siblings[1:]
	require.ErrorIs(t, client.VerifyAccount(short, p.Root), state.ErrProof)
	wide.Siblings = slices.Clone(p.Siblings)
	wide.Siblings[3] = settle.Element{0: 0xff}
	require.ErrorIs(t, client.VerifyAccount(wide, p.Root), state.ErrProof)
	wide = p
	wide.Owner = settle.Element{0: 0xff}
	require.ErrorIs(t, client.VerifyAccount(wide, p.Root), state.ErrProof)
	require.Error(t, client.VerifyAccount(p, settle.Element{0: 0xff}))
}

// A lying API is found out.
func TestClientRefusesFalseAnswers(t *testing.T) {
	r, _ := exitRig(t)
	l1 := r.wallets[alice].Address().L1
	good, err := r.client.Claims(t.Context(), l1)
	require.NoError(t, err)
	proof, err := r.client.AccountProof(t.Context(), alice, 1)
	require.NoError(t, err)
	asked := func(body any) *client.Client {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(body) // a client that is gone sees no answer
		}))
		t.Cleanup(srv.Close)
		c, err := client.New(srv.URL)
		require.NoError(t, err)
		return c
	}
	others, more, moved := good[0], good[0], good[0]
	others.L1[0] ^= 1
	more.Amount.Lo++
	moved.Index++
	_, err = asked(wire.Claims{Claims: []wire.Claim{others}}).Claims(t.Context(), l1)
	require.ErrorContains(t, err, "asked for")
	_, err = asked(wire.Claims{Claims: []wire.Claim{more}}).Claims(t.Context(), l1)
	require.ErrorIs(t, err, publicdata.ErrExitProof)
	_, err = asked(wire.BatchExits{Batch: moved.Batch, ExitsRoot: &moved.ExitsRoot, Claims: []wire.Claim{moved}}).BatchExits(t.Context(), moved.Batch)
	require.ErrorContains(t, err, "is listed as exit 1")
	_, err = asked(wire.BatchExits{Batch: more.Batch, ExitsRoot: &more.ExitsRoot, Claims: []wire.Claim{more}}).BatchExits(t.Context(), more.Batch)
	require.ErrorIs(t, err, publicdata.ErrExitProof)
	_, err = asked(proof).AccountProof(t.Context(), bob, 1)
	require.ErrorContains(t, err, "asked for account")
	proof.Nonce++
	_, err = asked(proof).AccountProof(t.Context(), alice, 1)
	require.ErrorIs(t, err, state.ErrProof)
}
