package l1

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// DeployJournal keeps the transactions of a deployment, each stored before it is sent;
// *store.Store is one. It lies with the record that the deployment ends with: whoever
// may write the one finds the other, from any machine.
type DeployJournal interface {
	DeploymentTransactions(ctx context.Context) ([]store.DeploymentTransaction, error)
	AddDeploymentTransaction(ctx context.Context, t store.DeploymentTransaction) error
}

var _ DeployJournal = (*store.Store)(nil)

// noJournal forgets: a deployment that breaks off begins anew.
type noJournal struct{}

func (noJournal) DeploymentTransactions(context.Context) ([]store.DeploymentTransaction, error) {
	return nil, nil
}

func (noJournal) AddDeploymentTransaction(context.Context, store.DeploymentTransaction) error {
	return nil
}

// journaled is a stored transaction and its sender.
type journaled struct {
	name string
	tx   *types.Transaction
	from common.Address
}

// load reads the journal. What is not of this chain is none of our business.
func (d *deployer) load(ctx context.Context) error {
	rows, err := d.journal.DeploymentTransactions(ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		tx := new(types.Transaction)
		if err := tx.UnmarshalBinary(row.RawTx); err != nil {
			return fmt.Errorf("stored transaction %s of the deployment: %w", row.TxHash, err)
		}
		if from, err := types.Sender(d.signer, tx); err == nil {
			d.earlier = append(d.earlier, journaled{row.Name, tx, from})
		}
	}
	return nil
}

// otherRollup refuses when an earlier run has deployed a rollup with other parameters.
func (d *deployer) otherRollup(ctx context.Context, name string) error {
	for _, j := range d.earlier {
		if !strings.HasPrefix(j.name, rollupPrefix) || j.name == name {
			continue
		}
		receipt, err := receiptOf(ctx, d.node, j.tx.Hash())
		switch {
		case err == nil && receipt.Status == types.ReceiptStatusSuccessful:
			address := settle.Address(crypto.CreateAddress(j.from, j.tx.Nonce()))
			return fmt.Errorf("%w: an earlier run deployed the rollup %s with other parameters (genesis, governor, operators, timelock or keys); "+
				"use those, or another database", ErrDeployment, address)
		case err != nil && !errors.Is(err, ethereum.NotFound):
			return fmt.Errorf("ask for the receipt of %s: %w", j.tx.Hash(), withoutURL(err))
		}
	}
	return nil
}

// resumed returns the receipt of an earlier transaction of this name that was mined, or
// else the last of them that can still be. The nonce is asked for before the receipt:
// one that is used, without a receipt, went to another transaction. Asked for after it,
// it may be used by a transaction that was mined meanwhile.
func (d *deployer) resumed(ctx context.Context, name string) (tx *journaled, receipt *types.Receipt, err error) {
	for i := range d.earlier {
		j := &d.earlier[i]
		if j.name != name {
			continue
		}
		next, err := minedNonce(ctx, d.node, j.from)
		if err != nil {
			return nil, nil, err
		}
		receipt, err := receiptOf(ctx, d.node, j.tx.Hash())
		switch {
		case err == nil && receipt.Status == types.ReceiptStatusSuccessful:
			return j, receipt, nil
		case err == nil: // reverted: done with
			continue
		case !errors.Is(err, ethereum.NotFound):
			return nil, nil, fmt.Errorf("ask for the receipt of %s: %w", j.tx.Hash(), withoutURL(err))
		}
		if next == j.tx.Nonce() { // else it went to another transaction, or the chain has begun anew
			tx = j
		}
	}
	return tx, nil, nil
}

// tries bounds how often a transaction that lost its nonce, or was refused, is made anew.
const tries = 4

