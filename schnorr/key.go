package schnorr

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"github.com/consensys/gnark-crypto/ecc/grumpkin/fp"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"

	"github.com/zksettle/settle"
)

// KeySize is the length of an encoded public or private key, in bytes.
const KeySize = 32

// ErrPrivateKey reports a scalar outside [1, q).
var ErrPrivateKey = errors.New("private key outside [1, q)")

// ErrPublicKey reports an x-coordinate that is not below r or not on the curve.
var ErrPublicKey = errors.New("not a public key")

const redacted = "schnorr.PrivateKey(redacted)"

// PublicKey is the x-coordinate of A; its point is the one with even y.
type PublicKey struct{ X fr.Element }

// PrivateKey is a scalar in [1, q) whose point has even y. The zero value is
// not a key. It never prints, logs or marshals its scalar; Bytes gives it.
type PrivateKey struct {
	scalar scalar.Element
	public fr.Element
}

// GenerateKey draws a key from random (crypto/rand's if nil).
func GenerateKey(random io.Reader) (PrivateKey, error) {
	if random == nil {
		random = rand.Reader
	}
	var wide [48]byte // 128 bits more than q: the bias is below 2^-128
	for {
		if _, err := io.ReadFull(random, wide[:]); err != nil {
			return PrivateKey{}, fmt.Errorf("draw a private key: %w", err)
		}
		var k scalar.Element
		if k.SetBytes(wide[:]); !k.IsZero() {
			return newPrivateKey(k), nil
		}
	}
}

// NewPrivateKey returns the key of a scalar in [1, q), given as 32 big-endian
// bytes; sk and q - sk are one key. Others give ErrPrivateKey.
func NewPrivateKey(b []byte) (PrivateKey, error) {
	var k scalar.Element
	if err := k.SetBytesCanonical(b); err != nil || k.IsZero() {
		return PrivateKey{}, ErrPrivateKey
	}
	return newPrivateKey(k), nil
}

// NewPrivateKeyFromInt is NewPrivateKey for an integer.
func NewPrivateKeyFromInt(k *big.Int) (PrivateKey, error) {
	if k.Sign() <= 0 || k.Cmp(scalar.Modulus()) >= 0 {
		return PrivateKey{}, ErrPrivateKey
	}
	return NewPrivateKey(k.FillBytes(make([]byte, KeySize)))
}

func newPrivateKey(k scalar.Element) PrivateKey {
	a := shared().baseMul(&k)
	if isOdd(&a.Y) {
		k.Neg(&k)
	}
	return PrivateKey{scalar: k, public: fr.Element(a.X)}
}

// Public returns the public key.
func (k PrivateKey) Public() PublicKey { return PublicKey{X: k.public} }

// Bytes returns the scalar, big-endian. Whoever holds it can spend.
func (k PrivateKey) Bytes() [KeySize]byte { return k.scalar.Bytes() }

// String hides the scalar.
func (k PrivateKey) String() string { return redacted }

// Format hides the scalar from every verb of fmt.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the scalar from slog.
func (k PrivateKey) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the scalar from encoding/json and others.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ParsePublicKey reads 32 big-endian bytes. An x that is not below r or is not
// on the curve gives ErrPublicKey, which is a settle.Refusal.
func ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) != KeySize {
		return PublicKey{}, refuse(ErrPublicKey, settle.CodeInvalidField, "public key of %d bytes, expected %d", len(b), KeySize)
	}
	var k PublicKey
	if err := k.X.SetBytesCanonical(b); err != nil {
		return PublicKey{}, refuse(ErrPublicKey, settle.CodeInvalidField, "public key is not below the field modulus r")
	}
	if !OnCurve(k.X) {
		return PublicKey{}, refuse(ErrPublicKey, settle.CodeInvalidField, "public key is not the x-coordinate of a Grumpkin point")
	}
	return k, nil
}

// OnCurve reports whether x is the x-coordinate of a point. 0 is not. It computes no
// y: a Legendre symbol takes a third of the time of a root.
func OnCurve(x fr.Element) bool {
	square := squareOfY(fp.Element(x))
	return square.Legendre() >= 0
}

// Bytes returns x, big-endian.
func (k PublicKey) Bytes() [KeySize]byte { return k.X.Bytes() }

// Element returns x in the form used by store and API.
func (k PublicKey) Element() settle.Element { return settle.Element(k.X.Bytes()) }

// String returns x as 0x and 64 hexadecimal digits.
func (k PublicKey) String() string { return k.Element().String() }

// MarshalText implements encoding.TextMarshaler.
func (k PublicKey) MarshalText() ([]byte, error) { return k.Element().MarshalText() }

// UnmarshalText accepts what MarshalText writes, with the checks of ParsePublicKey.
func (k *PublicKey) UnmarshalText(b []byte) error {
	var e settle.Element
	if err := e.UnmarshalText(b); err != nil {
		return refuse(ErrPublicKey, settle.CodeInvalidField, "%v", err)
	}
	parsed, err := ParsePublicKey(e[:])
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}

// EvenY returns the even y of the point with coordinate x; ok is false when no
// point has it.
func EvenY(x fr.Element) (y fr.Element, ok bool) {
	p, ok := lift(fp.Element(x))
	return fr.Element(p.Y), ok
}
