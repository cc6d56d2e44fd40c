package admission

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/schnorr"
	"github.com/zksettle/settle/state"
)

func TestCheckAdmits(t *testing.T) {
	w := newWorld(t, 6, 2)
	for name, r := range map[string]state.Transaction{
		"other account": w.transfer(2, 4, 50, 7),
		"itself":        w.transfer(2, 2, 50, 0),
		"fee account":   w.transfer(2, 0, 50, 0),
		"nothing":       w.transfer(2, 4, 0, 0),
	} {
		s, err := Check(w.rules(), w.lookup(), w.sign(r, 2))
		require.NoError(t, err, name)
		require.NoError(t, s.Verify(w.domain), name)
		require.Equal(t, s.Transaction.ID(w.domain), s.ID, name)
	}
}

// Two floats of one value would be two ids of one payment.
func TestCheckRefusesFloats(t *testing.T) {
	w := newWorld(t, 4, 1)
	tx := w.transfer(1, 2, 50, 0)
	for name, amount := range map[string]state.Float40{
		"not canonical": 5 | 1<<state.AmountMantissaBits, // 5·10^1 is 50 as well
		"too wide":      50 | 1<<settle.AmountBits,
	} {
		bad := tx
		bad.Amount = amount
		requireRefusal(t, w, bad, settle.CodeAmountEncoding, "canonical")
		require.NotEmpty(t, name)
	}
	bad := tx
	bad.Fee = 2 | 1<<state.FeeMantissaBits
	requireRefusal(t, w, bad, settle.CodeAmountEncoding, "canonical")
	bad = tx
	bad.Amount = 1<<settle.AmountBits - 1
	requireRefusal(t, w, bad, settle.CodeAmountUnfit, "2^128")
}

func requireRefusal(t testing.TB, w *world, tx state.Transaction, code settle.Code, detail string) {
	t.Helper()
	s, err := Check(w.rules(), w.accounts, tx)
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok, "expected a refusal, got %v", err)
	require.Equal(t, code, refusal.Code, refusal.Detail)
	require.Contains(t, refusal.Detail, detail)
	require.Equal(t, Checked{}, s)
}

func TestCheckRefusals(t *testing.T) {
	w := newWorld(t, 6, 2)
	base := func(change func(*state.Transaction)) state.Transaction {
		r := w.transfer(2, 4, 50, 0)
		change(&r)
		return r
	}
	for name, c := range map[string]struct {
		r      state.Transaction
		code   settle.Code
		detail string
	}{
		"kind 0":           {base(func(r *state.Transaction) { r.Kind = settle.KindNone }), settle.CodeUnsupportedKind, "expected transfer"},
		"last nonce":       {base(func(r *state.Transaction) { r.Nonce = settle.MaxNonce }), settle.CodeNonceTooFar, "below"},
		"nonce of 41 bits": {base(func(r *state.Transaction) { r.Nonce = 1 << settle.NonceBits }), settle.CodeNonceTooFar, "below"},
		"unknown sender":   {base(func(r *state.Transaction) { r.From = 99 }), settle.CodeUnknownAccount, "sender 99"},
		"unknown receiver": {base(func(r *state.Transaction) { r.To = 99 }), settle.CodeUnknownAccount, "receiver 99"},
		"somebody's key":   {base(func(r *state.Transaction) { r.PublicKey = w.keys[3].Public().X }), settle.CodeBadSignature, "owned by"},
		"wrong token":      {base(func(r *state.Transaction) { r.Token = 1 }), settle.CodeWrongToken, "holds token 0"},
		"receiver's token": {w.transfer(2, 3, 50, 0), settle.CodeWrongToken, "receiver 3 holds token 1"},
		"other owner":      {base(func(r *state.Transaction) { r.ToOwner = w.keys[3].Public().X }), settle.CodeReceiverMismatch, "account 4"},
		"other l1":         {base(func(r *state.Transaction) { r.ToL1[0]++ }), settle.CodeReceiverMismatch, "account 4"},
		"low fee":          {base(func(r *state.Transaction) { r.Fee = minFee - 1 }), settle.CodeFeeTooLow, "minimum for token 0 is 2"},
	} {
		if c.r.Signature == (schnorr.Signature{}) {
			c.r.Signature = w.sign(w.transfer(2, 4, 50, 0), 2).Signature
		}
		t.Run(name, func(t *testing.T) { requireRefusal(t, w, c.r, c.code, c.detail) })
	}

	t.Run("no fee account", func(t *testing.T) {
		rules := w.rules()
		delete(rules.MinFees, 0)
		_, err := Check(rules, w.lookup(), w.sign(w.transfer(2, 4, 50, 0), 2))
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok)
		require.Equal(t, settle.CodeNoFeeAccount, refusal.Code)
	})
	t.Run("expiry", func(t *testing.T) {
		rules := w.rules()
		rules.NextBatch = 8
		for until, ok := range map[settle.BatchNumber]bool{0: true, 7: false, 8: true} {
			_, err := Check(rules, w.lookup(), w.sign(base(func(r *state.Transaction) { r.ValidUntil = until }), 2))
			if ok {
				require.NoError(t, err)
				continue
			}
			refusal, _ := settle.AsRefusal(err)
			require.Equal(t, settle.CodeExpired, refusal.Code)
		}
	})
	t.Run("key off the curve", func(t *testing.T) {
		// An account may be owned by an x that is on no point (it leaves by forced exit).
		accounts := w.lookup()
		off := accounts[2]
		var x fr.Element
		for x.SetUint64(1); onCurve(x); {
			one := fr.One()
			x.Add(&x, &one)
		}
		off.Owner = x.Bytes()
		accounts[2] = off
		r := w.sign(w.transfer(2, 4, 50, 0), 2)
		r.PublicKey = x
		_, err := Check(w.rules(), accounts, r)
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok)
		require.Equal(t, settle.CodeBadSignature, refusal.Code)
	})
}

