package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// Transactions returns those of the transactions that are stored, with their batches
// and settlements, all of one snapshot.
func (s *Store) Transactions(ctx context.Context, ids []settle.Hash) (map[settle.Hash]TransactionDetail, error) {
	asked := make([][]byte, len(ids))
	for i := range ids {
		asked[i] = ids[i][:]
	}
	found := map[settle.Hash]TransactionDetail{}
	err := s.snapshot(ctx, func(tx pgx.Tx) error {
		stored, err := rows[transactionRow](ctx, tx, transactionsByIDSQL, asked)
		if err != nil {
			return err
		}
		placed := map[settle.BatchNumber]TransactionDetail{} // what they have of their batch
		for _, t := range transactions(stored) {
			d := TransactionDetail{}
			if t.Placement != nil {
				n := t.Placement.Batch
				if _, known := placed[n]; !known {
					if err := tx.QueryRow(ctx, transactionBatchStatusSQL, n).Scan(&d.BatchStatus); err != nil {
						return fmt.Errorf("batch %d: %w", n, err)
					}
					if d.Settlement, err = shownSettlement(ctx, tx, n); err != nil {
						return err
					}
					placed[n] = d
				}
				d = placed[n]
			}
			d.Transaction = t
			found[t.ID] = d
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("%d transactions: %w", len(ids), err)
	}
	return found, nil
}

// Holding is what an account is of: a payment address and a token.
type Holding struct {
	Owner settle.Element
	L1    settle.Address
	Token settle.TokenID
}

// FirstAccounts returns the account with the lowest index of each holding that has one.
func (s *Store) FirstAccounts(ctx context.Context, holdings []Holding) (map[Holding]settle.AccountIndex, error) {
	owners, l1s, tokens := make([][]byte, len(holdings)), make([][]byte, len(holdings)), make([]int64, len(holdings))
	for i := range holdings {
		owners[i], l1s[i], tokens[i] = holdings[i].Owner[:], holdings[i].L1[:], int64(holdings[i].Token)
	}
	found, err := list(ctx, s.pool, accountFields, accountsFirstOfSQL, owners, l1s, tokens)
	if err != nil {
		return nil, fmt.Errorf("accounts of %d addresses: %w", len(holdings), err)
	}
	first := map[Holding]settle.AccountIndex{}
	for _, a := range found {
		first[Holding{a.Owner, a.L1, a.Token}] = a.Index
	}
	return first, nil
}
