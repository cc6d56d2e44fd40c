package sequencer

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
	"github.com/zksettle/settle/store"
)

func TestCheckTransactionAdmits(t *testing.T) {
	w := newWorld(t, 6, 2, testShapes)
	for name, r := range map[string]Request{
		"other account": w.transfer(2, 4, 50, 7),
		"itself":        w.transfer(2, 2, 50, 0),
		"fee account":   w.transfer(2, 0, 50, 0),
		"nothing":       w.transfer(2, 4, 0, 0),
	} {
		s, err := CheckTransaction(w.rules(), w.lookup(), w.sign(r, 2))
		require.NoError(t, err, name)
		tx, err := fromStored(s)
		require.NoError(t, err, name)
		require.NoError(t, tx.Verify(w.domain), name)
		require.Equal(t, tx.ID(w.domain), s.ID, name)
		exact, err := tx.Amount.Amount()
		require.NoError(t, err, name)
		require.Equal(t, s.Amount, exact, name)
	}
}

func TestCheckTransactionPackedFloats(t *testing.T) {
	w := newWorld(t, 4, 1, testShapes)
	r := w.transfer(1, 2, 50, 0)
	good, goodFee := uint64(50), uint16(minFee)
	r.AmountPacked, r.FeePacked = &good, &goodFee
	require.Equal(t, good, w.check(r).AmountPacked)

	same := uint64(5 | 1<<state.AmountMantissaBits) // 5·10^1 is 50 as well, but not canonical
	r.AmountPacked = &same
	requireRefusal(t, w, w.signed(r), settle.CodeAmountEncoding, "canonical encoding of 50 is 50")
	wide := uint64(50 | 1<<settle.AmountBits)
	r.AmountPacked = &wide
	requireRefusal(t, w, w.signed(r), settle.CodeAmountEncoding, "canonical")
	badFee := uint16(minFee + 1)
	r.AmountPacked, r.FeePacked = &good, &badFee
	requireRefusal(t, w, w.signed(r), settle.CodeAmountEncoding, "packed fee is 3")
}

// signed leaves the packed fields out while it signs.
func (w *world) signed(r Request) Request {
	plain := r
	plain.AmountPacked, plain.FeePacked = nil, nil
	r.Signature = w.sign(plain, int(r.From)).Signature
	return r
}

func requireRefusal(t testing.TB, w *world, r Request, code settle.Code, detail string) {
	t.Helper()
	s, err := CheckTransaction(w.rules(), w.lookup(), r)
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok, "expected a refusal, got %v", err)
	require.Equal(t, code, refusal.Code, refusal.Detail)
	require.Contains(t, refusal.Detail, detail)
	require.Equal(t, store.Submission{}, s)
}

