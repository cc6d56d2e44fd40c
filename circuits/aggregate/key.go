package aggregate

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254"
	"github.com/consensys/gnark/backend/groth16"
	groth16bn254 "github.com/consensys/gnark/backend/groth16/bn254"

	"github.com/zksettle/settle"
)

// ErrInnerKey reports a verifying key that the circuit cannot be bound to.
var ErrInnerKey = errors.New("inner verifying key")

// innerInputs is the number of public inputs of an inner proof: c, ζ, v.
const innerInputs = 3

// Key is an inner verifying key as the circuit holds it, in constants.
type Key struct {
	idLow, idHigh *big.Int // halves of the key hash
	negativeAlpha bn254.G1Affine
	// K_0 for 1, one for each public input, one for the commitment's challenge.
	points                             []bn254.G1Affine
	beta, negativeGamma, negativeDelta bn254.G2Affine
	commitmentBase, commitmentSigma    bn254.G2Affine
}

// TemplateKey returns an inner key of points that nobody knows a relation between
// (RFC 9380 on a published seed). No proof exists under it. It stands for all keys
// where a circuit is counted and fingerprinted: only constants depend on the key.
func TemplateKey() (*Key, error) {
	tag := []byte("settle/aggregate/template/v1")
	var errs []error
	g1 := func(name string) bn254.G1Affine {
		p, err := bn254.HashToG1([]byte(name), tag)
		errs = append(errs, err)
		return p
	}
	g2 := func(name string) bn254.G2Affine {
		p, err := bn254.HashToG2([]byte(name), tag)
		errs = append(errs, err)
		return p
	}
	key := &Key{
		idLow: big.NewInt(1), idHigh: big.NewInt(2), negativeAlpha: g1("alpha"),
		beta: g2("beta"), negativeGamma: g2("gamma"), negativeDelta: g2("delta"),
		commitmentBase: g2("G"), commitmentSigma: g2("GSigmaNeg"),
	}
	for j := range innerInputs + 2 {
		key.points = append(key.points, g1(fmt.Sprintf("K%d", j)))
	}
	return key, errors.Join(errs...)
}

// NewKey reads a verifying key of three public inputs and one commitment that
// commits no public input, whose hash the caller has computed. ErrInnerKey.
func NewKey(vk groth16.VerifyingKey, hash settle.KeyHash) (*Key, error) {
	k, ok := vk.(*groth16bn254.VerifyingKey)
	if !ok {
		return nil, fmt.Errorf("%w: %T, expected one over BN254", ErrInnerKey, vk)
	}
	if len(k.G1.K) != innerInputs+2 || len(k.CommitmentKeys) != 1 {
		return nil, fmt.Errorf("%w: %d points for inputs and %d commitments, expected %d and 1", ErrInnerKey, len(k.G1.K), len(k.CommitmentKeys), innerInputs+2)
	}
	if len(k.PublicAndCommitmentCommitted) != 1 || len(k.PublicAndCommitmentCommitted[0]) != 0 {
		return nil, fmt.Errorf("%w: public inputs %v are committed, expected none", ErrInnerKey, k.PublicAndCommitmentCommitted)
	}
	key := &Key{
		idHigh: new(big.Int).SetBytes(hash[:16]), idLow: new(big.Int).SetBytes(hash[16:]),
		points: k.G1.K, beta: k.G2.Beta,
		commitmentBase: k.CommitmentKeys[0].G, commitmentSigma: k.CommitmentKeys[0].GSigmaNeg,
	}
	key.negativeAlpha.Neg(&k.G1.Alpha)
	key.negativeGamma.Neg(&k.G2.Gamma)
	key.negativeDelta.Neg(&k.G2.Delta)
	for _, p := range append([]bn254.G1Affine{key.negativeAlpha}, key.points...) {
		if p.IsInfinity() || !p.IsOnCurve() {
			return nil, fmt.Errorf("%w: a point of G1 is at infinity or off the curve", ErrInnerKey)
		}
	}
	for _, p := range []bn254.G2Affine{key.beta, key.negativeGamma, key.negativeDelta, key.commitmentBase, key.commitmentSigma} {
		if p.IsInfinity() || !p.IsOnCurve() || !p.IsInSubGroup() {
			return nil, fmt.Errorf("%w: a point of G2 is at infinity or outside the subgroup", ErrInnerKey)
		}
	}
	return key, nil
}
