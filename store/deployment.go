package store

import (
	"context"
	"fmt"

	"github.com/zksettle/settle"
)

// DeploymentTransaction is a signed transaction of L1 that deploys something.
type DeploymentTransaction struct {
	Name   string      // what it deploys, and with which parameters
	TxHash settle.Hash // of RawTx
	RawTx  []byte      // signed, in wire form
}

// DeploymentTransactions lists what deployments have stored, in order.
func (s *Store) DeploymentTransactions(ctx context.Context) ([]DeploymentTransaction, error) {
	ts, err := list(ctx, s.pool, func(t *DeploymentTransaction) []any {
		return []any{&t.Name, fixed(t.TxHash[:]), &t.RawTx}
	}, deploymentTransactionsSQL)
	if err != nil {
		return nil, fmt.Errorf("transactions of the deployment: %w", err)
	}
	return ts, nil
}

// AddDeploymentTransaction stores a transaction before it is sent. The same one again
// changes nothing.
func (s *Store) AddDeploymentTransaction(ctx context.Context, t DeploymentTransaction) error {
	if _, err := s.pool.Exec(ctx, deploymentAddSQL, t.Name, t.TxHash[:], t.RawTx); err != nil {
		return fmt.Errorf("store transaction of the deployment: %w", err)
	}
	return nil
}
