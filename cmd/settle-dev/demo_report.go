package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/ethereum/go-ethereum/common"

	"github.com/zksettle/settle"
	"github.com/zksettle/settle/api/wire"
	"github.com/zksettle/settle/internal/reexecute"
	"github.com/zksettle/settle/l1"
	"github.com/zksettle/settle/verifier/contracts/bindings"
)

// demoReport is what the demo prints, as a table or as JSON.
type demoReport struct {
	Shape        string         `json:"shape"`
	Workers      int            `json:"workers"`
	Transactions int            `json:"transactions"`
	ChainID      uint64         `json:"chain_id"`
	Rollup       settle.Address `json:"rollup"`
	Batches      []demoBatch    `json:"batches"`
	Groups       []demoGroup    `json:"groups,omitempty"` // batches that one proof settled
	FinalRoot    settle.Element `json:"final_root"`       // recomputed here from genesis and the submitted transfers
	L1FinalRoot  settle.Element `json:"l1_final_root"`    // by eth_call at the head
	Timings      demoTimings    `json:"timings"`
}

// demoBatch is one row. Gas is its share of the receipt's; the root on L1 from the
// event, which for the last batch of a transaction must be what eth_call returns at
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
	node, err := d.l1.Dial(ctx, d.deployment.ChainID)
	if err != nil {
		return nil, err
	}
	defer node.Close()
	rollup := l1.NewClient(node, d.deployment.Rollup)
	local, err := reexecute.Roots(ctx, d.client, d.deployment.Domain, d.genesis, ids)
	if err != nil {
		return nil, err
	}
	for i, root := range local {
		number := settle.BatchNumber(i + 1)
		b, err := d.client.Batch(ctx, number)
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", number, err)
		}
		proof, found := proofOf(b.Proofs, settle.CircuitTransition)
		if !found || b.Settlement == nil || b.Settlement.BlockNumber == nil {
			return nil, fmt.Errorf("batch %d has no proof or no settlement", number)
		}
		workers, err := d.workers(ctx, number)
		if err != nil {
			return nil, err
		}
		settlement, err := settledIn(ctx, node, rollup, b.Settlement.TxHash)
		if err != nil {
			return nil, fmt.Errorf("batch %d: %w", number, err)
		}
		gas := settlement.gas / uint64(len(settlement.batches))
		r.Batches = append(r.Batches, demoBatch{
			Number: number, Transactions: b.Transactions,
			AssignSeconds: proof.AssignSeconds, SolveSeconds: proof.SolveSeconds, ProveSeconds: proof.ProveSeconds,
			PeakMemory: proof.PeakMemoryBytes, Worker: workers[settle.CircuitTransition],
			Gas: gas, GasPerTransfer: gas / uint64(b.Transactions), TxHash: b.Settlement.TxHash,
			L1Root: settlement.root(number), LocalRoot: root,
		})
		r.FinalRoot = root
		if n := len(settlement.batches); n > 1 && settlement.batches[0].number == number {
			folded, found := proofOf(b.Proofs, settle.CircuitAggregate)
			if !found {
				return nil, fmt.Errorf("batches %d to %d have no proof in common", number, number+settle.BatchNumber(n)-1)
			}
			r.Groups = append(r.Groups, demoGroup{
				First: number, Last: settlement.batches[n-1].number, Shape: folded.Shape,
				AssignSeconds: folded.AssignSeconds, SolveSeconds: folded.SolveSeconds, ProveSeconds: folded.ProveSeconds,
				PeakMemory: folded.PeakMemoryBytes, Worker: workers[settle.CircuitAggregate],
				Gas: settlement.gas, GasPerBatch: gas, TxHash: b.Settlement.TxHash,
			})
		}
	}
	r.L1FinalRoot, err = rollup.Root(ctx)
	return r, err
}

// workers is who made the proofs of a batch, by circuit. The API does not tell.
func (d *demoRun) workers(ctx context.Context, n settle.BatchNumber) (map[string]string, error) {
	b, err := d.db.Store.Batch(ctx, n)
	if err != nil {
		return nil, err
	}
	by := map[string]string{}
	for _, p := range b.Proofs {
		by[p.Circuit] = p.Worker
	}
	return by, nil
}

