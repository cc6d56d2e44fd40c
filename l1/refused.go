package l1

import (
	"context"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/store"
)

// UnfundedError is a transaction that no node takes, as its sender cannot pay for it.
type UnfundedError struct {
	Address settle.Address
	Balance *big.Int // wei
	Missing *big.Int // wei, for this transaction at its fees and those under way before it
	Cause   error
}

// Error implements error.
func (e *UnfundedError) Error() string {
	return fmt.Sprintf("no gas money: %s lacks %s wei (it has %s); send ether to it: %v", common.Address(e.Address), e.Missing, e.Balance, e.Cause)
}

// Unwrap returns what the node said.
func (e *UnfundedError) Unwrap() error { return e.Cause }

// refusedBy explains a node's refusal of a live transaction where we know more than the
// node says.
func (s *Submitter) refusedBy(ctx context.Context, live *store.Settlement, err error) error {
	switch {
	case isUnfunded(err):
		return s.unfunded(ctx, live, err)
	case isPendingElsewhere(err):
		return fmt.Errorf("another transaction of %s with nonce %d is pending: one of ours that the node still holds, or somebody else uses the key, "+
			"which must not be: %w", live.Sender, live.Nonce, err)
	}
	return err
}

func (s *Submitter) unfunded(ctx context.Context, live *store.Settlement, err error) error {
	balance, askErr := s.wallet.node.BalanceAt(ctx, common.Address(live.Sender), nil)
	if askErr != nil {
		return fmt.Errorf("no gas money: %s cannot pay for the settlement; send ether to it: %w", live.Sender, err)
	}
	missing := costOf(live)
	missing.Add(missing, &s.ahead).Sub(missing, balance)
	if missing.Sign() < 0 { // the node counts what we do not know of
		missing.SetUint64(0)
	}
	return &UnfundedError{live.Sender, balance, missing, err}
}

// costOf is the most that a transaction costs, in wei, which nodes want its sender to have.
func costOf(live *store.Settlement) *big.Int {
	return new(big.Int).Mul(live.MaxFee.Big(), new(big.Int).SetUint64(live.GasLimit))
}

// isPendingElsewhere reports that a node holds another transaction of this nonce.
func isPendingElsewhere(err error) bool {
	return err != nil && strings.Contains(strings.ToLower(err.Error()), "replacement transaction underpriced")
}
