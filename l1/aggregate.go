package l1

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// ErrGroup reports a group that the contract would refuse whatever its proof says.
var ErrGroup = errors.New("batches and aggregate proof do not belong together")

// Group is consecutive batches, in order, and the proof that settles them in one
// transaction.
type Group struct {
	Proof   settle.ProofEnvelope // of settle.CircuitAggregate, with the inputs C, Z, V
	Batches []GroupBatch         // at least one
}

// GroupBatch is what L1 is shown of a batch.
type GroupBatch struct {
	Commitment settle.Element   // c, to which the proof of the batch bound D
	Words      []settle.Element // D
}

// Words of a header.
const (
	numberWord = iota
	oldRootWord
	newRootWord
	domainWord
)

// check compares what the contract will, but the state that it has by then: the
// lengths of the batches, numbers and roots in a chain, one domain, and Z and V.
func (g Group) check() error {
	if len(g.Batches) == 0 {
		return fmt.Errorf("%w: no batch", ErrGroup)
	}
	if g.Proof.Circuit != settle.CircuitAggregate {
		return fmt.Errorf("%w: the proof is of circuit %s", ErrGroup, g.Proof.Circuit)
	}
	var last []fr.Element
	inputs := make([][3]fr.Element, len(g.Batches))
	for i, b := range g.Batches {
		words, c, err := b.elements()
		if err != nil {
			return fmt.Errorf("%w: batch at place %d: %w", ErrGroup, i, err)
		}
		if i > 0 && !follows(words, last) {
			return fmt.Errorf("%w: batch %s does not follow batch %s", ErrGroup, words[numberWord].Text(10), last[numberWord].Text(10))
		}
		zeta := publicdata.Challenge(c, words)
		inputs[i], last = [3]fr.Element{c, zeta, publicdata.Evaluate(words, zeta)}, words
	}
	return g.checkInputs(publicdata.AggregateWords(inputs))
}

// elements returns D, of the length that its counts give, and c.
func (b GroupBatch) elements() (words []fr.Element, c fr.Element, err error) {
	words = make([]fr.Element, len(b.Words))
	for i := range words {
		if err := words[i].SetBytesCanonical(b.Words[i][:]); err != nil {
			return nil, c, fmt.Errorf("word %d: %w", i, err)
		}
	}
	_, rest, err := publicdata.Split(words)
	if err != nil {
		return nil, c, err
	}
	if len(rest) > 0 {
		return nil, c, fmt.Errorf("%d words more than its counts give", len(rest))
	}
	if err := c.SetBytesCanonical(b.Commitment[:]); err != nil {
		return nil, c, fmt.Errorf("commitment: %w", err)
	}
	return words, c, nil
}

func follows(words, last []fr.Element) bool {
	number := last[numberWord]
	number.Add(&number, new(fr.Element).SetOne())
	return words[numberWord] == number && words[oldRootWord] == last[newRootWord] && words[domainWord] == last[domainWord]
}

// checkInputs compares Z and V of the proof with those of W. C is the proof's own.
func (g Group) checkInputs(w []fr.Element) error {
	var c fr.Element
	if err := c.SetBytesCanonical(g.Proof.Inputs[0][:]); err != nil {
		return fmt.Errorf("%w: %w: its commitment: %w", ErrGroup, ErrWorthless, err)
	}
	z := publicdata.Challenge(c, w)
	v := publicdata.Evaluate(w, z)
	if g.Proof.Inputs != [3]settle.Element{c.Bytes(), z.Bytes(), v.Bytes()} {
		return fmt.Errorf("%w: %w: it is of other batches", ErrGroup, ErrWorthless)
	}
	return nil
}

// Calldata packs the call of settleAggregate under the registry entry of this
// version. ErrGroup when the contract would refuse the group for what it is.
func (g Group) Calldata(version uint32) ([]byte, error) {
	if err := g.check(); err != nil {
		return nil, err
	}
	shape, err := name32(g.Proof.Shape)
	if err != nil {
		return nil, err
	}
	proof, err := calldataProof(g.Proof)
	if err != nil {
		return nil, err
	}
	var commitments, words []*big.Int
	for _, b := range g.Batches {
		commitments = append(commitments, integer(b.Commitment))
		for _, w := range b.Words {
			words = append(words, integer(w))
		}
	}
	return bindings.NewRollup().PackSettleAggregate(shape, version, integer(g.Proof.Inputs[0]), commitments, words, proof), nil
}

// SettleAggregate packs the call that settles a group, under the registry entry
// of its key: ErrUnregistered or ErrKeyMismatch when there is none, ErrGroup as
// Group.Calldata says.
func (c *Client) SettleAggregate(ctx context.Context, g Group) ([]byte, error) {
	entry, err := c.FindKey(ctx, settle.CircuitAggregate, g.Proof.Shape, g.Proof.KeyHash)
	if err != nil {
		return nil, err
	}
	return g.Calldata(entry.Version)
}

func integer(e settle.Element) *big.Int { return new(big.Int).SetBytes(e[:]) }
