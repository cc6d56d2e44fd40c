// Package gnarkcodec reads what gnark writes (proofs, keys, constraint systems) from
// bytes that may be hostile. gnark's own decoders allocate by each length that they
// meet: 400 bytes can claim 2^32 commitments, and the process ends for want of memory.
// Here every length is compared with the bytes that are there before anything is
// allocated by it, and what has a fixed size is read in that size and one encoding only.
package gnarkcodec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"
)

// The public face of every circuit of ours.
const (
	PublicInputs = 3 // c, ζ, v
	Commitments  = 1
)

// ErrEncoding reports bytes that are not what gnark writes for a circuit of ours.
var ErrEncoding = errors.New("not gnark's encoding")

// Sizes in bytes of points and lengths in gnark's raw encoding.
const (
	g1Bytes    = 64
	g2Bytes    = 128
	countBytes = 4
)

// ProofBytes is the size of a proof with one commitment: A, B, C, the number of
// commitments, the commitment, PoK.
const ProofBytes = 4*g1Bytes + g2Bytes + countBytes

const commitmentCountAt = 2*g1Bytes + g2Bytes

// proofPoints says where the points of a proof begin.
func proofPoints() []int {
	return []int{0, g1Bytes, g1Bytes + g2Bytes, commitmentCountAt + countBytes, commitmentCountAt + countBytes + g1Bytes}
}

// Proof reads a proof with one commitment in gnark's raw encoding, the one encoding
// that is accepted. All points are canonical, on the curve, and in their subgroups;
// any may be the point at infinity. ErrEncoding.
func Proof(raw []byte) (*groth16bn254.Proof, error) {
	if len(raw) != ProofBytes {
		return nil, fmt.Errorf("%w: proof of %d bytes, expected %d", ErrEncoding, len(raw), ProofBytes)
	}
	if n := binary.BigEndian.Uint32(raw[commitmentCountAt:]); n != Commitments {
		return nil, fmt.Errorf("%w: proof with %d commitments, expected %d", ErrEncoding, n, Commitments)
	}
	proof := new(groth16bn254.Proof)
	return proof, readWhole("proof", raw, proofPoints(), proof.ReadFrom, proof.WriteRawTo)
}

// Parts of a verifying key: α, β in G1, β, γ, δ in G1, δ; K; the wires that the
// commitment hashes beside itself; the number of commitments; G, GSigmaNeg.
const (
	kPoints          = 1 + PublicInputs + Commitments // the first is the constant's
	kCountAt         = 3*g1Bytes + 3*g2Bytes
	committedCountAt = kCountAt + countBytes + kPoints*g1Bytes
	wireCountAt      = committedCountAt + countBytes
	keyCountAt       = wireCountAt + countBytes
)

// VerifyingKeyBytes is the size of a verifying key for three public inputs and one
// commitment to private wires only.
const VerifyingKeyBytes = keyCountAt + countBytes + 2*g2Bytes

// keyPoints says where the points of a verifying key begin.
func keyPoints() []int {
	points := []int{0, g1Bytes, 2 * g1Bytes, 2*g1Bytes + g2Bytes, 2*g1Bytes + 2*g2Bytes, 3*g1Bytes + 2*g2Bytes}
	for i := range kPoints {
		points = append(points, kCountAt+countBytes+i*g1Bytes)
	}
	return append(points, VerifyingKeyBytes-2*g2Bytes, VerifyingKeyBytes-g2Bytes)
}

// VerifyingKey reads a verifying key for three public inputs and one commitment to
// private wires only, in gnark's raw encoding, the one that is accepted. All points
// are canonical, on the curve, and in their subgroups. ErrEncoding.
func VerifyingKey(raw []byte) (*groth16bn254.VerifyingKey, error) {
	for _, part := range []struct {
		at   int
		want uint32
		what string
	}{
		{kCountAt, kPoints, "points for the constant, inputs and commitments"},
		{committedCountAt, Commitments, "commitments"},
		{wireCountAt, 0, "committed public inputs"},
		{keyCountAt, Commitments, "commitment keys"},
	} {
		if len(raw) < part.at+countBytes {
			break
		}
		if n := binary.BigEndian.Uint32(raw[part.at:]); n != part.want {
			return nil, fmt.Errorf("%w: verifying key with %d %s, expected %d", ErrEncoding, n, part.what, part.want)
		}
	}
	if len(raw) != VerifyingKeyBytes {
		return nil, fmt.Errorf("%w: verifying key of %d bytes, expected %d", ErrEncoding, len(raw), VerifyingKeyBytes)
	}
	key := new(groth16bn254.VerifyingKey)
	return key, readWhole("verifying key", raw, keyPoints(), key.ReadFrom, key.WriteRawTo)
}

// flagBits are those of a point's first byte that coordinates leave free: gnark marks
// compressed points by them, and an encoding of another length. The raw encoding has none.
const flagBits = 0xc0

// readWhole decodes raw, all of it, and requires that it encodes to the same bytes. A
// point that is marked as shorter than it is would shift all that follows, and with it
// the lengths that gnark allocates by.
func readWhole(what string, raw []byte, points []int, read func(io.Reader) (int64, error), write func(io.Writer) (int64, error)) error {
	for _, at := range points {
		if raw[at]&flagBits != 0 {
			return fmt.Errorf("%w: the point at byte %d of the %s is not in raw form", ErrEncoding, at, what)
		}
	}
	if _, err := read(bytes.NewReader(raw)); err != nil {
		return malformed(what, err)
	}
	var again bytes.Buffer
	if _, err := write(&again); err != nil {
		return fmt.Errorf("encode %s: %w", what, err)
	}
	if !bytes.Equal(again.Bytes(), raw) {
		return fmt.Errorf("%w: the %s encodes to other bytes", ErrEncoding, what)
	}
	return nil
}

// malformed is ErrEncoding for whatever a decoder says, unless the file cannot be read.
func malformed(what string, err error) error {
	var file *fs.PathError
	if errors.Is(err, ErrEncoding) || errors.As(err, &file) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return fmt.Errorf("%w: %s: %w", ErrEncoding, what, err)
}
