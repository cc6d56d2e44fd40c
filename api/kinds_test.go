package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api"
	"github.com/zksettle/settle/api/client"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/sequencer"
)

// kindShape is shape with slots for opens and exits.
func kindShape() sequencer.Shape {
	s := shape
	s.Capacity.Opens, s.Capacity.Exits = 2, 2
	return s
}

func newKindRig(t *testing.T) *rig {
	t.Helper()
	return newRig(t, func(c *api.Config) { c.Kinds = sequencer.KindsOf([]sequencer.Shape{kindShape()}) })
}

func (r *rig) signed(by int, o client.Order) wire.Transaction {
	r.t.Helper()
	tx, id, err := r.wallets[by].Sign(o)
	require.NoError(r.t, err)
	require.NotZero(r.t, id)
	return tx
}

// A new user gets an account, is paid, exits a part and then everything.
func TestClientOpensAndExits(t *testing.T) {
	r := newKindRig(t)
	ctx := t.Context()
	status, err := r.client.Status(ctx)
	require.NoError(t, err)
	require.Equal(t, []string{"transfer", "open", "exit", "exit-all"}, status.Kinds)

	newcomer := client.NewWallet(r.keys[bob], chainID, rollupAddress, settle.Address{0: 0xee})
	receipt, err := r.client.Open(ctx, r.wallets[alice], newcomer.Address(), 0, settle.NewAmount(5000))
	require.NoError(t, err)
	before, err := r.client.Transaction(ctx, receipt.ID)
	require.NoError(t, err)
	require.Nil(t, before.AssignedIndex)
	_, err = r.client.Exit(ctx, newcomer, 0, settle.NewAmount(1))
	require.ErrorContains(t, err, "sender: no account", "it does not exist before its open is executed")
	r.executeOn(kindShape())

	opened, err := r.client.Transaction(ctx, receipt.ID)
	require.NoError(t, err)
	require.Equal(t, "open", opened.Kind)
	require.Equal(t, settle.AccountIndex(users), *opened.AssignedIndex)
	require.Zero(t, opened.To)
	accounts, err := r.client.Accounts(ctx, newcomer.Address())
	require.NoError(t, err)
	require.Len(t, accounts, 1)
	require.Equal(t, settle.AccountIndex(users), accounts[0].Index)
	require.Equal(t, settle.NewAmount(5000), accounts[0].Available)

	_, err = r.client.Pay(ctx, r.wallets[alice], newcomer.Address(), 0, settle.NewAmount(100))
	require.NoError(t, err)
	part, err := r.client.Exit(ctx, newcomer, 0, settle.NewAmount(1000))
	require.NoError(t, err)
	all, err := r.client.ExitAll(ctx, newcomer, 0)
	require.NoError(t, err)
	pending, err := r.client.Account(ctx, users)
	require.NoError(t, err)
	require.Zero(t, pending.Available)
	require.Equal(t, settle.NewAmount(1000+2*minFee), pending.PendingDebits)
	require.Equal(t, settle.Nonce(2), pending.NextNonce)
	_, err = r.client.Pay(ctx, newcomer, r.wallets[alice].Address(), 0, settle.NewAmount(1))
	require.Equal(t, settle.CodeInsufficientBalance, client.CodeOf(err))
	require.ErrorContains(t, err, "a pending exit-all takes")
	r.executeOn(kindShape())

	for _, id := range []settle.Hash{part.ID, all.ID} {
		got, err := r.client.Transaction(ctx, id)
		require.NoError(t, err)
		require.Equal(t, settle.TxExecuted, got.Status)
		require.Nil(t, got.AssignedIndex)
		require.Equal(t, settle.Address{0: 0xee}, got.ToL1)
	}
	left, err := r.client.Account(ctx, users)
	require.NoError(t, err)
	require.Zero(t, left.Balance)
	require.Equal(t, settle.Nonce(2), left.Nonce)
}

