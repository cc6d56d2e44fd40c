package state

import (
	"fmt"
	"math/big"

	"github.com/zksettle/settle"
)

// Float40 is an amount as signed and published: a 35-bit mantissa in the low
// bits, a 5-bit exponent of ten above.
type Float40 uint64

// Float16 is a fee as signed and published: an 11-bit mantissa in the low bits,
// a 5-bit exponent of ten above.
type Float16 uint16

// Widths of the parts of the floats.
const (
	AmountMantissaBits = 35
	FeeMantissaBits    = 11
	ExponentBits       = 5
)

// Value is mantissa·10^exponent, below 2^139, exact.
func (f Float40) Value() *big.Int { return floatValue(uint64(f), AmountMantissaBits) }

// Value is mantissa·10^exponent, below 2^115, exact.
func (f Float16) Value() *big.Int { return floatValue(uint64(f), FeeMantissaBits) }

// Canonical reports whether f is the encoding with the smallest exponent.
func (f Float40) Canonical() bool { return canonical(uint64(f), AmountMantissaBits) }

// Canonical reports whether f is the encoding with the smallest exponent.
func (f Float16) Canonical() bool { return canonical(uint64(f), FeeMantissaBits) }

// Amount returns the value as an Amount; a mantissa and exponent whose value
// reaches 2^128 are refused.
func (f Float40) Amount() (settle.Amount, error) { return settle.AmountFromBig(f.Value()) }

// Amount returns the value as an Amount; it always fits.
func (f Float16) Amount() settle.Amount {
	a, err := settle.AmountFromBig(f.Value())
	if err != nil {
		panic(fmt.Sprintf("state: a 16-bit float exceeds 128 bits: %v", err))
	}
	return a
}

// NewFloat40 encodes an amount exactly. An amount that does not fit is refused
// with CodeAmountUnfit, naming the nearest one below.
func NewFloat40(a settle.Amount) (Float40, error) {
	f, err := encode(a, AmountMantissaBits, "amount")
	return Float40(f), err
}

// NewFloat16 encodes a fee exactly. A fee that does not fit is refused with
// CodeAmountUnfit, naming the nearest one below.
func NewFloat16(a settle.Amount) (Float16, error) {
	f, err := encode(a, FeeMantissaBits, "fee")
	return Float16(f), err
}

func floatValue(f uint64, mantissaBits uint) *big.Int {
	exponent := new(big.Int).SetUint64(f >> mantissaBits)
	value := new(big.Int).Exp(big.NewInt(10), exponent, nil)
	return value.Mul(value, new(big.Int).SetUint64(f&(1<<mantissaBits-1)))
}

// canonical: the exponent is 0, or the mantissa times ten no longer fits (so
// that one less exponent is impossible). Zero has exponent 0.
func canonical(f uint64, mantissaBits uint) bool {
	mantissa, exponent := f&(1<<mantissaBits-1), f>>mantissaBits
	return exponent>>ExponentBits == 0 && (exponent == 0 || mantissa*10 >= 1<<mantissaBits)
}

func encode(a settle.Amount, mantissaBits uint, what string) (uint64, error) {
	value, most := a.Big(), new(big.Int).SetUint64(1<<mantissaBits-1)
	mantissa, exponent, remainder := new(big.Int).Set(value), uint64(0), new(big.Int)
	scale, ten := big.NewInt(1), big.NewInt(10)
	for mantissa.Cmp(most) > 0 && exponent < 1<<ExponentBits-1 {
		exponent++
		scale.Mul(scale, ten)
		mantissa.QuoRem(value, scale, remainder)
	}
	if mantissa.Cmp(most) <= 0 && remainder.Sign() == 0 {
		return exponent<<mantissaBits | mantissa.Uint64(), nil
	}
	// The nearest below is the truncated mantissa, or the largest one that the
	// exponent before it has: 2^35 lies between 3435973836·10 and 2^35 - 1.
	largest := new(big.Int).Mul(most, scale)
	previous := new(big.Int).Quo(largest, ten)
	below := mantissa.Mul(mantissa, scale)
	switch {
	case below.Cmp(largest) > 0:
		below = largest
	case previous.Cmp(below) > 0:
		below = previous
	}
	return 0, settle.Refuse(settle.CodeAmountUnfit,
		"%s %s has no exact %d-bit mantissa with a decimal exponent below %d; the nearest one below is %s",
		what, a, mantissaBits, 1<<ExponentBits, below)
}