// onCurve decides y² = x³ - 17 by Euler's criterion, without package schnorr.
func onCurve(x fr.Element) bool {
	v := x.BigInt(new(big.Int))
	p := fr.Modulus()
	y2 := new(big.Int).Exp(v, big.NewInt(3), p)
	y2.Sub(y2, big.NewInt(17)).Mod(y2, p)
	return big.Jacobi(y2, p) == 1
}

func TestCheckSignature(t *testing.T) {
	w := newWorld(t, 4, 1)
	good := w.sign(w.transfer(1, 2, 50, 0), 1)
	with := func(change func(r *state.Transaction)) state.Transaction { r := good; change(&r); return r }
	q := [32]byte(grumpkin.ID.ScalarField().FillBytes(make([]byte, 32)))
	requireRefusal(t, w, with(func(r *state.Transaction) { r.Signature.S = q }), settle.CodeSignatureEncoding, "outside [1, q)")
	requireRefusal(t, w, with(func(r *state.Transaction) { r.Signature.S = [32]byte{} }), settle.CodeSignatureEncoding, "outside [1, q)")
	requireRefusal(t, w, with(func(r *state.Transaction) { r.Amount = 51 }), settle.CodeBadSignature, "does not match")
	requireRefusal(t, w, w.sign(w.transfer(1, 2, 50, 0), 3), settle.CodeBadSignature, "does not match")
	other := w.rules()
	other.Domain = fr.One()
	_, err := Check(other, w.lookup(), good)
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	require.Equal(t, settle.CodeBadSignature, refusal.Code, "signed for another rollup")
}

func TestCheckAdmitsEveryKind(t *testing.T) {
	w := newWorld(t, 6, 2)
	for name, r := range map[string]state.Transaction{
		"open for another": w.open(2, 4, 50, 7), "open for oneself": w.open(2, 2, 50, 0), "open with nothing": w.open(2, 3, 0, 0),
		"exit": w.exit(2, 50, 0), "exit of a fee account": w.exit(0, 50, 0), "exit-all": w.exit(2, 0, 3),
	} {
		s, err := Check(w.rules(), w.accounts, w.sign(r, int(r.From)))
		require.NoError(t, err, name)
		require.Equal(t, r.Kind, s.Kind, name)
		require.Equal(t, s.Transaction.ID(w.domain), s.ID, name)
	}
}

