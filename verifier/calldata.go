package verifier

import (
	"bytes"
	"encoding/binary"
	"fmt"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
)

// Sizes in bytes of a proof with one commitment.
const (
	RawProofBytes      = 388 // gnark's raw encoding: A, B, C, number of commitments, commitment, PoK
	CalldataProofBytes = 384 // the same without the number
)

const (
	countOffset = 256
)

// Calldata turns a proof in gnark's raw encoding into the 384 bytes that
// Groth16Verifier takes. A proof that is not canonical, has points off their
// curves or another number of commitments is a *settle.Refusal.
func Calldata(raw []byte) ([]byte, error) {
	proof, err := decode(raw)
	if err != nil {
		return nil, err
	}
	return proof.MarshalSolidity(), nil
}

// decode accepts exactly one encoding of each proof. Lengths are checked before
// gnark's decoder allocates by them.
func decode(raw []byte) (*groth16bn254.Proof, error) {
	if len(raw) != RawProofBytes {
		return nil, settle.Refuse(settle.CodeInvalidProof, "proof of %d bytes, expected %d", len(raw), RawProofBytes)
	}
	if n := binary.BigEndian.Uint32(raw[countOffset:]); n != commitments {
		return nil, settle.Refuse(settle.CodeInvalidProof, "proof with %d commitments, expected %d", n, commitments)
	}
	proof := new(groth16bn254.Proof)
	if _, err := proof.ReadFrom(bytes.NewReader(raw)); err != nil {
		return nil, settle.Refuse(settle.CodeInvalidProof, "proof cannot be decoded: %v", err)
	}
	if proof.Commitments[0].IsInfinity() {
		return nil, settle.Refuse(settle.CodeInvalidProof, "the commitment is the point at infinity")
	}
	var again bytes.Buffer
	if _, err := proof.WriteRawTo(&again); err != nil {
		return nil, fmt.Errorf("encode proof: %w", err)
	}
	if !bytes.Equal(again.Bytes(), raw) {
		return nil, settle.Refuse(settle.CodeInvalidProof, "proof is not in gnark's raw encoding")
	}
	return proof, nil
}
