package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/store"
)

// Sizes of a page.
const (
	defaultLimit = 50
	maxLimit     = 200
)

type transactionInput struct {
	ID string `path:"id" doc:"Transaction id: 0x and 64 hexadecimal digits" pattern:"^0x[0-9a-fA-F]{64}$" example:"0x8f0bdf0ac5a3b8cbf5ab1b2de3a6f9ee7de1ef5bb34ed55c9e3c3d3cc9b5a9d1"`
}

type transactionOutput struct{ Body wire.TransactionState }

func (s *Server) transaction(ctx context.Context, in *transactionInput) (*transactionOutput, error) {
	var id settle.Hash
	if err := id.UnmarshalText([]byte(in.ID)); err != nil {
		return nil, invalidParameter("id", in.ID, "a transaction id: 0x and 64 hexadecimal digits")
	}
	t, err := s.cfg.Store.Transaction(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil, newProblem(settle.CodeNotFound, "no transaction %s is stored; one that was refused never is", id)
	}
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read transaction: %w", err))
	}
	return &transactionOutput{transactionState(t)}, nil
}

func transactionState(t store.TransactionDetail) wire.TransactionState {
	// Of a damaged row, which the sequencer rejects, what can be read is shown.
	signed, _ := wire.Encode(&t.Checked.Transaction)
	out := wire.TransactionState{
		Transaction: signed,
		ID:          t.ID, Status: t.Status, ReceivedAt: t.ReceivedAt, BatchStatus: t.BatchStatus, AssignedIndex: t.AssignedIndex,
		Settlement: settlement(t.Settlement),
	}
	if t.Placement != nil {
		out.Batch, out.Position = &t.Placement.Batch, &t.Placement.Position
	}
	if t.Rejection != nil {
		out.Rejection = &wire.Rejection{Code: t.Rejection.Code, Detail: t.Rejection.Detail}
	}
	return out
}

type accountInput struct {
	Index string `path:"index" doc:"Account index: 0 to 4294967295" pattern:"^[0-9]{1,10}$" example:"3"`
	Batch string `query:"batch" doc:"Executed batch that left the account so; 0 is genesis. Absent: the account now" pattern:"^[0-9]{1,10}$" example:"1"`
}

type accountOutput struct{ Body wire.Account }

func (s *Server) account(ctx context.Context, in *accountInput) (*accountOutput, error) {
	index, err := parameter[settle.AccountIndex]("index", in.Index, "an account index")
	if err != nil {
		return nil, err
	}
	if in.Batch != "" {
		return s.accountAt(ctx, index, in.Batch)
	}
	a, err := s.cfg.Store.Account(ctx, index)
	if errors.Is(err, store.ErrNotFound) {
		return nil, newProblem(settle.CodeNotFound, "account %d does not exist", index)
	}
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read account: %w", err))
	}
	out, err := s.withPending(ctx, []store.Account{a})
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	return &accountOutput{out[0]}, nil
}

type accountsInput struct {
	Owner string `query:"owner" required:"true" doc:"Owner of the payment address: 0x and 64 hexadecimal digits" pattern:"^0x[0-9a-fA-F]{64}$" example:"0x2cb3bcd9a3f7f8f6a1f1d2d8c6f8c1f4f2a7b4a5c3d1e0f9a8b7c6d5e4f30211"`
	L1    string `query:"l1" required:"true" doc:"Ethereum address of the payment address: 0x and 40 hexadecimal digits" pattern:"^0x[0-9a-fA-F]{40}$" example:"0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"`
	After string `query:"after" doc:"List accounts behind this index: next of the previous page" pattern:"^[0-9]{1,10}$" example:"7"`
	Limit string `query:"limit" doc:"Accounts per page, 1 to 200; 50 if absent" pattern:"^[0-9]{1,3}$" example:"50"`
}

type accountsOutput struct{ Body wire.Accounts }

func (s *Server) accounts(ctx context.Context, in *accountsInput) (*accountsOutput, error) {
	var owner settle.Element
	if err := owner.UnmarshalText([]byte(in.Owner)); err != nil {
		return nil, invalidParameter("owner", in.Owner, "the owner of a payment address: 0x and 64 hexadecimal digits (accounts are looked up by the pair owner and l1)")
	}
	var l1 settle.Address
	if err := l1.UnmarshalText([]byte(in.L1)); err != nil {
		return nil, invalidParameter("l1", in.L1, "the Ethereum address of a payment address: 0x and 40 hexadecimal digits (accounts are looked up by the pair owner and l1)")
	}
	after := int64(-1)
	if in.After != "" {
		index, err := parameter[settle.AccountIndex]("after", in.After, "an account index")
		if err != nil {
			return nil, err
		}
		after = int64(index)
	}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Store.AccountsByOwner(ctx, owner, l1, after, limit)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read accounts: %w", err))
	}
	list, err := s.withPending(ctx, found)
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	out := wire.Accounts{Accounts: list}
	if len(list) == limit {
		out.Next = &list[limit-1].Index
	}
	return &accountsOutput{out}, nil
}