func TestCheckRefusesByKind(t *testing.T) {
	w := newWorld(t, 6, 2)
	var off fr.Element
	for off.SetUint64(1); onCurve(off); {
		one := fr.One()
		off.Add(&off, &one)
	}
	open := func(change func(*state.Transaction)) state.Transaction {
		r := w.open(2, 4, 50, 0)
		change(&r)
		return w.sign(r, 2)
	}
	exit := func(change func(*state.Transaction)) state.Transaction {
		r := w.exit(2, 50, 0)
		change(&r)
		return w.sign(r, 2)
	}
	all := func(change func(*state.Transaction)) state.Transaction {
		r := w.exit(2, 0, 0)
		change(&r)
		return w.sign(r, 2)
	}
	for name, c := range map[string]struct {
		r      state.Transaction
		code   settle.Code
		detail string
	}{
		"open with an index":    {open(func(r *state.Transaction) { r.To = 4 }), settle.CodeInvalidField, "an open signs 0"},
		"open for nobody":       {open(func(r *state.Transaction) { r.ToOwner = fr.Element{} }), settle.CodeInvalidField, "owner is 0"},
		"open without l1":       {open(func(r *state.Transaction) { r.ToL1 = settle.Address{} }), settle.CodeInvalidField, "l1 is 0"},
		"open off the curve":    {open(func(r *state.Transaction) { r.ToOwner = off }), settle.CodeInvalidField, "no point of the curve"},
		"open of another token": {open(func(r *state.Transaction) { r.Token = 1 }), settle.CodeWrongToken, "holds token 0"},
		"open from nobody":      {open(func(r *state.Transaction) { r.From = 77 }), settle.CodeUnknownAccount, "sender 77"},
		"open with a low fee":   {open(func(r *state.Transaction) { r.Fee = 0 }), settle.CodeFeeTooLow, "minimum"},
		"exit with an index":    {exit(func(r *state.Transaction) { r.To = 2 }), settle.CodeInvalidField, "signs 0 for both"},
		"exit with an owner":    {exit(func(r *state.Transaction) { r.ToOwner = r.PublicKey }), settle.CodeInvalidField, "signs 0 for both"},
		"exit of nothing":       {exit(func(r *state.Transaction) { r.Amount = 0 }), settle.CodeZeroAmount, "more than nothing"},
		"exit elsewhere":        {exit(func(r *state.Transaction) { r.ToL1[0]++ }), settle.CodeReceiverMismatch, "account 2 exits to"},
		"exit of another's":     {exit(func(r *state.Transaction) { r.From = 4 }), settle.CodeBadSignature, "account 4 is owned by"},
		"exit-all of an amount": {all(func(r *state.Transaction) { r.Amount = 1 }), settle.CodeInvalidField, "exit-all signs 0"},
		"exit-all with an owner": {all(func(r *state.Transaction) { r.ToOwner = r.PublicKey }), settle.CodeInvalidField,
			"signs 0 for both"},
		"exit-all elsewhere": {all(func(r *state.Transaction) { r.ToL1 = openedL1 }), settle.CodeReceiverMismatch, "account 2 exits to"},
		"another kind's signature": {func() state.Transaction {
			r := all(func(*state.Transaction) {})
			r.Kind, r.Amount = settle.KindExit, 1
			return r
		}(), settle.CodeBadSignature, "does not match"},
	} {
		t.Run(name, func(t *testing.T) { requireRefusal(t, w, c.r, c.code, c.detail) })
	}
	w.kinds = []settle.Kind{settle.KindTransfer, settle.KindOpen}
	requireRefusal(t, w, exit(func(*state.Transaction) {}), settle.CodeUnsupportedKind, "kind exit is not taken by this rollup, expected transfer, open")
}

// Whatever a client sends, the answer is a refusal or something that can be proven.
func TestCheckIsTotal(t *testing.T) {
	w := newWorld(t, 4, 1)
	rapid.Check(t, func(rt *rapid.T) {
		r := rapid.SampledFrom([]state.Transaction{w.transfer(1, 2, 50, 0), w.open(1, 2, 50, 0), w.exit(1, 50, 0), w.exit(1, 0, 0)}).Draw(rt, "transaction")
		if rapid.IntRange(0, 3).Draw(rt, "spoil") == 0 {
			r.Kind = settle.Kind(rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 255}).Draw(rt, "kind"))
		}
		r.From = settle.AccountIndex(rapid.SampledFrom([]uint32{1, 1, 1, 2, 1<<32 - 1}).Draw(rt, "from"))
		if rapid.Bool().Draw(rt, "float") {
			r.Amount = state.Float40(rapid.Uint64().Draw(rt, "amount"))
			r.Fee = state.Float16(rapid.Uint16().Draw(rt, "fee"))
		}
		r.Nonce = settle.Nonce(rapid.SampledFrom([]uint64{0, 1, 1<<40 - 2, 1<<40 - 1, 1<<64 - 1}).Draw(rt, "nonce"))
		copy(r.Signature.S[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "signature"))
		if rapid.Bool().Draw(rt, "sign") && int(r.From) < len(w.keys) && CheckForm(w.kinds, &r) == nil {
			r = w.sign(r, int(r.From))
		}
		s, err := Check(w.rules(), w.accounts, r)
		if err != nil {
			_, ok := settle.AsRefusal(err)
			require.True(t, ok, "not a refusal: %v", err)
			return
		}
		_, _, err = Exact(&s.Transaction)
		require.NoError(t, err)
		require.NoError(t, s.Verify(w.domain))
	})
}

func TestElementsAndSignatures(t *testing.T) {
	requireCode := func(err error, code settle.Code, detail string) {
		t.Helper()
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok, "expected a refusal, got %v", err)
		require.Equal(t, code, refusal.Code)
		require.Contains(t, refusal.Detail, detail)
	}
	modulus := settle.Element(fr.Modulus().FillBytes(make([]byte, 32)))
	_, err := Element(modulus, "public key")
	requireCode(err, settle.CodeInvalidField, "public key is not below the field modulus r")
	good := bytes.Repeat([]byte{1}, schnorr.SignatureSize)
	_, err = Signature(good)
	require.NoError(t, err)
	_, err = Signature(good[:63])
	requireCode(err, settle.CodeSignatureEncoding, "63 bytes")
	_, err = Signature(nil)
	requireCode(err, settle.CodeSignatureEncoding, "0 bytes")
	_, err = Signature(append(modulus[:], good[32:]...))
	requireCode(err, settle.CodeSignatureEncoding, "modulus")
}
