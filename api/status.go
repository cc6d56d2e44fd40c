package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/store"
)

type statusOutput struct{ Body wire.Status }

func (s *Server) status(ctx context.Context, _ *struct{}) (*statusOutput, error) {
	st, err := s.cfg.Store.Status(ctx)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read the status: %w", err))
	}
	proven, err := s.cfg.Store.ProvenProgress(ctx)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read the proven batch: %w", err))
	}
	fees, err := s.cfg.Store.FeeAccounts(ctx)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read fee accounts: %w", err))
	}
	out := &statusOutput{s.describe(st, proven, fees)}
	blockage, err := s.cfg.Store.Blockage(ctx)
	switch {
	case err == nil:
		out.Body.SettlementWaits = describeBlockage(blockage)
	case !errors.Is(err, store.ErrNotFound):
		return nil, s.failure(ctx, fmt.Errorf("look for a blocked batch: %w", err))
	}
	return out, nil
}

// describeBlockage leaves the operator's details out: anybody may read the status.
func describeBlockage(b store.Blockage) *wire.Blockage {
	out := &wire.Blockage{Batch: b.Batch, ProvenBehind: b.Behind}
	if b.Class != nil {
		out.Class = string(*b.Class)
	}
	return out
}

func (s *Server) describe(st store.Status, proven store.Progress, fees []store.FeeAccount) wire.Status {
	rollup := s.cfg.Rollup
	out := wire.Status{
		Domain: rollup.Domain, ChainID: rollup.ChainID, Rollup: rollup.Address, GenesisRoot: rollup.GenesisRoot, UnsafeDevKeys: rollup.UnsafeDev,
		Kinds:     make([]string, len(s.cfg.Kinds)),
		Verifiers: make([]wire.Verifier, len(rollup.Verifiers)), FeeAccounts: make([]wire.FeeAccount, len(fees)),
		Executed: wire.Progress{Batch: st.LastBatch, Root: st.LastRoot},
		Proven:   wire.Progress{Batch: proven.Batch, Root: proven.Root},
		Settled:  wire.Progress{Batch: st.SettledBatch, Root: st.SettledRoot},
		Final:    st.FinalBatch,
		Backlog: wire.Backlog{
			Accepted: st.Transactions.Accepted, AcceptedCap: max(0, s.cfg.MaxAccepted),
			Unproven: st.Batches.Sealed, UnprovenCap: max(0, s.cfg.MaxUnproven), Unsettled: unsettled(st.Batches),
		},
		OldestUnprovenAgeSeconds: st.OldestUnprovenAge.Seconds(),
		Transactions:             wire.TxCounts(st.Transactions),
		Batches:                  wire.BatchCounts(st.Batches),
		Jobs:                     wire.JobCounts(st.Jobs),
	}
	for i, k := range s.cfg.Kinds {
		out.Kinds[i] = k.String()
	}
	for i, v := range rollup.Verifiers {
		out.Verifiers[i] = wire.Verifier(v)
	}
	for i, f := range fees {
		out.FeeAccounts[i] = wire.FeeAccount{Token: f.Token, Index: f.Index, MinimumFee: f.MinFee}
	}
	return out
}