// withPending adds what accepted, unexecuted transactions will take.
func (s *Server) withPending(ctx context.Context, accounts []store.Account) ([]wire.Account, error) {
	out := make([]wire.Account, len(accounts))
	if len(accounts) == 0 {
		return out, nil
	}
	indices := make([]settle.AccountIndex, len(accounts))
	for i, a := range accounts {
		indices[i] = a.Index
	}
	pending, err := s.cfg.Store.PendingBySender(ctx, indices)
	if err != nil {
		return nil, fmt.Errorf("read pending transactions: %w", err)
	}
	for i, a := range accounts {
		p := pending[a.Index]
		out[i] = wire.Account{
			Index: a.Index, Owner: a.Owner, L1: a.L1, Token: a.Token, Balance: a.Balance, Nonce: a.Nonce,
			PendingDebits: p.Debits, Pending: len(p.Nonces), NextNonce: p.NextNonce(a.Nonce), Available: p.Available(a.Balance),
		}
	}
	return out, nil
}

type batchInput struct {
	Number string `path:"number" doc:"Batch number: 1 to 4294967295" pattern:"^[0-9]{1,10}$" example:"1"`
}

type batchOutput struct{ Body wire.BatchState }

func (s *Server) batch(ctx context.Context, in *batchInput) (*batchOutput, error) {
	n, err := parameter[settle.BatchNumber]("number", in.Number, "a batch number")
	if err != nil {
		return nil, err
	}
	b, err := s.cfg.Store.Batch(ctx, n)
	if errors.Is(err, store.ErrNotFound) {
		return nil, newProblem(settle.CodeNotFound, "batch %d is not sealed; /v1/status names the last one, and 0 is genesis", n)
	}
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read batch: %w", err))
	}
	out := wire.BatchState{Batch: batch(b.Batch), Proofs: make([]wire.Proof, len(b.Proofs)), FailedAttempts: b.Failures, Settlement: settlement(b.Settlement)}
	for i, p := range b.Proofs {
		out.Proofs[i] = wire.Proof{
			Circuit: p.Circuit, Shape: p.Shape, KeyHash: p.KeyHash, Proof: "0x" + hex.EncodeToString(p.Proof), Inputs: p.Inputs,
			AssignSeconds: p.Stats.Assign.Seconds(), SolveSeconds: p.Stats.Solve.Seconds(), ProveSeconds: p.Stats.Prove.Seconds(),
			PeakMemoryBytes: p.Stats.PeakMemory, Attempt: p.Attempt, Late: p.Late, StoredAt: p.StoredAt,
		}
	}
	return &batchOutput{out}, nil
}

func batch(b store.Batch) wire.Batch {
	return wire.Batch{
		Number: b.Number, Status: b.Status, Shape: b.Shape, KeyHash: b.KeyHash, OldRoot: b.OldRoot, NewRoot: b.NewRoot,
		Commitment: b.Commitment, Transactions: b.Transactions, Usage: b.Usage,
		SealedAt: b.SealedAt, ProvenAt: b.ProvenAt, SettledAt: b.SettledAt, FinalAt: b.FinalAt,
	}
}

func settlement(s *store.Settlement) *wire.Settlement {
	if s == nil {
		return nil
	}
	out := &wire.Settlement{
		TxHash: s.TxHash, Status: string(s.Status), Attempt: s.Attempt, Sender: s.Sender, Nonce: s.Nonce,
		GasLimit: s.GasLimit, MaxFee: s.MaxFee, MaxTip: s.MaxTip, Failure: s.Failure,
	}
	if r := s.Receipt; r != nil {
		out.BlockNumber, out.BlockHash, out.GasUsed, out.EffectiveGasPrice = &r.BlockNumber, &r.BlockHash, &r.GasUsed, &r.EffectiveGasPrice
	}
	return out
}

type batchesInput struct {
	Before string `query:"before" doc:"List batches below this number, from 1: next of the previous page" pattern:"^[1-9][0-9]{0,9}$" example:"51"`
	Limit  string `query:"limit" doc:"Batches per page, 1 to 200; 50 if absent" pattern:"^[0-9]{1,3}$" example:"50"`
}

type batchesOutput struct{ Body wire.Batches }

func (s *Server) batches(ctx context.Context, in *batchesInput) (*batchesOutput, error) {
	var before settle.BatchNumber
	var err error
	if in.Before != "" {
		if before, err = parameter[settle.BatchNumber]("before", in.Before, "a batch number"); err != nil {
			return nil, err
		}
		if before == 0 {
			return nil, invalidParameter("before", in.Before, "a batch number above 0")
		}
	}
	limit, err := pageSize(in.Limit)
	if err != nil {
		return nil, err
	}
	found, err := s.cfg.Store.Batches(ctx, before, limit)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read batches: %w", err))
	}
	out := wire.Batches{Batches: make([]wire.Batch, len(found))}
	for i, b := range found {
		out.Batches[i] = batch(b)
	}
	if len(found) == limit && found[limit-1].Number > 1 {
		out.Next = &found[limit-1].Number
	}
	return &batchesOutput{out}, nil
}

func invalidParameter(name, value, expected string) *problem {
	if value == "" {
		return newProblem(settle.CodeInvalidField, "parameter %q is missing, expected %s", name, expected)
	}
	return newProblem(settle.CodeInvalidField, "parameter %q is %s, expected %s", name, quote(value), expected)
}

// parameter reads a 32-bit number without sign.
func parameter[T ~uint32](name, value, what string) (T, error) {
	v, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		return 0, invalidParameter(name, value, what+" from 0 to 4294967295")
	}
	return T(v), nil
}

func pageSize(value string) (int, error) {
	if value == "" {
		return defaultLimit, nil
	}
	v, err := strconv.ParseUint(value, 10, 16)
	if err != nil || v < 1 || v > maxLimit {
		return 0, invalidParameter("limit", value, fmt.Sprintf("a number from 1 to %d", maxLimit))
	}
	return int(v), nil
}
