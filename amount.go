package settle

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// Amount is an exact number of a token's smallest units, below 2^128.
// It marshals to JSON as a decimal string. The zero value is zero.
type Amount struct{ Hi, Lo uint64 }

// ErrAmountRange reports a number outside [0, 2^128).
var ErrAmountRange = errors.New("amount outside [0, 2^128)")

// NewAmount returns v as an Amount.
func NewAmount(v uint64) Amount { return Amount{Lo: v} }

// Add returns a + b; ok is false when the sum reaches 2^128.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	lo, carry := bits.Add64(a.Lo, b.Lo, 0)
	hi, carry := bits.Add64(a.Hi, b.Hi, carry)
	return Amount{hi, lo}, carry == 0
}

// Sub returns a - b; ok is false when b exceeds a.
func (a Amount) Sub(b Amount) (diff Amount, ok bool) {
	lo, borrow := bits.Sub64(a.Lo, b.Lo, 0)
	hi, borrow := bits.Sub64(a.Hi, b.Hi, borrow)
	return Amount{hi, lo}, borrow == 0
}

// Cmp returns -1, 0 or +1 as a is below, equal to or above b.
func (a Amount) Cmp(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo:
		return -1
	}
	return 1
}

// IsZero reports whether a is zero.
func (a Amount) IsZero() bool { return a == Amount{} }

// Big returns a as a new big.Int.
func (a Amount) Big() *big.Int {
	z := new(big.Int).SetUint64(a.Hi)
	return z.Or(z.Lsh(z, 64), new(big.Int).SetUint64(a.Lo))
}

// AmountFromBig returns b as an Amount, or ErrAmountRange.
func AmountFromBig(b *big.Int) (Amount, error) {
	if b.Sign() < 0 || b.BitLen() > BalanceBits {
		return Amount{}, fmt.Errorf("%w: %s", ErrAmountRange, b)
	}
	lo := new(big.Int).And(b, new(big.Int).SetUint64(1<<64-1))
	return Amount{Hi: new(big.Int).Rsh(b, 64).Uint64(), Lo: lo.Uint64()}, nil
}

// ParseAmount reads a decimal number without sign or leading zeros.
func ParseAmount(s string) (Amount, error) {
	if s == "" || len(s) > 39 || (len(s) > 1 && s[0] == '0') {
		return Amount{}, fmt.Errorf("%s is not a decimal number of 1 to 39 digits without leading zeros", quote(s))
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return Amount{}, fmt.Errorf("%s is not a decimal number", quote(s))
		}
	}
	b, _ := new(big.Int).SetString(s, 10)
	return AmountFromBig(b)
}

// String returns the decimal form.
func (a Amount) String() string { return a.Big().String() }

// MarshalJSON writes a decimal string: JSON numbers lose precision above 2^53.
func (a Amount) MarshalJSON() ([]byte, error) { return json.Marshal(a.String()) }

// UnmarshalJSON reads a decimal string.
func (a *Amount) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("amount must be a decimal string: %w", err)
	}
	v, err := ParseAmount(s)
	if err != nil {
		return err
	}
	*a = v
	return nil
}
