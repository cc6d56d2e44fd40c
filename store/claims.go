package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/zksettle/settle"
)

// ExitClaim is an event of the contract: an exit was claimed.
type ExitClaim struct {
	Batch  settle.BatchNumber
	Index  uint32 // among the exits of the batch, from 0
	Block  uint64
	TxHash settle.Hash
}

// ClaimsFollowed is how far the contract's log of claims was read. The zero value says
// that it was not.
type ClaimsFollowed struct {
	Head     uint64 // last block that was read; 0: none
	Final    uint64 // up to here claims stay, and are not read again
	Revision int64  // differs after each change of stored claims
}

// ClaimsRead is what a search of the log found in the blocks behind Since.Final up to To.
type ClaimsRead struct {
	Since  ClaimsFollowed // as it was stored when the search began
	To     uint64
	AtHead bool   // To is the head of the chain: what is stored of later blocks has left it
	Final  uint64 // finalized block of the chain; 0 while there is none
	Claims []ExitClaim
}

// ClaimsFollowed returns how far claims were read.
func (s *Store) ClaimsFollowed(ctx context.Context) (ClaimsFollowed, error) {
	f, err := one(ctx, s.pool, claimsFollowedFields, claimsFollowedSQL)
	if errors.Is(err, ErrNotFound) {
		return ClaimsFollowed{}, nil
	}
	if err != nil {
		return f, fmt.Errorf("how far claims were followed: %w", err)
	}
	return f, nil
}

func claimsFollowedFields(f *ClaimsFollowed) []any { return []any{&f.Head, &f.Final, &f.Revision} }

// ReplaceClaims stores what a search of the log found in the place of what was stored of
// these blocks, in one transaction, and returns how far claims are followed now. Final
// never goes back. ErrClaimsChanged, and nothing is stored, when stored claims have
// changed since the search began: by another search, or by a reorg that undid settlements.
func (s *Store) ReplaceClaims(ctx context.Context, epoch Epoch, r ClaimsRead) (ClaimsFollowed, error) {
	head, upper := r.To, int64(math.MaxInt64)
	if !r.AtHead {
		head, upper = max(r.Since.Head, r.To), int64(min(r.To, math.MaxInt64))
	}
	final := max(r.Since.Final, min(r.Final, r.To))
	var out ClaimsFollowed
	err := s.asWriter(ctx, RoleSubmitter, epoch, func(tx pgx.Tx) (err error) {
		// First, as RevertSettlements does: the two wait for each other here and nowhere else.
		out, err = one(ctx, tx, claimsFollowedFields, claimsAdvanceSQL, max(head, final), final, r.Since.Revision)
		if errors.Is(err, ErrNotFound) {
			return ErrClaimsChanged
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, claimsDeleteSQL, r.Since.Final, upper); err != nil {
			return fmt.Errorf("delete: %w", err)
		}
		n := len(r.Claims)
		batches, indices, blocks, hashes := make([]settle.BatchNumber, n), make([]uint32, n), make([]uint64, n), make([][]byte, n)
		for i, c := range r.Claims {
			batches[i], indices[i], blocks[i], hashes[i] = c.Batch, c.Index, c.Block, c.TxHash[:]
		}
		if _, err := tx.Exec(ctx, claimsInsertSQL, batches, indices, blocks, hashes); err != nil {
			return fmt.Errorf("insert: %w", err)
		}
		return nil
	})
	if err != nil {
		return ClaimsFollowed{}, fmt.Errorf("store claims up to block %d: %w", r.To, err)
	}
	return out, nil
}

// retreatClaims forgets the claims of the branch on which batches from one on were
// settled: they were made after that. It runs before their settlements are undone.
func retreatClaims(ctx context.Context, tx pgx.Tx, from settle.BatchNumber) error {
	block, err := one(ctx, tx, func(b *uint64) []any { return []any{b} }, claimsUndoneFromSQL, from)
	if err != nil || block == 0 {
		return err // nothing is mined: nothing can be claimed
	}
	if _, err := tx.Exec(ctx, claimsRetreatSQL, block); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, claimsDeleteSQL, block-1, int64(math.MaxInt64))
	return err
}

// BatchClaims is what is known of the claims of a batch's exits.
type BatchClaims struct {
	Known  bool                   // the log was read up to the batch's settlement, or beyond: who is not in Claims had not claimed
	Claims map[uint32]settle.Hash // transaction that claimed, by place of the exit
	AsOf   uint64                 // last block of L1 that was read; 0: none
}

// ClaimsOf returns what is known of the claims of batches, all as of one moment.
func (s *Store) ClaimsOf(ctx context.Context, batches []settle.BatchNumber) (map[settle.BatchNumber]BatchClaims, error) {
	type row struct {
		BatchClaims
		batch   settle.BatchNumber
		indices []uint32
		hashes  [][]byte
	}
	rows, err := list(ctx, s.pool, func(r *row) []any {
		return []any{&r.batch, &r.AsOf, &r.Known, &r.indices, &r.hashes}
	}, claimsOfSQL, batches)
	if err != nil {
		return nil, fmt.Errorf("claims of exits: %w", err)
	}
	out := make(map[settle.BatchNumber]BatchClaims, len(rows))
	for _, r := range rows {
		r.Claims = make(map[uint32]settle.Hash, len(r.indices))
		for i, index := range r.indices {
			var hash settle.Hash
			if err := fixed(hash[:]).ScanBytes(r.hashes[i]); err != nil {
				return nil, fmt.Errorf("claim of exit %d of batch %d: %w", index, r.batch, err)
			}
			r.Claims[index] = hash
		}
		out[r.batch] = r.BatchClaims
	}
	return out, nil
}
