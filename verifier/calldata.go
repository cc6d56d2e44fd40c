package verifier

import (
	"errors"

	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/gnarkcodec"
)

// Sizes in bytes of a proof with one commitment.
const (
	RawProofBytes      = gnarkcodec.ProofBytes // gnark's raw encoding: A, B, C, number of commitments, commitment, PoK
	CalldataProofBytes = RawProofBytes - 4     // the same without the number
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

// decode accepts exactly one encoding of each proof.
func decode(raw []byte) (*groth16bn254.Proof, error) {
	proof, err := gnarkcodec.Proof(raw)
	if errors.Is(err, gnarkcodec.ErrEncoding) {
		return nil, settle.Refuse(settle.CodeInvalidProof, "proof cannot be decoded: %v", err)
	}
	if err != nil {
		return nil, err
	}
	if proof.Commitments[0].IsInfinity() {
		return nil, settle.Refuse(settle.CodeInvalidProof, "the commitment is the point at infinity")
	}
	return proof, nil
}
