package l1

import (
	"context"
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// Calldata packs the call of settle for a batch with data D = words, under the
// registry entry of this version.
func Calldata(proof settle.ProofEnvelope, words []settle.Element, version uint32) ([]byte, error) {
	shape, err := name32(proof.Shape)
	if err != nil {
		return nil, err
	}
	points, err := calldataProof(proof)
	if err != nil {
		return nil, err
	}
	integers := make([]*big.Int, len(words))
	for i := range words {
		integers[i] = integer(words[i])
	}
	return bindings.NewRollup().PackSettle(shape, version, integer(proof.Inputs[0]), integers, points), nil
}

// Send sends a call of the rollup at address to, outside any pipeline, and waits
// until it is mined; poll and fees as in DeployConfig. key must not be used by anybody else
// meanwhile. A call that the contract would refuse is not sent: a *RevertError. For
// what settles batches that are in a store there is the Submitter.
func Send(ctx context.Context, node Node, key *ecdsa.PrivateKey, rollup settle.Address, data []byte, poll time.Duration, fees FeePolicy) (*types.Transaction, *types.Receipt, error) {
	chainID, err := CheckChain(ctx, node, 0)
	if err != nil {
		return nil, nil, err
	}
	if poll == 0 {
		poll = 200 * time.Millisecond
	}
	w, to := newWallet(node, key, chainID).withPolicy(fees), common.Address(rollup)
	tx, err := w.buildNext(ctx, &to, data)
	if err != nil {
		return nil, nil, fmt.Errorf("call the rollup: %w", err)
	}
	d := &delivery{wallet: w, versions: []*types.Transaction{tx}}
	receipt, err := d.wait(ctx, poll)
	if err != nil {
		return nil, nil, fmt.Errorf("call the rollup: %w", err)
	}
	return d.version(receipt.TxHash), receipt, nil
}