func proofOf(proofs []wire.Proof, circuit string) (wire.Proof, bool) {
	i := slices.IndexFunc(proofs, func(p wire.Proof) bool { return p.Circuit == circuit })
	if i < 0 {
		return wire.Proof{}, false
	}
	return proofs[i], true
}

// demoGroup is a row about batches that one proof settled.
type demoGroup struct {
	First         settle.BatchNumber `json:"first"`
	Last          settle.BatchNumber `json:"last"`
	Shape         string             `json:"shape"`
	AssignSeconds float64            `json:"assign_seconds"`
	SolveSeconds  float64            `json:"solve_seconds"`
	ProveSeconds  float64            `json:"prove_seconds"`
	PeakMemory    uint64             `json:"peak_memory_bytes"`
	Worker        string             `json:"worker"`
	Gas           uint64             `json:"gas"`
	GasPerBatch   uint64             `json:"gas_per_batch"`
	TxHash        settle.Hash        `json:"tx_hash"`
}

// demoSettlement is what a settling transaction did, by its receipt.
type demoSettlement struct {
	gas     uint64
	batches []demoSettled
}

type demoSettled struct {
	number settle.BatchNumber
	root   settle.Element
}

func (s demoSettlement) root(n settle.BatchNumber) settle.Element {
	for _, b := range s.batches {
		if b.number == n {
			return b.root
		}
	}
	return settle.Element{}
}

// settledIn reads a settling transaction's receipt, and compares the root that its
// last event names with that of the contract after its block.
func settledIn(ctx context.Context, node l1.Node, rollup *l1.Client, hash settle.Hash) (demoSettlement, error) {
	receipt, err := node.TransactionReceipt(ctx, common.Hash(hash))
	if err != nil {
		return demoSettlement{}, fmt.Errorf("receipt of %s: %w", hash, err)
	}
	s := demoSettlement{gas: receipt.GasUsed}
	contract := bindings.NewRollup()
	for _, log := range receipt.Logs {
		if event, err := contract.UnpackBatchSettledEvent(log); err == nil && log.Address == common.Address(rollup.Address()) {
			var root settle.Element
			event.NewRoot.FillBytes(root[:])
			s.batches = append(s.batches, demoSettled{settle.BatchNumber(event.Number), root})
		}
	}
	if len(s.batches) == 0 {
		return s, fmt.Errorf("transaction %s settled nothing", hash)
	}
	after, err := rollup.At(receipt.BlockNumber.Uint64()).Root(ctx)
	if err != nil {
		return s, fmt.Errorf("root on L1 after %s: %w", hash, err)
	}
	if last := s.batches[len(s.batches)-1].root; after != last {
		return s, fmt.Errorf("the root on L1 is %s after %s, which says %s", after, hash, last)
	}
	return s, nil
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
	if err := r.groups(out); err != nil {
		return err
	}
	t := r.Timings
	_, err := fmt.Fprintf(out, "\n%d transfers in %d batches, settled by rollup %s on chain %d; root %s\n"+
		"keys %.1f s, start %.1f s, deploy %.1f s, submit %.1f s, prove and settle %.1f s; in all %.1f s\n",
		r.Transactions, len(r.Batches), r.Rollup, r.ChainID, r.L1FinalRoot, t.Keys, t.Start, t.Deploy, t.Submit, t.Settle, t.Overall)
	return err
}

func shortRoot(e settle.Element) string { s := e.String(); return s[:10] + "…" + s[len(s)-6:] }

func (r *demoReport) groups(out io.Writer) error {
	if len(r.Groups) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfolded\tshape\tassign\tsolve\tprove\tmemory\tgas\tgas/batch\t")
	for _, g := range r.Groups {
		fmt.Fprintf(w, "%d to %d\t%s\t%.2f s\t%.2f s\t%.2f s\t%d MiB\t%d\t%d\t\n", g.First, g.Last, g.Shape,
			g.AssignSeconds, g.SolveSeconds, g.ProveSeconds, g.PeakMemory>>20, g.Gas, g.GasPerBatch)
	}
	return w.Flush()
}
