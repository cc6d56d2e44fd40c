package l1

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/zksettle/settle"
)

// ErrFeeCap reports that L1 wants more for gas than the configuration allows.
var ErrFeeCap = errors.New("L1 fees above the configured cap")

// A replacement must raise both fees by 10 %; we raise by an eighth.
const (
	bumpNumerator   = 9
	bumpDenominator = 8
)

// wallet signs transactions of one account. The account must not be used by
// anybody else.
type wallet struct {
	node    Node
	key     *ecdsa.PrivateKey
	address common.Address
	signer  types.Signer
	chainID *big.Int
	maxFee  *big.Int  // wei per gas
	policy  FeePolicy // of what is sent outside the pipeline
}

func newWallet(node Node, key *ecdsa.PrivateKey, chainID uint64) *wallet {
	id := new(big.Int).SetUint64(chainID)
	w := &wallet{
		node: node, key: key, address: crypto.PubkeyToAddress(key.PublicKey),
		signer: types.LatestSignerForChainID(id), chainID: id,
	}
	return w.withPolicy(FeePolicy{})
}

func (w *wallet) withPolicy(p FeePolicy) *wallet {
	p.setDefaults()
	w.policy, w.maxFee = p, p.MaxFee.Big()
	return w
}

// fees are wei per gas.
type fees struct{ max, tip *big.Int }

// suggest returns what is likely to be mined soon: the node's tip and room for
// the base fee to double.
func (w *wallet) suggest(ctx context.Context) (fees, error) {
	hint, err := w.node.SuggestFees(ctx)
	if err != nil {
		return fees{}, err
	}
	most := new(big.Int).Lsh(hint.BaseFee, 1)
	return w.capped(fees{max: most.Add(most, hint.Tip), tip: hint.Tip}, hint.BaseFee)
}

// capped lowers the maximum to the cap, and fails when nothing would be mined so.
func (w *wallet) capped(f fees, baseFee *big.Int) (fees, error) {
	if f.max.Cmp(w.maxFee) <= 0 {
		return f, nil
	}
	if baseFee.Cmp(w.maxFee) > 0 {
		return fees{}, fmt.Errorf("%w: base fee %s wei, cap %s wei", ErrFeeCap, baseFee, w.maxFee)
	}
	tip := f.tip
	if tip.Cmp(w.maxFee) > 0 {
		tip = w.maxFee
	}
	return fees{max: w.maxFee, tip: tip}, nil
}

// bumped returns fees that replace old ones: an eighth more, or what is
// suggested now if that is higher. ErrFeeCap when the cap leaves no room.
func (w *wallet) bumped(old, suggested fees) (fees, error) {
	raise := func(a, b *big.Int) *big.Int {
		r := new(big.Int).Mul(a, big.NewInt(bumpNumerator))
		r.Div(r, big.NewInt(bumpDenominator)).Add(r, big.NewInt(1))
		if r.Cmp(b) < 0 {
			return b
		}
		return r
	}
	f := fees{max: raise(old.max, suggested.max), tip: raise(old.tip, suggested.tip)}
	if f.max.Cmp(f.tip) < 0 {
		f.max = f.tip
	}
	if f.max.Cmp(w.maxFee) > 0 {
		return fees{}, fmt.Errorf("%w: a replacement needs %s wei, cap %s wei", ErrFeeCap, f.max, w.maxFee)
	}
	return f, nil
}

// build signs a transaction at nonce, which is that of minedNonce. So no second one of
// ours is ever in flight, and what was looked up after the nonce was asked for and not
// found cannot be mined beside this one. A call that would revert is a *RevertError.
func (w *wallet) build(ctx context.Context, to *common.Address, data []byte, nonce uint64) (*types.Transaction, error) {
	f, err := w.suggest(ctx)
	if err != nil {
		return nil, err
	}
	gas, err := w.node.EstimateGas(ctx, ethereum.CallMsg{From: w.address, To: to, Data: data})
	if err != nil {
		return nil, fmt.Errorf("simulate on L1: %w", callError(err))
	}
	return w.sign(to, data, nonce, gas+gas/5, f)
}

// buildNext is build for what nothing was looked up for.
func (w *wallet) buildNext(ctx context.Context, to *common.Address, data []byte) (*types.Transaction, error) {
	nonce, err := minedNonce(ctx, w.node, w.address)
	if err != nil {
		return nil, err
	}
	return w.build(ctx, to, data, nonce)
}

// minedNonce returns the nonce after an account's last mined transaction.
func minedNonce(ctx context.Context, node Node, account common.Address) (uint64, error) {
	nonce, err := node.NonceAt(ctx, account, nil)
	if err != nil {
		return 0, fmt.Errorf("ask L1 for the nonce: %w", withoutURL(err))
	}
	return nonce, nil
}

func (w *wallet) sign(to *common.Address, data []byte, nonce, gas uint64, f fees) (*types.Transaction, error) {
	tx, err := types.SignNewTx(w.key, w.signer, &types.DynamicFeeTx{
		ChainID: w.chainID, Nonce: nonce, Gas: gas, GasFeeCap: f.max, GasTipCap: f.tip, To: to, Data: data,
	})
	if err != nil {
		return nil, fmt.Errorf("sign L1 transaction: %w", err)
	}
	return tx, nil
}

// refused says what an operator has to know of a transaction that was not taken. Its
// sender need not be the wallet: an earlier run may have had another key.
func (w *wallet) refused(ctx context.Context, tx *types.Transaction, err error) error {
	sender := w.address
	if from, err := types.Sender(w.signer, tx); err == nil {
		sender = from
	}
	switch {
	case isUnfunded(err):
		balance, askErr := w.node.BalanceAt(ctx, sender, nil)
		if askErr != nil {
			return fmt.Errorf("no gas money: %s cannot pay %s wei; send ether to it: %w", sender, tx.Cost(), callError(err))
		}
		missing := new(big.Int).Sub(tx.Cost(), balance)
		if missing.Sign() < 0 { // the node counts what we do not know of
			missing.SetUint64(0)
		}
		return &UnfundedError{Address: settle.Address(sender), Balance: balance, Missing: missing, Cause: callError(err)}
	case contains(err, "replacement transaction underpriced"):
		return fmt.Errorf("a transaction of %s with nonce %d is pending already, a settlement if the key is shared with the submitter; "+
			"wait until it is mined: %w", sender, tx.Nonce(), callError(err))
	}
	return callError(err)
}

// Nodes tell these apart by text only.

func isKnown(err error) bool {
	return contains(err, "already known", "alreadyknown", "known transaction", "already imported")
}

func isNonceUsed(err error) bool { return contains(err, "nonce too low") }

func isUnfunded(err error) bool { return contains(err, "insufficient funds", "insufficientfunds") }

func isUnderpriced(err error) bool {
	return contains(err, "underpriced", "less than block base fee", "fee cap less than", "gas price too low")
}

func contains(err error, texts ...string) bool {
	for _, text := range texts {
		if err != nil && strings.Contains(strings.ToLower(err.Error()), text) {
			return true
		}
	}
	return false
}
