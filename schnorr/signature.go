package schnorr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	scalar "github.com/consensys/gnark-crypto/ecc/grumpkin/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

// SignatureSize is the length of an encoded signature: R.x then s, big-endian.
const SignatureSize = 64

// TagText is the domain separator of h. Any other use of a key has another tag.
const TagText = "settle/sig/v1"

var (
	// ErrSignatureEncoding reports bytes that no signer produces: a wrong
	// length, R.x not below r, or s outside [1, q).
	ErrSignatureEncoding = errors.New("signature is not canonical")
	// ErrSignature reports a well-formed signature that does not verify.
	ErrSignature = errors.New("signature does not verify")
)

// refuse joins a sentinel of this package with the refusal that the API shows.
func refuse(sentinel error, code settle.Code, format string, args ...any) error {
	return fmt.Errorf("%w: %w", sentinel, settle.Refuse(code, format, args...))
}

// Message is what a transaction signs: the packed fields m, the rollup's domain,
// and the receiver's address pair.
type Message struct{ M, Domain, ToOwner, ToL1 fr.Element }

// Signature is R.x and s in [1, q), big-endian.
type Signature struct {
	RX fr.Element
	S  [32]byte
}

// ParseSignature reads 64 bytes, R.x then s, both big-endian. Anything but a
// canonical encoding gives ErrSignatureEncoding, which is a settle.Refusal.
func ParseSignature(b []byte) (Signature, error) {
	var sig Signature
	if len(b) != SignatureSize {
		return sig, refuse(ErrSignatureEncoding, settle.CodeSignatureEncoding, "signature of %d bytes, expected %d", len(b), SignatureSize)
	}
	if err := sig.RX.SetBytesCanonical(b[:32]); err != nil {
		return Signature{}, refuse(ErrSignatureEncoding, settle.CodeSignatureEncoding, "R.x (the first 32 bytes) is not below the field modulus r")
	}
	copy(sig.S[:], b[32:])
	if _, err := sig.scalar(); err != nil {
		return Signature{}, err
	}
	return sig, nil
}

func (s Signature) scalar() (scalar.Element, error) {
	var e scalar.Element
	if err := e.SetBytesCanonical(s.S[:]); err != nil || e.IsZero() {
		return e, refuse(ErrSignatureEncoding, settle.CodeSignatureEncoding, "s (the last 32 bytes) is outside [1, q)")
	}
	return e, nil
}

// Bytes returns the 64-byte encoding.
func (s Signature) Bytes() [SignatureSize]byte {
	var b [SignatureSize]byte
	rx := s.RX.Bytes()
	copy(b[:32], rx[:])
	copy(b[32:], s.S[:])
	return b
}

// String returns 0x and 128 hexadecimal digits.
func (s Signature) String() string {
	b := s.Bytes()
	return "0x" + hex.EncodeToString(b[:])
}

// MarshalText implements encoding.TextMarshaler.
func (s Signature) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText accepts what MarshalText writes, with the checks of ParseSignature.
func (s *Signature) UnmarshalText(text []byte) error {
	digits, ok := strings.CutPrefix(string(text), "0x")
	b, err := hex.DecodeString(digits)
	if !ok || err != nil {
		return refuse(ErrSignatureEncoding, settle.CodeSignatureEncoding, "signature is not 0x and %d hexadecimal digits", 2*SignatureSize)
	}
	parsed, err := ParseSignature(b)
	if err != nil {
		return err
	}
	*s = parsed
	return nil
}

// Tag returns the TAG lane of h.
func Tag() fr.Element { return poseidon.Tag(TagText) }

// Challenge returns h for a signature's R.x, a public key and a message.
func Challenge(rx, public fr.Element, msg Message) fr.Element {
	lanes := [8]fr.Element{rx, public, msg.M, msg.Domain, msg.ToOwner, msg.ToL1, Tag()}
	shared().hasher.Permute8(&lanes)
	lanes[0].Add(&lanes[0], &rx)
	return lanes[0]
}
