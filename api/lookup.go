package api

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
)

// maxLookup is how many transactions one look-up may name: their ids fit a request's head.
const maxLookup = 100

type transactionsInput struct {
	IDs string `query:"ids" required:"true" doc:"Transaction ids, 1 to 100, with commas between; one that is named again is answered once" pattern:"^0x[0-9a-fA-F]{64}(,0x[0-9a-fA-F]{64})*$" example:"0x8f0bdf0ac5a3b8cbf5ab1b2de3a6f9ee7de1ef5bb34ed55c9e3c3d3cc9b5a9d1"`
}

type transactionsOutput struct{ Body wire.Transactions }

func (s *Server) transactions(ctx context.Context, in *transactionsInput) (*transactionsOutput, error) {
	const expected = "1 to 100 transaction ids with commas between, each 0x and 64 hexadecimal digits"
	texts := strings.Split(in.IDs, ",")
	if len(texts) > maxLookup {
		return nil, newProblem(settle.CodeInvalidField, `parameter "ids" names %d transactions, expected at most %d`, len(texts), maxLookup)
	}
	var ids []settle.Hash
	for _, text := range texts {
		var id settle.Hash
		if err := id.UnmarshalText([]byte(text)); err != nil {
			return nil, invalidParameter("ids", text, expected)
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	found, err := s.cfg.Store.Transactions(ctx, ids)
	if err != nil {
		return nil, s.failure(ctx, fmt.Errorf("read transactions: %w", err))
	}
	out := wire.Transactions{Transactions: []wire.TransactionState{}, Unknown: []settle.Hash{}}
	for _, id := range ids {
		if t, known := found[id]; known {
			out.Transactions = append(out.Transactions, transactionState(t))
		} else {
			out.Unknown = append(out.Unknown, id)
		}
	}
	return &transactionsOutput{out}, nil
}
