package main

import (
	"errors"
	"fmt"
	"math/big"
	"text/tabwriter"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/node"
	"github.com/zksettle/settle/state"
	"github.com/zksettle/settle/store"
)

type feesCmd struct {
	List feesListCmd `cmd:"" help:"List the tokens that fees are taken in, with the account that receives them and the smallest fee."`
	Set  feesSetCmd  `cmd:"" help:"Change the smallest fee of a token. It holds for what is submitted from then on. What is accepted stays accepted."`
}

type feesListCmd struct{ dataFlags }

// Run prints the fee accounts.
func (c feesListCmd) Run(a *app) error {
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		found, err := db.Store.FeeAccounts(a.Ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(a.Stdout, 0, 0, 2, ' ', 0)
		if _, err := fmt.Fprintln(w, "TOKEN\tACCOUNT\tMINIMUM"); err != nil {
			return err
		}
		for _, f := range found {
			if _, err := fmt.Fprintf(w, "%d\t%d\t%s\n", f.Token, f.Index, f.MinFee); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}

type feesSetCmd struct {
	dataFlags
	Token  uint32 `required:"" help:"Number of the token."`
	MinFee string `required:"" help:"Smallest fee that is taken, in the token's smallest units. 0 takes transactions without a fee." placeholder:"AMOUNT"`
}

// Run changes one minimum.
func (c feesSetCmd) Run(a *app) error {
	fee, err := parseMinFee(c.MinFee)
	if err != nil {
		return fmt.Errorf("--min-fee %s: %w", c.MinFee, err)
	}
	return a.withDatabase(c.dataFlags, func(db *node.Database) error {
		before, err := db.Store.SetMinFee(a.Ctx, settle.TokenID(c.Token), fee)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("token %d has no fee account, so no transactions in it are taken (settle fees list shows those that have one)", c.Token)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.Stdout, "the smallest fee of token %d is %s; it was %s\n", c.Token, fee, before)
		return err
	})
}

// parseMinFee reads a fee that somebody can pay: one with a short form.
func parseMinFee(text string) (settle.Amount, error) {
	fee, err := settle.ParseAmount(text)
	if err != nil {
		return fee, err
	}
	_, err = state.NewFloat16(fee)
	return fee, err
}

func (g genesisFlags) minFees() (map[settle.TokenID]settle.Amount, error) {
	out := map[settle.TokenID]settle.Amount{}
	for token, fee := range g.MinFee {
		id, ok := new(big.Int).SetString(token, 10)
		if !ok || id.Sign() < 0 || id.BitLen() > settle.TokenBits {
			return nil, fmt.Errorf("--min-fee %s=%s: the token is not a number of 32 bits", token, fee)
		}
		amount, err := parseMinFee(fee)
		if err != nil {
			return nil, fmt.Errorf("--min-fee %s=%s: %w", token, fee, err)
		}
		out[settle.TokenID(id.Uint64())] = amount
	}
	return out, nil
}
