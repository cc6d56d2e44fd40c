package api

import (
	"context"
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/store"
)

// warn notes what a good transaction's sender may not have meant: an open for an
// address that has an account of the token already. It is allowed, and pays for a
// second account. An open that still waits is not seen.
func (s *Server) warn(ctx context.Context, items []item) error {
	var opens []store.Holding
	var places []int
	for i := range items {
		if tx := &items[i].Transaction; items[i].Refusal == nil && tx.Kind == settle.KindOpen {
			opens, places = append(opens, store.Holding{Owner: tx.ToOwner.Bytes(), L1: tx.ToL1, Token: tx.Token}), append(places, i)
		}
	}
	if len(opens) == 0 {
		return nil
	}
	first, err := s.cfg.Store.FirstAccounts(ctx, opens)
	if err != nil {
		return fmt.Errorf("look for accounts that exist: %w", err)
	}
	for k, h := range opens {
		if index, exists := first[h]; exists {
			items[places[k]].warning = &wire.Warning{
				Code: wire.WarningAccountExists, Account: &index,
				Detail: fmt.Sprintf("the payment address has account %d of token %d already; this opens another one", index, h.Token),
			}
		}
	}
	return nil
}
