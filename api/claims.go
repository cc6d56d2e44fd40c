package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/store"
)

type batchExitsOutput struct{ Body wire.BatchExits }

// batchExits shows what can be claimed of a batch. Before it is settled there is no
// root on L1 to claim against.
func (s *Server) batchExits(ctx context.Context, in *batchInput) (*batchExitsOutput, error) {
	n, err := parameter[settle.BatchNumber]("number", in.Number, "a batch number")
	if err != nil {
		return nil, err
	}
	p, err := s.cfg.Store.Point(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return nil, newProblem(settle.CodeNotFound, "batch %d is not sealed; /v1/status names the last one", n)
	}
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read batch: %w", err))
	}
	if p.Status != settle.BatchSettled && p.Status != settle.BatchFinal {
		return nil, newProblem(settle.CodeNotFound, "batch %d is %s: exits can be claimed once it is settled; /v1/status names the last settled one", n, p.Status)
	}
	out := wire.BatchExits{Batch: n, BatchStatus: p.Status, Claims: []wire.Claim{}}
	if n > 0 { // genesis has no exits
		if out.Claims, err = s.claimsOf(ctx, n); err != nil {
			return nil, s.failure(ctx, err)
		}
	}
	if out.ClaimsBlock, err = s.markClaimed(ctx, []settle.BatchNumber{n}, out.Claims); err != nil {
		return nil, s.failure(ctx, err)
	}
	if len(out.Claims) > 0 {
		out.ExitsRoot = &out.Claims[0].ExitsRoot
	}
	return &batchExitsOutput{out}, nil
}

type exitsInput struct {
	L1    string `query:"l1" required:"true" doc:"Ethereum address that the exits are for" pattern:"^0x[0-9a-fA-F]{40}$" example:"0xdead00000000000000000000000000000000000a"`
	After string `query:"after" doc:"List exits of batches above this number: next of the previous page" pattern:"^[0-9]{1,10}$" example:"0"`
	Limit string `query:"limit" doc:"Batches per page, 1 to 200; 50 if absent" pattern:"^[0-9]{1,3}$" example:"50"`
}

type exitsOutput struct{ Body wire.Claims }

func (s *Server) exits(ctx context.Context, in *exitsInput) (*exitsOutput, error) {
	var l1 settle.Address
	if err := l1.UnmarshalText([]byte(in.L1)); err != nil {
		return nil, invalidParameter("l1", in.L1, "the Ethereum address that exits are for: 0x and 40 hexadecimal digits")
	}
	var after settle.BatchNumber
	var err error
	if in.After != "" {
		if after, err = parameter[settle.BatchNumber]("after", in.After, "a batch number"); err != nil {
			return nil, err
		}
	}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	batches, err := s.cfg.Store.ExitBatches(ctx, l1, after, limit)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read exits: %w", err))
	}
	out := wire.Claims{Claims: []wire.Claim{}}
	for _, n := range batches {
		claims, err := s.claimsOf(ctx, n)
		if err != nil {
			return nil, s.failure(ctx, err)
		}
		for _, c := range claims {
			if c.L1 == l1 {
				out.Claims = append(out.Claims, c)
			}
		}
	}
	if out.ClaimsBlock, err = s.markClaimed(ctx, batches, out.Claims); err != nil {
		return nil, s.failure(ctx, err)
	}
	if len(batches) == limit {
		out.Next = &batches[limit-1]
	}
	return &exitsOutput{out}, nil
}

// markClaimed says of the exits of batches whether they were claimed, where that is
// known, and returns the block of L1 as of which; 0 if there is none. It is read last:
// a batch that a reorg has taken back meanwhile is not known.
func (s *Server) markClaimed(ctx context.Context, batches []settle.BatchNumber, claims []wire.Claim) (asOf uint64, err error) {
	if len(batches) == 0 {
		return 0, nil
	}
	known, err := s.cfg.Store.ClaimsOf(ctx, batches)
	if err != nil {
		return 0, fmt.Errorf("read claims: %w", err)
	}
	for i := range claims {
		batch := known[claims[i].Batch]
		tx, claimed := batch.Claims[claims[i].Index]
		if claimed {
			claims[i].ClaimTx = &tx
		}
		if claimed || batch.Known {
			claims[i].Claimed = &claimed
		}
	}
	return known[batches[0]].AsOf, nil
}

// claimsOf reads the exits of a batch out of its public data, with their paths.
func (s *Server) claimsOf(ctx context.Context, n settle.BatchNumber) ([]wire.Claim, error) {
	stored, err := s.cfg.Store.BatchWords(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("read public data: %w", err)
	}
	words := make([]fr.Element, len(stored))
	for i, w := range stored {
		if words[i], err = digest(w); err != nil {
			return nil, err
		}
	}
	d, err := publicdata.Parse(words)
	if err != nil {
		return nil, fmt.Errorf("public data of batch %d: %w", n, err)
	}
	root, claims := publicdata.ExitsRoot(n, d.Exits), make([]wire.Claim, len(d.Exits))
	for i, x := range d.Exits {
		path, err := publicdata.ExitPath(n, d.Exits, i)
		if err != nil {
			return nil, err
		}
		claims[i] = wire.Claim{
			Batch: n, Index: uint32(i), L1: x.L1, Token: x.Token, Amount: x.Amount,
			Leaf: publicdata.ExitLeaf(n, uint32(i), x), Siblings: path, ExitsRoot: root,
		}
	}
	return claims, nil
}
