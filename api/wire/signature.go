package wire

import (
	"encoding/hex"
	"fmt"
	"strings"
)

// Signature is R.x then s, each 32 bytes big-endian. Its text form is 0x and 128
// hexadecimal digits; whether it is canonical and valid is package schnorr's matter.
type Signature [64]byte

// String returns 0x and 128 lower-case hexadecimal digits.
func (s Signature) String() string { return "0x" + hex.EncodeToString(s[:]) }

// MarshalText implements encoding.TextMarshaler.
func (s Signature) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts 0x and 128 hexadecimal digits.
func (s *Signature) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	if !ok || len(digits) != 2*len(s) {
		return fmt.Errorf("signature is not 0x and %d hexadecimal digits", 2*len(s))
	}
	if _, err := hex.Decode(s[:], []byte(digits)); err != nil {
		return fmt.Errorf("signature is not hexadecimal: %w", err)
	}
	return nil
}
