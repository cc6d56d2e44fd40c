package settle_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/zksettle/settle"
)

const maxAmount = "340282366920938463463374607431768211455"

func drawAmount(t *rapid.T, label string) settle.Amount {
	word := rapid.OneOf(rapid.SampledFrom([]uint64{0, 1, 1<<64 - 1}), rapid.Uint64())
	return settle.Amount{Hi: word.Draw(t, label+" hi"), Lo: word.Draw(t, label+" lo")}
}

func TestAmountArithmetic(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawAmount(t, "a"), drawAmount(t, "b")
		sum, ok := a.Add(b)
		want := new(big.Int).Add(a.Big(), b.Big())
		require.Equal(t, want.Cmp(limit) < 0, ok)
		if ok {
			require.Equal(t, want.String(), sum.String())
		}
		diff, ok := a.Sub(b)
		want.Sub(a.Big(), b.Big())
		require.Equal(t, want.Sign() >= 0, ok)
		if ok {
			require.Equal(t, want.String(), diff.String())
		}
		require.Equal(t, a.Big().Cmp(b.Big()), a.Cmp(b))
		require.Equal(t, a.Big().Sign() == 0, a.IsZero())
		require.Zero(t, a.Cmp(a))
	})
}

func TestAmountText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := drawAmount(t, "a")
		parsed, err := settle.ParseAmount(a.String())
		require.NoError(t, err)
		require.Equal(t, a, parsed)
		encoded, err := json.Marshal(a)
		require.NoError(t, err)
		require.Equal(t, `"`+a.String()+`"`, string(encoded))
		var decoded settle.Amount
		require.NoError(t, json.Unmarshal(encoded, &decoded))
		require.Equal(t, a, decoded)
		again, err := settle.AmountFromBig(a.Big())
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}

func TestAmountRefuses(t *testing.T) {
	for _, s := range []string{
		"", "00", "01", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "1_000", "x", "١", strings.Repeat("9", 40), "1" + strings.Repeat("0", 400000),
	} {
		_, err := settle.ParseAmount(s)
		require.Error(t, err, s)
		require.Less(t, len(err.Error()), 200, "a long input is not echoed in full")
	}
	_, err := settle.ParseAmount("340282366920938463463374607431768211456")
	require.ErrorIs(t, err, settle.ErrAmountRange)
	a, err := settle.ParseAmount(maxAmount)
	require.NoError(t, err)
	require.Equal(t, settle.Amount{Hi: 1<<64 - 1, Lo: 1<<64 - 1}, a)
	_, err = settle.AmountFromBig(big.NewInt(-1))
	require.ErrorIs(t, err, settle.ErrAmountRange)
	_, err = settle.AmountFromBig(new(big.Int).Lsh(big.NewInt(1), 128))
	require.ErrorIs(t, err, settle.ErrAmountRange)

	for _, s := range []string{"1", "null", "true", `""`, `{}`, `"-1"`, `"1.5"`} {
		kept := settle.NewAmount(7)
		require.Error(t, json.Unmarshal([]byte(s), &kept), s)
		require.Equal(t, settle.NewAmount(7), kept, s)
	}
}
