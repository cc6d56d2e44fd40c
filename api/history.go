package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

// point reads the parameter batch; empty is the last settled one.
func (s *Server) point(ctx context.Context, value string) (store.Point, error) {
	if value == "" {
		p, err := s.cfg.Store.LastSettled(ctx)
		if err != nil {
			return p, s.failure(ctx, fmt.Errorf("read the settled batch: %w", err))
		}
		return p, nil
	}
	n, err := parameter[settle.BatchNumber]("batch", value, "a batch number")
	if err != nil {
		return store.Point{}, err
	}
	p, err := s.cfg.Store.Point(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return p, newProblem(settle.CodeNotFound, "batch %d is not executed; /v1/status names the last one", n)
	}
	if err != nil {
		return p, s.failure(ctx, fmt.Errorf("read batch: %w", err))
	}
	return p, nil
}

// left returns the account as a batch left it.
func (s *Server) left(ctx context.Context, index settle.AccountIndex, p store.Point) (store.Account, error) {
	a, err := s.cfg.Store.AccountAt(ctx, index, p.Batch)
	if errors.Is(err, store.ErrNotFound) {
		return a, newProblem(settle.CodeNotFound, "account %d did not exist after batch %d", index, p.Batch)
	}
	if err != nil {
		return a, s.failure(ctx, fmt.Errorf("read account: %w", err))
	}
	return a, nil
}

func (s *Server) accountAt(ctx context.Context, index settle.AccountIndex, batch string) (*accountOutput, error) {
	p, err := s.point(ctx, batch)
	if err != nil {
		return nil, err
	}
	a, err := s.left(ctx, index, p)
	if err != nil {
		return nil, err
	}
	return &accountOutput{wire.Account{
		Index: a.Index, Owner: a.Owner, L1: a.L1, Token: a.Token, Balance: a.Balance, Nonce: a.Nonce,
		Available: a.Balance, NextNonce: a.Nonce, Batch: &p.Batch,
	}}, nil
}

type accountProofInput struct {
	Index string `path:"index" doc:"Account index: 0 to 4294967295" pattern:"^[0-9]{1,10}$" example:"3"`
	Batch string `query:"batch" doc:"Executed batch whose root the proof is for; 0 is genesis. Absent: the last settled one" pattern:"^[0-9]{1,10}$" example:"1"`
}

type accountProofOutput struct{ Body wire.AccountProof }

// accountProof verifies what it returns: one leaf and 16 nodes.
func (s *Server) accountProof(ctx context.Context, in *accountProofInput) (*accountProofOutput, error) {
	index, err := parameter[settle.AccountIndex]("index", in.Index, "an account index")
	if err != nil {
		return nil, err
	}
	p, err := s.point(ctx, in.Batch)
	if err != nil {
		return nil, err
	}
	a, err := s.left(ctx, index, p)
	if err != nil {
		return nil, err
	}
	tree, err := s.trees.after(ctx, p)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("state tree: %w", err))
	}
	owner, err := digest(a.Owner)
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	proof := state.Proof{
		Index: index, Siblings: tree.Siblings(index),
		Account: state.Account{Owner: owner, Token: a.Token, Nonce: a.Nonce, Balance: a.Balance, L1: a.L1},
	}
	if err := proof.Verify(s.trees.hasher, tree.Root()); err != nil {
		return nil, s.failure(ctx, fmt.Errorf("history of account %d: %w", index, err))
	}
	out := wire.AccountProof{
		Batch: p.Batch, BatchStatus: p.Status, Root: p.Root, Index: index, Owner: a.Owner, L1: a.L1, Token: a.Token, Balance: a.Balance, Nonce: a.Nonce,
	}
	for _, level := range proof.Siblings {
		for _, sibling := range level {
			out.Siblings = append(out.Siblings, sibling.Bytes())
		}
	}
	return &accountProofOutput{out}, nil
}
