package state_test

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/golden"
	"github.com/zksettle/settle/state"
)

// floatVectors are encodings with their values, and amounts with their encodings.
type floatVectors struct {
	Encodings []encodingVector `json:"encodings"`
	Amounts   []floatVector    `json:"amounts"`
}

type encodingVector struct {
	Bits      int    `json:"bits"` // 40 or 16
	Encoding  uint64 `json:"encoding"`
	Value     string `json:"value"`
	Canonical bool   `json:"canonical"`
}

type floatVector struct {
	Bits     int           `json:"bits"`
	Amount   settle.Amount `json:"amount"`
	Encoding *uint64       `json:"encoding"` // null: there is none
	Below    string        `json:"below"`    // the nearest amount below that has one
}

func makeFloatVectors(t *testing.T) (v floatVectors) {
	c := chance{rand.NewPCG(5, 6)}
	edges := []uint64{0, 1, 10, 1 << 35, 1<<35 | 1, 1<<35 | 3435973836, 1<<35 | 3435973837, 31<<35 | (1<<35 - 1), 1<<40 - 1, 28<<35 | 34028236692}
	for i := range 60 {
		f40 := c.below(1 << 40)
		if i < len(edges) {
			f40 = edges[i]
		}
		f16 := c.below(1 << 16)
		v.Encodings = append(v.Encodings,
			encodingVector{40, f40, state.Float40(f40).Value().String(), state.Float40(f40).Canonical()},
			encodingVector{16, f16, state.Float16(f16).Value().String(), state.Float16(f16).Canonical()})
	}
	for range 100 {
		a := new(big.Int).SetUint64(c.below(pick(c, uint64(2500), 1<<12, 1<<36, 1<<63)))
		a.Mul(a, new(big.Int).Exp(big.NewInt(10), new(big.Int).SetUint64(c.below(20)), nil))
		amount, err := settle.AmountFromBig(a)
		require.NoError(t, err)
		for _, bits := range []int{40, 16} {
			v.Amounts = append(v.Amounts, makeFloatVector(t, bits, amount))
		}
	}
	return v
}

func makeFloatVector(t *testing.T, bits int, a settle.Amount) floatVector {
	var encoding uint64
	var err error
	if bits == 40 {
		f, failed := state.NewFloat40(a)
		encoding, err = uint64(f), failed
	} else {
		f, failed := state.NewFloat16(a)
		encoding, err = uint64(f), failed
	}
	if err == nil {
		return floatVector{bits, a, &encoding, a.String()}
	}
	refusal, ok := settle.AsRefusal(err)
	require.True(t, ok)
	_, _, below := searchFloat(a.Big(), uint(bits-state.ExponentBits))
	require.True(t, strings.HasSuffix(refusal.Detail, " is "+below.String()), refusal.Detail)
	return floatVector{bits, a, nil, below.String()}
}

func TestFloatVectors(t *testing.T) {
	golden.Hold(t, "testdata/floats.json", golden.Lines(t, makeFloatVectors(t)), *update)
}