func TestKindsAreRefusedByTheirRules(t *testing.T) {
	r := newKindRig(t)
	fee := settle.NewAmount(minFee)
	open := r.signed(alice, client.Open{From: alice, Account: r.wallets[bob].Address(), Amount: settle.NewAmount(5), Fee: fee})
	exit := r.signed(alice, client.Exit{From: alice, Amount: settle.NewAmount(5), Fee: fee})
	all := r.signed(alice, client.ExitAll{From: alice, Fee: fee})
	for _, c := range []struct {
		tx     wire.Transaction
		change func(m map[string]any)
		status int
		code   settle.Code
		says   string
	}{
		{open, func(m map[string]any) { m["to"] = 3 }, http.StatusBadRequest, settle.CodeInvalidField, "an open signs 0"},
		{open, func(m map[string]any) { m["to_owner"] = notOnCurve(t).String() }, http.StatusBadRequest, settle.CodeInvalidField, "no point of the curve"},
		{open, func(m map[string]any) { m["to_l1"] = settle.Address{}.String() }, http.StatusBadRequest, settle.CodeInvalidField, "l1 is 0"},
		{open, func(m map[string]any) { m["amount"] = "6" }, http.StatusUnprocessableEntity, settle.CodeBadSignature, "does not match"},
		{exit, func(m map[string]any) { m["amount"] = "0" }, http.StatusUnprocessableEntity, settle.CodeZeroAmount, "more than nothing"},
		{exit, func(m map[string]any) { m["to_l1"] = settle.Address{9}.String() }, http.StatusUnprocessableEntity, settle.CodeReceiverMismatch, "account 2 exits to"},
		{exit, func(m map[string]any) { delete(m, "to_owner") }, http.StatusBadRequest, settle.CodeInvalidField, `field "to_owner" is missing`},
		{all, func(m map[string]any) { m["amount"] = "5" }, http.StatusBadRequest, settle.CodeInvalidField, "exit-all signs 0"},
		{all, func(m map[string]any) { m["kind"] = "open" }, http.StatusBadRequest, settle.CodeInvalidField, "owner is 0"},
	} {
		m := r.members(c.tx)
		c.change(m)
		r.refused(m, c.status, c.code, c.says)
	}
	r.accept(open)
}

func TestWalletRefusesToSign(t *testing.T) {
	r := &rig{t: t}
	r.found()
	w, fee := r.wallets[alice], settle.NewAmount(minFee)
	for _, c := range []struct {
		order client.Order
		code  settle.Code
	}{
		{client.Open{Account: client.Address{Owner: w.Address().Owner}, Fee: fee}, settle.CodeInvalidField},
		{client.Exit{Fee: fee}, settle.CodeZeroAmount},
		{client.Exit{Amount: settle.NewAmount(34_359_738_369), Fee: fee}, settle.CodeAmountUnfit},
		{client.ExitAll{Fee: settle.NewAmount(4097)}, settle.CodeAmountUnfit},
		{client.ExitAll{Fee: fee, Nonce: settle.MaxNonce}, settle.CodeNonceTooFar},
	} {
		_, _, err := w.Sign(c.order)
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok, "%v", err)
		require.Equal(t, c.code, refusal.Code)
	}
	_, _, err := w.Sign(client.Open{Account: client.Address{Owner: notOnCurve(t), L1: settle.Address{1}}})
	require.ErrorContains(t, err, "new account")
}

// The examples of the document are read as far as the rules that need accounts.
func TestDocumentedKindsAreRead(t *testing.T) {
	r := newKindRig(t)
	body := at(t, r.document(), "paths", "/v1/transactions", "post", "requestBody", "content", "application/json")
	for _, name := range []string{"one", "open", "exit", "exit-all"} {
		out := r.send(http.MethodPost, "/v1/transactions", at(t, body, "examples", name, "value"))
		require.Equal(t, settle.CodeBadSignature, out.problem.Code, "%s: %s", name, out.body)
		require.Contains(t, out.problem.Detail, "account 3 is owned by")
	}
}
