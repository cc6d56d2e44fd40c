package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/consensys/gnark-crypto/ecc/bn254/fr"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/internal/reexecute"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

type rebuildCmd struct {
	dataFlags
	l1Flags
	Rollup  string `help:"Address of the rollup contract." required:"" env:"SETTLE_ROLLUP"`
	Genesis string `help:"Genesis file with which the rollup was deployed." required:"" env:"SETTLE_GENESIS" type:"path"`
	From    uint64 `help:"Block of the deployment. The search for settlements begins there." default:"0"`
	Out     string `help:"File to write the accounts to, as JSON." type:"path"`
}

// rebuildReport sums a rebuild up.
type rebuildReport struct {
	Rollup       settle.Address     `json:"rollup"`
	Block        uint64             `json:"block"`
	Batches      settle.BatchNumber `json:"batches"`
	Root         settle.Element     `json:"root"`
	Accounts     int                `json:"accounts"`
	Transactions int                `json:"transactions"`
	Opens        int                `json:"opens"`
	Exits        int                `json:"exits"`
}

type rebuiltAccount struct {
	Index   settle.AccountIndex `json:"index"`
	Owner   settle.Element      `json:"owner"`
	Token   settle.TokenID      `json:"token"`
	Nonce   settle.Nonce        `json:"nonce"`
	Balance settle.Amount       `json:"balance"`
	L1      settle.Address      `json:"l1"`
}

// Run rebuilds the state as of the head of L1. It needs neither database nor key.
func (c rebuildCmd) Run(a *app) error {
	var rollup settle.Address
	if err := rollup.UnmarshalText([]byte(c.Rollup)); err != nil {
		return fmt.Errorf("--rollup: %w", err)
	}
	genesis, err := readGenesis(c.Genesis)
	if err != nil {
		return err
	}
	url := c.nodeURL()
	if url == "" {
		return errNoNode(c.dataFlags)
	}
	client, err := c.dial(a, url, c.ChainID)
	if err != nil {
		return err
	}
	defer client.Close()
	report, accounts, err := a.rebuild(client, rollup, genesis, c.From)
	if err != nil {
		return err
	}
	if c.Out != "" {
		if err := writeAccounts(c.Out, accounts); err != nil {
			return err
		}
	}
	return a.PrintJSON(report)
}

// rebuild executes D of all batches up to the head and compares genesis, each
// root and the last one with those on L1.
func (a *app) rebuild(node l1.Node, rollup settle.Address, genesis *state.Genesis, from uint64) (rebuildReport, []state.Indexed, error) {
	report := rebuildReport{Rollup: rollup}
	fail := func(err error) (rebuildReport, []state.Indexed, error) { return report, nil, err }
	var err error
	if report.Block, err = node.BlockNumber(a.Ctx); err != nil {
		return fail(fmt.Errorf("ask L1 for its head: %w", err))
	}
	contract := l1.NewClient(node, rollup).At(report.Block)
	hash, err := contract.GenesisHash(a.Ctx)
	if err != nil {
		return fail(err)
	}
	if hash != genesis.Hash() {
		return fail(fmt.Errorf("the genesis file has hash %s, the rollup %s was deployed with %s: use the file of that deployment", genesis.Hash(), rollup, hash))
	}
	stored, err := contract.Domain(a.Ctx)
	if err != nil {
		return fail(err)
	}
	domain, err := reexecute.Element(stored)
	if err != nil {
		return fail(err)
	}
	r, err := state.NewRebuilder(poseidon.New(), genesis, domain)
	if err != nil {
		return fail(err)
	}
	err = contract.History(a.Ctx, from, report.Block, func(batch l1.Settled) error {
		if err := r.Apply(batch.Data); err != nil {
			return fmt.Errorf("settled in block %d: %w", batch.Block, err)
		}
		if got := element(r.Root()); got != batch.Root {
			return fmt.Errorf("batch %d leads to root %s, L1 has %s", batch.Number, got, batch.Root)
		}
		report.Transactions += len(batch.Data.Transfers)
		report.Opens += len(batch.Data.Opens)
		report.Exits += len(batch.Data.Exits)
		return nil
	})
	if err != nil {
		return fail(err)
	}
	root, err := contract.Root(a.Ctx)
	if err != nil {
		return fail(err)
	}
	if got := element(r.Root()); got != root {
		return fail(fmt.Errorf("after batch %d the root is %s, L1 has %s in block %d: begin the search at the block of the deployment or before (--from)", r.Number(), got, root, report.Block))
	}
	accounts := r.Accounts()
	report.Batches, report.Root, report.Accounts = r.Number(), root, len(accounts)
	return report, accounts, nil
}

func writeAccounts(path string, accounts []state.Indexed) error {
	rows := make([]rebuiltAccount, len(accounts))
	for i, x := range accounts {
		rows[i] = rebuiltAccount{x.Index, element(x.Owner), x.Token, x.Nonce, x.Balance, x.L1}
	}
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the accounts: %w", err)
	}
	return nil
}

func element(e fr.Element) settle.Element { return e.Bytes() }