func TestCheckTransactionRefusals(t *testing.T) {
	w := newWorld(t, 6, 2, testShapes)
	base := func(change func(*Request)) Request {
		r := w.transfer(2, 4, 50, 0)
		change(&r)
		return r
	}
	modulus := settle.Element(fr.Modulus().FillBytes(make([]byte, 32)))
	for name, c := range map[string]struct {
		r      Request
		code   settle.Code
		detail string
	}{
		"open":              {base(func(r *Request) { r.Kind = settle.KindOpen }), settle.CodeUnsupportedKind, "open"},
		"kind 0":            {base(func(r *Request) { r.Kind = settle.KindNone }), settle.CodeUnsupportedKind, "expected transfer"},
		"last nonce":        {base(func(r *Request) { r.Nonce = settle.MaxNonce }), settle.CodeNonceTooFar, "below"},
		"nonce of 41 bits":  {base(func(r *Request) { r.Nonce = 1 << settle.NonceBits }), settle.CodeNonceTooFar, "below"},
		"unfit amount":      {base(func(r *Request) { r.Amount = settle.NewAmount(123_456_789_012_345) }), settle.CodeAmountUnfit, "nearest one below is 123456789010000"},
		"unfit fee":         {base(func(r *Request) { r.Fee = settle.NewAmount(4097) }), settle.CodeAmountUnfit, "nearest one below is 4090"},
		"owner not below r": {base(func(r *Request) { r.ToOwner = modulus }), settle.CodeInvalidField, "modulus"},
		"key not below r":   {base(func(r *Request) { r.PublicKey = modulus }), settle.CodeInvalidField, "modulus"},
		"unknown sender":    {base(func(r *Request) { r.From = 99 }), settle.CodeUnknownAccount, "sender 99"},
		"unknown receiver":  {base(func(r *Request) { r.To = 99 }), settle.CodeUnknownAccount, "receiver 99"},
		"somebody's key":    {base(func(r *Request) { r.PublicKey = w.accounts[3].Owner.Bytes() }), settle.CodeBadSignature, "owned by"},
		"wrong token":       {base(func(r *Request) { r.Token = 1 }), settle.CodeWrongToken, "holds token 0"},
		"receiver's token":  {w.transfer(2, 3, 50, 0), settle.CodeWrongToken, "receiver 3 holds token 1"},
		"other owner":       {base(func(r *Request) { r.ToOwner = w.accounts[3].Owner.Bytes() }), settle.CodeReceiverMismatch, "account 4"},
		"other l1":          {base(func(r *Request) { r.ToL1[0]++ }), settle.CodeReceiverMismatch, "account 4"},
		"low fee":           {base(func(r *Request) { r.Fee = settle.NewAmount(minFee - 1) }), settle.CodeFeeTooLow, "minimum for token 0 is 2"},
	} {
		if c.r.Signature == nil {
			c.r.Signature = w.sign(w.transfer(2, 4, 50, 0), 2).Signature
		}
		t.Run(name, func(t *testing.T) { requireRefusal(t, w, c.r, c.code, c.detail) })
	}

	t.Run("no fee account", func(t *testing.T) {
		rules := w.rules()
		delete(rules.FeeAccounts, 0)
		_, err := CheckTransaction(rules, w.lookup(), w.sign(w.transfer(2, 4, 50, 0), 2))
		refusal, ok := settle.AsRefusal(err)
		require.True(t, ok)
		require.Equal(t, settle.CodeNoFeeAccount, refusal.Code)
	})
	t.Run("expiry", func(t *testing.T) {
		rules := w.rules()
		rules.NextBatch = 8
		for until, ok := range map[settle.BatchNumber]bool{0: true, 7: false, 8: true} {
			_, err := CheckTransaction(rules, w.lookup(), w.sign(base(func(r *Request) { r.ValidUntil = until }), 2))
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
		r.PublicKey = off.Owner
		_, err := CheckTransaction(w.rules(), accounts, r)
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

func TestCheckTransactionSignature(t *testing.T) {
	w := newWorld(t, 4, 1, testShapes)
	good := w.sign(w.transfer(1, 2, 50, 0), 1)
	with := func(change func(r *Request)) Request {
		r := good
		r.Signature = append([]byte{}, good.Signature...)
		change(&r)
		return r
	}
	q := grumpkin.ID.ScalarField().FillBytes(make([]byte, 32))
	zero := make([]byte, 32)
	requireRefusal(t, w, with(func(r *Request) { copy(r.Signature[32:], q) }), settle.CodeSignatureEncoding, "outside [1, q)")
	requireRefusal(t, w, with(func(r *Request) { copy(r.Signature[32:], zero) }), settle.CodeSignatureEncoding, "outside [1, q)")
	requireRefusal(t, w, with(func(r *Request) { fr.Modulus().FillBytes(r.Signature[:32]) }), settle.CodeSignatureEncoding, "modulus")
	requireRefusal(t, w, with(func(r *Request) { r.Signature = r.Signature[:63] }), settle.CodeSignatureEncoding, "63 bytes")
	requireRefusal(t, w, with(func(r *Request) { r.Signature = nil }), settle.CodeSignatureEncoding, "0 bytes")
	requireRefusal(t, w, with(func(r *Request) { r.Amount = settle.NewAmount(51) }), settle.CodeBadSignature, "does not match")
	requireRefusal(t, w, w.sign(w.transfer(1, 2, 50, 0), 3), settle.CodeBadSignature, "does not match")
	other := w.rules()
	other.Domain = fr.One()
	_, err := CheckTransaction(other, w.lookup(), good)
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	require.Equal(t, settle.CodeBadSignature, refusal.Code, "signed for another rollup")
}

// Whatever a client sends, the answer is a refusal or something that executes.
func TestCheckTransactionIsTotal(t *testing.T) {
	w := newWorld(t, 4, 1, kindShapes)
	rapid.Check(t, func(rt *rapid.T) {
		r := rapid.SampledFrom([]Request{w.transfer(1, 2, 50, 0), w.open(1, 2, 50, 0), w.exit(1, 50, 0), w.exit(1, 0, 0)}).Draw(rt, "request")
		if rapid.IntRange(0, 3).Draw(rt, "spoil") == 0 {
			r.Kind = settle.Kind(rapid.SampledFrom([]int{0, 1, 2, 3, 4, 5, 255}).Draw(rt, "kind"))
		}
		r.From = settle.AccountIndex(rapid.SampledFrom([]uint32{1, 1, 1, 2, 1<<32 - 1}).Draw(rt, "from"))
		r.Amount = settle.Amount{Hi: rapid.SampledFrom([]uint64{0, 0, 1<<64 - 1}).Draw(rt, "hi"), Lo: rapid.Uint64().Draw(rt, "lo")}
		r.Fee = settle.NewAmount(rapid.Uint64Range(0, 4096).Draw(rt, "fee"))
		r.Nonce = settle.Nonce(rapid.SampledFrom([]uint64{0, 1, 1<<40 - 2, 1<<40 - 1, 1<<64 - 1}).Draw(rt, "nonce"))
		r.Signature = rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(rt, "signature")
		if rapid.Bool().Draw(rt, "sign") && int(r.From) < len(w.keys) && r.Kind>>settle.KindBits == 0 {
			parses := r
			parses.Signature = bytes.Repeat([]byte{1}, schnorr.SignatureSize)
			if _, err := parses.transaction(); err == nil {
				r = w.sign(r, int(r.From))
			}
		}
		s, err := CheckTransaction(w.rules(), w.lookup(), r)
		if err != nil {
			_, ok := settle.AsRefusal(err)
			require.True(t, ok, "not a refusal: %v", err)
			return
		}
		tx, err := fromStored(s)
		require.NoError(t, err)
		require.NoError(t, tx.Verify(w.domain))
	})
}
