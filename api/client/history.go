package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/publicdata"
	"github.com/zksettle/settle/state"
)

func atBatch(n settle.BatchNumber) url.Values {
	return url.Values{"batch": {strconv.FormatUint(uint64(n), 10)}}
}

// AccountAt returns an account as an executed batch left it; 0 is genesis.
func (c *Client) AccountAt(ctx context.Context, index settle.AccountIndex, batch settle.BatchNumber) (wire.Account, error) {
	return call[wire.Account](ctx, c, http.MethodGet, fmt.Sprintf("/v1/accounts/%d", index), atBatch(batch), nil)
}

// AccountProof returns an account after an executed batch (0: genesis) with its
// Merkle proof against the root after it. The answer agrees with itself; whether
// that root is the rollup's is for VerifyAccount with a root from L1.
func (c *Client) AccountProof(ctx context.Context, index settle.AccountIndex, batch settle.BatchNumber) (wire.AccountProof, error) {
	return c.accountProof(ctx, index, atBatch(batch))
}

// SettledAccountProof is AccountProof at the last settled batch, whose root L1 holds
// unless another was settled since.
func (c *Client) SettledAccountProof(ctx context.Context, index settle.AccountIndex) (wire.AccountProof, error) {
	return c.accountProof(ctx, index, nil)
}

func (c *Client) accountProof(ctx context.Context, index settle.AccountIndex, query url.Values) (wire.AccountProof, error) {
	p, err := call[wire.AccountProof](ctx, c, http.MethodGet, fmt.Sprintf("/v1/accounts/%d/proof", index), query, nil)
	if err != nil {
		return p, err
	}
	if p.Index != index {
		return p, fmt.Errorf("asked for account %d, got %d", index, p.Index)
	}
	return p, VerifyAccount(p, p.Root)
}

// VerifyAccount recomputes the root of a proof and compares it with root, which the
// caller has from a source that it trusts: state.ErrProof if they differ.
func VerifyAccount(p wire.AccountProof, root settle.Element) error {
	proof, err := StateProof(p)
	if err != nil {
		return err
	}
	expected, err := field(root)
	if err != nil {
		return fmt.Errorf("root: %w", err)
	}
	return proof.Verify(poseidon.New(), expected)
}

// StateProof reads a proof into the form of package state: state.ErrProof if it has
// another number of siblings or holds what is no field element.
func StateProof(p wire.AccountProof) (state.Proof, error) {
	out := state.Proof{Index: p.Index, Account: state.Account{Token: p.Token, Nonce: p.Nonce, Balance: p.Balance, L1: p.L1}}
	siblings := len(out.Siblings) * len(out.Siblings[0])
	if len(p.Siblings) != siblings {
		return out, fmt.Errorf("%w: %d siblings, expected %d", state.ErrProof, len(p.Siblings), siblings)
	}
	var err error
	if out.Account.Owner, err = field(p.Owner); err != nil {
		return out, fmt.Errorf("%w: owner: %w", state.ErrProof, err)
	}
	for i, s := range p.Siblings {
		width := len(out.Siblings[0])
		if out.Siblings[i/width][i%width], err = field(s); err != nil {
			return out, fmt.Errorf("%w: sibling %d: %w", state.ErrProof, i, err)
		}
	}
	return out, nil
}

func field(e settle.Element) (x fr.Element, err error) {
	err = x.SetBytesCanonical(e[:])
	return x, err
}

// BatchExits returns the exits of a settled batch and fails unless each is proven
// against their one root.
func (c *Client) BatchExits(ctx context.Context, n settle.BatchNumber) (wire.BatchExits, error) {
	exits, err := call[wire.BatchExits](ctx, c, http.MethodGet, fmt.Sprintf("/v1/batches/%d/exits", n), nil, nil)
	if err != nil {
		return exits, err
	}
	for i, claim := range exits.Claims {
		if claim.Batch != n || claim.Index != uint32(i) || exits.ExitsRoot == nil || claim.ExitsRoot != *exits.ExitsRoot {
			return exits, fmt.Errorf("exit %d of batch %d is listed as exit %d of batch %d, or under another root", i, n, claim.Index, claim.Batch)
		}
		if err := VerifyClaim(claim, claim.ExitsRoot); err != nil {
			return exits, err
		}
	}
	return exits, nil
}

// Claims lists all settled exits for an Ethereum address by batch, page by page, and
// fails if one is for another or not proven against its root.
func (c *Client) Claims(ctx context.Context, l1 settle.Address) ([]wire.Claim, error) {
	query := url.Values{"l1": {l1.String()}}
	var all []wire.Claim
	var after pages[settle.BatchNumber]
	for {
		page, err := call[wire.Claims](ctx, c, http.MethodGet, "/v1/exits", query, nil)
		if err != nil {
			return nil, err
		}
		for _, claim := range page.Claims {
			if claim.L1 != l1 {
				return nil, fmt.Errorf("exit %d of batch %d is for %s, asked for %s", claim.Index, claim.Batch, claim.L1, l1)
			}
			if err := VerifyClaim(claim, claim.ExitsRoot); err != nil {
				return nil, err
			}
		}
		all = slices.Concat(all, page.Claims)
		if page.Next == nil {
			return all, nil
		}
		if err := after.turn(query, *page.Next); err != nil {
			return nil, err
		}
	}
}

// VerifyClaim does what the contract does before it marks an exit: it climbs from
// the exit to root, which is exitsRoots(batch) of the contract.
// publicdata.ErrExitProof if that is another.
func VerifyClaim(c wire.Claim, root settle.Hash) error {
	return publicdata.VerifyExit(root, c.Batch, c.Index, publicdata.Exit{L1: c.L1, Token: c.Token, Amount: c.Amount}, c.Siblings)
}
