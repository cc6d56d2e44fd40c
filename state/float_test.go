package state_test

import (
	"math/big"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/naive"
	"github.com/zksettle/settle/state"
)

// searchFloat tries every exponent from 0 up. It returns the first exact
// encoding, if any, and the largest value that is not above a.
func searchFloat(a *big.Int, mantissaBits uint) (encoding uint64, exact bool, below *big.Int) {
	below = new(big.Int)
	scale := big.NewInt(1)
	for exponent := range uint64(32) {
		mantissa := new(big.Int).Div(a, scale)
		if most := big.NewInt(1<<mantissaBits - 1); mantissa.Cmp(most) > 0 {
			mantissa = most
		}
		value := new(big.Int).Mul(mantissa, scale)
		if value.Cmp(a) == 0 && !exact {
			encoding, exact = exponent<<mantissaBits+mantissa.Uint64(), true
		}
		if value.Cmp(below) > 0 {
			below = value
		}
		scale = new(big.Int).Mul(scale, big.NewInt(10))
	}
	return encoding, exact, below
}

// drawMoney draws amounts of every magnitude, round ones and neighbours of
// powers of two among them.
func drawMoney(t *rapid.T) settle.Amount {
	v := new(big.Int).SetBytes(rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "bytes"))
	switch rapid.IntRange(0, 2).Draw(t, "form") {
	case 0: // a mantissa and zeros
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(rapid.Int64Range(0, 38).Draw(t, "zeros")), nil)
		v.Rsh(v, uint(max(0, v.BitLen()-rapid.IntRange(1, 40).Draw(t, "mantissa"))))
		v.Mul(v, scale)
	case 1: // beside a largest mantissa
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(rapid.Int64Range(0, 31).Draw(t, "zeros")), nil)
		v.SetUint64(rapid.SampledFrom([]uint64{1 << 11, 1 << 35}).Draw(t, "limit"))
		v.Mul(v, scale).Add(v, big.NewInt(rapid.Int64Range(-20, 20).Draw(t, "off by")))
	}
	a, err := settle.AmountFromBig(v.Mod(v.Abs(v), naive.BalanceLimit()))
	require.NoError(t, err)
	return a
}

var nearest = regexp.MustCompile(`the nearest one below is (\d+)$`)

func requireFloat(t *rapid.T, a settle.Amount, mantissaBits uint, got uint64, err error) {
	want, exact, below := searchFloat(a.Big(), mantissaBits)
	if exact {
		require.NoError(t, err)
		require.Equal(t, want, got)
		return
	}
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok, "%v", err)
	require.Equal(t, settle.CodeAmountUnfit, refusal.Code)
	require.Contains(t, refusal.Detail, a.String())
	require.Equal(t, below.String(), nearest.FindStringSubmatch(refusal.Detail)[1], "of %s", a)
}

func TestNewFloatAgainstSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawMoney(t)
		amount, err := state.NewFloat40(a)
		requireFloat(t, a, 35, uint64(amount), err)
		if err == nil {
			require.True(t, amount.Canonical())
			value, err := amount.Amount()
			require.NoError(t, err)
			require.Equal(t, a, value)
		}
		fee, err := state.NewFloat16(a)
		requireFloat(t, a, 11, uint64(fee), err)
		if err == nil {
			require.True(t, fee.Canonical())
			require.Equal(t, a, fee.Amount())
		}
	})
}

// Each value has one canonical encoding: the one that NewFloat gives.
func TestCanonicalFloat16All(t *testing.T) {
	for f := range 1 << 16 {
		fee := state.Float16(f)
		encoding, exact, _ := searchFloat(naive.Float(uint64(f), 11), 11)
		require.True(t, exact)
		if want := encoding == uint64(f); want != fee.Canonical() {
			t.Fatalf("fee %#x: canonical is %v, expected %v", f, fee.Canonical(), want)
		}
		if fee.Value().Cmp(naive.Float(uint64(f), 11)) != 0 {
			t.Fatalf("fee %#x has the value %s", f, fee.Value())
		}
	}
}

func TestCanonicalFloat40(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Uint64Max(1<<40-1).Draw(t, "float")
		if rapid.Bool().Draw(t, "small mantissa") {
			f &= 31<<35 | 1<<rapid.IntRange(1, 34).Draw(t, "bits") - 1
		}
		value := naive.Float(f, 35)
		require.Zero(t, value.Cmp(state.Float40(f).Value()))
		encoding, exact, _ := searchFloat(value, 35)
		require.True(t, exact)
		require.Equal(t, encoding == f, state.Float40(f).Canonical())
		amount, err := state.Float40(f).Amount()
		if value.Cmp(naive.BalanceLimit()) < 0 {
			require.NoError(t, err)
			require.Zero(t, value.Cmp(amount.Big()))
		} else {
			require.ErrorIs(t, err, settle.ErrAmountRange)
		}
	})
}

func TestFloatLimits(t *testing.T) {
	require.False(t, state.Float40(1<<40).Canonical(), "an exponent of 6 bits")
	require.False(t, state.Float40(1<<40|1<<35-1).Canonical(), "an exponent of 6 bits, and a full mantissa")
	require.True(t, state.Float40(0).Canonical())
	require.False(t, state.Float40(1<<35).Canonical(), "zero with an exponent")
	require.False(t, state.Float40(1<<35|1).Canonical(), "10 as 1·10^1")
	require.True(t, state.Float40(10).Canonical())
	require.False(t, state.Float40(1<<35|3435973836).Canonical(), "34359738360 fits exponent 0")
	require.True(t, state.Float40(1<<35|3435973837).Canonical(), "34359738370 does not")

	for _, c := range []struct{ amount, below string }{
		{"34359738368", "34359738367"}, // not 34359738360, the truncation
		{"34359738369", "34359738367"},
		{"34359738371", "34359738370"},
		{"340282366920938463463374607431768211455", "340282366920000000000000000000000000000"},
	} {
		a, err := settle.ParseAmount(c.amount)
		require.NoError(t, err)
		_, err = state.NewFloat40(a)
		require.ErrorContains(t, err, "nearest one below is "+c.below)
	}
	a, err := settle.ParseAmount("340282366920938463463374607431768211455")
	require.NoError(t, err)
	_, err = state.NewFloat16(a)
	require.ErrorContains(t, err, "nearest one below is 20470000000000000000000000000000000", "the largest fee is 2047·10^31")
	_, err = state.NewFloat16(settle.NewAmount(2048))
	require.ErrorContains(t, err, "fee 2048 has no exact 11-bit mantissa with a decimal exponent below 32; the nearest one below is 2047")
}
