package baseline

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
)

// TestApplyRefuses: each bad transfer has its code, behind a good one that is undone.
func TestApplyRefuses(t *testing.T) {
	w := mustWorld(t, func(a []Account) {
		a[2].Balance = settle.NewAmount(100)
		a[3].Balance = settle.Amount{Hi: 1<<64 - 1, Lo: 1<<64 - 1}
		a[4].Token = 8
		a[5].Nonce = settle.MaxNonce
	})
	good := w.mustTransfer(t, 1, 6, 1000, 10)
	for name, bad := range map[string]struct {
		code   settle.Code
		change func(*Transfer)
	}{
		"overdraft by the fee": {settle.CodeInsufficientBalance, func(tr *Transfer) { tr.From, tr.Amount, tr.Fee = 2, 100, 1 }},
		"receiver is full":     {settle.CodeBalanceOverflow, func(tr *Transfer) { tr.To = 3 }},
		"other token":          {settle.CodeWrongToken, func(tr *Transfer) { tr.Token = 8 }},
		"receiver's token":     {settle.CodeWrongToken, func(tr *Transfer) { tr.To = 4 }},
		"unknown account":      {settle.CodeUnknownAccount, func(tr *Transfer) { tr.To = 8 }},
		"amount of 41 bits":    {settle.CodeInvalidField, func(tr *Transfer) { tr.Amount = 1 << settle.AmountBits }},
		"nonce ahead":          {settle.CodeNonceTooFar, func(tr *Transfer) { tr.Nonce = 1 }},
		"last nonce":           {settle.CodeNonceTooFar, func(tr *Transfer) { tr.From, tr.Nonce = 5, settle.MaxNonce }},
	} {
		tr := Transfer{From: 7, To: 6, Token: worldToken, Amount: 1000, Fee: 10}
		bad.change(&tr)
		require.NoError(t, tr.Sign(w.rollup.domain, w.keys[tr.From]))
		refuses(t, w, bad.code, name, good, tr)
	}
	refuses(t, w, settle.CodeStaleNonce, "replay", good, good)
	unsigned := Transfer{From: 7, To: 6, Token: worldToken}
	refuses(t, w, settle.CodeBadSignature, "no signature", good, unsigned)
	require.NoError(t, unsigned.Sign(w.rollup.domain, w.keys[6]))
	refuses(t, w, settle.CodeBadSignature, "somebody else's signature", good, unsigned)
	refuses(t, w, settle.CodeInvalidField, "empty batch")
	_, err := w.rollup.Apply([]Transfer{good})
	require.NoError(t, err)
}

func refuses(t *testing.T, w *world, code settle.Code, name string, transfers ...Transfer) {
	t.Helper()
	root := w.rollup.Root()
	_, err := w.rollup.Apply(transfers)
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok, "%s: %v", name, err)
	require.Equal(t, code, refusal.Code, name)
	require.Equal(t, root, w.rollup.Root(), name)
}

func TestNewRollupRefuses(t *testing.T) {
	w := mustWorld(t)
	for code, change := range map[settle.Code]func([]Account) []Account{
		settle.CodeInvalidField:   func(a []Account) []Account { a[1].Owner.A.X.SetOne(); return a },
		settle.CodeUnknownAccount: func([]Account) []Account { return nil },
	} {
		accounts := append([]Account(nil), w.rollup.accounts...)
		_, err := newRollup(depth, w.rollup.domain, 0, change(accounts))
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok, "%v", err)
		require.Equal(t, code, refusal.Code)
	}
}
