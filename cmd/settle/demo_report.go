package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ethereum/go-ethereum/common"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/poseidon"
	"github.com/zksettle/settle/state"
)

// demoReport is what the demo prints, as a table or as JSON.
type demoReport struct {
	Shape        string         `json:"shape"`
	Workers      int            `json:"workers"`
	Transactions int            `json:"transactions"`
	ChainID      uint64         `json:"chain_id"`
	Rollup       settle.Address `json:"rollup"`
	Batches      []demoBatch    `json:"batches"`
	FinalRoot    settle.Element `json:"final_root"`    // recomputed here from genesis and the submitted transfers
	L1FinalRoot  settle.Element `json:"l1_final_root"` // by eth_call at the head
	Timings      demoTimings    `json:"timings"`
}

// demoBatch is one row. Gas is from the receipt; the root on L1 by eth_call at
// the receipt's block; the local root from executing the batch anew.
type demoBatch struct {
	Number         settle.BatchNumber `json:"number"`
	Transactions   int                `json:"transactions"`
	AssignSeconds  float64            `json:"assign_seconds"`
	SolveSeconds   float64            `json:"solve_seconds"`
	ProveSeconds   float64            `json:"prove_seconds"`
	PeakMemory     uint64             `json:"peak_memory_bytes"`
	Worker         string             `json:"worker"`
	Gas            uint64             `json:"gas"`
	GasPerTransfer uint64             `json:"gas_per_transfer"`
	TxHash         settle.Hash        `json:"tx_hash"`
	L1Root         settle.Element     `json:"l1_root"`
	LocalRoot      settle.Element     `json:"local_root"`
}

// report gathers the rows from API, L1 and an execution of its own.
func (d *demoRun) report(ctx context.Context, ids []settle.Hash) (*demoReport, error) {
	r := &demoReport{
		Shape: d.cmd.Shape, Workers: d.cmd.Workers, Transactions: len(ids), ChainID: d.deployment.ChainID,
		Rollup: d.deployment.Rollup, Timings: d.timings,
	}
	node, err := l1.Dial(ctx, d.node.url, d.deployment.ChainID)
	if err != nil {
		return nil, err
	}
	defer node.Close()
	rollup := l1.NewClient(node, d.deployment.Rollup)
	local, err := d.replay(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, root := range local {
		number := settle.BatchNumber(i + 1)
		b, err := d.client.Batch(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", number, err)
		}
		if len(b.Proofs) == 0 || b.Settlement == nil || b.Settlement.BlockNumber == nil {
			return nil, fmt.Errorf("batch %d has no proof or no settlement", number)
		}
		receipt, err := node.TransactionReceipt(ctx, common.Hash(b.Settlement.TxHash))
		if err != nil {
			return nil, fmt.Errorf("receipt of batch %d: %w", number, err)
		}
		onL1, err := rollup.At(receipt.BlockNumber.Uint64()).Root(ctx)
		if err != nil {
			return nil, fmt.Errorf("root on L1 after batch %d: %w", number, err)
		}
		proof := b.Proofs[0]
		r.Batches = append(r.Batches, demoBatch{
			Number: number, Transactions: b.Transactions,
			AssignSeconds: proof.AssignSeconds, SolveSeconds: proof.SolveSeconds, ProveSeconds: proof.ProveSeconds,
			PeakMemory: proof.PeakMemoryBytes, Worker: proof.Worker,
			Gas: receipt.GasUsed, GasPerTransfer: receipt.GasUsed / uint64(b.Transactions), TxHash: b.Settlement.TxHash,
			L1Root: onL1, LocalRoot: root,
		})
		r.FinalRoot = root
	}
	r.L1FinalRoot, err = rollup.Root(ctx)
	return r, err
}

// replay executes the batches anew from genesis, in this process, and returns
// the root after each: nothing of it comes from the sequencer but the order.
func (d *demoRun) replay(ctx context.Context, ids []settle.Hash) ([]settle.Element, error) {
	byBatch := map[settle.BatchNumber]map[int]state.Transaction{}
	for _, id := range ids {
		t, err := d.client.Transaction(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("transaction %s: %w", id, err)
		}
		if t.Batch == nil || t.Position == nil {
			return nil, fmt.Errorf("transaction %s is in no batch", id)
		}
		tx, err := stateTransaction(t)
		if err != nil {
			return nil, fmt.Errorf("transaction %s: %w", id, err)
		}
		if byBatch[*t.Batch] == nil {
			byBatch[*t.Batch] = map[int]state.Transaction{}
		}
		byBatch[*t.Batch][*t.Position] = tx
	}
	domain, err := fieldElement(d.deployment.Domain)
	if err != nil {
		return nil, err
	}
	s, err := d.genesis.State(poseidon.New(), domain)
	if err != nil {
		return nil, err
	}
	var roots []settle.Element
	for number := settle.BatchNumber(1); len(byBatch[number]) > 0; number++ {
		txs := make([]state.Transaction, len(byBatch[number]))
		for position, tx := range byBatch[number] {
			if position >= len(txs) {
				return nil, fmt.Errorf("batch %d has a gap before position %d", number, position)
			}
			txs[position] = tx
		}
		trace, err := s.Apply(txs)
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", number, err)
		}
		roots = append(roots, element(trace.Header.NewRoot))
	}
	if len(roots) != len(byBatch) {
		return nil, fmt.Errorf("%d batches, of which only %d are numbered from 1 without gaps", len(byBatch), len(roots))
	}
	return roots, nil
}

// check fails when anything differs.
func (r *demoReport) check(transfers int) error {
	var errs []error
	sum := 0
	for _, b := range r.Batches {
		sum += b.Transactions
		if b.L1Root != b.LocalRoot {
			errs = append(errs, fmt.Errorf("batch %d: the root on L1 is %s, the local one %s", b.Number, b.L1Root, b.LocalRoot))
		}
	}
	if sum != transfers {
		errs = append(errs, fmt.Errorf("%d transfers are settled, %d were submitted", sum, transfers))
	}
	if r.FinalRoot != r.L1FinalRoot {
		errs = append(errs, fmt.Errorf("the final root on L1 is %s, the local one %s", r.L1FinalRoot, r.FinalRoot))
	}
	return errors.Join(errs...)
}

func (r *demoReport) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nbatch\ttransfers\tassign\tsolve\tprove\tmemory\tgas\tgas/transfer\troot on L1\troot here\t")
	for _, b := range r.Batches {
		fmt.Fprintf(w, "%d\t%d\t%.2f s\t%.2f s\t%.2f s\t%d MiB\t%d\t%d\t%s\t%s\t\n", b.Number, b.Transactions,
			b.AssignSeconds, b.SolveSeconds, b.ProveSeconds, b.PeakMemory>>20, b.Gas, b.GasPerTransfer, shortRoot(b.L1Root), shortRoot(b.LocalRoot))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	t := r.Timings
	_, err := fmt.Fprintf(out, "\n%d transfers in %d batches, settled by rollup %s on chain %d; root %s\n"+
		"keys %.1f s, start %.1f s, deploy %.1f s, submit %.1f s, prove and settle %.1f s; in all %.1f s\n",
		r.Transactions, len(r.Batches), r.Rollup, r.ChainID, r.L1FinalRoot, t.Keys, t.Start, t.Deploy, t.Submit, t.Settle, t.Overall)
	return err
}

func shortRoot(e settle.Element) string { s := e.String(); return s[:10] + "…" + s[len(s)-6:] }