// create deploys code under a name and waits for its receipt. Earlier transactions of
// this name go before a new one. That has the nonce which was next before they were
// looked for: should both be sent, one nonce lets one of them be mined, and the chain
// says which. A caller that has looked for it elsewhere gives the nonce that was next
// before; then nothing is made anew when that is lost.
func (d *deployer) create(ctx context.Context, name, code string, arguments []byte, at *uint64) (common.Address, *types.Receipt, error) {
	fail := func(err error) (common.Address, *types.Receipt, error) {
		what := name
		if strings.HasPrefix(name, rollupPrefix) {
			what = "rollup"
		}
		return common.Address{}, nil, fmt.Errorf("deploy %s: %w", what, err)
	}
	var nonce uint64
	if at != nil {
		nonce = *at
	}
	var failed error
	for try := 0; try < tries; try++ {
		if at == nil {
			next, err := minedNonce(ctx, d.node, d.address)
			if err != nil {
				return fail(err)
			}
			nonce = next
		}
		j, receipt, err := d.resumed(ctx, name)
		if err != nil {
			return fail(err)
		}
		if receipt == nil && (j == nil || failed != nil) {
			if err := d.otherRollup(ctx, name); strings.HasPrefix(name, rollupPrefix) && err != nil {
				return fail(err)
			}
			tx, err := d.build(ctx, nil, append(common.FromHex(code), arguments...), nonce)
			if err != nil {
				return fail(err)
			}
			if j, err = d.store(ctx, name, tx); err != nil {
				return fail(err)
			}
		}
		if receipt == nil {
			receipt, failed = d.deliver(ctx, j)
		}
		if receipt != nil {
			address := crypto.CreateAddress(j.from, j.tx.Nonce())
			if receipt.ContractAddress != address && receipt.ContractAddress != (common.Address{}) {
				return fail(fmt.Errorf("receipt names %s, expected %s", receipt.ContractAddress, address))
			}
			d.gasUsed += receipt.GasUsed
			return address, receipt, nil
		}
		// Another key's, which nodes refuse for want of ether, is made anew with ours: the
		// operator may have changed the key because of that.
		unfunded := isUnfunded(failed) && j.from == d.address
		if ctx.Err() != nil || at != nil || unfunded || errors.Is(failed, ErrNodeAnswer) {
			return fail(failed)
		}
	}
	return fail(failed)
}

// deliver sends a stored transaction, and waits for it or any other version of it.
func (d *deployer) deliver(ctx context.Context, j *journaled) (*types.Receipt, error) {
	name := j.name
	on := delivery{wallet: d.wallet, keep: func(ctx context.Context, tx *types.Transaction) error {
		_, err := d.store(ctx, name, tx)
		return err
	}}
	for _, other := range d.earlier {
		if other.name == name && other.from == j.from && other.tx.Nonce() == j.tx.Nonce() && other.tx.Hash() != j.tx.Hash() {
			on.versions = append(on.versions, other.tx)
		}
	}
	on.versions = append(on.versions, j.tx)
	return on.wait(ctx, d.poll)
}

func (d *deployer) store(ctx context.Context, name string, tx *types.Transaction) (*journaled, error) {
	raw, err := tx.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("encode L1 transaction: %w", err)
	}
	if err := d.journal.AddDeploymentTransaction(ctx, store.DeploymentTransaction{Name: name, TxHash: settle.Hash(tx.Hash()), RawTx: raw}); err != nil {
		return nil, err
	}
	d.earlier = append(d.earlier, journaled{name, tx, d.address})
	return &d.earlier[len(d.earlier)-1], nil
}

const rollupPrefix = "rollup "

// rollupName tells deployments with other parameters apart.
func rollupName(cfg DeployConfig) (string, error) {
	cfg.Poll, cfg.Journal = 0, nil
	encoded, err := json.Marshal(cfg)
	if err != nil {
		return "", fmt.Errorf("encode the deployment: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return rollupPrefix + hex.EncodeToString(sum[:]), nil
}

func verifierName(k VerifierKey) string {
	return "verifier " + k.Circuit + "/" + k.Shape + " " + k.Hash.String()
}
