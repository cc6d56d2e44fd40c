package publicdata

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"
	"golang.org/x/crypto/sha3"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/poseidon"
)

// Tags of the two sponges and of the hash that joins them.
const (
	HeaderTag = 1
	BodyTag   = 2
	CTag      = "settle/data/v1"
)

// ChallengeBits is the width to which keccak256 is truncated, so that ζ is a
// field element without a modular reduction on L1.
const ChallengeBits = 248

// ErrCapacity reports data that does not fit a shape.
var ErrCapacity = errors.New("public data exceeds the shape")

// BodyWords is the padded number of words behind the header for a shape.
func BodyWords(c settle.Capacity) int {
	return Length(c.FeeAccounts, c.L1Ops, c.Transfers, c.Opens, c.Exits) - HeaderWords
}

// Commitment returns c = P4(headerDigest, bodyDigest, length, tag)[0] +
// headerDigest. Each section of the body is padded with zeros to the shape's
// capacity; length is the number of words of D without padding, as v alone
// cannot tell D from D‖0. Returns ErrCapacity when D does not fit.
func (d *Data) Commitment(h *poseidon.Hasher, shape settle.Capacity) (fr.Element, error) {
	capacities := [5]int{
		shape.FeeAccounts, l1OpWords * shape.L1Ops, (shape.Transfers + 1) / 2, openWords * shape.Opens, exitWords * shape.Exits,
	}
	var body []fr.Element
	length := HeaderWords
	for i, section := range d.sections() {
		if len(section) > capacities[i] {
			return fr.Element{}, fmt.Errorf("%w: section %d has %d words, the shape %d", ErrCapacity, i, len(section), capacities[i])
		}
		length += len(section)
		body = append(body, section...)
		body = append(body, make([]fr.Element, capacities[i]-len(section))...)
	}
	var x [4]fr.Element
	x[0] = h.Sponge(HeaderTag, d.header())
	x[1] = h.Sponge(BodyTag, body)
	x[2].SetUint64(uint64(length))
	x[3] = poseidon.Tag(CTag)
	return h.Hash4(x), nil
}

// Challenge returns ζ = keccak256(c ‖ words) mod 2^248. c enters it: it fixes D
// in the circuit before ζ is known.
func Challenge(c fr.Element, words []fr.Element) fr.Element {
	hash := sha3.NewLegacyKeccak256()
	write := func(e fr.Element) {
		b := e.Bytes()
		hash.Write(b[:])
	}
	write(c)
	for _, w := range words {
		write(w)
	}
	digest := new(big.Int).SetBytes(hash.Sum(nil))
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), ChallengeBits), big.NewInt(1))
	var zeta fr.Element
	zeta.SetBigInt(digest.And(digest, mask))
	return zeta
}

// Evaluate returns v = Σ words[i]·ζ^i, beginning at ζ^0 with the batch number.
func Evaluate(words []fr.Element, zeta fr.Element) fr.Element {
	var v fr.Element
	for i := len(words) - 1; i >= 0; i-- {
		v.Mul(&v, &zeta).Add(&v, &words[i])
	}
	return v
}

// PublicInputs returns (c, ζ, v), the public inputs of the transition circuit
// in order.
func (d *Data) PublicInputs(h *poseidon.Hasher, shape settle.Capacity) ([3]fr.Element, error) {
	c, err := d.Commitment(h, shape)
	if err != nil {
		return [3]fr.Element{}, err
	}
	words := d.Words()
	zeta := Challenge(c, words)
	return [3]fr.Element{c, zeta, Evaluate(words, zeta)}, nil
}

// Domain returns chain id·2^160 + rollup address.
func Domain(chainID uint64, rollup settle.Address) fr.Element {
	return Pack(Bytes(rollup[:]), U(chainID, 64))
}
